import { describe, expect, it } from 'vitest';
import { switchCells } from '../../../shared/store/rows/switch-rows.ts';
import { quarantineRowKey } from '../../../shared/store/rows/data-rows.ts';
import { dataKeysPartition, keyringRowKey, switchRowKey } from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { cancelSwitch } from '../../../shared/operations/switches/steer.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { getSwitch, listSwitches } from '../../../shared/operations/switches/view.ts';
import { failure } from '../../../shared/failures.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { ENTRA, register, stateOf, viewOf } from '../tenants/tenant-rig.ts';
import { COMPANY, CONTOSO, FABRIKAM, KEYRING, place, Rig } from './rig.ts';

const partitionOf = (shard: number): string => dataKeysPartition({ ...place(''), shard });

/** At work, and no row is moved yet. */
async function atWork(keys = 12): Promise<Rig> {
  const rig = await Rig.withDataKeys(keys);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain({ enough: async () => (await stateOf(rig, 's1')) === 're-protecting' });
  rig.queue.clear();
  return rig;
}

async function changeSwitch(rig: Rig, change: Partial<Switch>): Promise<void> {
  const sw = await loadSwitch(rig.store, place('s1'));
  if (!sw) throw new Error('no switch');
  rig.store.tamper('companies', COMPANY, switchRowKey(KEYRING, 's1'), switchCells({ ...sw.value, ...change }));
}

/** `count` quarantined rows of a shard, with no more cells than their names need. */
async function quarantine(rig: Rig, shard: number, count: number, reason = 'does-not-open'): Promise<void> {
  await rig.tamperShard(shard, { quarantined: count });
  for (let index = 0; index < count; index += 1) {
    const keyId = `shard-${shard}-key-${String(index).padStart(3, '0')}`;
    rig.store.tamper('datakeys', partitionOf(shard), quarantineRowKey(keyId), { format: 1, reason });
    rig.store.tamper('datakeys', partitionOf(shard), keyId, { state: 'quarantined', quarantineReason: reason });
  }
}

describe('a switch as people see it', () => {
  it('is not found without its row, or without its keyring', async () => {
    const rig = await atWork();
    const missing = { ok: false, error: { type: 'not-found', what: 'switch', id: 's2' } };
    expect(await getSwitch(rig.deps, place('s2'))).toMatchObject(missing);
    const row = await rig.store.read('companies', COMPANY, switchRowKey(KEYRING, 's1'));
    rig.store.tamper('companies', COMPANY, switchRowKey('none', 's2'), row?.cells ?? {});
    expect(await getSwitch(rig.deps, { ...place('s2'), keyringId: 'none' })).toMatchObject(missing);
  });

  it('counts the shards that are there', async () => {
    const rig = await atWork(40);
    const [first] = await rig.shards();
    const row = await rig.store.read('datakeys', partitionOf(0), SHARD_ROW_KEY);
    const gone = { kind: 'delete', rowKey: SHARD_ROW_KEY, etag: row?.etag ?? '' } as const;
    await rig.store.write('datakeys', partitionOf(0), [gone]);
    expect((await viewOf(rig, 's1')).progress.total).toBe(40 - (first?.live ?? 0));
  });

  it('lists those of its keyring in the order of their ids, and of no other', async () => {
    const rig = await atWork();
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    await startSwitch(rig.deps, { ...place('r1'), target: FABRIKAM }, ADMIN);
    const keyring = await rig.store.read('companies', COMPANY, keyringRowKey(KEYRING));
    rig.store.tamper('companies', COMPANY, keyringRowKey('default2'), { ...keyring?.cells, keyringId: 'default2' });
    const other = { ...place('s3'), keyringId: 'default2' };
    await startSwitch(rig.deps, { ...other, target: CONTOSO }, ADMIN);
    const ours = { companyId: COMPANY, keyringId: KEYRING };
    const listed = await listSwitches(rig.deps, { ...ours, limit: 1_000 });
    expect(listed).toEqual({ ok: true, value: { views: [await viewOf(rig, 'r1'), await viewOf(rig, 's1')] } });
    expect(listed).toMatchObject({ value: { views: [{ state: 'pending-verification' }, { state: 'cancelled' }] } });
    expect(await listSwitches(rig.deps, { ...ours, limit: 1 })).toMatchObject({
      value: { views: [{ switchId: 'r1' }], continuation: 'r1' },
    });
    const rest = { ok: true, value: { views: [await viewOf(rig, 's1')] } };
    expect(await listSwitches(rig.deps, { ...ours, limit: 1, continuation: 'r1' })).toEqual(rest);
    const foreign = await listSwitches(rig.deps, { ...ours, limit: 1, continuation: 'r1|' });
    expect(foreign).toMatchObject({ ok: false, error: { type: 'invalid', target: 'continuation' } });
    const nowhere = await listSwitches(rig.deps, { ...ours, keyringId: 'none', limit: 1 });
    expect(nowhere).toMatchObject({ ok: false, error: { type: 'not-found', what: 'keyring', id: 'none' } });
  });

  it('lists a page of thousands that have ended by reading that page', async () => {
    const rig = await atWork();
    const row = (await rig.store.read('companies', COMPANY, switchRowKey(KEYRING, 's1')))!;
    for (let index = 0; index < 3_000; index += 1) {
      const switchId = `ended-${String(index).padStart(4, '0')}`;
      const cells = { ...row.cells, switchId, state: 'completed' };
      rig.store.tamper('companies', COMPANY, switchRowKey(KEYRING, switchId), cells);
    }
    let rows = 0;
    const tables = tablesBut(rig.store, {
      list: async (query) => {
        const page = await rig.store.list(query);
        rows += page.rows.length;
        return page;
      },
    });
    const asked = { companyId: COMPANY, keyringId: KEYRING, limit: 10 };
    expect(await listSwitches({ ...rig.deps, tables }, asked)).toMatchObject({
      value: { continuation: 'ended-0009' },
    });
    expect(rows).toBe(10);
  });
});

