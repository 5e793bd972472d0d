// Looking at a customer's vault as it is used, and what is kept of it.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/domain/connection.ts';
import { companyKeyCells, connectionCells } from '../../../shared/store/rows/sealed-rows.ts';
import {
  companyKeyRowKey,
  connectionRowKey,
  keyringRowKey,
  switchRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import { currentHealthRowKey } from '../../../shared/store/rows/health-rows.ts';
import { sealedBytesOfConnection } from '../../../shared/domain/seal.ts';
import { loadCompanyKeyRow } from '../../../shared/store/control-state.ts';
import { sweepOutboxes } from '../../../shared/store/deliver.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { getHealth, type HealthReport } from '../../../shared/operations/watch/health-report.ts';
import { handleCheck } from '../../../shared/operations/watch/messages.ts';
import { checkConnection } from '../../../shared/operations/watch/vault-checks.ts';
import { loadConnection } from '../../../shared/operations/keys/verified-connection.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { MISHAPS, tablesTripping } from '../../fakes/tables-but.ts';
import { agendaIn, chainOf } from '../audit/chain.ts';
import { VENDOR, type TestHost } from '../../world.ts';
import { checkRound } from './round.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, CUSTOMER_TENANT, KEYRING, place, Rig } from '../switches/rig.ts';

const CONNECTION = { companyId: COMPANY, connectionId: 'contoso' };
const ROW_KEY = connectionRowKey('contoso');

let rig: Rig;
let deps: TestHost;
beforeEach(async () => {
  rig = await Rig.withDataKeys(2);
  deps = rig.freshHost();
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  rig.vaults.calls.length = 0;
  rig.log.entries.length = 0;
});

const check = (): ReturnType<typeof checkConnection> => checkConnection(deps, CONNECTION);
const calls = (): string[] =>
  rig.vaults.calls.filter(({ host }) => host === CONTOSO_HOST).map(({ operation }) => operation);

async function health(): Promise<HealthReport> {
  const report = await getHealth(deps, CONNECTION);
  if (!report.ok) throw new Error(report.error.type);
  return report.value;
}

const recorded = (): unknown[] =>
  chainOf(rig.store)
    .filter(({ action }) => action.startsWith('vault.'))
    .map(({ action, target, detail }) => ({ action, target, told: JSON.parse(detail) as unknown }));

/** The connection with other values, really sealed by the vendor. */
async function put(change: (connection: Connection) => Omit<Connection, 'seal'>): Promise<void> {
  const loaded = await loadConnection(deps, CONNECTION);
  if (!loaded.ok || !loaded.value) throw new Error('no connection');
  const next = change(loaded.value.value);
  const seal = await rig.vaults.sign(sealedBytesOfConnection(COMPANY, next));
  if (!seal.ok) throw new Error('no seal');
  rig.store.tamper('companies', COMPANY, ROW_KEY, connectionCells({ ...next, seal: seal.value }));
}

describe('a look', () => {
  it('finds a vault in force healthy with two calls', async () => {
    await checkRound(deps);
    expect(calls()).toEqual(['readKey', 'unwrap']);
    expect((await health()).current).toMatchObject({ state: 'healthy', sightings: 0, warnings: [] });
    expect(rig.log.events()).not.toContain('agenda.look-failed');
  });

  it('calls a denial revoked and an outage unreachable, and forgets neither the last good time nor since when', async () => {
    await check();
    const lastGoodAt = rig.clock.now().toISOString();
    rig.clock.advance(60_000);
    const since = rig.clock.now().toISOString();
    rig.vaults.fail({ operation: 'readKey', failure: 'vault-unreachable', times: 1 });
    expect(await check()).toMatchObject({ value: { state: 'unreachable', since, lastGoodAt } });
    rig.vaults.fail({ operation: 'unwrap', failure: 'access-denied-rbac', times: 1 });
    rig.clock.advance(1_000);
    expect(await check()).toMatchObject({ value: { state: 'revoked', code: 'access-denied-rbac', lastGoodAt } });
    const { history } = await health();
    expect(history.map(({ code }) => code)).toEqual(['access-denied-rbac', 'vault-unreachable', undefined]);
  });

  it('believes a name that does not resolve only when it was confirmed twice, 30 seconds apart, which it asks for itself', async () => {
    rig.vaults.removeVault(CONTOSO_HOST);
    expect(await check()).toMatchObject({ value: { state: 'unreachable', code: 'vault-deleted', sightings: 1 } });
    const sighted = rig.clock.now().getTime();
    rig.clock.advance(1_000);
    // A look that somebody asks for meanwhile confirms nothing.
    expect(await check()).toMatchObject({ value: { state: 'unreachable', sightings: 1 } });
    const states: unknown[] = [];
    for (let message = rig.checkQueue.take(); message; message = rig.checkQueue.take()) {
      await handleCheck(deps, message);
      states.push([(await health()).current?.state, rig.clock.now().getTime() - sighted]);
    }
    expect(states).toEqual([
      ['unreachable', 30_000],
      ['revoked', 60_000],
    ]);
  });

  it('revokes nothing while our own vault has no name either, and says that it is ours', async () => {
    rig.vaults.removeVault(CONTOSO_HOST);
    rig.vaults.fail({ host: VENDOR.host, operation: 'reach', failure: 'vault-not-found' });
    for (let look = 0; look < 5; look += 1) {
      expect(await check()).toMatchObject({ value: { state: 'unreachable', code: 'own-network', owner: 'vendor' } });
      rig.clock.advance(60_000);
    }
    expect(rig.checkQueue.size).toBe(0);
  });

  it('is not confirmed by a message more where an answer came in between', async () => {
    rig.vaults.removeVault(CONTOSO_HOST);
    await check();
    rig.vaults.addVault({ host: CONTOSO_HOST, tenantId: CUSTOMER_TENANT });
    rig.vaults.addKey({ host: CONTOSO_HOST, keyName: 'customer-key', fixture: 'rsa-2048-2' });
    await handleCheck(deps, rig.checkQueue.take()!);
    expect((await health()).current).toMatchObject({ state: 'healthy', sightings: 0 });
    expect(rig.checkQueue.size).toBe(0);
  });

  it('that has to be confirmed is seen by the timer where the queue is away', async () => {
    rig.vaults.removeVault(CONTOSO_HOST);
    rig.checkQueue.away = true;
    expect(await check()).toMatchObject({ value: { sightings: 1 } });
    expect(rig.log.events()).toContain('queue.unavailable');
    rig.clock.advance(60_000);
    rig.checkQueue.away = false;
    await checkRound(deps);
    expect((await health()).current).toMatchObject({ state: 'revoked', sightings: 3 });
  });

  it('only warns of an expired key in force, also while it cannot be unwrapped with', async () => {
    Object.assign(rig.vaults.newestKey(CONTOSO_HOST).describes, { expires: new Date(0) });
    expect(await check()).toMatchObject({
      value: { state: 'warning', code: 'key-expired', owner: 'azure-admin', warnings: ['key-expired'] },
    });
    rig.vaults.fail({ operation: 'unwrap', failure: 'throttled', times: 1 });
    rig.clock.advance(1_000);
    expect(await check()).toMatchObject({
      value: { state: 'unreachable', code: 'throttled', warnings: ['key-expired'] },
    });
  });

  it('sends no wrapped key to a vault whose key is disabled', async () => {
    Object.assign(rig.vaults.newestKey(CONTOSO_HOST).describes, { enabled: false });
    expect(await check()).toMatchObject({ value: { state: 'revoked', code: 'key-disabled' } });
    expect(calls()).toEqual(['readKey']);
  });

  it('at a connection that somebody forged asks no vault, and says what is wrong', async () => {
    const row = rig.store.peek('companies', COMPANY, ROW_KEY)!;
    rig.store.tamper('companies', COMPANY, ROW_KEY, { ...row.cells, keyName: 'theirs' });
    expect(await check()).toMatchObject({ value: { code: 'row-forged' } });
    expect(calls()).toEqual([]);
    expect(await getHealth(deps, CONNECTION)).toMatchObject({ error: { failure: { code: 'row-forged' } } });
  });

  it.each([
    ['well', () => undefined],
    ['denied', () => rig.vaults.fail({ operation: 'unwrap', failure: 'access-denied-rbac' })],
  ])(
    'at a vault that is %s and of which a writer of the tables tells what to do tells that no more',
    async (_, arrange) => {
      arrange();
      await check();
      const row = rig.store.peek('health', COMPANY, currentHealthRowKey('contoso'))!;
      const theirs = { text: 'Run this.', azureCli: 'az role assignment create --assignee attacker' };
      rig.store.tamper('health', COMPANY, currentHealthRowKey('contoso'), {
        ...row.cells,
        remedy: JSON.stringify(theirs),
      });
      expect((await health()).current?.remedy).toEqual(theirs);
      rig.clock.advance(60 * 60_000);
      const changes = recorded().length;
      await check();
      expect((await health()).current?.remedy).not.toEqual(theirs);
      expect(recorded()).toHaveLength(changes);
    },
  );

  it('at a vault whose state others have made unreadable tells its state anew', async () => {
    await check();
    rig.store.tamper('health', COMPANY, currentHealthRowKey('contoso'), { format: 1, state: 'rubbish' });
    rig.vaults.fail({ operation: 'unwrap', failure: 'access-denied-rbac' });
    rig.clock.advance(10 * 60_000);
    await checkRound(deps);
    expect(rig.log.events()).not.toContain('agenda.look-failed');
    expect((await health()).current).toMatchObject({ state: 'revoked' });
  });

  it('at a company key that somebody forged says so, and asks no vault', async () => {
    const context = { companyId: COMPANY, keyringId: KEYRING, version: 2 };
    const row = (await loadCompanyKeyRow(rig.store, context))!.value!;
    const wraps = row.wraps.map((wrap) => ({
      ...wrap,
      ciphertext: `${wrap.ciphertext.startsWith('A') ? 'B' : 'A'}${wrap.ciphertext.slice(1)}`,
    }));
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, 2), companyKeyCells({ ...row, wraps }));
    expect(await check()).toMatchObject({ value: { code: 'row-forged' } });
    expect(calls()).toEqual([]);
    rig.clock.advance(1_000);
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, 2), { format: 1 });
    expect(await check()).toMatchObject({ value: { code: 'row-forged' } });
  });

  it.each<[string, readonly string[]]>([
    ['one that is gone comes first', [keyringRowKey('gone'), keyringRowKey(KEYRING)]],
    ['a switch comes first', [switchRowKey(KEYRING, 's9'), keyringRowKey(KEYRING)]],
  ])('unwraps for the first keyring that there is, where %s', async (_what, usedBy) => {
    await put((connection) => ({ ...connection, usedBy }));
    expect(await check()).toMatchObject({ value: { state: 'healthy' } });
    expect(calls()).toEqual(['readKey', 'unwrap']);
  });

  it('finds nothing wrong where no company key is wrapped by the connection', async () => {
    const row = rig.store.peek('companies', COMPANY, companyKeyRowKey(KEYRING, 2))!;
    const { value } = (await loadCompanyKeyRow(rig.store, { companyId: COMPANY, keyringId: KEYRING, version: 2 }))!;
    rig.store.tamper('companies', COMPANY, row.rowKey, companyKeyCells({ ...value!, wraps: [] }));
    expect(await check()).toMatchObject({ ok: true });
    expect(calls()).toEqual(['readKey']);
  });
});

