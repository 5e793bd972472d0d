// Another kind of credential is a file and a line; what one gets serves no other.
import { VENDOR_TENANT_ID } from '../../../../local/identities.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Credential, VaultTarget } from '../../../../shared/domain/provider.ts';
import { ok } from '../../../../shared/domain/result.ts';
import type { CredentialKind } from '../../../../shared/identity/entra/credentials/credential.ts';
import { Credentials } from '../../../../shared/identity/entra/credentials/credentials.ts';
import { azureKeyVault } from '../../../../shared/providers/azure-key-vault/azure-key-vault.ts';
import { AzureConnectionProbe } from '../../../../shared/providers/azure-key-vault/client/connection-probe.ts';
import { AzureKeyVaults } from '../../../../shared/providers/azure-key-vault/client/key-vaults.ts';
import { VaultPool } from '../../../../shared/providers/azure-key-vault/client/vault-pool.ts';
import { FakeClock } from '../../../fakes/fake-system.ts';
import { CONNECTOR_APP_ID, PRINCIPAL_ID } from '../../../fakes/fake-vault-answers.ts';
import { noSecrets } from '../../../fakes/no-secrets.ts';

const MAX_AGE_MS = 300_000;
const TOKEN_MS = 24 * 3_600_000;
const SCOPE = 'https://vault.azure.net/.default';
const TENANT = '11111111-1111-4111-8111-111111111111';
const OTHER_TENANT = '22222222-2222-4222-8222-222222222222';
const SECRET: Credential = { kind: 'secret', clientId: CONNECTOR_APP_ID };
const CERTIFICATE: Credential = { ...SECRET, kind: 'certificate' };
const HOSTED: Credential = { ...SECRET, kind: 'hosted' };
const OTHER_APP: Credential = { ...SECRET, clientId: '33333333-3333-4333-8333-333333333333' };
const UNKNOWN: Credential = { ...SECRET, kind: 'smart-card' };

const clock = new FakeClock();
/** For whom Entra was asked, one text a token. */
let asked: string[];