describe('of a company with a tenant that is not verified it', () => {
  it('waits for it once every shard is done, and not before', async () => {
    const rig = await atWork();
    await register(rig, ENTRA);
    await rig.pass('s1', 0, 1, 2);
    expect(await viewOf(rig, 's1')).toMatchObject({ unverifiedTenants: [ENTRA] });
    expect((await viewOf(rig, 's1')).waitsFor).toBeUndefined();
    await rig.pass('s1', 3);
    expect(await viewOf(rig, 's1')).toMatchObject({ waitsFor: 'tenants', unverifiedTenants: [ENTRA] });
  });

  it.each<[string, (rig: Rig) => Promise<void>]>([
    ['a row is quarantined', (rig) => quarantine(rig, 2, 1)],
    ['a shard is done, but for the way before', (rig) => rig.tamperShard(1, { generation: 0 })],
    ['a shard is at its second pass', (rig) => rig.tamperShard(1, { phase: 'verify' })],
    [
      'it is blocked',
      (rig) =>
        changeSwitch(rig, { blocked: { reason: 'dead-letter', since: '2026-01-01T00:00:00.000Z', detail: 'x' } }),
    ],
  ])('does not wait for it while %s', async (_what, change) => {
    const rig = await atWork();
    await register(rig, ENTRA);
    await rig.pass('s1', 0, 1, 2, 3);
    expect((await viewOf(rig, 's1')).waitsFor).toBe('tenants');
    await change(rig);
    expect((await viewOf(rig, 's1')).waitsFor).toBeUndefined();
  });

  it('is shown all of them where it cannot be told who is verified', async () => {
    const rig = await atWork();
    await register(rig, ENTRA);
    rig.store.tamper('companies', COMPANY, 'connection|contoso', { format: 1 });
    expect((await viewOf(rig, 's1')).unverifiedTenants).toEqual([ENTRA]);
  });
});

