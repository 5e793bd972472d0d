// What tests of the audit share: a store, everything that appending needs, and a look at a chain straight from the store.
import { hashOfRecord, type AuditRecord } from '../../../shared/domain/audit.ts';
import { readRecord } from '../../../shared/store/rows/audit-rows.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import type { FakeTables } from '../../fakes/fake-tables.ts';
import { POLICY } from '../../fixtures/policy.ts';
import { TestWorld, type TestHost } from '../../world.ts';

export const COMPANY = 'acme';

export class AuditRig extends TestWorld {
  /** A host process of its own over this store: nothing in its caches. */
  readonly over = (tables: Tables): TestHost => this.startHost(POLICY, { tables, instance: 'instance-1' });
  readonly deps = this.over(this.store);
}

export const auditRig = (): AuditRig => new AuditRig();

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
