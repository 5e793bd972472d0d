// A vault that was moved to another Entra tenant while its key is in force: the way out, and everybody whom it must not serve.
import { providersOver } from '../../fakes/providers.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionTest } from '../../../shared/domain/connection-verdict.ts';
import { targetOfConnection, type Connection } from '../../../shared/domain/connection.ts';
import type { Failure } from '../../../shared/domain/failure.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import type { Result } from '../../../shared/domain/result.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import { CompanyKeyCache } from '../../../shared/operations/keys/company-key-cache.ts';
import {
  testConnection,
  type ConnectionTestDependencies,
} from '../../../shared/operations/connections/connection-test.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import { requestConsent } from '../../../shared/operations/sign-ins/request-consent.ts';
import { cancelSwitch, retrySwitch } from '../../../shared/operations/switches/steer.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { checkConnection, type CheckDependencies } from '../../../shared/operations/watch/vault-checks.ts';
import { deleteConnection, getConnection, putConnection } from '../../../shared/operations/connections/connections.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeSignIns } from '../../fakes/fake-sign-ins.ts';
import { chainOf } from '../audit/chain.ts';
import { codeOf, globalAdminOf, valueOf, Walk } from '../sign-ins/walk.ts';
import {
  COMPANY,
  CONTOSO,
  CONTOSO_HOST,
  CUSTOMER_TENANT,
  FABRIKAM,
  FABRIKAM_HOST,
  MANAGED,
  place,
  Rig,
  VENDOR,
} from '../switches/rig.ts';

const HOUR_MS = 3_600_000;
const PLACE = { companyId: COMPANY, connectionId: 'contoso' };
const NEW_TENANT = '44444444-4444-4444-8444-444444444444';
const STRANGERS = '55555555-5555-4555-8555-555555555555';
const KEY = { host: CONTOSO_HOST, keyName: 'customer-key' };

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.withDataKeys(6);
  rig.deps = { ...rig.deps, consentMs: 24 * HOUR_MS };
  valueOf(await startSwitch(rig.deps, { ...place('there'), target: CONTOSO }, ADMIN));
  await rig.drain();
  rig.vaults.calls.length = 0;
});

type Deps = ConnectionTestDependencies & ConstructorParameters<typeof Walk>[0] & CheckDependencies;
const deps = (): Deps => ({
  ...rig.deps,
  keyPolicy: { propagationMs: 600_000 },
  signIns: new FakeSignIns(rig.clock),
  signInTimes: { linkMs: 24 * HOUR_MS, stepMs: 600_000 },
});

/** As Azure moves a vault: host, key and versions stay; whoever had access in the tenant before has none. */
function move(to: string, how: { readonly otherKey?: boolean; readonly roleAssigned?: boolean } = {}): void {
  const vault = rig.vaults.addVault({ host: CONTOSO_HOST, tenantId: to });
  vault.roleAssigned = how.roleAssigned ?? true;
  rig.vaults.addKey({ ...KEY, fixture: how.otherKey === true ? 'rsa-2048-4' : 'rsa-2048-2' });
  rig.vaults.calls.length = 0;
}
const vaultNow = (): { roleAssigned: boolean } => {
  const vault = rig.vaults.addVault({ host: CONTOSO_HOST, tenantId: NEW_TENANT });
  rig.vaults.addKey({ ...KEY, fixture: 'rsa-2048-2' });
  return vault;
};

const through = (tenantId = NEW_TENANT): ReturnType<Walk['through']> =>
  new Walk(deps()).through(PLACE, globalAdminOf(tenantId));
const test = async (): Promise<ConnectionTest> => {
  rig.clock.advance(1_000);
  return valueOf(await testConnection(deps(), PLACE, ADMIN));
};
const failedIn = ({ checks }: ConnectionTest): string[] =>
  checks.flatMap(({ check, outcome, failure }) => (outcome === 'failed' ? [`${check}:${failure?.code ?? ''}`] : []));
const failureOf = (result: Result<unknown, Refusal | { readonly refusal: Refusal }>): Failure | undefined => {
  const refusal = result.ok ? undefined : 'refusal' in result.error ? result.error.refusal : result.error;
  return refusal?.type === 'failure' ? refusal.failure : undefined;
};
const connection = async (): Promise<Connection> => valueOf(await getConnection(deps(), PLACE)).value;
const cells = async (): Promise<Cells> =>
  (await rig.store.read('companies', COMPANY, connectionRowKey('contoso')))?.cells ?? {};
