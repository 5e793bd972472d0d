// Counts a keyring's rows again when a shard's counts cannot be right: the way out of `counts-differ`. Counts one state of the shard: two listings that
// agree down to each row's ETag, and a write that holds only if `!shard` was not written since it was read before them. Missing rows
// are named by their number, and an admin can accept exactly that number.
import { createHash } from 'node:crypto';
import type { Actor } from '../../domain/audit.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { BEFORE_DATA_KEYS, readDataKey, shardRow } from '../../store/rows/data-rows.ts';
import { isTurnedTo, MAX_VAIN_PASSES, versionsOfTurn, type Shard } from '../../domain/shard.ts';
import {
  areDoneAt,
  countsAfter,
  describeCounts,
  hasCountBelowNone,
  hasOtherVersions,
  NO_ROWS,
  total,
  type ShardCounts,
} from '../../domain/shard-counts.ts';
import { turnOf, type Switch } from '../../domain/switch.ts';
import { act, type Acted } from '../../store/act.ts';
import type { KeyringPlace } from '../../domain/keyring.ts';
import { keyringRow } from '../../store/rows/keyring-rows.ts';
import type { Tx } from '../../store/tx.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';
import { pagesToTheEnd } from '../../store/list-pages.ts';
import type { Tables } from '../../store/tables.ts';
import { pauseAfterLosing } from '../../store/races.ts';
import { loadShard, loadShards, type LoadedShard, type ShardPlace } from '../../store/shard-rows.ts';
import { passAnew, retrySwitch, type ControlDependencies } from './steer.ts';

/** The admin gives up this many rows of a shard, because they are missing. */
export interface AcceptedMissing {
  readonly shard: number;
  readonly rows: number;
}

export interface RecountedShard {
  readonly shard: number;
  /**
   * `rows-missing`: there are fewer rows than counted, and no admin has accepted that number. `busy`: the shard was written during the count, or the
   * listings differ; ask again. `left`: not reached within the time of one call; ask again.
   */
  readonly outcome: 'recounted' | 'rows-missing' | 'busy' | 'left';
  readonly counted: string;
  readonly found?: string;
  readonly missing?: number;
}

/** Page sizes of the two listings. */
const PAGES_ROWS = [1_000, 297] as const;
const BUDGET_MS = 60_000;
/** For one shard, so that a shard under constant writes leaves time for others. */
const SHARD_BUDGET_MS = 10_000;
/** Callers keep writing to a shard, so a count may start often until none writes for as long as it takes. */
const MAX_COUNTINGS = 500;

/** Recounts every shard whose counts cannot be right, and those with an accepted loss; then resumes a switch that waits for this. Throws StoreUnavailable. */
export async function recount(
  deps: ControlDependencies,
  input: KeyringPlace & { readonly acceptMissing?: readonly AcceptedMissing[] },
  actor: Actor,
): Promise<Result<RecountedShard[], Refusal>> {
  const { companyId, keyringId } = input;
  const keyring = await loadKeyring(deps.tables, input);
  if (!keyring) return err(notFound('keyring', keyringId));
  const { shardCount, switchId } = keyring.value;
  const shards = await loadShards(deps.tables, { companyId, keyringId, shardCount });
  const deadline = deps.clock.now().getTime() + BUDGET_MS;
  const done: RecountedShard[] = [];
  for (const [shard, loaded] of shards.entries()) {
    const accepted = input.acceptMissing?.find((one) => one.shard === shard)?.rows;
    if (!loaded || (!isSuspect(loaded.value) && accepted === undefined)) continue;
    done.push(
      deps.clock.now().getTime() < deadline
        ? await recountShard(deps, { companyId, keyringId, shard }, { accepted: accepted ?? 0, actor })
        : { shard, outcome: 'left', counted: describeCounts(loaded.value) },
    );
  }
  if (switchId !== undefined && done.every(({ outcome }) => outcome === 'recounted'))
    await goOn(deps, { companyId, keyringId, switchId, shardCount }, actor);
  return ok(done);
}

/** Passes in vain, negative counts, more versions than entries, or done with rows elsewhere: none of these comes from Keyswitch's own writes. */
const isSuspect = (shard: Shard): boolean =>
  shard.vain >= MAX_VAIN_PASSES ||
  hasCountBelowNone(shard) ||
  hasOtherVersions(shard) ||
  (shard.phase === 'done' && !areDoneAt(shard, shard.writeVersion));

