// Checks the rows themselves for whether any needs a kept company key, whatever the counts say: a shard restored in parts may have counts newer than its
// rows. Done page by page before a kept key is deleted, once for each switch; when time runs out, the next visit goes on.
import { BEFORE_DATA_KEYS, readDataKey, shardRow } from '../../store/rows/data-rows.ts';
import type { Keyring } from '../../domain/keyring.ts';
import { MAX_VAIN_PASSES } from '../../domain/shard.ts';
import { pagesToTheEnd } from '../../store/list-pages.ts';
import type { StoredRow, Tables } from '../../store/tables.ts';
import type { Clock, Entropy, Log } from '../../domain/ports.ts';
import { loadShard, shardPlaces, writeBehindShard, type ShardPlace } from '../../store/shard-rows.ts';

interface Proving {
  readonly tables: Tables;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

const PAGE_ROWS = 1_000;

/** `stoppedAt`: the next shard to check. */
export type Proof =
  { readonly type: 'unneeded' | 'needed' } | { readonly type: 'out-of-time'; readonly stoppedAt: number };

/** Holds while the keyring's ETag does: only a switch brings rows to another version. */
export async function proveUnneeded(
  deps: Proving,
  place: { readonly companyId: string; readonly keyringId: string; readonly keyring: Keyring },
  { from, deadline }: { readonly from: number; readonly deadline: Date },
): Promise<Proof> {
  const { companyId, keyringId, keyring } = place;
  const shards = shardPlaces({ companyId, keyringId, shardCount: keyring.shardCount });
  for (const shard of shards.slice(from)) {
    if (shard.shard > from && deps.clock.now() >= deadline) return { type: 'out-of-time', stoppedAt: shard.shard };
    const elsewhere = await rowsElsewhere(deps.tables, shard, keyring.activeVersion);
    if (elsewhere > 0) {
      await tell(deps, shard, elsewhere);
      return { type: 'needed' };
    }
  }
  return { type: 'unneeded' };
}

async function rowsElsewhere(tables: Tables, shard: ShardPlace, activeVersion: number): Promise<number> {
  const query = { table: 'datakeys', partitionKey: shardRow.partition(shard), after: BEFORE_DATA_KEYS } as const;
  let elsewhere = 0;
  for await (const { rows } of pagesToTheEnd(tables, { ...query, limit: PAGE_ROWS })) {
    elsewhere += rows.filter((row) => isElsewhere(row, activeVersion)).length;
  }
  return elsewhere;
}

/** A lost row needs no key, and a tombstone has none. */
function isElsewhere({ rowKey, cells }: StoredRow, activeVersion: number): boolean {
  const { state, companyKeyVersion, previous } = readDataKey(rowKey, cells);
  if (state === 'lost' || state === 'tombstone') return false;
  return state === 'quarantined' || companyKeyVersion !== activeVersion || previous.length > 0;
}

/** Marks the shard for a recount, like one that passes went over in vain; the next switch then moves the rows. */
async function tell(deps: Proving, place: ShardPlace, rows: number): Promise<void> {
  const { companyId, keyringId, shard } = place;
  deps.log.write({ level: 'error', event: 'security.kept-key-needed', detail: { companyId, keyringId, shard, rows } });
  const found = await loadShard(deps.tables, place);
  if (!found || found.value.vain >= MAX_VAIN_PASSES) return;
  const next = { ...found.value, vain: MAX_VAIN_PASSES };
  await writeBehindShard(deps.tables, place, { from: found, next, writtenBy: deps.entropy.id() });
}