const tamper = (change: Cells): void => rig.store.tamper('companies', COMPANY, connectionRowKey('contoso'), change);
const actions = (): string[] => chainOf(rig.store, COMPANY).map(({ action, outcome }) => `${action}:${outcome}`);
const opened = async (): Promise<boolean> => {
  const cache = new CompanyKeyCache({ ...rig.deps, tables: rig.store }, { ttlMs: 1 });
  return (await cache.get({ companyId: COMPANY, keyringId: 'default', version: 2 })).ok;
};

describe('a vault that is moved while a switch to it is under way', () => {
  it('cannot be asked to consent, and nobody is told so: cancelling the switch frees its connection', async () => {
    valueOf(await startSwitch(rig.deps, { ...place('on'), target: FABRIKAM }, ADMIN));
    const sw = async (): Promise<Switch> => (await loadSwitch(rig.store, place('on')))!.value;
    await rig.drain({ enough: async () => (await sw()).state === 're-protecting' });
    rig.vaults.addVault({ host: FABRIKAM_HOST, tenantId: NEW_TENANT });
    rig.vaults.addKey({ host: FABRIKAM_HOST, keyName: 'customer-key', fixture: 'rsa-2048-3' });
    rig.deps = { ...rig.freshHost(), consentMs: 24 * HOUR_MS };
    await rig.drain();
    const { blocked } = await sw();
    expect(blocked).toMatchObject({ side: 'target', failure: { code: 'wrong-entra-tenant' } });
    const text = blocked?.reason === 'provider' ? blocked.failure.remedy.text : '';
    expect(text).toMatch(/^Cancel the switch, make the connection anew/);
    const there = { companyId: COMPANY, connectionId: 'fabrikam' };
    expect(codeOf(await requestConsent(deps(), there, ADMIN))).toBe('wrong-entra-tenant');
    valueOf(await cancelSwitch(rig.deps, place('on'), ADMIN));
    await rig.drain();
    expect((await sw()).state).toBe('cancelled');
    valueOf(await deleteConnection(deps(), { ...there, condition: {} }, ADMIN));
    expect(await rig.openByCaller()).toBe(rig.plaintexts.size);
  });

  it('is the company’s own in force for another keyring: then an administrator there may consent', async () => {
    const used = await connection();
    const target = targetOfConnection({ ...used, usedBy: [...used.usedBy, 'switch|other|s9'] });
    expect(target).not.toHaveProperty('onlyInSwitch');
    expect(targetOfConnection({ ...used, usedBy: ['switch|other|s9'] })).toMatchObject({ onlyInSwitch: true });
    expect(targetOfConnection({ ...used, usedBy: [] })).not.toHaveProperty('onlyInSwitch');
  });
});

