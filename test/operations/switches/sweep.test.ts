import { aheadOf } from '../../fakes/fake-system.ts';
import { describe, expect, it } from 'vitest';
import {
  COMPANY_ROW_KEY,
  dataKeysPartition,
  keyringRowKey,
  switchRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { failure } from '../../../shared/failures.ts';
import { LAST_ATTEMPT, type WorkMessage } from '../../../shared/domain/work-message.ts';
import { putOnAgenda } from '../../../shared/store/agenda.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { cancelSwitch } from '../../../shared/operations/switches/steer.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/work.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { ATTEMPT_LASTS_MS, putSwitchOnAgenda } from '../../../shared/operations/switches/agenda.ts';
import { sweepSwitches } from '../../../shared/operations/switches/sweep.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { agendaIn } from '../audit/chain.ts';
import { COMPANY, CONTOSO, KEYRING, place, Rig } from './rig.ts';

const PLACE = place('s1');
const STUCK_AFTER_MS = 120_000;
/** The timer's own are tried once. */
const ADVANCE = { format: 1, kind: 'advance', attempt: LAST_ATTEMPT, ...PLACE };
const TURNED = { generation: 1, fromVersion: 1, writeVersion: 2 } as const;
/** The counts of a shard all of whose rows were moved, and of one in which a row could not be. */
const MOVED = { live: 5, at: { 2: 5 } } as const;
const QUARANTINED = { ...TURNED, live: 4, at: { 2: 4 }, quarantined: 1, aside: { 1: 1 } } as const;
const reprotect = (shard: number) => ({
  ...ADVANCE,
  kind: 'reprotect',
  generation: 1,
  firstShard: shard,
  lastShard: shard,
});

const sweep = (rig: Rig): Promise<number> => sweepSwitches({ ...rig.deps, stuckAfterMs: STUCK_AFTER_MS });
const switchOf = async (rig: Rig): Promise<Switch> => (await loadSwitch(rig.store, PLACE))!.value;

async function remove(rig: Rig, rowKey: string): Promise<void> {
  const row = (await rig.store.read('companies', COMPANY, rowKey))!;
  await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag: row.etag }]);
}

function messages(rig: Rig): (WorkMessage | undefined)[] {
  const all = Array.from({ length: rig.queue.size }, () => rig.queue.take());
  return all.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}

/** Begun, and its message is lost. */
async function pending(): Promise<Rig> {
  const rig = await Rig.withDataKeys(20);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  rig.queue.clear();
  return rig;
}

/** All messages are lost right after it was turned; no shard is. */
async function reProtecting(): Promise<Rig> {
  const rig = await Rig.withDataKeys(20);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  rig.clock.advance(1_000);
  await rig.drain({ enough: async () => (await switchOf(rig)).state === 're-protecting' });
  rig.queue.clear();
  rig.log.entries.length = 0;
  return rig;
}

describe('a switch that has not begun to move rows', () => {
  it.each(['pending-verification', 'preparing'] as const)('(%s) is set going when it is old enough', async (state) => {
    const rig = await pending();
    await rig.tamperSwitch('s1', { state });
    rig.clock.advance(STUCK_AFTER_MS - 1);
    expect([await sweep(rig), messages(rig)]).toEqual([0, []]);
    rig.clock.advance(1);
    expect([await sweep(rig), messages(rig)]).toEqual([1, [ADVANCE]]);
  });
});

