// Writes one batch of changes to one shard until each is decided. After a lost race it reads the shard and plans the batch again; a row in conflict is
// taken out and the rest sent again; after a lost answer the rows tell who wrote them. Every write is under the ETags that were
// read.
import pLimit from 'p-limit';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import type { DataKey } from '../../domain/data-key.ts';
import type { Loaded } from '../../store/found.ts';
import type { Tables, WriteOutcome } from '../../store/tables.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import type { Entropy, Log, Timers } from '../../domain/ports.ts';
import { pauseAfterLosing } from '../../store/races.ts';
import {
  loadShard,
  logCountsBelowNone,
  writeBehindShard,
  type LoadedShard,
  type ShardChange,
} from '../../store/shard-rows.ts';
import type { WritePlace } from './keyring-shards.ts';
import {
  planShard,
  type PendingChange,
  type Planning,
  type RowOutcome,
  type ShardPlan,
  type ShardReading,
} from './shard-plan.ts';
import { loadDataKey } from './view.ts';

export interface BatchWriting extends Planning {
  readonly tables: Tables;
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly log: Log;
}

const MAX_LOSSES = 16;
const MAX_SENDS = 4;
const READS_IN_FLIGHT = 16;
const BUSY: Refusal = { type: 'busy', retryAfterSeconds: 1 };

/**
 * Settles every change of the batch: at most 99, each of another key. Answers the shard after the write, if it is known. `known` is what an earlier
 * batch left.
 */
export async function settleBatch(
  deps: BatchWriting,
  place: WritePlace,
  batch: readonly PendingChange[],
  known: LoadedShard | undefined,
): Promise<LoadedShard | undefined> {
  let left = batch;
  let reading: ShardReading | undefined = known && { shard: known, fresh: false };
  let losses = 0;
  let isAnswerMissing = false;
  while (left.length > 0 && losses < MAX_LOSSES) {
    if (losses > 0 && !reading) await pauseAfterLosing(deps, losses);
    reading ??= await readShardAnew(deps, place);
    if (!reading) {
      settleAll(left, { outcome: 'refused', refusal: notFound('keyring', place.keyringId) });
      return undefined;
    }
    const plan = await planShard(deps, place, { reading, pending: left, writtenBy: deps.entropy.id() });
    if (plan === 'read-again') {
      // A remembered reading was only worth a try, and counts as no loss.
      if (reading.fresh) losses += 1;
      reading = undefined;
      continue;
    }
    left = plan.pending;
    if (left.length === 0) return reading.shard;
    const sent = await send(deps.tables, place, plan.change);
    isAnswerMissing ||= sent.written.outcome === 'unknown';
    // invariant 1: a caller gets no key before the store has it
    if (sent.written.outcome === 'committed') {
      logCountsBelowNone(deps.log, place, { before: reading.shard.value, after: plan.change.next });
      return settleCommitted(plan, sent.written.etags);
    }
    const lostTheShard = sent.lostAnswer || sent.written.outcome === 'unknown' || sent.written.index === 0;
    if (lostTheShard) {
      if (reading.fresh) losses += 1;
      reading = undefined;
    }
    // invariant A13: `writtenBy` of the rows says whose write it was
    if (sent.lostAnswer && (await isOurs(deps, place, plan))) {
      settleAll(left, { outcome: 'written', etag: '' });
      return undefined;
    }
    // Rows are in conflict, or were written by an attempt with a lost answer. If only the shard was lost, the rows are unchanged.
    if (sent.lostAnswer || !lostTheShard) {
      const undecided = await takeOutDecided(deps.tables, place, left);
      if (undecided.length === left.length) losses += 1;
      left = undecided;
    }
  }
  if (isAnswerMissing && left.length > 0) throw new StoreUnavailable('the outcome of a write stays unknown');
  settleAll(left, { outcome: 'refused', refusal: BUSY });
  return undefined;
}

async function readShardAnew(deps: BatchWriting, place: WritePlace): Promise<ShardReading | undefined> {
  const shard = await loadShard(deps.tables, place);
  return shard && { shard, fresh: true };
}

interface Sent {
  readonly written: WriteOutcome;
  /** An answer was lost, so a conflict may be with this very transaction. */
  readonly lostAnswer: boolean;
}

/** After a lost answer, sends the same transaction again under the same ETags: it cannot be applied twice. */
async function send(tables: Pick<Tables, 'write'>, place: WritePlace, change: ShardChange): Promise<Sent> {
  const write = (): Promise<WriteOutcome> => writeBehindShard(tables, place, change);
  let lostAnswer = false;
  let written = await write();
  for (let sends = 1; written.outcome === 'unknown' && sends < MAX_SENDS; sends += 1) {
    lostAnswer = true;
    written = await write();
  }
  return { written, lostAnswer: lostAnswer || written.outcome === 'unknown' };
}

function settleCommitted(plan: ShardPlan, etags: readonly string[]): LoadedShard {
  for (const [index, { settle }] of plan.pending.entries())
    settle({ outcome: 'written', etag: etags[index + 1] ?? '' });
  const { next, writtenBy } = plan.change;
  return { value: next, etag: etags[0] ?? '', writtenBy };
}

function settleAll(pending: readonly PendingChange[], outcome: RowOutcome): void {
  for (const { settle } of pending) settle(outcome);
}

/** True if this transaction was the last to write the shard. */
async function isOurs(deps: BatchWriting, place: WritePlace, plan: ShardPlan): Promise<boolean> {
  const shard = await loadShard(deps.tables, place);
  return shard?.writtenBy === plan.change.writtenBy;
}

/** Reads the rows of a batch that failed, settles the decided ones, and answers the rest. */
async function takeOutDecided(
  tables: Pick<Tables, 'read'>,
  place: WritePlace,
  pending: readonly PendingChange[],
): Promise<readonly PendingChange[]> {
  const rows = await pLimit(READS_IN_FLIGHT).map(pending, ({ change }) => loadDataKey(tables, place, change.keyId));
  return pending.filter((entry, index) => {
    const outcome = outcomeBy(entry, rows[index]);
    if (outcome) entry.settle(outcome);
    return outcome === undefined;
  });
}

function outcomeBy({ change }: PendingChange, row: Loaded<DataKey> | undefined): RowOutcome | undefined {
  if (change.kind === 'new') return row && { outcome: 'exists' };
  if (row?.etag === change.etag) return undefined;
  const isOurs = row?.value.writtenBy === change.cells.writtenBy;
  return row && isOurs ? { outcome: 'written', etag: row.etag } : { outcome: 'changed' };
}
