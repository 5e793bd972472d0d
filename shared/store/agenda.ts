// What a timer must look at. A row is inserted before the act that needs it and deleted after its end, so the agenda is a
// superset of the truth and is checked against it (invariant A12); no timer ever scans a table of companies.
import { createHash } from 'node:crypto';
import { text } from './rows/cells.ts';
import type { Cells, RowWrite, StoredRow, Tables, WriteOutcome } from './tables.ts';
import type { KeyringPlace } from '../domain/keyring.ts';
import type { WebhookPlace } from '../domain/webhook.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';

const BUCKETS = 16;
const MAX_RENEWALS = 8;

/**
 * `switch`: a keyring with an unfinished switch. `check`: a connection in force. `purge`: soft-deleted data keys. `outbox`: an event on its way to
 * its chain. `head`: a chain that has moved since it was last signed. `kept`: a keyring with kept company keys. `notify`: a chain that was signed
 * and whose events have not reached every webhook, or given-up events that are to be sent again. `vendor-key`: a keyring with company keys that the
 * vendor's own key wraps, or a row with small secrets under it. `given-up`: a webhook with events that were given up, for operators to see.
 */
export type AgendaKind =
  'switch' | 'check' | 'purge' | 'outbox' | 'head' | 'kept' | 'notify' | 'vendor-key' | 'given-up';

export interface AgendaItem {
  readonly kind: AgendaKind;
  readonly companyId: string;
  /** Names the item within its company and kind; may hold `|`. */
  readonly id: string;
}

export interface ListedAgendaItem extends AgendaItem {
  readonly etag: string;
  readonly cells: Cells;
}

/** Put on before its first company key is, and before a switch to the vendor's key begins. */
export const vendorKeyItemOf = ({ companyId, keyringId }: KeyringPlace): AgendaItem => ({
  kind: 'vendor-key',
  companyId,
  id: keyringId,
});

/** A row with small secrets: put on before the first of them is written. Its id holds a `|`, which that of a keyring does not. */
export const secretsItemOf = (companyId: string, rowKey: string): AgendaItem => ({
  kind: 'vendor-key',
  companyId,
  id: rowKey,
});

/** The row key, or undefined for a keyring. */
export const rowWithSecrets = ({ id }: AgendaItem): string | undefined => (id.includes('|') ? id : undefined);

export const givenUpItemOf = ({ companyId, webhookId }: WebhookPlace): AgendaItem => ({
  kind: 'given-up',
  companyId,
  id: webhookId,
});

const bucketOf = (companyId: string): string =>
  String((createHash('sha256').update(companyId).digest()[0] ?? 0) % BUCKETS).padStart(2, '0');

export const agendaRowKey = (item: AgendaItem): string => `${item.kind}|${item.companyId}|${item.id}`;

export const agendaPlaceOf = (item: AgendaItem): { readonly bucket: string; readonly rowKey: string } => ({
  bucket: bucketOf(item.companyId),
  rowKey: agendaRowKey(item),
});

/** All items of one kind and company. */
export const itemsOfCompany = (
  kind: AgendaKind,
  companyId: string,
): { readonly table: 'agenda'; readonly partitionKey: string; readonly after: string; readonly before: string } => ({
  table: 'agenda',
  partitionKey: bucketOf(companyId),
  after: `${kind}|${companyId}|`,
  before: `${kind}|${companyId}}`,
});

export const allBuckets: readonly string[] = Array.from({ length: BUCKETS }, (_, index) =>
  String(index).padStart(2, '0'),
);

/** Inserted if absent. Throws StoreUnavailable if it stays unknown whether it was. */
export async function putOnAgenda(tables: Tables, item: AgendaItem, cells: Cells = {}): Promise<void> {
  const write = { kind: 'insert', rowKey: agendaRowKey(item), cells: { format: 1, ...cells } } as const;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const written = await tables.write('agenda', bucketOf(item.companyId), [write]);
    if (written.outcome === 'committed' || (written.outcome === 'conflict' && written.reason === 'exists')) return;
  }
  throw new StoreUnavailable('the agenda could not be written');
}

/**
 * Inserts the item, or rewrites it so that its ETag changes: a timer that has read it and is about to delete it then fails. Throws
 * StoreUnavailable.
 */
export async function renewOnAgenda(tables: Tables, item: AgendaItem): Promise<void> {
  const rowKey = agendaRowKey(item);
  const bucket = bucketOf(item.companyId);
  for (let attempt = 0; attempt < MAX_RENEWALS; attempt += 1) {
    const row = await tables.read('agenda', bucket, rowKey);
    // What a timer has noted of a look that found nothing is out of date.
    const cells = { format: 1, ...(row?.cells['emptyAt'] ? { emptyAt: '' } : {}) };
    const write = row
      ? ({ kind: 'merge', rowKey, cells, etag: row.etag } as const)
      : ({ kind: 'insert', rowKey, cells: { format: 1 } } as const);
    const written = await tables.write('agenda', bucket, [write]);
    if (written.outcome === 'committed') return;
    // Another process has written it since we read it, which changed its ETag as well.
    if (written.outcome === 'conflict' && written.reason === (row ? 'changed' : 'exists')) return;
  }
  throw new StoreUnavailable('the agenda could not be written');
}

