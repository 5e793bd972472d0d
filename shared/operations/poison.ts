// Messages that nobody can work on. Each is recorded once, by the hash of its body and never by the body itself, and then it is
// over: a message that is retried for ever would be a way to stop the product. So many a day are recorded by name, and the rest is
// counted: whoever may send to the queue cannot make the tables grow.
import { createHash } from 'node:crypto';
import { KEYSWITCH } from '../domain/audit.ts';
import { count, text } from '../domain/rows/cells.ts';
import { POISON_COUNT_ROW_KEY, poisonRowKey, SYSTEM_PARTITION } from '../domain/rows/row-keys.ts';
import type { Auditing } from './audit/append.ts';
import { audited, type ActRecord } from './audit/audited.ts';
import { StoreUnavailable, type RowWrite, type Tables } from './ports.ts';
import { pauseAfterLosing } from './races.ts';

const MAX_ATTEMPTS = 3;
export const MAX_POISON_PER_DAY = 100;

/** Throws StoreUnavailable if it cannot be told whether it was recorded: the message then comes again. */
export async function recordPoison(
  deps: Auditing,
  message: { readonly reason: string; readonly value: unknown; readonly messageId?: string },
): Promise<void> {
  const hash = createHash('sha256').update(textOf(message)).digest('hex');
  deps.log.write({ level: 'error', event: 'security.poison-message', detail: { reason: message.reason, hash } });
  const rowKey = poisonRowKey(hash);
  if (await deps.tables.read('companies', SYSTEM_PARTITION, rowKey)) return;
  const at = deps.clock.now().toISOString();
  const cells = { format: 1, reason: message.reason, hash, messageId: message.messageId ?? '', at };
  const detail = { reason: message.reason };
  const act = { action: 'message.poison', companyId: SYSTEM_PARTITION, target: rowKey, detail };
  await audited(deps, KEYSWITCH, act, async (record: ActRecord) => {
    let isUnknown = false;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      if (attempt > 0) await pauseAfterLosing(deps, attempt);
      if (await record.landed()) return;
      const counted = await countOne(deps.tables, at.slice(0, 10));
      const write = counted.isFull
        ? await deps.tables.write('companies', SYSTEM_PARTITION, [counted.write])
        : await record.write('companies', SYSTEM_PARTITION, [{ kind: 'insert', rowKey, cells }, counted.write]);
      if (write.outcome === 'committed' || (write.outcome === 'conflict' && !counted.isFull && write.index === 0))
        return;
      // One more or less that is only counted is no matter.
      if (counted.isFull) return;
      isUnknown = write.outcome === 'unknown';
    }
    // Lost to others who counted at the same time: it is in the log, and those are in the tables.
    if (isUnknown) throw new StoreUnavailable('a poison message could not be recorded');
  });
}

/** The count of the day with one more, of those that are recorded or, once these are enough, of those that are not. */
async function countOne(
  tables: Pick<Tables, 'read'>,
  day: string,
): Promise<{ readonly isFull: boolean; readonly write: RowWrite }> {
  const rowKey = POISON_COUNT_ROW_KEY;
  const row = await tables.read('companies', SYSTEM_PARTITION, rowKey);
  const isToday = row !== undefined && text(row.cells, 'day') === day;
  const recorded = isToday ? (count(row.cells, 'recorded') ?? 0) : 0;
  const notRecorded = isToday ? (count(row.cells, 'notRecorded') ?? 0) : 0;
  const isFull = recorded >= MAX_POISON_PER_DAY;
  const next = isFull ? { recorded, notRecorded: notRecorded + 1 } : { recorded: recorded + 1, notRecorded };
  const cells = { format: 1, day, ...next };
  const write: RowWrite = row ? { kind: 'replace', rowKey, cells, etag: row.etag } : { kind: 'insert', rowKey, cells };
  return { isFull, write };
}

/** JSON is parsed at any depth, yet not written: a message that cannot be is named by its id, or it would come back for ever. */
function textOf({ value, messageId }: { readonly value: unknown; readonly messageId?: string }): string {
  try {
    return JSON.stringify([value]);
  } catch {
    return JSON.stringify(['nested too deeply', messageId]);
  }
}
