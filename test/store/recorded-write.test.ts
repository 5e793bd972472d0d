import { beforeEach, describe, expect, it } from 'vitest';
import type { Refusal } from '../../shared/domain/refusal.ts';
import { ok, type Result } from '../../shared/domain/result.ts';
import { act } from '../../shared/store/act.ts';
import { RecordedWrite } from '../../shared/store/recorded-write.ts';
import type { Row } from '../../shared/store/rows/row.ts';
import { sweepOutboxes } from '../../shared/store/deliver.ts';
import { type RowWrite, type Tables } from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { ADMIN } from '../fakes/actors.ts';
import { MISHAPS, tablesBut, tablesTripping } from '../fakes/tables-but.ts';
import { agendaIn, auditRig, chainOf, COMPANY, outboxesIn, type AuditRig } from '../operations/audit/chain.ts';
import { ACT } from '../operations/audit/left-over.ts';

const MINUTE_MS = 60_000;
const ROW = 'turned';
const INSERT: RowWrite = { kind: 'insert', rowKey: ROW, cells: { times: 1 } };

let rig: AuditRig;
beforeEach(() => {
  rig = auditRig();
});

const turnedRow: Row<object, number> = {
  table: 'companies',
  partition: () => COMPANY,
  key: () => ROW,
  cells: (times) => ({ times }),
  read: (cells) => Number(cells['times']),
};

/** An act that may be done any number of times: only its record says whether it was. */
const turn = (tables: Tables): Promise<Result<number, Refusal>> =>
  act<number>(rig.over(tables), { actor: ADMIN, ...ACT }, async (tx) => {
    const held = await tx.find(turnedRow, {});
    const times = (held?.value ?? 0) + 1;
    tx.put(turnedRow, {}, held, times);
    return { done: () => times, ifLanded: () => ok(timesTurned()) };
  });

const timesTurned = (): number => Number(rig.store.peek('companies', COMPANY, ROW)?.cells['times'] ?? 0);
const waiting = (): number[] => [outboxesIn(rig.store).length, agendaIn(rig.store, 'outbox').length];
async function during(tables: Tables, write: (record: RecordedWrite) => Promise<void>): Promise<void> {
  const record = new RecordedWrite(rig.over(tables), { actor: ADMIN, act: ACT, outcome: 'done' });
  await write(record);
  await record.settle();
}
const withoutEvents = (error: Error): Tables =>
  tablesBut(rig.store, {
    write: (table, ...rest) => (table === 'events' ? Promise.reject(error) : rig.store.write(table, ...rest)),
  });

describe.each(MISHAPS)('an act whose write ends as %s', (mishap) => {
  it('is done once, answered as done and recorded once', async () => {
    expect(await turn(tablesTripping(rig.store, ROW, { mishap }))).toEqual(ok(1));
    expect(timesTurned()).toBe(1);
    expect(chainOf(rig.store)).toHaveLength(1);
    expect(waiting()).toEqual([0, 0]);
  });

  it('and that others do too meanwhile is done by each, and recorded of each', async () => {
    const meanwhile = async (): Promise<void> => {
      await turn(rig.store);
    };
    expect(await turn(tablesTripping(rig.store, ROW, { mishap, meanwhile }))).toEqual(ok(2));
    expect(timesTurned()).toBe(2);
    expect(chainOf(rig.store)).toHaveLength(2);
    expect(waiting()).toEqual([0, 0]);
  });

  it('knows at once whether it was written', async () => {
    const isWritten = mishap === 'answer-lost';
    await during(tablesTripping(rig.store, ROW, { mishap }), async (record) => {
      await record.write('companies', COMPANY, [INSERT]);
      expect(await record.landed()).toBe(isWritten);
      expect(await record.landed()).toBe(isWritten);
    });
    expect(chainOf(rig.store)).toHaveLength(isWritten ? 1 : 0);
  });
});

describe('an act', () => {
  it('is not written before it is, and is when its write was answered', async () => {
    await during(rig.store, async (record) => {
      expect(await record.landed()).toBe(false);
      await record.write('companies', COMPANY, [INSERT]);
      expect(await record.landed()).toBe(true);
    });
  });

  it('that lost a race, and no answer, is not looked for', async () => {
    const reads: string[] = [];
    const tables = tablesBut(rig.store, {
      read: (...place) => {
        reads.push(place[0]);
        return rig.store.read(...place);
      },
    });
    await during(tablesTripping(tables, ROW, { mishap: 'outrun' }), async (record) => {
      await record.write('companies', COMPANY, [INSERT]);
      expect(await record.landed()).toBe(false);
    });
    expect(reads).toEqual(['agenda']);
    expect(waiting()).toEqual([0, 0]);
  });

  it('is not done a second time though its event was made unreadable while its answer was lost', async () => {
    const meanwhile = (): void => {
      for (const rowKey of outboxesIn(rig.store)) rig.store.tamper('companies', COMPANY, rowKey, { format: 1 });
    };
    const turning = turn(tablesTripping(rig.store, ROW, { mishap: 'answer-lost', meanwhile }));
    await expect(turning).rejects.toThrow(StoreUnavailable);
    expect(timesTurned()).toBe(1);
    rig.clock.advance(MINUTE_MS);
    expect(await sweepOutboxes(rig.deps)).toBe(1);
    expect(chainOf(rig.store)).toMatchObject([{ action: 'audit.event-unreadable' }]);
  });

  it('is answered while the store takes no events, and the log says that its event was left to the timer', async () => {
    expect(await turn(withoutEvents(new StoreUnavailable('planted')))).toEqual(ok(1));
    const eventId = outboxesIn(rig.store)[0]?.replace('outbox|', '');
    const detail = { companyId: COMPANY, eventId };
    expect(rig.log.entries).toEqual([{ level: 'warning', event: 'audit.left-to-timer', detail }]);
    expect(waiting()).toEqual([1, 1]);
  });

  it('does not hide a fault that is none of the store', async () => {
    await expect(turn(withoutEvents(new TypeError('planted')))).rejects.toThrow(TypeError);
    expect(rig.log.entries).toEqual([]);
    expect(waiting()).toEqual([1, 1]);
  });

  it('whose lost write arrives after all stays on the agenda until then', async () => {
    const tables = tablesTripping(rig.store, ROW, { mishap: 'not-written' });
    await during(tables, async (record) => {
      await record.write('companies', COMPANY, [INSERT]);
    });
    expect(waiting()).toEqual([0, 1]);
  });
});
