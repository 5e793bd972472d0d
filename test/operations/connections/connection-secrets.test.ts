// Connections by a client secret of the company's own app: the secret is stored encrypted, replaced without a gap, claimed by the first green test, and
// opens nowhere else.
import { beforeEach, describe, expect, it } from 'vitest';
import type { AppInTenant, ClientSecret } from '../../../shared/domain/client-secret.ts';
import type { Connection } from '../../../shared/domain/connection.ts';
import type { ConnectionInput } from '../../../shared/providers/provider.ts';
import { claimVaultKey, getClaim } from '../../../shared/operations/connections/vault-claims.ts';
import { testConnection } from '../../../shared/operations/connections/connection-test.ts';
import { getConnection, putConnection } from '../../../shared/operations/connections/connections.ts';
import { openClientSecret } from '../../../shared/operations/keys/client-secrets.ts';
import { loadTarget } from '../../../shared/operations/keys/verified-connection.ts';
import { connectionCells } from '../../../shared/store/rows/sealed-rows.ts';
import { connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import { requestConsent } from '../../../shared/operations/sign-ins/request-consent.ts';
import { FakeSignIns } from '../../fakes/fake-sign-ins.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { POLICY } from '../../fixtures/policy.ts';
import { chainOf } from '../audit/chain.ts';
import { valueOf } from '../sign-ins/walk.ts';
import { COMPANY, CONNECTION, ConnectionWorld, HOST, PLACE, TENANT, VENDOR_HOST } from './connection-world.ts';

const APP = 'a3d4c5b6-1e2f-4a3b-9c8d-7e6f5a4b3c2d';
const FIRST = 'aaa8Q~first.secret.of.the.app.of.contoso';
const SECOND = 'bbb8Q~second.secret.of.the.app.of.contoso';
const THIRD = 'ccc8Q~third.secret.of.the.app.of.contoso';
const DAY_MS = 86_400_000;

let world: ConnectionWorld;
beforeEach(() => {
  world = new ConnectionWorld();
  world.vaults.apps.put({ clientId: APP, tenantId: TENANT, secrets: [FIRST] });
});

const inDays = (days: number): string => new Date(world.nowMs + days * DAY_MS).toISOString();
const inputOf = (typed: object): ConnectionInput => ({
  vaultUri: `https://${HOST}`,
  keyName: 'main-key',
  tenantId: TENANT,
  credential: { kind: 'client-secret', clientId: APP, ...typed },
});
const put = (typed: object): ReturnType<typeof putConnection> =>
  putConnection(world.deps, { ...PLACE, input: inputOf(typed), condition: {} }, ADMIN);
const putSecret = (clientSecret: string, more: object = {}): ReturnType<typeof putConnection> =>
  put({ clientSecret, expiresAt: inDays(180), ...more });
const tested = (): ReturnType<typeof testConnection> => testConnection(world.deps, PLACE, ADMIN);
const held = async (): Promise<Connection> => valueOf(await getConnection(world.deps, PLACE)).value;
const opened = async (): Promise<string[]> => {
  const { credential, tenantId = '' } = await held();
  const { clientId, secrets = [] } = credential;
  return Promise.all(secrets.map((secret) => inClear(secret, { tenantId, clientId })));
};
async function inClear(...[secret, of]: [ClientSecret, AppInTenant]): Promise<string> {
  const clear = await openClientSecret(world.deps, secret, of);
  if (!clear.ok) throw new Error(clear.error.code);
  return clear.value;
}
const everything = (): string => JSON.stringify([[...world.store.dump()], world.logged, chainOf(world.store)]);

describe('a secret that is entered', () => {
  it('is stored encrypted: the tables, the record and the log hold it in no form, and only the vendor’s key opens it', async () => {
    valueOf(await putSecret(FIRST));
    const left = everything();
    for (const form of ['utf8', 'hex', 'base64', 'base64url'] as const)
      expect(left).not.toContain(Buffer.from(FIRST).toString(form).replaceAll('=', ''));
    expect(await opened()).toEqual([FIRST]);
    world.vaults.fail({ operation: 'unwrap', failure: 'vault-unreachable', host: VENDOR_HOST });
    const secret = (await held()).credential.secrets?.[0];
    expect(await openClientSecret(world.deps, secret!, { tenantId: TENANT, clientId: APP })).toMatchObject({
      ok: false,
    });
  });

  it('asks for no consent: the first green test claims the key, and only then may a token be asked for', async () => {
    valueOf(await putSecret(FIRST));
    expect(await getClaim(world.deps, { host: HOST, keyName: 'main-key' })).toMatchObject({ ok: false });
    const { status, checks } = valueOf(await tested());
    expect(status).toBe('green');
    expect(checks.map(({ check, outcome }) => `${check} ${outcome}`)).toEqual([
      'input passed',
      'dns-tls passed',
      'challenge passed',
      'token passed',
      'key-read passed',
      'key-fit passed',
      'unwrap passed',
      'compare passed',
      'claim passed',
    ]);
    expect(valueOf(await getClaim(world.deps, { host: HOST, keyName: 'main-key' })).value.companyId).toBe(COMPANY);
    expect((await loadTarget(world.deps, PLACE)).ok).toBe(true);
  });

  it.each([
    ['wrong', SECOND, 'client-secret-wrong'],
    ['expired', FIRST, 'client-secret-expired'],
  ])('and is %s fails the test at the token, and claims nothing', async (_, value, code) => {
    world.vaults.apps.expire(APP, FIRST);
    valueOf(await putSecret(value));
    const test = valueOf(await tested());
    expect(test.checks.find(({ outcome }) => outcome === 'failed')).toMatchObject({
      check: 'token',
      failure: { code },
    });
    expect((await getClaim(world.deps, { host: HOST, keyName: 'main-key' })).ok).toBe(false);
  });

  it('for an app that the tenant does not know fails so', async () => {
    world.vaults.apps.remove(APP);
    valueOf(await putSecret(FIRST));
    const failed = valueOf(await tested()).checks.find(({ outcome }) => outcome === 'failed');
    expect(failed?.failure).toMatchObject({ code: 'client-app-missing', owner: 'azure-admin' });
  });

  it('a second time changes nothing, and costs no signature', async () => {
    const first = valueOf(await putSecret(FIRST));
    const signed = world.vaults.countOf('sign');
    expect(valueOf(await put({ clientSecret: FIRST, expiresAt: inDays(180) }))).toMatchObject({ etag: first.etag });
    expect(valueOf(await put({}))).toMatchObject({ etag: first.etag });
    expect(world.vaults.countOf('sign')).toBe(signed);
  });

  it('is refused without a date, after its date, or where none is stored yet; nothing is sent', async () => {
    // What the seal key says of itself is known to a process.
    const calls = (): number => world.vaults.calls.filter(({ operation }) => operation !== 'publicKey').length;
    const before = calls();
    expect(await put({})).toMatchObject({ error: { type: 'invalid', target: 'body.credential.clientSecret' } });
    expect(await put({ clientSecret: FIRST })).toMatchObject({ error: { target: 'body.credential.expiresAt' } });
    expect(await putSecret(FIRST, { expiresAt: inDays(-1) })).toMatchObject({
      error: { target: 'body.credential.expiresAt' },
    });
    expect(calls()).toBe(before);
  });

  it('is not stored where the vendor’s vault does not open it again', async () => {
    world.vaults.fail({ operation: 'unwrap', failure: 'vault-unreachable', host: VENDOR_HOST });
    const refused = await putSecret(FIRST);
    expect(refused).toMatchObject({ ok: false, error: { type: 'failure', failure: { owner: 'vendor' } } });
    expect(world.store.peek('companies', COMPANY, connectionRowKey(CONNECTION))).toBeUndefined();
  });
});

describe('an app of one’s own', () => {
  it('that opens the key of another company claims nothing', async () => {
    await claimVaultKey(world.deps, { companyId: 'globex', host: HOST, keyName: 'main-key' });
    const theirs = connectionRowKey('theirs');
    valueOf(await putSecret(FIRST));
    const cells = await world.cells();
    world.store.tamper('companies', 'globex', theirs, cells);
    const { status, checks } = valueOf(await tested());
    expect(status).toBe('failed');
    expect(checks.at(-1)).toMatchObject({ check: 'claim', outcome: 'failed', failure: { code: 'vault-key-in-use' } });
    expect(valueOf(await getClaim(world.deps, { host: HOST, keyName: 'main-key' })).value.companyId).toBe('globex');
  });

  it('needs no link for consent, and gets none', async () => {
    valueOf(await putSecret(FIRST));
    const beside = { signIns: new FakeSignIns(world.clock), signInTimes: { linkMs: 1, stepMs: 1 } };
    const deps = world.startHost(POLICY, { beside });
    expect(await requestConsent(deps, PLACE, ADMIN)).toMatchObject({ error: { code: 'consent-not-needed' } });
  });
});

describe('a secret that is replaced', () => {
  beforeEach(async () => {
    valueOf(await putSecret(FIRST));
    valueOf(await tested());
    world.vaults.apps.put({ clientId: APP, tenantId: TENANT, secrets: [FIRST, SECOND] });
    world.vaults.apps.shown.length = 0;
  });

  it('stays behind the newer one, which is tried first, until that has worked', async () => {
    valueOf(await putSecret(SECOND));
    expect(await opened()).toEqual([SECOND, FIRST]);
    expect(valueOf(await tested()).status).toBe('green');
    // Another server of Entra's may not know it yet.
    expect(await opened()).toEqual([SECOND, FIRST]);
    world.clock.advance(600_000);
    expect(valueOf(await tested()).status).toBe('green');
    expect(await opened()).toEqual([SECOND]);
    expect(world.vaults.apps.shown[0]).toBe(SECOND);
    expect(world.vaults.apps.shown).not.toContain(FIRST);
    expect(chainOf(world.store).filter(({ action }) => action === 'connection.drop-secret')).toHaveLength(1);
  });

  it('serves on while the newer does not work, and the test says so without failing', async () => {
    valueOf(await putSecret(THIRD));
    const { status, checks } = valueOf(await tested());
    expect(status).toBe('green');
    expect(checks.find(({ outcome }) => outcome === 'warning')).toMatchObject({
      check: 'token',
      failure: { code: 'client-secret-wrong', kind: 'warning' },
    });
    expect(await opened()).toEqual([THIRD, FIRST]);
    valueOf(await putSecret(SECOND));
    expect(await opened()).toEqual([SECOND, FIRST]);
  });

  it('goes, and not the newer one, where it has expired before a third is entered', async () => {
    valueOf(await put({ expiresAt: inDays(1) }));
    valueOf(await putSecret(SECOND));
    world.clock.advance(2 * DAY_MS);
    valueOf(await putSecret(THIRD));
    expect(await opened()).toEqual([THIRD, SECOND]);
  });

  it('is dropped at once on request', async () => {
    valueOf(await putSecret(SECOND, { dropOlder: true }));
    expect(await opened()).toEqual([SECOND]);
    valueOf(await putSecret(THIRD));
    valueOf(await put({ dropOlder: true }));
    expect(await opened()).toEqual([THIRD]);
  });

  it('has another date where only the date was wrong', async () => {
    valueOf(await put({ expiresAt: inDays(300) }));
    expect(await opened()).toEqual([FIRST]);
    expect((await held()).credential.secrets?.[0]?.expiresAt).toBe(inDays(300));
  });

  it('is warned of before it ends', async () => {
    world.clock.advance(151 * DAY_MS);
    const warnings = valueOf(await tested()).checks.filter(({ outcome }) => outcome === 'warning');
    expect(warnings.map(({ failure }) => failure?.code)).toEqual(['client-secret-expires-in-a-month']);
  });

  it('of another app has no other beside it', async () => {
    const other = 'b3d4c5b6-1e2f-4a3b-9c8d-7e6f5a4b3c2d';
    valueOf(await put({ clientId: other, clientSecret: SECOND, expiresAt: inDays(30) }));
    const { credential, tenantId = '' } = await held();
    expect(credential.secrets).toHaveLength(1);
    expect(await inClear(credential.secrets![0]!, { tenantId, clientId: other })).toBe(SECOND);
  });
});

describe('a writer of the tables', () => {
  beforeEach(async () => void valueOf(await putSecret(FIRST)));

  it.each([
    ['company', { companyId: 'globex' }],
    ['connection', { connectionId: 'other' }],
    ['entry', { secretId: 'another' }],
  ])('opens no secret at the place of another %s', async (_, change) => {
    const secret = (await held()).credential.secrets![0]!;
    const moved = await openClientSecret(world.deps, { ...secret, ...change }, { tenantId: TENANT, clientId: APP });
    expect(moved).toMatchObject({ ok: false, error: { code: 'row-forged' } });
  });

  it.each([{ tenantId: 'another' }, { clientId: 'another' }])('nor for %j', async (change) => {
    const secret = (await held()).credential.secrets![0]!;
    const moved = await openClientSecret(world.deps, secret, { tenantId: TENANT, clientId: APP, ...change });
    expect(moved).toMatchObject({ ok: false, error: { code: 'row-forged' } });
  });

  it('changes none: the seal covers what is stored of each', async () => {
    const cells = connectionCells(await held());
    const [stored] = JSON.parse(String(cells['secrets'])) as Record<string, string>[];
    for (const name of Object.keys(stored!)) {
      await world.tamper({ secrets: JSON.stringify([{ ...stored, [name]: `B${stored![name]}` }]) });
      expect(await getConnection(world.deps, PLACE)).toMatchObject({ error: { failure: { code: 'row-forged' } } });
    }
    for (const secrets of ['', '[]', 'x', '[7]', JSON.stringify([stored, stored])]) {
      await world.tamper({ secrets });
      expect(await getConnection(world.deps, PLACE)).toMatchObject({ error: { failure: { code: 'row-forged' } } });
    }
  });
});
