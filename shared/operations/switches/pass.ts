// One worker's turn on one shard: turn it to the switch's generation if need be, then pass over its rows page by page until both
// passes are through. Before every page switch and shard are read again; a worker that is out of date stops and changes nothing.
import type { KeyObject } from 'node:crypto';
import { DATA_KEY_NONCE_BYTES } from '../../domain/data-key-blob.ts';
import { rewrapRow, verifyRow, type PassContext, type RowStep } from '../../domain/reprotect-row.ts';
import type { DataKey } from '../../domain/data-key.ts';
import type { Failure } from '../../domain/failure.ts';
import { BEFORE_DATA_KEYS } from '../../store/rows/data-rows.ts';
import { count, text } from '../../store/rows/cells.ts';
import { dataKeysPartition } from '../../store/rows/row-keys.ts';
import { ok, type Result } from '../../domain/result.ts';
import { afterLastRow, isTurnedTo, MAX_VAIN_PASSES, turned, type Phase, type Shard } from '../../domain/shard.ts';
import { isRunning, turnOf, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import { loadSwitch } from '../../store/control-state.ts';
import type { RowPage } from '../../store/tables.ts';
import type { Recording } from '../../store/record-event.ts';
import { alarmKeptKey } from '../keys/kept-keys.ts';
import { pauseAfterLosing } from '../../store/races.ts';
import { loadShard, shardWrite, type LoadedShard, type ShardPlace } from '../../store/shard-rows.ts';
import { countsDiffer } from '../../domain/counts-differ.ts';
import type { PageSlots } from './page-slots.ts';
import { writeRows, type End, type PassWriting } from './write-rows.ts';
import { NO_PERMIT, type VaultPermits } from './vault-permits.ts';
import type { WorkerKeyProblem, WorkerKeys, WorkerKeyUse } from '../keys/worker-keys.ts';

export interface ShardPassing extends PassWriting, Recording {
  readonly tables: Recording['tables'];
  readonly workerKeys: WorkerKeys;
  readonly pageSlots: PageSlots;
  readonly vaultPermits: Pick<VaultPermits, 'run'>;
}

/** `stale`: the switch has moved on, is paused, blocked or over. `no-turn`: as many of its company as may wait for vaults already. */
export type PassOutcome =
  | { readonly type: 'done' | 'stale' | 'out-of-time' | 'no-permit' }
  | { readonly type: 'problem'; readonly problem: WorkerKeyProblem }
  /** The counts say that the passes have not seen all, or that the shard was turned by no switch that there is. */
  | { readonly type: 'counts-differ'; readonly failure: Failure };

type Moved =
  | 'moved'
  | 'lost-race'
  | { readonly type: 'no-permit' }
  | Extract<PassOutcome, { readonly type: 'problem' | 'counts-differ' }>;

/**
 * Three full transactions. Two pages of every shard are in memory at once, so longer ones cost memory; shorter ones cost a round
 * trip more often, since switch and shard are read before each.
 */
export const PAGE_ROWS = 297;

export async function passShard(
  deps: ShardPassing,
  place: SwitchPlace & ShardPlace,
  work: { readonly generation: number; readonly deadline: Date },
): Promise<PassOutcome> {
  const writer = deps.entropy.id();
  const pages = new PageReader(deps, place);
  let losses = 0;
  while (deps.clock.now() < work.deadline) {
    const [sw, shard] = await Promise.all([loadSwitch(deps.tables, place), loadShard(deps.tables, place)]);
    if (!sw || !shard || sw.value.generation !== work.generation || !isRunning(sw.value)) return { type: 'stale' };
    if (shard.value.generation > work.generation) return turnedBeyond(deps, place, { shard, ...work });
    if (shard.value.generation === work.generation && !isTurnedTo(shard.value, turnOf(sw.value)))
      return { type: 'counts-differ', failure: countsDiffer([shard.value]) };
    if (shard.value.generation === work.generation && shard.value.phase === 'done') return { type: 'done' };
    const moved =
      shard.value.generation < work.generation
        ? await turnShard(deps, place, { sw: sw.value, shard, writer })
        : await passPage(deps, place, { sw: sw.value, shard, writer, pages });
    if (typeof moved === 'object') return moved;
    losses = moved === 'lost-race' ? losses + 1 : 0;
    if (losses > 0) await pauseAfterLosing(deps, losses);
  }
  return { type: 'out-of-time' };
}

/**
 * The switch was turned after it was read, and this worker is out of date; or the shard was turned by no switch that there is, in a store
 * whose control rows are older than its data keys, and then somebody must have every shard turned anew.
 */
async function turnedBeyond(
  deps: ShardPassing,
  place: SwitchPlace,
  { shard, generation }: { readonly shard: LoadedShard; readonly generation: number },
): Promise<PassOutcome> {
  const sw = await loadSwitch(deps.tables, place);
  const isOfNoSwitch = sw?.value.generation === generation && isRunning(sw.value);
  return isOfNoSwitch ? { type: 'counts-differ', failure: countsDiffer([shard.value]) } : { type: 'stale' };
}

/** From here on new keys are written under the target version, and nothing at the other is added: the pass may begin. */
async function turnShard(
  deps: ShardPassing,
  place: ShardPlace,
  input: { readonly sw: Switch; readonly shard: LoadedShard; readonly writer: string },
): Promise<'moved' | 'lost-race'> {
  const next = turned({ ...input.shard.value, touchedAt: deps.clock.now().toISOString() }, turnOf(input.sw));
  if (!next) return 'lost-race';
  const write = shardWrite(next, { etag: input.shard.etag, writtenBy: input.writer });
  const written = await deps.tables.write('datakeys', dataKeysPartition(place), [write]);
  return written.outcome === 'committed' ? 'moved' : 'lost-race';
}

async function passPage(
  deps: ShardPassing,
  place: SwitchPlace & ShardPlace,
  input: { readonly sw: Switch; readonly shard: LoadedShard; readonly writer: string; readonly pages: PageReader },
): Promise<Moved> {
  const { sw, shard, writer, pages } = input;
  const keys = await keysOf(deps, place, sw, shard.value.phase);
  if (keys === NO_PERMIT) return { type: 'no-permit' };
  if (!keys.ok) return { type: 'problem', problem: keys.error };
  const move = async (page: RowPage, others: OtherKeys): Promise<Moved> => {
    const decide = decider(deps, keys.value, others);
    const cursor = page.rows.at(-1)?.rowKey ?? shard.value.cursor;
    if (page.continuation !== undefined) pages.prefetch(cursor, page.continuation);
    const end: End = (counted) =>
      page.continuation === undefined ? afterLastRow(counted, cursor) : { ...counted, cursor };
    const written = await writeRows(deps, place, { from: shard, rows: page.rows, decide, end, writer });
    if (!written) return 'lost-race';
    return inVain(deps, place, { before: shard.value, after: written }) ?? 'moved';
  };
  const first = await deps.pageSlots(
    async () => {
      const page = await pages.read(shard.value.cursor);
      const named = otherVersions(sw, page);
      return named.size === 0 ? { page, moved: await move(page, new Map()) } : { page, moved: undefined, named };
    },
    ({ page, moved }) => (moved === 'moved' ? page.rows.length : undefined),
  );
  if (first.moved) return first.moved;
  const others = await deps.vaultPermits.run(place.companyId, () => otherKeys(deps, place, sw, first.named));
  if (others === NO_PERMIT) return { type: 'no-permit' };
  if (!others.ok) return { type: 'problem', problem: others.error };
  return deps.pageSlots(
    () => move(first.page, others.value),
    () => undefined,
  );
}

/** A pass that came to its end and has not seen all goes again from the start, unseen rows first; the second time somebody is told. */
function inVain(
  deps: ShardPassing,
  { companyId, keyringId, shard }: ShardPlace,
  { before, after }: { readonly before: Shard; readonly after: LoadedShard },
): Moved | undefined {
  const { vain } = after.value;
  if (vain <= before.vain) return undefined;
  deps.log.write({ level: 'error', event: 'shard.pass-in-vain', detail: { companyId, keyringId, shard, vain } });
  return vain < MAX_VAIN_PASSES ? undefined : { type: 'counts-differ', failure: countsDiffer([after.value]) };
}

type PassKeys = Omit<PassContext, 'nonce' | 'otherKeys'> & { readonly freshKey?: KeyObject };

/** The company keys that this phase takes; the second pass has its own unwrapped anew. */
async function keysOf(
  deps: ShardPassing,
  place: SwitchPlace,
  sw: Switch,
  phase: Phase,
): Promise<Result<PassKeys, WorkerKeyProblem> | typeof NO_PERMIT> {
  const { fromVersion, writeVersion } = turnOf(sw);
  const wanted: { readonly version: number; readonly use: WorkerKeyUse }[] = [
    { version: fromVersion, use: 'rewrap' },
    { version: writeVersion, use: 'rewrap' },
    ...(phase === 'rewrap' ? [] : [{ version: writeVersion, use: 'verify' } as const]),
  ];
  const areAtHand = wanted.every((key) => deps.workerKeys.isAtHand(place.companyId, sw, key));
  const open = (): Promise<Result<PassKeys, WorkerKeyProblem>> => openKeys(deps, place, sw, phase);
  return areAtHand ? open() : deps.vaultPermits.run(place.companyId, open, (keys) => keys.ok);
}

async function openKeys(
  deps: ShardPassing,
  { companyId, keyringId }: SwitchPlace,
  sw: Switch,
  phase: Phase,
): Promise<Result<PassKeys, WorkerKeyProblem>> {
  const { direction, fromVersion, writeVersion } = turnOf(sw);
  const [fromKey, toKey] = await Promise.all([
    deps.workerKeys.get(companyId, sw, { version: fromVersion, use: 'rewrap' }),
    deps.workerKeys.get(companyId, sw, { version: writeVersion, use: 'rewrap' }),
  ]);
  if (!fromKey.ok) return fromKey;
  if (!toKey.ok) return toKey;
  const keys = {
    companyId,
    keyringId,
    direction,
    fromVersion,
    writeVersion,
    fromKey: fromKey.value,
    toKey: toKey.value,
  };
  if (phase === 'rewrap') return ok(keys);
  const freshKey = await deps.workerKeys.get(companyId, sw, { version: writeVersion, use: 'verify' });
  return freshKey.ok ? ok({ ...keys, freshKey: freshKey.value }) : freshKey;
}

type OtherKeys = ReadonlyMap<number, KeyObject>;

/** Versions that rows of this page name and the switch does not move, and how many do: none in a store that was never torn. */
function otherVersions(sw: Switch, page: RowPage): ReadonlyMap<number, number> {
  const { fromVersion, writeVersion } = turnOf(sw);
  const named = new Map<number, number>();
  for (const { cells } of page.rows) {
    const state = text(cells, 'state');
    if (state === 'lost' || state === 'tombstone') continue;
    for (const cell of ['companyKeyVersion', 'previousVersion']) {
      const version = count(cells, cell) ?? 0;
      if (version !== 0 && version !== fromVersion && version !== writeVersion)
        named.set(version, (named.get(version) ?? 0) + 1);
    }
  }
  return named;
}

/** Kept company keys of these versions. Each use is told. */
async function otherKeys(
  deps: ShardPassing,
  { companyId, keyringId }: SwitchPlace,
  sw: Switch,
  named: ReadonlyMap<number, number>,
): Promise<Result<OtherKeys, WorkerKeyProblem>> {
  const keys = new Map<number, KeyObject>();
  for (const [version, dataKeys] of named) {
    const other = await deps.workerKeys.other(companyId, sw, version);
    if (other.ok) {
      keys.set(version, other.value.key);
      if (other.value.isKept) await alarmKeptKey(deps, { companyId, keyringId, version }, { by: 'pass', dataKeys });
    } else if (other.error.type === 'later') return other;
  }
  return ok(keys);
}

/** What to do with a row in this phase. */
function decider(deps: ShardPassing, { freshKey, ...keys }: PassKeys, others: OtherKeys): (row: DataKey) => RowStep {
  const pass: PassContext = { ...keys, otherKeys: others, nonce: nonces(deps) };
  return (row) => (freshKey ? verifyRow({ ...pass, freshKey }, row) : rewrapRow(pass, row));
}

const NONCES_AT_ONCE = 256;

/** Entropy drawn for many nonces at a time; each is handed out once. */
function nonces({ entropy }: Pick<ShardPassing, 'entropy'>): () => Uint8Array {
  let pool: Uint8Array = new Uint8Array(0);
  let used = 0;
  return () => {
    if (used >= pool.length) {
      pool = entropy.bytes(NONCES_AT_ONCE * DATA_KEY_NONCE_BYTES);
      used = 0;
    }
    used += DATA_KEY_NONCE_BYTES;
    return pool.subarray(used - DATA_KEY_NONCE_BYTES, used);
  };
}

/** Reads pages of data keys, the next one while the present one is written. */
class PageReader {
  readonly #deps: ShardPassing;
  readonly #place: ShardPlace;
  #ahead: { readonly cursor: string; readonly page: Promise<RowPage | undefined> } | undefined;

  constructor(deps: ShardPassing, place: ShardPlace) {
    this.#deps = deps;
    this.#place = place;
  }

  async read(cursor: string): Promise<RowPage> {
    const ahead = this.#ahead?.cursor === cursor ? await this.#ahead.page : undefined;
    this.#ahead = undefined;
    return ahead ?? this.#list(cursor);
  }

  /** Rows read ahead are written under their own ETags, so one that changes meanwhile is read again. */
  prefetch(cursor: string, continuation: string): void {
    // A failure here is met again, and then thrown, by the read that needs the page.
    this.#ahead = { cursor, page: this.#list(cursor, continuation).catch(() => undefined) };
  }

  #list(cursor: string, continuation?: string): Promise<RowPage> {
    return this.#deps.tables.list({
      table: 'datakeys',
      partitionKey: dataKeysPartition(this.#place),
      after: cursor === '' ? BEFORE_DATA_KEYS : cursor,
      limit: PAGE_ROWS,
      ...(continuation === undefined ? {} : { continuation }),
    });
  }
}
