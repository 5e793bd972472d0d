import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FaultEffect } from '../../local/control/control.ts';
import { CONNECTOR_APP_ID, MANAGED_IDENTITY_PRINCIPAL_ID } from '../../local/identities.ts';
import type { FailureCode } from '../../shared/domain/failure.ts';
import { failureOf, valueOf, VaultWorld, type VaultClients } from './vault-world.ts';

/** For a call that gets no answer. */
const HASTY_MS = 700;

let world: VaultWorld;

beforeAll(async () => {
  world = await VaultWorld.start();
});
beforeEach(() => world.reset());
afterAll(() => world.azure.close());

describe('reaching a vault', () => {
  it('opens a connection and sends no request', async () => {
    const { host } = await world.customer();
    expect(await world.clients().probe.reach(host)).toEqual({ ok: true, value: undefined });
    expect(world.asked()).toEqual([]);
  });

  it('says so when the name does not exist', async () => {
    const { probe } = world.clients();
    const gone = failureOf(await probe.reach('no-such-vault.vault.azure.net'));
    expect(gone).toMatchObject({ code: 'vault-not-found', facts: { vaultHost: 'no-such-vault.vault.azure.net' } });
  });

  it('does not even look up a name under a suffix that is not allowed', async () => {
    expect(failureOf(await world.clients().probe.reach('localhost')).code).toBe('vault-host-not-allowed');
  });
});

describe('the tenant of a vault', () => {
  it('is the one that its challenge names, for one request without a token', async () => {
    const { host, tenantId } = await world.customer();
    expect(valueOf(await world.clients().probe.challengedTenant(host))).toBe(tenantId);
    expect(world.asked()).toEqual(['challenge 401']);
    expect(world.azure.entra.control.requests()).toEqual([]);
  });

  it('is asked of the vault every time', async () => {
    const { host } = await world.customer();
    const { probe } = world.clients();
    const moved = '99999999-9999-4999-8999-999999999999';
    valueOf(await probe.challengedTenant(host));
    await world.vaultCall('PATCH', `/vaults/${host}`, { challengeTenantId: moved });
    expect(valueOf(await probe.challengedTenant(host))).toBe(moved);
  });

  it('is unknown of a vault that is silent or gone', async () => {
    const { host } = await world.customer();
    const { probe } = world.clients({ timeoutMs: 300 });
    world.azure.keyVault.control.plant({ operation: 'challenge', times: 1, effect: { hang: true } });
    expect(failureOf(await probe.challengedTenant(host)).code).toBe('vault-unreachable');
    expect(failureOf(await world.clients().probe.challengedTenant('no-such-vault.vault.azure.net')).code).toBe(
      'vault-not-found',
    );
  });
});

