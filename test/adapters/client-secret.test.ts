// A client secret of a customer's own app, through the SDK to Entra and to the vault: which of two is shown, what Entra says of each, and that none of it is
// known to another company.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MANAGED_IDENTITY_PRINCIPAL_ID, VENDOR_TENANT_ID } from '../../local/identities.ts';
import type { Credential, VaultTarget } from '../../shared/domain/provider.ts';
import { placeOfClientSecret, type ClientSecret } from '../../shared/domain/client-secret.ts';
import { ClientSecrets, sealClientSecret } from '../../shared/operations/keys/client-secrets.ts';
import { rewrapSecret } from '../../shared/operations/keys/sealed-secrets.ts';
import { systemClock as clock, systemEntropy as entropy } from '../../shared/adapters/system.ts';
import type { Providers } from '../../shared/providers/provider.ts';
import { providersOver } from '../fakes/providers.ts';
import { failureOf, valueOf, VaultWorld, wrapped, type Customer, type VaultClients } from './vault-world.ts';

let world: VaultWorld;
let vendor: Customer;
let providers: Providers;
let clients: VaultClients;
let asked: string[];

beforeAll(async () => {
  world = await VaultWorld.start();
  vendor = await world.vendor();
});
beforeEach(() => {
  world.reset();
  asked = [];
  const { vaults } = world.clients();
  providers = providersOver({ vaults, vendor: vendor.target, clock });
  const secrets = new ClientSecrets({ providers }, clock);
  clients = world.clients({
    openSecret: (secret, of) => {
      asked.push(secret.secretId);
      return secrets.open(secret, of);
    },
  });
});
afterAll(() => world.azure.close());

interface Owner extends Omit<Customer, 'target'> {
  readonly appId: string;
  makeSecret(options?: {
    readonly expiresInSeconds?: number;
  }): Promise<{ readonly secretId: string; readonly value: string }>;
  stored(value: string, companyId?: string): Promise<ClientSecret>;
  target(...secrets: ClientSecret[]): VaultTarget & { readonly credential: Credential };
}

/** A customer whose own app has the role on the key. */
async function owner(): Promise<Owner> {
  const customer = await world.customer({ assigned: false });
  const { tenantId, host } = customer;
  const appId = randomUUID();
  await world.entraCall('PUT', `/apps/${appId}`, { homeTenantId: tenantId, displayName: 'keys' });
  const principal = `/tenants/${tenantId}/service-principals/${appId}`;
  const { objectId: principalId } = await world.entraCall<{ objectId: string }>('GET', principal);
  await world.assign({ host, principalId });
  const target = (...secrets: ClientSecret[]): ReturnType<Owner['target']> => ({
    ...customer.target,
    credential: { kind: 'client-secret', clientId: appId, secrets },
  });
  return {
    ...customer,
    principalId,
    appId,
    target,
    makeSecret: (options = {}) => world.entraCall('POST', `/apps/${appId}/secrets`, options),
    stored: async (value, companyId = 'acme') => {
      const about = { companyId, connectionId: 'c', secretId: randomUUID(), enteredAt: '', expiresAt: '2030-01-01' };
      return valueOf(await sealClientSecret({ providers, entropy }, about, { tenantId, clientId: appId, value }));
    },
  };
}