/** A kind that gets whatever it asks for: a token that says for whom it is. */
const kindOf = (kind: string, isLetInByTenant: boolean) => (): CredentialKind => ({
  kind,
  isLetInByTenant,
  tokensIn:
    (tenantId, { clientId }) =>
    (scope) => {
      asked.push([kind, clientId, tenantId].join(' '));
      const claims = { oid: PRINCIPAL_ID, for: asked.at(-1), scope, serial: asked.length };
      const token = `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
      return Promise.resolve(ok({ token, expiresOnTimestamp: clock.now().getTime() + TOKEN_MS }));
    },
});
const OTHERS = [kindOf('secret', true), kindOf('certificate', true), kindOf('hosted', false)];

let credentials: Credentials;
let pool: VaultPool;
beforeEach(() => {
  asked = [];
  const timeoutMs = 1_000;
  credentials = new Credentials(
    {
      identityClientId: CONNECTOR_APP_ID,
      connectorClientId: CONNECTOR_APP_ID,
      vendorTenantId: VENDOR_TENANT_ID,
      authorityHost: 'https://login.microsoftonline.com',
      timeoutMs,
      tenantTokenMaxAgeMs: MAX_AGE_MS,
      openSecret: noSecrets,
      clock,
    },
    OTHERS,
  );
  pool = new VaultPool({
    credentials,
    connectorClientId: CONNECTOR_APP_ID,
    vaultSuffixes: ['vault.azure.net'],
    timeoutMs,
  });
});

const targetOf = (credential?: Credential): VaultTarget => ({
  ref: { provider: 'azure-key-vault', connectionId: 'c' },
  host: 'contoso.vault.azure.net',
  keyName: 'k',
  tenantId: TENANT,
  ...(credential && { credential }),
});

async function tokenOf(credential: Credential, tenantId = TENANT): Promise<string> {
  const answer = await credentials.tokens(credential, tenantId).token(SCOPE);
  if (!answer.ok) throw new Error(answer.error.code);
  return answer.value.token;
}

describe('another kind of credential', () => {
  it('is known by its line, and gets the token of a connection that names it', async () => {
    const probe = new AzureConnectionProbe(pool);
    expect(probe.admits(SECRET)).toEqual(ok(undefined));
    expect(pool.connection(targetOf(SECRET)).ok).toBe(true);
    expect(await probe.obtainToken(targetOf(SECRET))).toEqual(ok({ principalId: PRINCIPAL_ID }));
    expect(asked).toEqual([`secret ${CONNECTOR_APP_ID} ${TENANT}`]);
  });

  it('shares neither a token nor the clients of a vault with any other, though tenant, app and vault are the same', async () => {
    const places = [
      [SECRET, TENANT],
      [CERTIFICATE, TENANT],
      [OTHER_APP, TENANT],
      [SECRET, OTHER_TENANT],
    ] as const;
    const got = [];
    for (const [credential, tenantId] of places) got.push(await tokenOf(credential, tenantId));
    expect(new Set(got).size).toBe(places.length);
    const again = [];
    for (const [credential, tenantId] of places) again.push(await tokenOf(credential, tenantId));
    expect(again).toEqual(got);
    expect(asked).toEqual(places.map(([{ kind, clientId }, tenantId]) => [kind, clientId, tenantId].join(' ')));
    const clients = [SECRET, CERTIFICATE, OTHER_APP].map((credential) => pool.connection(targetOf(credential)));
    expect(new Set(clients.map((client) => client.ok && client.value)).size).toBe(clients.length);
  });
});

describe('a token', () => {
  it('that a tenant can withdraw is used no longer than that may go unnoticed; another until it expires', async () => {
    const [bounded, hosted] = [await tokenOf(SECRET), await tokenOf(HOSTED)];
    clock.advance(MAX_AGE_MS);
    expect(await tokenOf(SECRET)).not.toBe(bounded);
    expect(await tokenOf(HOSTED)).toBe(hosted);
    clock.advance(TOKEN_MS);
    expect(await tokenOf(HOSTED)).not.toBe(hosted);
  });

  it('of a credential that was denied is let go of after a minute, and no token of another', async () => {
    const [denied, other, hosted] = [await tokenOf(SECRET), await tokenOf(CERTIFICATE), await tokenOf(HOSTED)];
    credentials.forget(SECRET, TENANT);
    expect(await tokenOf(SECRET)).toBe(denied);
    clock.advance(60_000);
    for (const credential of [SECRET, HOSTED]) credentials.forget(credential, TENANT);
    expect(await tokenOf(SECRET)).not.toBe(denied);
    expect([await tokenOf(CERTIFICATE), await tokenOf(HOSTED)]).toEqual([other, hosted]);
  });
});

describe('nothing is sent', () => {
  const refused = (kind: string): object => ({
    ok: false,
    error: { code: 'row-forged', facts: { detail: expect.stringContaining(kind) as unknown } },
  });

  it('for a credential of a kind that this deployment does not know', async () => {
    const [vaults, probe] = [new AzureKeyVaults(pool), new AzureConnectionProbe(pool)];
    const connectionPolicy = {
      allowedSuffixes: ['vault.azure.net'],
      vendorVaultHost: 'vendor.vault.azure.net',
      connectorClientId: CONNECTOR_APP_ID,
      identityClientId: CONNECTOR_APP_ID,
      vendorTenantId: VENDOR_TENANT_ID,
    };
    const keyPolicy = { minRsaBits: 2048, purgeable: 'warn' } as const;
    const provider = azureKeyVault({ vaults, probe, clock, connectionPolicy, keyPolicy });
    expect(provider.admits({ ...targetOf(), credential: UNKNOWN })).toMatchObject(refused('smart-card'));
    expect(await vaults.readKey(targetOf(UNKNOWN))).toMatchObject(refused('smart-card'));
    expect(await probe.obtainToken(targetOf(UNKNOWN))).toMatchObject(refused('smart-card'));
    expect(await credentials.tokens(UNKNOWN, TENANT).token(SCOPE)).toMatchObject(refused('smart-card'));
  });

  it('for a connection that names none: the app’s own identity is for the vendor’s vaults', async () => {
    expect(await new AzureKeyVaults(pool).readKey(targetOf())).toMatchObject(refused('no credential'));
    expect(pool.credentialOf({ ...targetOf(SECRET), ref: { provider: 'managed' } })).toEqual(ok(credentials.own));
  });
});