describe('a switch that moves rows', () => {
  it('is set going in every shard that was not turned, once that is long ago', async () => {
    const rig = await reProtecting();
    rig.clock.advance(STUCK_AFTER_MS - 1);
    expect([await sweep(rig), messages(rig)]).toEqual([0, []]);
    rig.clock.advance(1);
    expect([await sweep(rig), messages(rig)]).toEqual([1, [0, 1, 2, 3].map(reprotect)]);
    const detail = { ...PLACE, shards: 4 };
    expect(rig.log.entries).toEqual([{ level: 'warning', event: 'switch.resumed-by-timer', detail }]);
  });

  it('is set going only in those shards that nobody has touched for so long', async () => {
    const rig = await reProtecting();
    rig.clock.advance(STUCK_AFTER_MS);
    const now = rig.clock.now().toISOString();
    await rig.tamperShard(0, { ...TURNED, phase: 'rewrap', touchedAt: now });
    await rig.tamperShard(1, { ...TURNED, phase: 'done', touchedAt: now });
    // Touched by callers since, but not turned: that is no work on the switch.
    await rig.tamperShard(2, { touchedAt: now });
    expect([await sweep(rig), messages(rig)]).toEqual([1, [reprotect(2), reprotect(3)]]);
  });

  it('is tried by the one shard that met a vault, once a minute, however many stand still for it', async () => {
    const rig = await reProtecting();
    const since = rig.clock.now().toISOString();
    await rig.tamperSwitch('s1', {
      trouble: { since, side: 'source', shard: 2, failure: failure('vault-unreachable', {}) },
    });
    rig.clock.advance(STUCK_AFTER_MS);
    expect([await sweep(rig), messages(rig)]).toEqual([1, [reprotect(2)]]);
    rig.clock.advance(49_999);
    expect([await sweep(rig), messages(rig)]).toEqual([0, []]);
    rig.clock.advance(1);
    expect([await sweep(rig), messages(rig)]).toEqual([1, [reprotect(2)]]);
  });

  it('is set going again though a host whose clock was ahead has said that it did so later than now', async () => {
    const rig = await reProtecting();
    const clock = aheadOf(rig.clock, 40 * 24 * 3_600_000);
    await sweepSwitches({ ...rig.deps, clock, stuckAfterMs: STUCK_AFTER_MS });
    rig.queue.clear();
    rig.clock.advance(STUCK_AFTER_MS);
    expect([await sweep(rig), messages(rig)]).toEqual([1, [0, 1, 2, 3].map(reprotect)]);
  });

  it('is left alone while one shard is worked on and the others are done', async () => {
    const rig = await reProtecting();
    rig.clock.advance(STUCK_AFTER_MS);
    for (const shard of [1, 2, 3]) await rig.tamperShard(shard, { ...TURNED, phase: 'done' });
    await rig.tamperShard(0, { ...TURNED, phase: 'verify', touchedAt: rig.clock.now().toISOString() });
    expect([await sweep(rig), messages(rig)]).toEqual([0, []]);
  });

  it('counts from its turn, whatever a shard says of the time before', async () => {
    const rig = await reProtecting();
    await rig.tamperShard(0, { ...TURNED, phase: 'rewrap', touchedAt: '2020-01-01T00:00:00.000Z' });
    rig.clock.advance(STUCK_AFTER_MS - 1);
    expect(await sweep(rig)).toBe(0);
  });

  it('is ended where every shard is done', async () => {
    const rig = await reProtecting();
    for (const shard of [0, 1, 2, 3]) await rig.tamperShard(shard, { ...TURNED, phase: 'done' });
    expect([await sweep(rig), messages(rig)]).toEqual([1, [ADVANCE]]);
    expect(rig.log.entries).toMatchObject([{ detail: { shards: 0 } }]);
  });

  it('is left alone where every shard is done and a row waits for a decision', async () => {
    const rig = await reProtecting();
    for (const shard of [0, 1, 2, 3]) await rig.tamperShard(shard, { ...TURNED, ...MOVED, phase: 'done' });
    await rig.tamperShard(2, { ...QUARANTINED, phase: 'done' });
    rig.clock.advance(STUCK_AFTER_MS);
    expect([await sweep(rig), messages(rig)]).toEqual([0, []]);
  });

  it('is told as it is where a row waits for a decision and the counts of another shard do not fit', async () => {
    const rig = await reProtecting();
    for (const shard of [0, 1, 2, 3]) await rig.tamperShard(shard, { ...TURNED, ...MOVED, phase: 'done' });
    await rig.tamperShard(1, { uncompared: 1 });
    await rig.tamperShard(2, { ...QUARANTINED, phase: 'done' });
    rig.clock.advance(STUCK_AFTER_MS);
    expect([await sweep(rig), messages(rig)]).toEqual([1, [ADVANCE]]);
  });

  it('is set going although a row waits for a decision, where a shard is stuck', async () => {
    const rig = await reProtecting();
    for (const shard of [1, 2, 3]) await rig.tamperShard(shard, { ...TURNED, phase: 'done', quarantined: 1 });
    rig.clock.advance(STUCK_AFTER_MS);
    expect([await sweep(rig), messages(rig)]).toEqual([1, [reprotect(0)]]);
  });

  it('is set going where a shard is missing, and nothing is where the keyring is', async () => {
    const rig = await reProtecting();
    const partition = dataKeysPartition({ ...PLACE, shard: 3 });
    const row = (await rig.store.read('datakeys', partition, SHARD_ROW_KEY))!;
    await rig.store.write('datakeys', partition, [{ kind: 'delete', rowKey: SHARD_ROW_KEY, etag: row.etag }]);
    rig.clock.advance(STUCK_AFTER_MS);
    expect([await sweep(rig), messages(rig)]).toEqual([1, [0, 1, 2, 3].map(reprotect)]);
    await remove(rig, keyringRowKey(KEYRING));
    expect([await sweep(rig), messages(rig)]).toEqual([0, []]);
    expect(rig.log.events()).not.toContain('agenda.look-failed');
  });
});

describe('what the timer leaves alone', () => {
  it.each([
    ['paused', { paused: true }],
    ['blocked', { blocked: { reason: 'dead-letter', since: '2026-01-01T00:00:00.000Z', detail: 'planted' } }],
  ] as const)('is a switch that is %s, whether or not rows move', async (_, change) => {
    for (const rig of [await pending(), await reProtecting()]) {
      await rig.tamperSwitch('s1', change);
      rig.clock.advance(STUCK_AFTER_MS);
      expect([await sweep(rig), messages(rig)]).toEqual([0, []]);
      expect(agendaIn(rig.store, 'switch')).toHaveLength(1);
    }
  });
});

