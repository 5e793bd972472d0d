// How many poison messages are recorded a day: as many as there are slots. Each takes one that is free, of those that it may at random, in the
// transaction of its record: so the bound is exact, no row is contended for by all, and what lost a slot to another takes the next.
import { text } from '../../store/rows/cells.ts';
import { POISON_SLOT_PREFIX, poisonSlotRowKey, rowKeysUnder, SYSTEM_PARTITION } from '../../store/rows/row-keys.ts';
import { listAll } from '../../store/control-state.ts';
import type { RowWrite, Tables } from '../../store/tables.ts';
import type { Entropy } from '../../domain/ports.ts';

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