describe('a client secret', () => {
  it('gets a token of the app in its own tenant, by which the vault is read and unwraps', async () => {
    const one = await owner();
    const secret = await one.stored((await one.makeSecret()).value);
    world.forgetRequests();
    expect(valueOf(await clients.probe.obtainToken(one.target(secret)))).toEqual({ principalId: one.principalId });
    expect(valueOf(await clients.vaults.readKey(one.target(secret))).keyId).toBe(one.keyId);
    const { plaintext, ciphertext } = wrapped();
    const opened = valueOf(await clients.vaults.unwrap(one.target(secret), { keyId: one.keyId, ciphertext }));
    expect(Buffer.from(opened)).toEqual(plaintext);
    expect(world.tokensAskedFor(one.tenantId)).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });

  it('is opened through the vendor’s vault once, however many tokens are asked for by it', async () => {
    const one = await owner();
    const secret = await one.stored((await one.makeSecret()).value);
    world.forgetRequests();
    for (let time = 0; time < 3; time += 1) valueOf(await clients.probe.obtainToken(one.target(secret)));
    expect(world.asked().filter((call) => call.startsWith('unwrapkey'))).toHaveLength(1);
  });

  it.each([
    ['expired', 'client-secret-expired', { expiresInSeconds: -1 }],
    ['deleted', 'client-secret-wrong', {}],
  ] as const)('that is %s is told so by Entra', async (what, code, options) => {
    const one = await owner();
    const { secretId, value } = await one.makeSecret(options);
    const secret = await one.stored(value);
    if (what === 'deleted') await world.entraCall('DELETE', `/apps/${one.appId}/secrets/${secretId}`);
    const found = failureOf(await clients.probe.obtainToken(one.target(secret)));
    expect(found).toMatchObject({ code, facts: { appId: one.appId, tenantId: one.tenantId } });
    expect(JSON.stringify(found)).not.toContain(value);
  });

  it.each([
    ['as it is', (value: string) => value],
    ['in the form that was sent', encodeURIComponent],
  ])('that the answer repeats, %s, is told to nobody', async (_, form) => {
    const one = await owner();
    const value = 'zzz8Q~a+secret/that=an.answer%repeats.it';
    const error_description = `AADSTS7000215: Invalid client secret provided: client_secret=${form(value)}`;
    const body = JSON.stringify({ error: 'invalid_client', error_description, error_codes: [7000215] });
    world.azure.entra.control.plant({ operation: 'token', times: 1, effect: { status: 401, body } });
    const found = failureOf(await clients.probe.obtainToken(one.target(await one.stored(value))));
    expect(found).toMatchObject({ code: 'client-secret-wrong', service: { status: 401 } });
    expect(JSON.stringify(found)).not.toContain('an.answer');
  });

  it('of an app that is gone from the tenant is told so, and not that an administrator has to consent', async () => {
    const one = await owner();
    const secret = await one.stored((await one.makeSecret()).value);
    const principal = `/tenants/${one.tenantId}/service-principals/${one.appId}`;
    await world.entraCall('PUT', principal, { enabled: false });
    expect(failureOf(await clients.probe.obtainToken(one.target(secret)))).toMatchObject({
      code: 'client-app-missing',
      message: "The company's own app may not sign in.",
    });
    await world.entraCall('DELETE', principal);
    expect(failureOf(await clients.probe.obtainToken(one.target(secret))).code).toBe('client-app-missing');
  });

  it('of two, the newer is shown first, and the older where the newer is not taken', async () => {
    const one = await owner();
    const [old, next] = [await one.makeSecret(), await one.makeSecret()];
    const [older, newer] = [await one.stored(old.value), await one.stored(next.value)];
    const both = one.target(newer, older);
    valueOf(await clients.probe.obtainToken(both));
    expect(asked).toEqual([newer.secretId]);
    await world.entraCall('DELETE', `/apps/${one.appId}/secrets/${next.secretId}`);
    asked = [];
    valueOf(await clients.probe.obtainToken(both));
    expect(asked).toEqual([newer.secretId, older.secretId]);
    await world.entraCall('DELETE', `/apps/${one.appId}/secrets/${old.secretId}`);
    expect(failureOf(await clients.probe.obtainToken(both)).code).toBe('client-secret-wrong');
  });

  it('is not tried a second time where Entra cannot be reached, and nothing is called wrong', async () => {
    const one = await owner();
    const both = one.target(await one.stored('a-secret-of-more-than-16'), await one.stored('another-of-more-than-16'));
    world.azure.entra.control.plant({ operation: 'token', times: 1, effect: { status: 503 } });
    expect(failureOf(await clients.probe.obtainToken(both))).toMatchObject({
      code: 'entra-unreachable',
      kind: 'transient',
    });
    expect(asked).toHaveLength(1);
  });

  it('that the vendor’s vault does not open is the vendor’s to mend: no word of a revocation, and nothing is sent to Entra', async () => {
    const one = await owner();
    const secret = await one.stored((await one.makeSecret()).value);
    world.forgetRequests();
    world.azure.keyVault.control.plant({
      operation: 'unwrapkey',
      target: `${vendor.host}/customer-key`,
      times: 1,
      effect: { status: 503 },
    });
    const found = failureOf(await clients.probe.obtainToken(one.target(secret)));
    expect(found).toMatchObject({ code: 'client-secret-unavailable', kind: 'transient', owner: 'vendor' });
    expect(world.tokensAskedFor(one.tenantId)).toEqual([]);
  });
});

