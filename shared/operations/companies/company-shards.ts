// The shards of a company that is to be deleted: closes them to new live keys, checks whether keys are still needed, opens them again.
import pLimit from 'p-limit';
import type { Keyring } from '../../domain/keyring.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { change } from '../../store/act.ts';
import { dataKeysOf } from '../../store/rows/data-rows.ts';
import { MAX_VAIN_PASSES } from '../../domain/shard.ts';
import { hasCountBelowNone } from '../../domain/shard-counts.ts';
import { walk, type Loaded } from '../../store/found.ts';
import { reopenStaleShard, type Reopening } from '../data-keys/reopen-stale-shard.ts';
import type { Clock } from '../../domain/ports.ts';
import { loadShard, shardPlaces, writeBehindShard, type LoadedShard, type ShardPlace } from '../../store/shard-rows.ts';
import { countsDiffer } from '../../domain/counts-differ.ts';

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
 * none. The shards are as they are read: only of closed ones is it true for longer than that. Told from the counts, and of shards with deleted keys from the rows.
 */
export const countUndeletable = (
  deps: CompanyShards,
  companyId: string,
  keyrings: Keyrings,
): Promise<Refusal | undefined> => undeletableIn(deps, shardsOf(companyId, keyrings), { wholly: false });

/** The same from every row of every shard: what decides that the keys of a company go. */
export const lookThroughShards = (
  deps: CompanyShards,
  companyId: string,
  keyrings: Keyrings,
): Promise<Refusal | undefined> => undeletableIn(deps, shardsOf(companyId, keyrings), { wholly: true });

async function undeletableIn(
  deps: CompanyShards,
  places: readonly ShardPlace[],
  { wholly }: { readonly wholly: boolean },
): Promise<Refusal | undefined> {
  const shards = await pLimit(SHARDS_IN_FLIGHT).map(places, (place) => loadShard(deps.tables, place));
  if (shards.some((shard) => shard && shard.value.live + shard.value.quarantined > 0)) return IN_USE;
  const isLookedThrough = (shard: LoadedShard | undefined): boolean =>
    wholly || shard?.value.deleted !== 0 || hasCountBelowNone(shard.value);
  const toLookThrough = places.filter((_, index) => isLookedThrough(shards[index]));
  const found = await pLimit(SHARDS_IN_FLIGHT).map(toLookThrough, (place) => restorableUntil(deps, place));
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
 * When the last deleted key of a shard can no longer be restored; empty if none can be. Neither that the list was over nor the counts alone
 * decide: no key in use must have been seen, and as many deleted ones as an unmoved `!shard` counts, or `counts-differ` speaks against the delete,
 * and a recount is the way out. Without a `!shard` it may have no rows.
 */
function restorableUntil(deps: CompanyShards, place: ShardPlace): Promise<Result<string, Refusal>> {
  return change<string>(deps, async () => {
    const before = await loadShard(deps.tables, place);
    const { inUse, deleted, last } = await lookThrough(deps, place);
    const shard = await loadShard(deps.tables, place);
    const isSound = !shard || (deleted >= shard.value.deleted && !hasCountBelowNone(shard.value));
    if (isSound && inUse === 0 && (shard || deleted === 0)) return ok(last);
    if (shard?.etag !== before?.etag) return 'lost-race';
    if (!shard) return err(withoutShard(place));
    if (shard.value.live + shard.value.quarantined > 0) return err(IN_USE);
    // Marks the shard for a recount, like one that passes went over in vain.
    const next = { ...shard.value, vain: MAX_VAIN_PASSES };
    await writeBehindShard(deps.tables, place, { from: shard, next, writtenBy: deps.entropy.id() });
    return err(refusedBy(countsDiffer([shard.value])));
  });
}

const IN_USE: Refusal = {
  type: 'state',
  code: 'company-has-data-keys',
  message: 'The company has data keys in use: delete them first.',
};

const withoutShard = ({ keyringId, shard }: ShardPlace): Refusal => ({
  type: 'state',
  code: 'company-has-data-keys',
  message: `Shard ${shard} of the keyring '${keyringId}' has data keys and has lost its own row: nothing of it is deleted.`,
});

async function lookThrough(
  { tables, clock }: CompanyShards,
  place: ShardPlace,
): Promise<{ readonly inUse: number; readonly deleted: number; readonly last: string }> {
  const now = clock.now().toISOString();
  const seen = { inUse: 0, deleted: 0, last: '' };
  for await (const rows of walk(tables, dataKeysOf, place, { limit: PAGE_ROWS, toTheEnd: true })) {
    for (const { value } of rows) {
      const { state, purgeAfter = '' } = value;
      if (state === 'live' || state === 'quarantined') seen.inUse += 1;
      if (state === 'deleted') seen.deleted += 1;
      if (state === 'deleted' && purgeAfter > now && purgeAfter > seen.last) seen.last = purgeAfter;
    }
  }
  return seen;
}

/** Writes also a closed shard, so that a call that is about to open it finds another ETag. */
function closeShard(deps: CompanyShards, place: ShardPlace): Promise<Result<undefined, Refusal>> {
  return change<undefined>(deps, async (tx) => {
    const shard = await loadShard(deps.tables, place);
    if (shard)
      tx.behindShard(place, {
        from: shard,
        next: { ...shard.value, closed: true },
        writtenBy: deps.entropy.id(),
      });
    return ok(undefined);
  });
}
