// Where an event waits between its act and its chain: a row in the act's own transaction, so that both are written or neither is.
import { outboxCells } from './rows/audit-rows.ts';
import { OUTBOX_PREFIX, SHARD_OUTBOX_PREFIX } from './rows/row-keys.ts';
import type { AuditEvent } from '../domain/audit.ts';
import type { AgendaItem } from './agenda.ts';
import type { RowWrite } from './tables.ts';

export type OutboxTable = 'companies' | 'datakeys' | 'health' | 'vaultkeys';

export interface OutboxPlace {
  readonly table: OutboxTable;
  readonly partitionKey: string;
  readonly companyId: string;
  readonly id: string;
}

export const outboxRowKey = ({ table, id }: Pick<OutboxPlace, 'table' | 'id'>): string =>
  `${table === 'companies' ? OUTBOX_PREFIX : SHARD_OUTBOX_PREFIX}${id}`;

/** Names the event, and its partition unless that is the company's own in `companies`. */
export function outboxItem({ table, partitionKey, companyId, id }: OutboxPlace): AgendaItem {
  const where = {
    companies: [],
    datakeys: partitionKey.split('|').slice(1),
    health: [table],
    vaultkeys: [table, ...partitionKey.split('|')],
  }[table];
  return { kind: 'outbox', companyId, id: [...where, id].join('|') };
}

/** Undefined if it names no place of ours. The number of parts tells the table, since a keyring may have a table's name. */
export function placeOfItem({ companyId, id: name }: AgendaItem): OutboxPlace | undefined {
  const [first = '', second, third, fourth, ...rest] = name.split('|');
  if (second === undefined) return { table: 'companies', partitionKey: companyId, companyId, id: first };
  if (third === undefined) return { table: 'health', partitionKey: companyId, companyId, id: second };
  if (fourth === undefined) {
    return { table: 'datakeys', partitionKey: `${companyId}|${first}|${second}`, companyId, id: third };
  }
  if (first !== 'vaultkeys' || rest.length > 0) return undefined;
  return { table: first, partitionKey: `${second}|${third}`, companyId, id: fourth };
}

export const outboxWrite = (place: Pick<OutboxPlace, 'table' | 'id'>, event: AuditEvent): RowWrite => ({
  kind: 'insert',
  rowKey: outboxRowKey(place),
  cells: outboxCells(event),
});
