// Opens a shard that a delete of its company closed, when the delete turned back and died. Reads the shard before the company: a delete that begins in
// between writes the shard, and then our ETag no longer holds.
import { notFound } from '../../domain/refusal.ts';
import { err, ok } from '../../domain/result.ts';
import { change } from '../../store/act.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import type { Tables } from '../../store/tables.ts';
import type { Entropy, Timers } from '../../domain/ports.ts';
import { loadShard, type ShardPlace } from '../../store/shard-rows.ts';
import type { WritePlace } from './keyring-shards.ts';
import type { NewRow, RowOutcome } from './shard-plan.ts';
import type { ShardWriter } from './shard-writer.ts';

export interface Reopening {
  readonly tables: Tables;
  readonly timers: Timers;
  readonly entropy: Entropy;
}

/** True if the shard is open now; false if its company is being deleted, or gone. */
export async function reopenStaleShard(deps: Reopening, place: ShardPlace): Promise<boolean> {
  const reopened = await change<boolean>(deps, async (tx) => {
    const shard = await loadShard(deps.tables, place);
    if (!shard) return err(notFound('keyring', place.keyringId));
    if (!shard.value.closed) return ok(true);
    const company = await tx.find(companyRow, place);
    if (company?.value.state !== 'active') return ok(false);
    tx.behindShard(place, { from: shard, next: { ...shard.value, closed: false }, writtenBy: deps.entropy.id() });
    return ok(true);
  });
  return reopened.ok && reopened.value;
}

/** Opens the shard if it can, and repeats the writes that it refused. `written`: the first outcomes. Outcomes in the order of `rows`. */
export async function writeReopened(
  deps: Reopening & { readonly shardWriter: ShardWriter },
  place: WritePlace,
  { rows, written }: { readonly rows: readonly NewRow[]; readonly written: readonly RowOutcome[] },
): Promise<readonly RowOutcome[]> {
  if (!(await reopenStaleShard(deps, place))) return written;
  const open = rows.filter((_, index) => written[index]?.outcome === 'refused');
  const again = await deps.shardWriter.write(place, open);
  return rows.map((row, index) => again[open.indexOf(row)] ?? written[index] ?? { outcome: 'exists' });
}
