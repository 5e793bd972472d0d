// The shards of a company that is to be deleted: closed to new live keys, asked what speaks against the delete, opened again.
import pLimit from 'p-limit';
import type { Keyring } from '../domain/keyring.ts';
import { refusedBy, type Refusal } from '../domain/refusal.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { BEFORE_DATA_KEYS, readDataKey } from '../domain/rows/data-rows.ts';
import { dataKeysPartition } from '../domain/rows/row-keys.ts';
import { MAX_VAIN_PASSES } from '../domain/shard.ts';
import type { Loaded } from './control-state.ts';
import { reopenStaleShard, type Reopening } from './data-keys/reopen-stale-shard.ts';
import { pagesOf } from './list-pages.ts';
import type { Clock } from './ports.ts';
import { settleRaces, undecided } from './races.ts';
import { loadShard, shardPlaces, shardWrite, type ShardPlace } from './shard-rows.ts';
import { countsDiffer } from './switches/counts-differ.ts';

export interface CompanyShards extends Reopening {
  readonly clock: Clock;
}

type Keyrings = readonly Loaded<Keyring>[];

const SHARDS_IN_FLIGHT = 16;
const PAGE_ROWS = 1_000;

const shardsOf = (companyId: string, keyrings: Keyrings): ShardPlace[] =>
  keyrings.flatMap(({ value }) => shardPlaces({ ...value, companyId }));

export async function closeShards(
  deps: CompanyShards,
  companyId: string,
  keyrings: Keyrings,
): Promise<Result<undefined, Refusal>> {
  const closed = await pLimit(SHARDS_IN_FLIGHT).map(shardsOf(companyId, keyrings), (place) => closeShard(deps, place));
  return closed.find(({ ok: isClosed }) => !isClosed) ?? ok(undefined);
}

export async function reopenShards(deps: CompanyShards, companyId: string, keyrings: Keyrings): Promise<void> {
  await pLimit(SHARDS_IN_FLIGHT).map(shardsOf(companyId, keyrings), (place) => reopenStaleShard(deps, place));
}

/**
 * Keys in use, or ones that can still be restored: a delete of the company takes the promise back to no key. Undefined if there are
 * none. The shards are as they are read: only of closed ones is it true for longer than that.
 */
export async function countUndeletable(
  deps: CompanyShards,
  companyId: string,
  keyrings: Keyrings,
): Promise<Refusal | undefined> {
  const places = shardsOf(companyId, keyrings);
  const shards = await pLimit(SHARDS_IN_FLIGHT).map(places, (place) => loadShard(deps.tables, place));
  if (shards.some((shard) => shard && shard.value.live + shard.value.quarantined > 0)) {
    const message = 'The company has data keys in use: delete them first.';
    return { type: 'state', code: 'company-has-data-keys', message };
  }
  const withDeleted = places.filter((_, index) => (shards[index]?.value.deleted ?? 0) > 0);
  const found = await pLimit(SHARDS_IN_FLIGHT).map(withDeleted, (place) => restorableUntil(deps, place));
  const untold = found.find((until) => !until.ok);
  if (untold) return untold.error;
  const last =
    found
      .flatMap((until) => (until.ok ? [until.value] : []))
      .sort()
      .at(-1) ?? '';
  if (last === '') return undefined;
  const message = `The company has deleted data keys that can be restored until ${last}: delete it after that.`;
  return { type: 'state', code: 'company-has-restorable-data-keys', message };
}

/**
 * When the last deleted key of a shard can no longer be restored; empty if none can be. That the list was over decides nothing: as many
 * deleted keys must have been seen as an unmoved `!shard` counts, or `counts-differ` speaks against the delete, and a recount is the way out.
 */
function restorableUntil(deps: CompanyShards, place: ShardPlace): Promise<Result<string, Refusal>> {
  return settleRaces<string>(deps, async () => {
    const before = await loadShard(deps.tables, place);
    const { seen, last } = await listDeleted(deps, place);
    const shard = await loadShard(deps.tables, place);
    if (!shard || seen >= shard.value.deleted) return ok(last);
    if (shard.etag !== before?.etag) return 'lost-race';
    // So that a recount looks at it, as at any that was gone over in vain.
    const next = { ...shard.value, vain: MAX_VAIN_PASSES };
    const write = shardWrite(next, { etag: shard.etag, writtenBy: deps.entropy.id() });
    await deps.tables.write('datakeys', dataKeysPartition(place), [write]);
    return err(refusedBy(countsDiffer([shard])));
  });
}

async function listDeleted(
  { tables, clock }: CompanyShards,
  place: ShardPlace,
): Promise<{ readonly seen: number; readonly last: string }> {
  const now = clock.now().toISOString();
  let seen = 0;
  let last = '';
  const partitionKey = dataKeysPartition(place);
  const query = { table: 'datakeys', partitionKey, after: BEFORE_DATA_KEYS, limit: PAGE_ROWS } as const;
  for await (const { rows } of pagesOf(tables, query)) {
    for (const { rowKey, cells } of rows) {
      const { state, purgeAfter = '' } = readDataKey(rowKey, cells);
      if (state !== 'deleted') continue;
      seen += 1;
      if (purgeAfter > now && purgeAfter > last) last = purgeAfter;
    }
  }
  return { seen, last };
}

/** Written also if it is closed already: whoever is about to open it must find another ETag. */
function closeShard(deps: CompanyShards, place: ShardPlace): Promise<Result<undefined, Refusal>> {
  return settleRaces<undefined>(deps, async () => {
    const shard = await loadShard(deps.tables, place);
    if (!shard) return ok(undefined);
    const write = shardWrite({ ...shard.value, closed: true }, { etag: shard.etag, writtenBy: deps.entropy.id() });
    const written = await deps.tables.write('datakeys', dataKeysPartition(place), [write]);
    return written.outcome === 'committed' ? ok(undefined) : undecided(written);
  });
}