/** Undefined if it is not there. Throws StoreUnavailable. */
export async function findOnAgenda(tables: Tables, item: AgendaItem): Promise<ListedAgendaItem | undefined> {
  const row = await tables.read('agenda', bucketOf(item.companyId), agendaRowKey(item));
  return row && { ...item, etag: row.etag, cells: row.cells };
}

/** Written over what was listed, or inserted where nothing was. */
export function writeOnAgenda(
  tables: Tables,
  item: AgendaItem,
  listed: ListedAgendaItem | undefined,
  cells: Cells,
): Promise<WriteOutcome> {
  const row = { rowKey: agendaRowKey(item), cells: { format: 1, ...cells } };
  const write: RowWrite = listed ? { kind: 'replace', ...row, etag: listed.etag } : { kind: 'insert', ...row };
  return tables.write('agenda', bucketOf(item.companyId), [write]);
}

/**
 * Deletes the item if it is still as it was read. A lost answer is harmless: the agenda may hold more than there is to do. `mayGo` is asked
 * between the read and the delete.
 */
export async function takeOffAgenda(tables: Tables, item: AgendaItem, mayGo?: () => Promise<boolean>): Promise<void> {
  const row = await tables.read('agenda', bucketOf(item.companyId), agendaRowKey(item));
  if (!row || (mayGo && !(await mayGo()))) return;
  await tables.write('agenda', bucketOf(item.companyId), [{ kind: 'delete', rowKey: row.rowKey, etag: row.etag }]);
}

/** Deletes the item if it is unchanged since it was listed. */
export async function takeOffListed(tables: Tables, item: ListedAgendaItem): Promise<void> {
  const { etag } = item;
  await tables.write('agenda', bucketOf(item.companyId), [{ kind: 'delete', rowKey: agendaRowKey(item), etag }]);
}

/** Leaves a note on an item for the next look. A lost race is harmless: then another timer has just looked. */
export async function noteOnAgenda(tables: Tables, item: ListedAgendaItem, cells: Cells): Promise<void> {
  const write = { kind: 'merge', rowKey: agendaRowKey(item), cells, etag: item.etag } as const;
  await tables.write('agenda', bucketOf(item.companyId), [write]);
}

/** No timer rests longer than a day: a later `nextAt` was written by a host whose clock was ahead. */
const NO_REST_MS = 25 * 60 * 60 * 1000;

/** By the `nextAt` that the last look noted; a new item is due. */
export function isDue({ cells }: ListedAgendaItem, now: Date): boolean {
  const nextAt = text(cells, 'nextAt') ?? '';
  return nextAt <= now.toISOString() || nextAt > new Date(now.getTime() + NO_REST_MS).toISOString();
}

/** A page of one kind in one bucket, in the order of row keys. Rows that cannot be read are left out. Throws StoreUnavailable. */
export async function pageOfAgenda(
  tables: Tables,
  at: {
    readonly bucket: string;
    readonly kind: AgendaKind;
    /** Row key, exclusive; empty for the beginning. */
    readonly after: string;
    readonly limit: number;
    readonly continuation?: string;
  },
): Promise<{ readonly items: readonly ListedAgendaItem[]; readonly continuation?: string }> {
  const { bucket, kind, limit, continuation } = at;
  const range = {
    table: 'agenda',
    partitionKey: bucket,
    after: at.after || `${kind}|`,
    before: `${kind}}`,
    limit,
  } as const;
  const page = await tables.list({ ...range, ...(continuation === undefined ? {} : { continuation }) });
  const items = page.rows.flatMap((row) => itemOf(kind, row));
  return { items, ...(page.continuation === undefined ? {} : { continuation: page.continuation }) };
}

/** At most so many of one kind, bucket by bucket. Throws StoreUnavailable. */
export async function firstOnAgenda(
  tables: Tables,
  kind: AgendaKind,
  most: number,
): Promise<{ readonly items: readonly ListedAgendaItem[]; readonly isWhole: boolean }> {
  const items: ListedAgendaItem[] = [];
  for (const bucket of allBuckets) {
    let continuation: string | undefined;
    do {
      const at = { bucket, kind, after: '', limit: most + 1 - items.length };
      const page = await pageOfAgenda(tables, { ...at, ...(continuation === undefined ? {} : { continuation }) });
      items.push(...page.items);
      continuation = page.continuation;
      if (items.length > most) return { items: items.slice(0, most), isWhole: false };
    } while (continuation !== undefined);
  }
  return { items, isWhole: true };
}

function itemOf(kind: AgendaKind, row: StoredRow): ListedAgendaItem[] {
  const [, companyId, ...id] = row.rowKey.split('|');
  if (!companyId || id.length === 0) return [];
  return [{ kind, companyId, id: id.join('|'), etag: row.etag, cells: row.cells }];
}
