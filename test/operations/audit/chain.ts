// What tests of the audit share: a store, everything that appending needs, and a look at a chain straight from the store.
import type { Auditing } from '../../../shared/store/append.ts';
import { hashOfRecord, type AuditRecord } from '../../../shared/domain/audit.ts';
import { readRecord } from '../../../shared/store/rows/audit-rows.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { FakeClock, FakeEntropy, FakeLog, FakeTimers } from '../../fakes/fake-system.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';

export const COMPANY = 'acme';

export interface AuditRig {
  readonly store: FakeTables;
  readonly clock: FakeClock;
  readonly log: FakeLog;
  readonly deps: Auditing;
  readonly over: (tables: Tables) => Auditing;
}

export function auditRig(): AuditRig {
  const store = new FakeTables();
  const clock = new FakeClock();
  const log = new FakeLog();
  const deps = { tables: store, clock, log, entropy: new FakeEntropy(), timers: new FakeTimers() };
  return { store, clock, log, deps, over: (tables) => ({ ...deps, tables }) };
}

/** The records of a chain, each of which must hold its own hash and that of the one before. */
export function chainOf(store: FakeTables, companyId = COMPANY): AuditRecord[] {
  const records = [...store.dump()]
    .filter(({ table, partitionKey, rowKey }) => table === 'events' && partitionKey === companyId && /^\d/.test(rowKey))
    .sort((a, b) => (a.rowKey < b.rowKey ? -1 : 1))
    .map(({ cells }) => readRecord(cells, companyId));
  return records.map((record, index) => {
    if (record?.sequence !== index + 1) throw new Error(`no record ${index + 1}`);
    if (record.hash !== hashOfRecord(record)) throw new Error(`record ${index + 1} is not what its hash says`);
    if (record.previous !== (records[index - 1]?.hash ?? '')) throw new Error(`record ${index + 1} is not chained`);
    return record;
  });
}

/** Row keys of what is still on its way. */
export const outboxesIn = (store: FakeTables): string[] =>
  [...store.dump()]
    .filter(({ table, rowKey }) => table !== 'agenda' && /^!?outbox\|/.test(rowKey))
    .map(({ rowKey }) => rowKey);

export const agendaIn = (store: FakeTables, kind: string): string[] =>
  [...store.dump()]
    .filter(({ table, rowKey }) => table === 'agenda' && rowKey.startsWith(`${kind}|`))
    .map(({ rowKey }) => rowKey);