describe('what the timer takes off its list', () => {
  it('is a switch that has ended, at once', async () => {
    const rig = await reProtecting();
    await rig.tamperSwitch('s1', { state: 'completed' });
    rig.clock.advance(STUCK_AFTER_MS);
    expect([await sweep(rig), messages(rig)]).toEqual([0, []]);
    expect(agendaIn(rig.store, 'switch')).toEqual([]);
  });

  it('is a switch that was never made, when no request for it can still be under way', async () => {
    const rig = await Rig.withDataKeys(1);
    const at = rig.clock.now().toISOString();
    await putOnAgenda(
      rig.store,
      { kind: 'switch', companyId: COMPANY, id: 'default' },
      { at, switchId: 's1', shared: false },
    );
    rig.clock.advance(ATTEMPT_LASTS_MS - 1);
    await sweep(rig);
    expect(agendaIn(rig.store, 'switch')).toHaveLength(1);
    rig.clock.advance(1);
    expect(await sweep(rig)).toBe(0);
    expect(agendaIn(rig.store, 'switch')).toEqual([]);
  });

  it('is one that does not say since when it waits', async () => {
    const rig = await Rig.withDataKeys(1);
    await putOnAgenda(rig.store, { kind: 'switch', companyId: COMPANY, id: 'default' });
    await sweep(rig);
    expect(agendaIn(rig.store, 'switch')).toEqual([]);
  });
});

describe('an item of a keyring', () => {
  const PLACE_2 = place('s2');
  const at = (rig: Rig): string => rig.clock.now().toISOString();

  it('stays while a switch may be about to begin, though the one before has ended', async () => {
    const rig = await reProtecting();
    await putSwitchOnAgenda(rig.store, PLACE_2, at(rig));
    await rig.pass('s1', 0, 1, 2, 3);
    await handleSwitchWork(rig.deps, { ...ADVANCE, kind: 'advance', format: 1 });
    expect((await switchOf(rig)).state).toBe('completed');
    await sweep(rig);
    expect(agendaIn(rig.store, 'switch')).toHaveLength(1);
    expect(await startRekey(rig.deps, PLACE_2, ADMIN)).toMatchObject({ ok: true });
    rig.queue.clear();
    rig.clock.advance(STUCK_AFTER_MS);
    expect([await sweep(rig), messages(rig)]).toEqual([1, [{ ...ADVANCE, ...PLACE_2 }]]);
  });

  it('is one, and gone after an hour at the most, however many starts were asked for and lost', async () => {
    const rig = await Rig.withDataKeys(1);
    const starts = Array.from({ length: 200 }, (_, index) => startRekey(rig.deps, place(`r${index}`), ADMIN));
    const won = (await Promise.all(starts)).flatMap((start) => (start.ok ? [start.value.value.switchId] : []));
    expect(won).toHaveLength(1);
    expect(agendaIn(rig.store, 'switch')).toHaveLength(1);
    rig.queue.clear();
    expect(await cancelSwitch(rig.deps, place(won[0]!), ADMIN)).toMatchObject({ ok: true });
    rig.clock.advance(ATTEMPT_LASTS_MS);
    await sweep(rig);
    expect(agendaIn(rig.store, 'switch')).toEqual([]);
  });

  it('goes with the attempt that has put it there and lost', async () => {
    const rig = await Rig.withDataKeys(1);
    // The company changes under each attempt, and then it is being deleted.
    const closing: Tables = tablesBut(rig.store, {
      write: (table, partitionKey, writes) => {
        if (table === 'companies') {
          const row = rig.store.peek('companies', COMPANY, COMPANY_ROW_KEY)!;
          rig.store.tamper('companies', COMPANY, COMPANY_ROW_KEY, { ...row.cells, state: 'closing' });
        }
        return rig.store.write(table, partitionKey, writes);
      },
    });
    expect(await startRekey({ ...rig.deps, tables: closing }, PLACE, ADMIN)).toMatchObject({ ok: false });
    expect(agendaIn(rig.store, 'switch')).toEqual([]);
  });
});

describe('a switch whose row cannot be read', () => {
  it('keeps no other waiting', async () => {
    const rig = await pending();
    const companyId = 'globex';
    for (const rowKey of [keyringRowKey(KEYRING), switchRowKey(KEYRING, 's1')]) {
      const { cells } = rig.store.peek('companies', COMPANY, rowKey)!;
      rig.store.tamper('companies', companyId, rowKey, {
        ...cells,
        ...(rowKey.startsWith('switch') ? { state: 'odd' } : {}),
      });
    }
    await putOnAgenda(rig.store, { kind: 'switch', companyId, id: KEYRING });
    rig.clock.advance(STUCK_AFTER_MS);
    expect([await sweep(rig), messages(rig)]).toEqual([1, [ADVANCE]]);
    const detail = { kind: 'switch', company: companyId, item: KEYRING, error: 'MalformedRow' };
    expect(rig.log.entries).toContainEqual({ level: 'error', event: 'agenda.look-failed', detail });
  });
});
