import { beforeEach, describe, expect, it } from 'vitest';
import { putOnAgenda } from '../../shared/store/agenda.ts';
import { sweepOutboxes } from '../../shared/store/deliver.ts';
import { type Tables } from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { tablesBut } from '../fakes/tables-but.ts';
import { agendaIn, auditRig, chainOf, COMPANY, outboxesIn, type AuditRig } from '../operations/audit/chain.ts';
import { leaveEvent } from '../operations/audit/left-over.ts';

const HALF_A_MINUTE_MS = 30_000;
const DAY_MS = 24 * 60 * 60 * 1000;

let rig: AuditRig;
beforeEach(() => {
  rig = auditRig();
});

const sweep = (tables: Tables = rig.store): Promise<number> => sweepOutboxes(rig.over(tables));
const waiting = (): number[] => [outboxesIn(rig.store).length, agendaIn(rig.store, 'outbox').length];
const putItem = (id: string, cells: Record<string, string> = {}): Promise<void> =>
  putOnAgenda(rig.store, { kind: 'outbox', companyId: COMPANY, id }, cells);

/** What others do just before an event is taken out of its table. */
function beforeItLeaves(act: (rowKey: string) => Promise<void> | void): Tables {
  return tablesBut(rig.store, {
    write: async (table, partitionKey, writes) => {
      const [write] = writes;
      if (table === 'companies' && write?.kind === 'delete') await act(write.rowKey);
      return rig.store.write(table, partitionKey, writes);
    },
  });
}

describe('the timer', () => {
  it('leaves an event of the last half minute to the call that wrote it', async () => {
    await leaveEvent(rig);
    rig.clock.advance(HALF_A_MINUTE_MS - 1);
    expect(await sweep()).toBe(0);
    expect(chainOf(rig.store)).toEqual([]);
    rig.clock.advance(1);
    expect(await sweep()).toBe(1);
    expect(chainOf(rig.store)).toHaveLength(1);
  });

  it('waits a day for an event that its agenda announces, and no longer', async () => {
    await putItem('e1', { at: rig.clock.now().toISOString() });
    rig.clock.advance(DAY_MS - 1);
    expect(await sweep()).toBe(0);
    expect(waiting()).toEqual([0, 1]);
    rig.clock.advance(1);
    expect(await sweep()).toBe(0);
    expect(waiting()).toEqual([0, 0]);
  });

  it('takes off what names no place of ours, when it is a day old', async () => {
    await putItem('default|3|e1|x', { at: rig.clock.now().toISOString() });
    rig.clock.advance(HALF_A_MINUTE_MS);
    expect(await sweep()).toBe(0);
    expect(waiting()).toEqual([0, 1]);
    rig.clock.advance(DAY_MS);
    await sweep();
    expect(waiting()).toEqual([0, 0]);
    expect(rig.log.events()).toEqual([]);
  });

  it.each([{}, { at: '' }, { at: 'yesterday' }])('does not wait by a time that is none: %j', async (cells) => {
    await leaveEvent(rig);
    const [eventId = ''] = outboxesIn(rig.store).map((rowKey) => rowKey.replace('outbox|', ''));
    for (const row of [...rig.store.dump()].filter(({ table }) => table === 'agenda')) {
      rig.store.tamper('agenda', row.partitionKey, row.rowKey, cells);
    }
    await putItem('nothing', cells);
    expect(await sweep()).toBe(1);
    expect(chainOf(rig.store)).toMatchObject([{ id: eventId }]);
    expect(waiting()).toEqual([0, 0]);
  });

  it('takes an event off the agenda that another has taken out of its table, and died', async () => {
    await leaveEvent(rig);
    rig.clock.advance(HALF_A_MINUTE_MS);
    const taken = beforeItLeaves(async (rowKey) => {
      const { etag = '' } = rig.store.peek('companies', COMPANY, rowKey) ?? {};
      await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag }]);
    });
    expect(await sweep(taken)).toBe(1);
    expect(waiting()).toEqual([0, 0]);
    expect(chainOf(rig.store)).toHaveLength(1);
  });

  it('keeps an event on the agenda that somebody has changed meanwhile, and records it once all the same', async () => {
    await leaveEvent(rig);
    rig.clock.advance(HALF_A_MINUTE_MS);
    const changed = beforeItLeaves((rowKey) => {
      const { cells = {} } = rig.store.peek('companies', COMPANY, rowKey) ?? {};
      rig.store.tamper('companies', COMPANY, rowKey, { ...cells, by: 'somebody else' });
    });
    expect(await sweep(changed)).toBe(0);
    expect(waiting()).toEqual([1, 1]);
    expect(await sweep()).toBe(1);
    expect(waiting()).toEqual([0, 0]);
    expect(chainOf(rig.store)).toMatchObject([{ by: 'admin' }]);
  });

  it('has the head signed again of an event that came into the chain and got no further', async () => {
    await leaveEvent(rig);
    rig.clock.advance(HALF_A_MINUTE_MS);
    const away = tablesBut(rig.store, {
      read: (table, ...rest) => {
        if (table === 'agenda') throw new StoreUnavailable('planted');
        return rig.store.read(table, ...rest);
      },
    });
    expect(await sweep(away)).toBe(0);
    expect(chainOf(rig.store)).toHaveLength(1);
    expect([waiting(), agendaIn(rig.store, 'head')]).toEqual([[1, 1], []]);
    expect(await sweep()).toBe(1);
    expect(chainOf(rig.store)).toHaveLength(1);
    expect([waiting(), agendaIn(rig.store, 'head')]).toEqual([[0, 0], [`head|${COMPANY}|head`]]);
  });
});