describe('a token for a vault', () => {
  it('names the connector’s principal in the customer’s tenant, and asks the vault for nothing', async () => {
    const { target, principalId, tenantId } = await world.customer();
    expect(valueOf(await world.clients().probe.obtainToken(target))).toEqual({ principalId });
    expect(world.asked()).toEqual([]);
    const [record] = world.tokensAskedFor(tenantId).filter(({ operation }) => operation === 'token');
    expect(record).toMatchObject({ status: 200, detail: { appId: CONNECTOR_APP_ID, proof: 'assertion' } });
  });

  it('is a new one each time, so that it proves consent as it is now, and serves the calls after it', async () => {
    const { target, tenantId } = await world.customer();
    const { probe, vaults } = world.clients();
    valueOf(await probe.obtainToken(target));
    await world.entraCall('DELETE', `/tenants/${tenantId}/service-principals/${CONNECTOR_APP_ID}`);
    expect(failureOf(await probe.obtainToken(target)).code).toBe('consent-required');
    const principalId = await world.consent(tenantId);
    expect(valueOf(await probe.obtainToken(target))).toEqual({ principalId });
    world.forgetRequests();
    expect(failureOf(await vaults.readKey(target)).code).toBe('access-denied-rbac');
    expect(world.tokensAskedFor(tenantId)).toEqual([]);
  });

  it('is one of the app’s own identity for the vendor’s vault', async () => {
    const { target } = await world.vendor();
    const principalId = MANAGED_IDENTITY_PRINCIPAL_ID;
    expect(valueOf(await world.clients().probe.obtainToken(target))).toEqual({ principalId });
    expect(world.azure.entra.control.requests()).toEqual([]);
  });

  it('is refused without consent, with the tenant and the app named and Entra’s own words kept', async () => {
    const { target, tenantId } = await world.customer({ consented: false });
    const failure = failureOf(await world.clients().probe.obtainToken(target));
    expect(failure).toMatchObject({
      code: 'consent-required',
      kind: 'denied',
      facts: { tenantId, appId: CONNECTOR_APP_ID },
      service: { status: 401, code: 'AADSTS7000229' },
    });
    expect(failure.service?.correlationId).toMatch(/^[0-9a-f-]{36}$/);
  });

  const tokenFault = (effect: object) => (): void => world.azure.entra.control.plant({ operation: 'token', effect });
  const aadsts = (number: number): object => ({
    status: 400,
    body: { error: 'invalid_client', error_description: `AADSTS${number}: words`, error_codes: [number] },
  });
  const CASES: Record<string, [FailureCode, (tenantId: string) => unknown]> = {
    'a tenant that does not exist': [
      'entra-tenant-not-found',
      (tenantId) => world.entraCall('DELETE', `/tenants/${tenantId}`),
    ],
    'an app that is not registered': ['consent-required', tokenFault(aadsts(700_016))],
    'an app that was switched off': [
      'consent-required',
      (tenantId) =>
        world.entraCall('PUT', `/tenants/${tenantId}/service-principals/${CONNECTOR_APP_ID}`, { enabled: false }),
    ],
    'Conditional Access': [
      'blocked-by-conditional-access',
      (tenantId) => world.entraCall('PUT', `/tenants/${tenantId}/conditional-access/${CONNECTOR_APP_ID}`),
    ],
    'a federated credential that does not fit': ['federation-mismatch', tokenFault(aadsts(700_213))],
    'a wrong secret': ['client-secret-wrong', tokenFault(aadsts(7_000_215))],
    'a secret that has expired': ['client-secret-expired', tokenFault(aadsts(7_000_222))],
    'too many requests': ['entra-throttled', tokenFault({ status: 429, body: {} })],
    'trouble of Entra’s': ['entra-unreachable', tokenFault({ status: 503, body: 'busy' })],
    'an answer that is cut off': ['entra-unreachable', tokenFault({ drop: 'after-acting' })],
    'no answer': ['entra-unreachable', tokenFault({ hang: true })],
    'a refusal that nobody knows': ['entra-refused', tokenFault(aadsts(999_999))],
    'a page of HTML': ['entra-error', tokenFault({ status: 400, body: '<html>' })],
    'a token that is none': [
      'entra-error',
      tokenFault({ status: 200, body: { access_token: 'x', expires_in: 3600, token_type: 'Bearer' } }),
    ],
    'an answer without a token': ['entra-error', tokenFault({ status: 200, body: {} })],
    'an answer without end': ['entra-error', tokenFault({ bodyBytes: -1 })],
  };

  it.each(Object.keys(CASES))('with %s has its code, and Entra is asked once', async (name) => {
    const [code, arrange] = CASES[name]!;
    const { target, tenantId } = await world.customer();
    const { probe } = world.clients(name === 'no answer' ? { timeoutMs: HASTY_MS } : {});
    await arrange(tenantId);
    world.forgetRequests();
    expect(failureOf(await probe.obtainToken(target)).code).toBe(code);
    const tokens = world.azure.entra.control.requests().filter(({ operation }) => operation === 'token');
    expect(tokens.length).toBeLessThanOrEqual(1);
    expect(world.asked()).toEqual([]);
  });

  it('under an authority that the SDK does not know by heart is looked for first, and says why it is not found', async () => {
    const authorityHost = 'https://login.windows.net';
    const { target, tenantId, principalId } = await world.customer();
    const clients = (): VaultClients => world.clients({ authorityHost });
    const hasty = world.clients({ timeoutMs: HASTY_MS, authorityHost });
    expect(valueOf(await clients().probe.obtainToken(target))).toEqual({ principalId });
    const plant = (effect: FaultEffect): void =>
      world.azure.entra.control.plant({ operation: 'discovery', times: 1, effect });
    plant({ drop: 'before-acting' });
    expect(failureOf(await clients().probe.obtainToken(target)).code).toBe('entra-unreachable');
    plant({ hang: true });
    expect(failureOf(await hasty.probe.obtainToken(target)).code).toBe('entra-unreachable');
    plant({ status: 429 });
    expect(failureOf(await clients().probe.obtainToken(target)).code).toBe('entra-throttled');
    await world.entraCall('DELETE', `/tenants/${tenantId}`);
    expect(failureOf(await clients().probe.obtainToken(target)).code).toBe('entra-tenant-not-found');
  });

  it('is not to be had without the app’s own identity, and that is not the customer’s fault', async () => {
    const { target, tenantId } = await world.customer();
    const { probe } = world.clients({ identityClientId: '11111111-1111-4111-8111-111111111111' });
    const failure = failureOf(await probe.obtainToken(target));
    expect(failure).toMatchObject({ code: 'managed-identity-unavailable', kind: 'transient', owner: 'vendor' });
    expect(world.tokensAskedFor(tenantId).filter(({ operation }) => operation === 'token')).toEqual([]);
  });

  it('of the app’s own identity is asked for once, and again only when the endpoint has failed', async () => {
    const { target } = await world.customer();
    const identityClientId = '22222222-2222-4222-8222-222222222222';
    const { probe } = world.clients({ identityClientId });
    world.azure.managedIdentity.control.plant({ operation: 'token', times: 1, effect: { status: 500, body: {} } });
    expect(failureOf(await probe.obtainToken(target)).code).toBe('managed-identity-unavailable');
    expect(world.azure.managedIdentity.control.requests()).toHaveLength(1);
  });
});