describe('what is kept', () => {
  it('is nothing before the first look', async () => {
    expect(await health()).toEqual({ history: [] });
  });

  it('is a line of history, a record and a line of the log for each change, and none for the same again', async () => {
    await check();
    rig.vaults.fail({ operation: 'readKey', failure: 'vault-unreachable', times: 2 });
    for (let looks = 0; looks < 2; looks += 1) {
      rig.clock.advance(1_000);
      await check();
    }
    expect((await health()).history.map(({ state }) => state)).toEqual(['unreachable', 'healthy']);
    expect(recorded()).toEqual([
      { action: 'vault.healthy', target: ROW_KEY, told: { state: 'healthy' } },
      {
        action: 'vault.unreachable',
        target: ROW_KEY,
        told: { state: 'unreachable', code: 'vault-unreachable', before: 'healthy' },
      },
    ]);
    expect(rig.log.entries.filter(({ event }) => event === 'vault.state-changed')).toMatchObject([
      { level: 'info', detail: { ...CONNECTION, state: 'healthy' } },
      { level: 'warning', detail: { ...CONNECTION, state: 'unreachable', code: 'vault-unreachable' } },
    ]);
  });

  it.each(MISHAPS)('counts a look once whose write comes out as %s', async (mishap) => {
    rig.vaults.removeVault(CONTOSO_HOST);
    const tables = tablesTripping(rig.store, currentHealthRowKey('contoso'), { mishap });
    const looked = await checkConnection({ ...deps, tables }, CONNECTION);
    expect(looked).toMatchObject({ ok: true, value: { state: 'unreachable', sightings: 1 } });
    expect((await health()).current).toMatchObject({ state: 'unreachable', sightings: 1 });
    expect(recorded()).toHaveLength(1);
  });

  it('whose answer is lost leaves in force what another has seen since', async () => {
    rig.vaults.fail({ operation: 'readKey', failure: 'vault-not-found', times: 1 });
    const tables = tablesTripping(rig.store, currentHealthRowKey('contoso'), {
      mishap: 'answer-lost',
      meanwhile: async () => {
        rig.clock.advance(60_000);
        await sweepOutboxes(deps);
        await check();
      },
    });
    expect(await checkConnection({ ...deps, tables }, CONNECTION)).toMatchObject({ value: { state: 'healthy' } });
    expect((await health()).current?.state).toBe('healthy');
    expect(recorded()).toMatchObject([{ told: { state: 'unreachable' } }, { told: { state: 'healthy' } }]);
    expect(agendaIn(rig.store, 'outbox')).toEqual([]);
  });

  it('is the state that the later of two looks at once has seen', async () => {
    await check();
    rig.clock.advance(1_000);
    rig.vaults.fail({ operation: 'readKey', failure: 'vault-unreachable', times: 1 });
    const tables = tablesTripping(rig.store, currentHealthRowKey('contoso'), {
      mishap: 'outrun',
      meanwhile: async () => {
        rig.clock.advance(1);
        await check();
      },
    });
    expect(await checkConnection({ ...deps, tables }, CONNECTION)).toMatchObject({ value: { state: 'unreachable' } });
    expect((await health()).current?.state).toBe('unreachable');
  });
});

