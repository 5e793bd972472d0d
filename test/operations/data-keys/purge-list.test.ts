// The list of what is to be purged, a partition of the agenda for each keyring.
import { describe, expect, it } from 'vitest';
import { listDue, noteForPurge, takeOffPurgeList } from '../../../shared/operations/data-keys/purge-list.ts';
import { purgePartition } from '../../../shared/store/rows/purge-rows.ts';
import { type Tables, type WriteOutcome } from '../../../shared/store/tables.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { agendaIn } from '../audit/chain.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { PLACE, rowsToPurge } from './world.ts';

const NOW = '2026-03-01T00:00:00.000Z';
const LATER = '2026-03-01T00:00:00.001Z';

describe('the list of what to purge', () => {
  const answering = (store: FakeTables, answers: WriteOutcome[], sent: string[] = []): Tables =>
    tablesBut(store, {
      write: (table, partition, writes) => {
        if (partition !== purgePartition(PLACE)) return store.write(table, partition, writes);
        sent.push(partition);
        const answer = answers.shift();
        return answer ? Promise.resolve(answer) : store.write(table, partition, writes);
      },
    });
  const entry = { keyId: 'a', purgeAfter: NOW };

  it('has a key once, and its keyring on the agenda, whatever answers are lost', async () => {
    const store = new FakeTables();
    const sent: string[] = [];
    const unknown = { outcome: 'unknown' } as const;
    await noteForPurge(
      answering(store, [unknown, { outcome: 'conflict', index: 0, reason: 'changed' }], sent),
      PLACE,
      entry,
    );
    await noteForPurge(answering(store, [], sent), PLACE, entry);
    expect(sent).toHaveLength(4);
    expect(rowsToPurge(store)).toEqual([`${NOW}|a`]);
    expect(agendaIn(store, 'purge')).toHaveLength(1);
  });

  it('is tried three times, and then given up with nothing on the agenda', async () => {
    const store = new FakeTables();
    const sent: string[] = [];
    const tables = answering(store, Array<WriteOutcome>(5).fill({ outcome: 'unknown' }), sent);
    await expect(noteForPurge(tables, PLACE, entry)).rejects.toThrow(StoreUnavailable);
    expect([sent.length, [...store.dump()]]).toEqual([3, []]);
  });

  it('says what is due, of this keyring alone, and leaves out what is no entry', async () => {
    const store = new FakeTables();
    await noteForPurge(store, { ...PLACE, keyringId: 'other' }, { keyId: 'theirs', purgeAfter: NOW });
    await noteForPurge(store, PLACE, { keyId: 'later', purgeAfter: LATER });
    await noteForPurge(store, PLACE, entry);
    store.tamper('agenda', purgePartition(PLACE), `${NOW}|!shard`, {});
    const { due, last } = await listDue(store, PLACE, { now: NOW, limit: 10, after: '' });
    expect(due).toMatchObject([{ keyId: 'a', purgeAfter: NOW, at: { rowKey: `${NOW}|a` } }]);
    expect(last).toBe(`${NOW}|a`);
    expect(await listDue(store, PLACE, { now: NOW, limit: 10, after: last ?? '' })).toEqual({ due: [] });
  });

  it('loses an entry as it lies there, and what goes with it, also one that somebody has written past Keyswitch', async () => {
    const store = new FakeTables();
    await noteForPurge(store, PLACE, entry);
    store.tamper('agenda', purgePartition(PLACE), `${NOW}|b|and more`, { format: 1 });
    const { due } = await listDue(store, PLACE, { now: NOW, limit: 10, after: '' });
    await takeOffPurgeList(store, due);
    expect(rowsToPurge(store)).toEqual([]);
  });

  it('goes on behind an empty page', async () => {
    const store = new FakeTables();
    await noteForPurge(store, PLACE, entry);
    const asked: unknown[] = [];
    const list: Tables['list'] = (query) => {
      asked.push(query.continuation);
      if (asked.length < 3) return Promise.resolve({ rows: [], continuation: `${asked.length}` });
      return store.list({ ...query, continuation: '' });
    };
    const { due } = await listDue(tablesBut(store, { list }), PLACE, { now: NOW, limit: 10, after: '' });
    expect(due.map(({ keyId }) => keyId)).toEqual(['a']);
    expect(asked).toEqual([undefined, '1', '2']);
  });

  it.each([0, 1, 100, 101, 250])('loses %i entries, a hundred in a transaction', async (count) => {
    const store = new FakeTables();
    for (let index = 0; index < count; index += 1) {
      store.tamper('agenda', purgePartition(PLACE), `${NOW}|key-${index}`, { format: 1 });
    }
    const { due } = await listDue(store, PLACE, { now: NOW, limit: 1_000, after: '' });
    await takeOffPurgeList(store, due);
    expect([due.length, rowsToPurge(store)]).toEqual([count, []]);
  });
});