describe('a vault in force that was moved to another Entra tenant', () => {
  it('opens again once an administrator there has consented and a test has seen the key, and the move is recorded', async () => {
    move(NEW_TENANT);
    expect(await opened()).toBe(false);
    const before = await test();
    expect(failedIn(before)).toContain('challenge:wrong-entra-tenant');
    const { remedy } = before.checks.find(({ check }) => check === 'challenge')!.failure!;
    expect(remedy.text).toContain('consent link');
    expect(valueOf(await through()).type).toBe('granted');
    expect(await opened()).toBe(false);
    expect((await test()).status).toBe('green');
    expect(await connection()).toMatchObject({ tenantId: NEW_TENANT, movedFrom: [CUSTOMER_TENANT] });
    expect((await connection()).move).toBeUndefined();
    expect((await connection()).consent?.adminId).toMatch(new RegExp(`^${NEW_TENANT}/`));
    expect(await rig.openByCaller()).toBe(rig.plaintexts.size);
    expect(actions()).toContain('connection.move:done');
    const told = chainOf(rig.store, COMPANY).find(({ action }) => action === 'connection.move')!;
    expect(JSON.parse(told.detail)).toMatchObject({ movedFrom: CUSTOMER_TENANT, tenantId: NEW_TENANT });
  });

  it('is re-keyed, and left for the vendor’s key, like any other', async () => {
    move(NEW_TENANT);
    await through();
    await test();
    valueOf(await startRekey(rig.deps, place('anew'), ADMIN));
    await rig.drain();
    expect((await loadSwitch(rig.store, place('anew')))?.value.state).toBe('completed');
    valueOf(await startSwitch(rig.deps, { ...place('away'), target: MANAGED }, ADMIN));
    await rig.drain();
    expect((await loadSwitch(rig.store, place('away')))?.value.state).toBe('completed');
    expect(await rig.openByCaller()).toBe(rig.plaintexts.size);
  });

  it('lets a switch away go on that was ordered before anybody knew', async () => {
    move(NEW_TENANT);
    valueOf(await startSwitch(rig.deps, { ...place('away'), target: MANAGED }, ADMIN));
    await rig.drain();
    const blocked = (await loadSwitch(rig.store, place('away')))?.value.blocked;
    expect(blocked).toMatchObject({ reason: 'provider', side: 'source', failure: { code: 'wrong-entra-tenant' } });
    await through();
    expect((await test()).status).toBe('green');
    valueOf(await retrySwitch(rig.deps, place('away'), ADMIN));
    await rig.drain();
    expect((await loadSwitch(rig.store, place('away')))?.value.state).toBe('completed');
    expect(await rig.openByCaller()).toBe(rig.plaintexts.size);
  });

  it('waits for the role in the new tenant, and says so with its names', async () => {
    move(NEW_TENANT, { roleAssigned: false });
    await through();
    const tested = await test();
    expect(tested.status).toBe('waiting');
    expect(tested.retryAfterSeconds).toBeGreaterThan(0);
    const failed = tested.checks.find(({ outcome }) => outcome === 'failed')!;
    expect(failed).toMatchObject({ check: 'in-use', failure: { facts: { tenantId: NEW_TENANT } } });
    expect(failed.failure?.remedy.azureCli).toContain('role assignment create');
    expect((await connection()).tenantId).toBe(CUSTOMER_TENANT);
    vaultNow().roleAssigned = true;
    expect((await test()).status).toBe('green');
  });

  it('is found to have been moved by the timer too', async () => {
    move(NEW_TENANT);
    rig.clock.advance(1_000);
    expect(valueOf(await checkConnection(deps(), PLACE))).toMatchObject({ code: 'wrong-entra-tenant' });
    await through();
    rig.clock.advance(1_000);
    expect(valueOf(await checkConnection(deps(), PLACE)).state).toBe('healthy');
    expect((await connection()).movedFrom).toEqual([CUSTOMER_TENANT]);
  });

  it('may be moved back, and on', async () => {
    move(NEW_TENANT);
    await through();
    await test();
    move(CUSTOMER_TENANT);
    await through(CUSTOMER_TENANT);
    expect((await test()).status).toBe('green');
    expect(await connection()).toMatchObject({ tenantId: CUSTOMER_TENANT, movedFrom: [NEW_TENANT] });
    expect(await rig.openByCaller()).toBe(rig.plaintexts.size);
  });

  it('that is back before anybody tested stays whose it was', async () => {
    move(NEW_TENANT);
    await through();
    move(CUSTOMER_TENANT);
    expect((await test()).status).toBe('green');
    expect(await connection()).toMatchObject({ tenantId: CUSTOMER_TENANT });
    expect((await connection()).movedFrom).toBeUndefined();
  });

  it('is asked about by an admin of the company alone: the vendor gets no link', async () => {
    move(NEW_TENANT);
    expect(codeOf(await requestConsent(deps(), { ...PLACE, byVendor: true }, ADMIN))).toBe('company-admin-only');
    valueOf(await requestConsent(deps(), PLACE, ADMIN));
  });

  it('can have the app of its connection changed meanwhile: the consent is void, and the row is no forgery', async () => {
    move(NEW_TENANT);
    await through();
    const connectionPolicy = { connectorClientId: '77777777-7777-4777-8777-777777777777' };
    const providers = providersOver({ vaults: rig.vaults, clock: rig.clock, vendor: VENDOR, connectionPolicy });
    const input = {
      vaultUri: `https://${CONTOSO_HOST}`,
      keyName: 'customer-key',
      credential: { kind: 'federated' },
    } as const;
    valueOf(await putConnection({ ...deps(), providers }, { ...PLACE, input, condition: {} }, ADMIN));
    expect((await connection()).move).toBeUndefined();
  });
});