describe('that nobody works on, though nothing is wrong with it,', () => {
  const MINUTE_MS = 60_000;
  const told = async (rig: Rig): Promise<unknown> => {
    const { waitsFor, idleSince } = await viewOf(rig, 's1');
    return { waitsFor, idleSince };
  };
  const nothing = { waitsFor: undefined, idleSince: undefined };

  it('waits for a worker after a minute without one, from its beginning on', async () => {
    const rig = await Rig.withDataKeys(12);
    const since = rig.clock.now().toISOString();
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    rig.clock.advance(MINUTE_MS - 1);
    expect(await told(rig)).toEqual(nothing);
    rig.clock.advance(1);
    expect(await told(rig)).toEqual({ waitsFor: 'worker', idleSince: since });
    await rig.drain();
    expect([await stateOf(rig, 's1'), await told(rig)]).toEqual(['completed', nothing]);
  });

  it('waits for one when no shard has moved for a minute, also when nothing is left but to end it', async () => {
    const rig = await atWork();
    await rig.pass('s1', 0, 1);
    for (const shard of [2, 3]) {
      rig.clock.advance(MINUTE_MS);
      expect(await told(rig)).toMatchObject({ waitsFor: 'worker' });
      await rig.pass('s1', shard);
      expect(await told(rig)).toEqual(nothing);
    }
    const idleSince = rig.clock.now().toISOString();
    rig.clock.advance(MINUTE_MS);
    expect(await told(rig)).toEqual({ waitsFor: 'worker', idleSince });
  });

  it.each<[string, (rig: Rig) => Promise<void>]>([
    ['it is paused', (rig) => changeSwitch(rig, { paused: true })],
    [
      'a vault is why',
      (rig) =>
        changeSwitch(rig, { trouble: { since: '2026-01-01T00:00:00.000Z', failure: failure('vault-unreachable') } }),
    ],
    [
      'it is blocked',
      (rig) =>
        changeSwitch(rig, { blocked: { reason: 'dead-letter', since: '2026-01-01T00:00:00.000Z', detail: 'x' } }),
    ],
    [
      'quarantined rows are all that is left',
      async (rig) => {
        await rig.pass('s1', 0, 1, 2, 3);
        await quarantine(rig, 2, 1);
      },
    ],
  ])('waits for none while %s', async (_what, change) => {
    const rig = await atWork();
    await change(rig);
    rig.clock.advance(MINUTE_MS);
    expect(await told(rig)).toEqual(nothing);
  });
});

it('without tenants it waits for none, also when nothing is left to do', async () => {
  const rig = await atWork();
  await rig.pass('s1', 0, 1, 2, 3);
  expect((await viewOf(rig, 's1')).waitsFor).toBeUndefined();
});

describe('quarantined rows', () => {
  it.each<[string, (rig: Rig, ours: string) => Promise<unknown>]>([
    ['lacks them', () => Promise.resolve()],
    [
      'has others that are none',
      (rig, ours) => {
        rig.store.tamper('datakeys', ours, quarantineRowKey('key-none'), { format: 1, reason: 'does-not-open' });
        return Promise.resolve();
      },
    ],
  ])('are named although the list of them, copied earlier than they were, %s', async (_title, change) => {
    const rig = await atWork();
    await quarantine(rig, 2, 1);
    const [ours, entry] = [partitionOf(2), quarantineRowKey('shard-2-key-000')];
    const { etag = '' } = rig.store.peek('datakeys', ours, entry) ?? {};
    await rig.store.write('datakeys', ours, [{ kind: 'delete', rowKey: entry, etag }]);
    await change(rig, ours);
    expect((await viewOf(rig, 's1')).quarantine).toEqual([{ keyId: 'shard-2-key-000', reason: 'does-not-open' }]);
  });

  it.each([
    ['does-not-open', 'does-not-open'],
    ['unknown-version', 'unknown-version'],
    ['differs-after-rewrap', 'differs-after-rewrap'],
    ['anything else', 'does-not-open'],
  ])('are named with their reason (%s: %s)', async (stored, told) => {
    const rig = await atWork();
    await quarantine(rig, 3, 1, stored);
    expect((await viewOf(rig, 's1')).quarantine).toEqual([{ keyId: 'shard-3-key-000', reason: told }]);
  });

  it('are named up to a hundred, looked for in no more shards than that takes, and counted all', async () => {
    const rig = await atWork();
    for (const [shard, count] of [0, 60, 60, 60].entries()) await quarantine(rig, shard, count);
    const asked: unknown[] = [];
    const list: Tables['list'] = (query) => {
      if (query.table === 'datakeys') asked.push([query.partitionKey, query.limit]);
      return rig.store.list(query);
    };
    const view = await getSwitch({ ...rig.deps, tables: tablesBut(rig.store, { list }) }, place('s1'));
    expect(view).toMatchObject({ value: { progress: { quarantined: 180 } } });
    expect(view.ok && view.value.quarantine).toHaveLength(100);
    expect(view.ok && view.value.quarantine.at(-1)?.keyId).toBe('shard-2-key-039');
    expect(asked).toEqual([
      [partitionOf(1), 60],
      [partitionOf(2), 40],
    ]);
  });

  it('that are left behind of a switch which is over are not shown with it', async () => {
    const rig = await atWork();
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect(await stateOf(rig, 's1')).toBe('cancelled');
    await quarantine(rig, 0, 1);
    expect((await viewOf(rig, 's1')).quarantine).toEqual([]);
  });
});