describe('what the app shows in place of a secret', () => {
  it('is the issuer and subject of its own identity’s token; of a credential with a secret there is none', async () => {
    expect(await clients.probe.federationShown({ kind: 'federated', clientId: randomUUID() })).toEqual({
      issuer: `https://login.microsoftonline.com/${VENDOR_TENANT_ID}/v2.0`,
      subject: MANAGED_IDENTITY_PRINCIPAL_ID,
    });
    expect(await clients.probe.federationShown({ kind: 'client-secret', clientId: randomUUID() })).toBeUndefined();
  });
});

describe('a token that a secret got', () => {
  it('serves no other company that names the same app, and none where the secret was replaced', async () => {
    const one = await owner();
    const { value } = await one.makeSecret();
    const [mine, again] = [await one.stored(value), await one.stored(value)];
    const theirs = await one.stored('a-guess-of-more-than-16', 'globex');
    const scope = 'https://vault.azure.net/.default';
    const tokenBy = (secret: ClientSecret): ReturnType<ReturnType<typeof clients.credentials.tokens>['token']> =>
      clients.credentials.tokens(one.target(secret).credential, one.tenantId).token(scope);
    const token = valueOf(await tokenBy(mine)).token;
    expect(valueOf(await tokenBy(mine)).token).toBe(token);
    expect(valueOf(await tokenBy(again)).token).not.toBe(token);
    expect(failureOf(await tokenBy(theirs)).code).toBe('client-secret-wrong');
    const [a, b] = [clients.pool.connection(one.target(mine)), clients.pool.connection(one.target(again))];
    expect(a.ok && b.ok && a.value === b.value).toBe(false);
  });

  it('is asked for by the secret as it is stored now: a version of the vendor’s key that it has left may be disabled', async () => {
    const one = await owner();
    const { vaults } = world.clients();
    const later = { now: () => new Date(Date.now() + world.laterMs), steadyMs: () => Date.now() + world.laterMs };
    const secrets = new ClientSecrets({ providers: providersOver({ vaults, vendor: vendor.target, clock }) }, later);
    clients = world.clients({ openSecret: (secret, of) => secrets.open(secret, of) });
    const secret = await one.stored((await one.makeSecret()).value);
    valueOf(await clients.vaults.readKey(one.target(secret)));
    await world.addVersion(vendor.host, 'customer-key', 'rsa-2048-2');
    const newest = valueOf(await providers.of(vendor.target.ref).read(vendor.target, { purpose: 'in-force' }));
    const place = placeOfClientSecret(secret, { tenantId: one.tenantId, clientId: one.appId });
    const followed = { ...secret, ...valueOf(await rewrapSecret({ providers }, { place, secret }, newest)) };
    const version = secret.keyId.split('/').at(-1);
    await world.vaultCall('PATCH', `/vaults/${vendor.host}/keys/customer-key`, { version, enabled: false });
    world.laterMs = 2 * 60 * 60_000;
    expect(followed.keyId).not.toBe(secret.keyId);
    expect(valueOf(await clients.vaults.readKey(one.target(followed))).keyId).toBe(one.keyId);
  });

  it('is none where the row that holds the secret was copied to another company, connection, tenant or app', async () => {
    const [one, other] = [await owner(), await owner()];
    const secret = await one.stored((await one.makeSecret()).value);
    world.forgetRequests();
    for (const target of [
      one.target({ ...secret, companyId: 'globex' }),
      one.target({ ...secret, connectionId: 'other' }),
      { ...one.target(secret), tenantId: other.tenantId },
      other.target(secret),
    ])
      expect(failureOf(await clients.probe.obtainToken(target)).code).toBe('row-forged');
    expect(world.azure.entra.control.requests()).toEqual([]);
  });
});