describe('nobody else comes by a connection in force', () => {
  it('not who took over the name of a deleted vault: their key does not open what is in use', async () => {
    move(STRANGERS, { otherKey: true });
    valueOf(await through(STRANGERS));
    expect(failedIn(await test())).toHaveLength(1);
    rig.clock.advance(1_000);
    expect(valueOf(await checkConnection(deps(), PLACE)).state).not.toBe('healthy');
    expect((await connection()).tenantId).toBe(CUSTOMER_TENANT);
    valueOf(await startRekey(rig.deps, place('theirs'), ADMIN));
    await rig.drain();
    expect((await loadSwitch(rig.store, place('theirs')))?.value.state).not.toBe('completed');
    // One for the test and one for the check, of the wrap in use: nothing new was wrapped by their key.
    expect(rig.vaults.calls.filter(({ operation }) => operation === 'unwrap')).toHaveLength(2);
  });

  it('not an administrator of another tenant than the one that the vault names', async () => {
    move(NEW_TENANT);
    const walk = new Walk(deps());
    const link = await walk.link(PLACE);
    await expect(walk.toQuestion(link, globalAdminOf(STRANGERS))).rejects.toThrow('sign-in-wrong-tenant');
    await expect(walk.toQuestion(link, globalAdminOf(CUSTOMER_TENANT))).rejects.toThrow('sign-in-wrong-tenant');
  });

  it('not by a link of the time before the vault was moved once more', async () => {
    move(NEW_TENANT);
    const walk = new Walk(deps());
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), globalAdminOf(NEW_TENANT));
    move(STRANGERS);
    expect(codeOf(await walk.answer(state, { cookie }))).toBe('wrong-entra-tenant');
  });

  it('not by a link of the time before it was moved at all: who answers it is told a way that is not refused', async () => {
    const walk = new Walk(deps());
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), globalAdminOf(CUSTOMER_TENANT));
    move(NEW_TENANT);
    const told = failureOf(await walk.answer(state, { cookie }));
    expect(told).toMatchObject({ code: 'wrong-entra-tenant', facts: { inUse: true, vaultHost: CONTOSO_HOST } });
    expect(told?.remedy.text).toContain(`move the vault back to the Entra tenant ${CUSTOMER_TENANT}`);
    expect(told?.remedy.text).toContain('consent link');
    expect(told?.remedy.text).not.toMatch(/connection anew/);
  });

  it('not by a consent that is a day old', async () => {
    move(NEW_TENANT);
    await through();
    rig.clock.advance(24 * HOUR_MS + 1);
    expect(failedIn(await test())).toContain('challenge:wrong-entra-tenant');
    expect(rig.vaults.calls.filter(({ tenantId }) => tenantId === NEW_TENANT)).toHaveLength(1);
  });

  it('not for a connection that only a switch depends on: nothing is in use that could prove it', async () => {
    await rig.connect('idle', { host: CONTOSO_HOST, keyName: 'customer-key' });
    move(NEW_TENANT);
    const refused = await requestConsent(deps(), { companyId: COMPANY, connectionId: 'idle' }, ADMIN);
    expect(codeOf(refused)).toBe('wrong-entra-tenant');
  });

  it.each<[string, (row: Cells) => Cells]>([
    ['a tenant that it was moved from', () => ({ movedFrom: JSON.stringify([STRANGERS]) })],
    ['a tenant that it is in', () => ({ tenantId: STRANGERS })],
    ['a consent in another tenant', (row) => ({ move: forgedMove(row, STRANGERS) })],
  ])('not a writer of the tables who writes %s', async (_what, change) => {
    move(STRANGERS);
    const row = await cells();
    tamper({ ...row, ...change(row) });
    expect(codeOf(await testConnection(deps(), PLACE, ADMIN))).toBe('row-forged');
    expect(rig.vaults.calls.filter(({ operation }) => operation === 'unwrap')).toEqual([]);
  });

  it('not a writer of the tables who puts the consent to one tenant on another connection, or under another tenant’s name', async () => {
    move(NEW_TENANT);
    await through();
    const row = await cells();
    const held = JSON.parse(String(row['move'])) as Record<string, unknown>;
    tamper({ ...row, move: JSON.stringify({ ...held, tenantId: STRANGERS }) });
    expect(codeOf(await testConnection(deps(), PLACE, ADMIN))).toBe('row-forged');
    const adminId = `${STRANGERS}/ad000000-0000-4000-8000-000000000001`;
    tamper({ ...row, move: JSON.stringify({ ...held, adminId, tenantId: STRANGERS }) });
    expect(codeOf(await testConnection(deps(), PLACE, ADMIN))).toBe('row-forged');
    const other = await rig.store.read('companies', COMPANY, connectionRowKey('fabrikam'));
    rig.store.tamper('companies', COMPANY, connectionRowKey('fabrikam'), { ...other?.cells, move: row['move'] ?? '' });
    const fabrikam = { companyId: COMPANY, connectionId: 'fabrikam' };
    expect(codeOf(await testConnection(deps(), fabrikam, ADMIN))).toBe('row-forged');
  });

  it('not a writer of the tables who puts back the row from before the move: it is refused like the vault itself refuses', async () => {
    const row = await cells();
    move(NEW_TENANT);
    await through();
    await test();
    tamper(row);
    rig.vaults.calls.length = 0;
    expect(await opened()).toBe(false);
    expect(failedIn(await test())).toContain('challenge:wrong-entra-tenant');
  });
});

/** The real consent of the row, said to be in another tenant. */
const forgedMove = (row: Cells, tenantId: string): string => {
  const consent = JSON.parse(String(row['consent'])) as Record<string, unknown>;
  return JSON.stringify({ ...consent, adminId: `${tenantId}/ad000000-0000-4000-8000-000000000001`, tenantId });
};
