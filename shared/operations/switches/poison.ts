// Messages that no worker can work on. Each is recorded once, by the hash of its body and never by the body, and not tried again: otherwise one bad
// message could stop the product. A limited number a day is recorded by name and the rest is counted, so that a sender to the queue cannot
// make the tables grow.
import { createHash } from 'node:crypto';
import { KEYSWITCH } from '../../domain/audit.ts';
import type { Entropy } from '../../domain/ports.ts';
import { ok } from '../../domain/result.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import { act, changeOnce } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import { find, list, type Found } from '../../store/found.ts';
import {
  POISON_COMPANY,
  poisonCountRow,
  poisonRow,
  poisonSlotRow,
  poisonSlots,
  type PoisonCount,
} from '../../store/rows/poison-rows.ts';
import type { Tables } from '../../store/tables.ts';
import type { Writes } from '../../store/tx.ts';

/** Throws StoreUnavailable if it was not recorded, or that is unknown: the message then comes again. */
export async function recordPoison(
  deps: Auditing,
  message: { readonly reason: string; readonly value: unknown; readonly messageId?: string },
): Promise<void> {
  const { reason, messageId = '' } = message;
  const hash = createHash('sha256').update(textOf(message)).digest('hex');
  deps.log.write({ level: 'error', event: 'security.poison-message', detail: { reason, hash } });
  if (await find(deps.tables, poisonRow, { hash })) return;
  const at = deps.clock.now().toISOString();
  const day = at.slice(0, 10);
  const counted = await find(deps.tables, poisonCountRow, {});
  // One message today found no free slot, so this one will not either.
  if (counted && counted.value.day >= day) return countOne(deps.tables, day, counted);
  const target = poisonRow.key({ hash });
  const about = { actor: KEYSWITCH, action: 'message.poison', companyId: POISON_COMPANY, target, detail: { reason } };
  const recorded = await act<'over' | 'full'>(deps, about, async (tx) => {
    const take = await freeSlot(deps, day);
    if (!take) return ok('full');
    tx.insert(poisonRow, { hash }, { reason, hash, messageId, at });
    take(tx);
    return {
      done: () => 'over',
      ifLanded: () => ok('over'),
      // A conflict on the first write, the message's own row: another worker has recorded it.
      ifConflict: ({ index }) => Promise.resolve(index === 0 ? ok('over') : undefined),
    };
  });
  if (!recorded.ok) throw new StoreUnavailable('a poison message could not be recorded');
  if (recorded.value === 'full') await countOne(deps.tables, day, counted);
}

export const MAX_POISON_PER_DAY = 100;

/**
 * Each recorded message of a day takes a free slot, chosen at random, in the transaction of its record: so the bound is exact, and messages do not
 * compete for one row. Answers the write that takes a slot; undefined if all are taken today.
 */
async function freeSlot(
  { tables, entropy }: { readonly tables: Tables; readonly entropy: Pick<Entropy, 'bytes'> },
  day: string,
): Promise<((tx: Writes) => void) | undefined> {
  const slots = new Map((await list(tables, poisonSlots, {})).map((row) => [row.place.slot, row]));
  const free: ((tx: Writes) => void)[] = [];
  for (let slot = 0; slot < MAX_POISON_PER_DAY; slot += 1) {
    const row = slots.get(slot);
    if (!row) free.push((tx) => void tx.insert(poisonSlotRow, { slot }, day));
    // By another instance's clock it may already be tomorrow: only slots of an earlier day are free.
    else if (row.value < day) free.push((tx) => void tx.replace(row, day));
  }
  return free[(entropy.bytes(1)[0] ?? 0) % free.length];
}

/** A lost race is not repeated: the message is in the log, and `notRecorded` is a lower bound. */
async function countOne(tables: Tables, today: string, counted: Found<PoisonCount> | undefined): Promise<void> {
  const isOfToday = counted !== undefined && counted.value.day >= today;
  const day = isOfToday ? counted.value.day : today;
  const notRecorded = (isOfToday ? counted.value.notRecorded : 0) + 1;
  await changeOnce({ tables }, (tx) => tx.put(poisonCountRow, {}, counted, { day, notRecorded }));
}

/** JSON can be parsed at any depth but not written at any: such a message is named by its id, or it would come back for ever. */
function textOf({ value, messageId }: { readonly value: unknown; readonly messageId?: string }): string {
  try {
    return JSON.stringify([value]);
  } catch {
    return JSON.stringify(['nested too deeply', messageId]);
  }
}