describe('no look', () => {
  it('is taken at a connection that there is not', async () => {
    const none = { ...CONNECTION, connectionId: 'none' };
    const error = { type: 'not-found', what: 'connection', id: 'none' };
    expect(await checkConnection(deps, none)).toEqual({ ok: false, error });
    expect(await getHealth(deps, none)).toEqual({ ok: false, error });
  });

  it.each<[string, readonly string[]]>([
    ['nothing', []],
    ['an unfinished switch alone', [switchRowKey(KEYRING, 's2')]],
  ])('is taken where %s depends on the connection', async (_what, usedBy) => {
    await put((connection) => ({ ...connection, usedBy }));
    expect(await check()).toMatchObject({ error: { type: 'state', code: 'connection-not-in-force' } });
    expect(calls()).toEqual([]);
  });

  it('is taken at a connection whose tenant nobody has found out', async () => {
    await put(({ tenantId: _tenant, consent: _consent, ...connection }) => connection);
    expect(await check()).toMatchObject({ error: { type: 'state', code: 'connection-not-tested' } });
    expect(calls()).toEqual([]);
  });
});

describe('the timer', () => {
  const listed = (): string[] =>
    [...rig.store.dump()].flatMap(({ table, rowKey }) =>
      table === 'agenda' && rowKey.startsWith('check|') ? [rowKey] : [],
    );

  it('forgets a connection that nothing depends on any more', async () => {
    expect(listed()).toHaveLength(1);
    await startSwitch(rig.deps, { ...place('s2'), target: { provider: 'managed' } }, ADMIN);
    await rig.drain();
    await checkRound(deps);
    expect(listed()).toEqual([]);
  });

  it('keeps looking at one that an unfinished switch depends on, and says in the log why it could not', async () => {
    await put((connection) => ({ ...connection, usedBy: [switchRowKey(KEYRING, 's2')] }));
    await checkRound(deps);
    expect(listed()).toHaveLength(1);
    expect(rig.log.entries).toContainEqual({
      level: 'warning',
      event: 'vault.check-lost',
      detail: { ...CONNECTION, reason: 'state' },
    });
  });

  it('keeps looking at one that somebody forged', async () => {
    const row = rig.store.peek('companies', COMPANY, ROW_KEY)!;
    rig.store.tamper('companies', COMPANY, ROW_KEY, { ...row.cells, usedBy: '[]', keyName: 'theirs' });
    await checkRound(deps);
    expect(listed()).toHaveLength(1);
    expect(rig.log.events()).toContain('security.row-forged');
  });
});
