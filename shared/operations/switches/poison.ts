// Messages that nobody can work on. Each is recorded once, by the hash of its body and never by the body itself, and then it is
// over: a message that is retried for ever would be a way to stop the product. So many a day are recorded by name, and the rest is
// counted: whoever may send to the queue cannot make the tables grow.
import { createHash } from 'node:crypto';
import { KEYSWITCH } from '../../domain/audit.ts';
import { ok } from '../../domain/result.ts';
import { count, text } from '../../store/rows/cells.ts';
import {
  POISON_COUNT_ROW_KEY,
  poisonRowKey,
  SYSTEM_PARTITION,
  POISON_SLOT_PREFIX,
  poisonSlotRowKey,
  rowKeysUnder,
} from '../../store/rows/row-keys.ts';
import type { Auditing } from '../../store/append.ts';
import { audited, type ActRecord } from '../../store/audited.ts';
import type { StoredRow, Tables, RowWrite } from '../../store/tables.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import { settleRaces, undecided } from '../../store/races.ts';
import { listAll } from '../../store/control-state.ts';
import type { Entropy } from '../../domain/ports.ts';

/** Throws StoreUnavailable if it was not recorded, or that cannot be told: the message then comes again. */
export async function recordPoison(
  deps: Auditing,
  message: { readonly reason: string; readonly value: unknown; readonly messageId?: string },
): Promise<void> {
  const hash = createHash('sha256').update(textOf(message)).digest('hex');
  deps.log.write({ level: 'error', event: 'security.poison-message', detail: { reason: message.reason, hash } });
  const rowKey = poisonRowKey(hash);
  if (await deps.tables.read('companies', SYSTEM_PARTITION, rowKey)) return;
  const at = deps.clock.now().toISOString();
  const day = at.slice(0, 10);
  const counted = await deps.tables.read('companies', SYSTEM_PARTITION, POISON_COUNT_ROW_KEY);
  // One that found no slot today was counted: nor will this one.
  if (counted && dayOf(counted) >= day) return countOne(deps.tables, day, counted);
  const cells = { format: 1, reason: message.reason, hash, messageId: message.messageId ?? '', at };
  const detail = { reason: message.reason };
  const act = { action: 'message.poison', companyId: SYSTEM_PARTITION, target: rowKey, detail };
  const settled = await audited(deps, KEYSWITCH, act, (record: ActRecord) =>
    settleRaces<'over' | 'full'>(deps, async () => {
      if (await record.landed()) return ok('over');
      const slot = await freePoisonSlot(deps, day);
      if (!slot) return ok('full');
      const written = await record.write('companies', SYSTEM_PARTITION, [{ kind: 'insert', rowKey, cells }, slot]);
      const isThere = written.outcome === 'conflict' && written.index === 0;
      return written.outcome === 'committed' || isThere ? ok('over') : undecided(written);
    }),
  );
  if (!settled.ok) throw new StoreUnavailable('a poison message could not be recorded');
  if (settled.value === 'full') await countOne(deps.tables, day, counted);
}

const dayOf = ({ cells }: StoredRow): string => text(cells, 'day') ?? '';

/** Where others count at the same moment it is left out: it is in the log, and `notRecorded` is at least so many. */
async function countOne(tables: Pick<Tables, 'write'>, today: string, row: StoredRow | undefined): Promise<void> {
  const rowKey = POISON_COUNT_ROW_KEY;
  const isOfToday = row !== undefined && dayOf(row) >= today;
  const day = isOfToday ? dayOf(row) : today;
  const cells = { format: 1, day, notRecorded: (isOfToday ? (count(row.cells, 'notRecorded') ?? 0) : 0) + 1 };
  await tables.write('companies', SYSTEM_PARTITION, [
    row ? { kind: 'replace', rowKey, cells, etag: row.etag } : { kind: 'insert', rowKey, cells },
  ]);
}

/** JSON is parsed at any depth, yet not written: a message that cannot be is named by its id, or it would come back for ever. */
function textOf({ value, messageId }: { readonly value: unknown; readonly messageId?: string }): string {
  try {
    return JSON.stringify([value]);
  } catch {
    return JSON.stringify(['nested too deeply', messageId]);
  }
}

export const MAX_POISON_PER_DAY = 100;

/** `day` as `2026-01-31`. The write that takes a slot of this day; undefined if all are taken. */
export async function freePoisonSlot(
  { tables, entropy }: { readonly tables: Tables; readonly entropy: Pick<Entropy, 'bytes'> },
  day: string,
): Promise<RowWrite | undefined> {
  const range = { table: 'companies', partitionKey: SYSTEM_PARTITION, ...rowKeysUnder(POISON_SLOT_PREFIX) } as const;
  const slots = new Map((await listAll(tables, range)).map((row) => [row.rowKey, row]));
  const cells = { format: 1, day };
  const free: RowWrite[] = [];
  for (let slot = 0; slot < MAX_POISON_PER_DAY; slot += 1) {
    const rowKey = poisonSlotRowKey(slot);
    const row = slots.get(rowKey);
    if (!row) free.push({ kind: 'insert', rowKey, cells });
    // By the clock of another instance it may be tomorrow already: only an earlier day is over.
    else if ((text(row.cells, 'day') ?? '') < day) free.push({ kind: 'replace', rowKey, cells, etag: row.etag });
  }
  return free[(entropy.bytes(1)[0] ?? 0) % free.length];
}
