// Where a webhook begins in the events of a company that it was told nothing of yet: before the first that began when it was there.
import { CHAIN_START, type StoredHead } from '../../domain/audit.ts';
import type { DeliveryCursor } from '../../domain/webhook.ts';
import { walk } from '../../store/found.ts';
import { recordRow, recordsOf } from '../../store/rows/audit-rows.ts';
import type { Tables } from '../../store/tables.ts';

const PAGE_ROWS = 500;
/** An event is recorded some time after it began, seldom hours: so much older ones must lie between it and where the search ends. */
const LATE_MS = 24 * 60 * 60 * 1000;

/** Reads backwards from the head. Throws StoreUnavailable. */
export async function firstCursor(
  tables: Tables,
  { companyId, createdAt, head }: { readonly companyId: string; readonly createdAt: string; readonly head: StoredHead },
): Promise<DeliveryCursor> {
  const longBefore = new Date(Date.parse(createdAt) - LATE_MS).toISOString();
  let begin: Pick<DeliveryCursor, 'sequence' | 'hash'> = { sequence: head.sequence, hash: head.hash };
  for (let end = head.sequence; end > 0; end -= PAGE_ROWS) {
    const records = await recordsBetween(tables, companyId, { after: Math.max(0, end - PAGE_ROWS), upTo: end });
    const first = records.find(({ at }) => at >= createdAt);
    if (first) begin = { sequence: first.sequence - 1, hash: first.previous };
    if (records.every(({ at }) => at < longBefore)) break;
  }
  return begin.sequence === 0 ? { ...CHAIN_START, attempts: 0 } : { ...begin, attempts: 0 };
}

async function recordsBetween(
  tables: Tables,
  companyId: string,
  { after, upTo }: { readonly after: number; readonly upTo: number },
): Promise<readonly { readonly sequence: number; readonly at: string; readonly previous: string }[]> {
  const keyOf = (sequence: number): string => recordRow.key({ companyId, sequence });
  const range = { after: keyOf(after), before: `${keyOf(upTo)}~`, limit: PAGE_ROWS };
  const records = [];
  for await (const rows of walk(tables, recordsOf, { companyId }, range)) {
    for (const { value, place } of rows)
      // One that cannot be read is met again on the way forward, and stops it there.
      records.push(value ?? { sequence: place.sequence, at: '', previous: '' });
  }
  return records;
}