async function recountShard(
  deps: ControlDependencies,
  place: ShardPlace,
  { accepted, actor }: { readonly accepted: number; readonly actor: Actor },
): Promise<RecountedShard> {
  const { companyId, keyringId, shard } = place;
  let last: RecountedShard = { shard, outcome: 'busy', counted: '' };
  const target = keyringRow.key(place);
  const about = { actor, action: 'keyring.shard-recounted', companyId, target };
  const attempt = async (tx: Tx): Promise<Acted<RecountedShard>> => {
    const loaded = await loadShard(deps.tables, place);
    if (!loaded) return err(notFound('keyring', keyringId));
    const found = await countTwice(deps.tables, shardRow.partition(place), versionsOfTurn(loaded.value));
    if (!found) return err(BUSY);
    const missing = Math.max(0, total(loaded.value) - total(found));
    last = { shard, outcome: 'busy', counted: describeCounts(loaded.value), found: describeCounts(found), missing };
    if (missing > 0 && missing !== accepted) return ok({ ...last, outcome: 'rows-missing' });
    const recounted = { ...last, outcome: 'recounted' } as const;
    tx.behindShard(place, { from: loaded, next: again({ ...loaded.value, ...found }), writtenBy: deps.entropy.id() });
    tx.detail({ shard, counted: last.counted, found: describeCounts(found), missing });
    return {
      done: () => recounted,
      ifLanded: () => ok(recounted),
      ifConflict: () => Promise.resolve(err(BUSY)),
    };
  };
  const settled = await inQuiet(deps, (isOver) =>
    // Also where an answer is lost: each attempt counts anew.
    act<RecountedShard>(deps, about, (tx) => (isOver() ? Promise.resolve(err(BUSY)) : attempt(tx))),
  );
  if (!settled.ok) return last;
  const { outcome, missing } = settled.value;
  deps.log.write({
    level: 'warning',
    event: `shard.${outcome}`,
    detail: { companyId, keyringId, shard, missing },
  });
  return settled.value;
}

const BUSY: Refusal = { type: 'busy', retryAfterSeconds: 1 };

/** Tries until it is decided or the time is up, which is `busy`. */
async function inQuiet<T>(
  deps: ControlDependencies,
  attempt: (isOver: () => boolean) => Promise<Result<T, Refusal>>,
): Promise<Result<T, Refusal>> {
  const deadline = deps.clock.now().getTime() + SHARD_BUDGET_MS;
  const isOver = (): boolean => deps.clock.now().getTime() >= deadline;
  for (let countings = 0; countings < MAX_COUNTINGS; countings += 1) {
    const decided = await attempt(isOver);
    if (decided.ok || decided.error.type !== 'busy') return decided;
    if (isOver()) break;
    await pauseAfterLosing(deps, 1);
  }
  return err(BUSY);
}

/** `done` never goes back within a generation: if it was wrong, the switch turns every shard again. */
const again = (shard: Shard): Shard =>
  shard.phase === 'done' ? { ...shard, vain: 0 } : { ...shard, phase: 'rewrap', cursor: '', checked: 0, vain: 0 };

/**
 * Undefined if the two listings differ in any row. Rows are given up because of this count, so the two listings ask in different ways, and neither takes
 * one answer for the end of the list.
 */
async function countTwice(
  tables: Pick<Tables, 'list'>,
  partition: string,
  own: readonly number[],
): Promise<ShardCounts | undefined> {
  const [long, short] = PAGES_ROWS;
  // Side by side: the shorter it takes, the less likely a caller writes meanwhile.
  const [first, second] = await Promise.all([
    countOnce(tables, partition, { own, limit: long }),
    countOnce(tables, partition, { own, limit: short }),
  ]);
  return first.listing === second.listing ? first.counts : undefined;
}

async function countOnce(
  tables: Pick<Tables, 'list'>,
  partitionKey: string,
  { own, limit }: { readonly own: readonly number[]; readonly limit: number },
): Promise<{ readonly counts: ShardCounts; readonly listing: string }> {
  const listing = createHash('sha256');
  let counts = NO_ROWS;
  const query = { table: 'datakeys', partitionKey, after: BEFORE_DATA_KEYS, limit } as const;
  for await (const { rows } of pagesToTheEnd(tables, query)) {
    for (const { rowKey, etag } of rows) listing.update(`${rowKey}\n${etag}\n`);
    const moves = rows.map(({ rowKey, cells }) => ({ after: readDataKey(rowKey, cells) }));
    counts = countsAfter(counts, moves, own);
  }
  return { counts, listing: listing.digest('hex') };
}

/** A plain retry if the passes can go on; every shard turned again if one is done or turned differently from the switch. */
async function goOn(
  deps: ControlDependencies,
  { shardCount, ...place }: KeyringPlace & { readonly switchId: string; readonly shardCount: number },
  actor: Actor,
): Promise<void> {
  const sw = await loadSwitch(deps.tables, place);
  if (sw?.value.blocked?.reason !== 'counts-differ') return;
  const shards = await loadShards(deps.tables, { ...place, shardCount });
  await (shards.some((shard) => isAstray(shard, sw.value)) ? passAnew : retrySwitch)(deps, place, actor);
}

const isAstray = (shard: LoadedShard | undefined, sw: Switch): boolean =>
  shard !== undefined &&
  (shard.value.generation > sw.generation ||
    (shard.value.generation === sw.generation &&
      (!isTurnedTo(shard.value, turnOf(sw)) ||
        (shard.value.phase === 'done' && !areDoneAt(shard.value, turnOf(sw).writeVersion)))));
