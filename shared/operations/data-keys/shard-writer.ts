// The only way in which callers' requests write data keys. Combines the writers of one process to one shard into one transaction: with one `!shard` row
// for all of them they would only make each other lose. Correctness is in the ETags and needs nothing of this; other processes do
// the same beside it.
import { LRUCache } from 'lru-cache';
import { MAX_DATA_KEYS_PER_KEYRING } from '../../domain/keyring.ts';
import { shardRow } from '../../store/rows/data-rows.ts';
import { MAX_ROWS_BEHIND_SHARD, type LoadedShard } from '../../store/shard-rows.ts';
import type { WritePlace } from './keyring-shards.ts';
import { settleBatch, type BatchWriting } from './settle-batch.ts';
import type { PendingChange, RowChange, RowOutcome } from './shard-plan.ts';

/** Changes that may wait for one shard; further calls are told to come back. */
const MAX_WAITING = 20_000;
/** Shards whose last write is remembered, to save a read before the next. */
const MAX_KNOWN_SHARDS = 4_096;

interface Submission extends PendingChange {
  readonly fail: (error: unknown) => void;
}

interface Queue {
  readonly waiting: Submission[];
}

export class ShardWriter {
  readonly #deps: BatchWriting;
  readonly #queues = new Map<string, Queue>();
  readonly #known = new LRUCache<string, LoadedShard>({ max: MAX_KNOWN_SHARDS });

  constructor(
    deps: Omit<BatchWriting, 'maxDataKeysPerKeyring'>,
    options: { readonly maxDataKeysPerKeyring?: number } = {},
  ) {
    const maxDataKeysPerKeyring = options.maxDataKeysPerKeyring ?? MAX_DATA_KEYS_PER_KEYRING;
    const { tables, companyKeys, timers, entropy, log } = deps;
    this.#deps = { tables, companyKeys, timers, entropy, log, maxDataKeysPerKeyring };
  }

  /**
   * Writes the changes, each decided by itself; outcomes in their order. Throws StoreUnavailable, but only once every change is decided: then the caller may
   * overwrite its plaintexts, since none still waits to be wrapped.
   */
  async write(place: WritePlace, changes: readonly RowChange[]): Promise<readonly RowOutcome[]> {
    if (changes.length === 0) return [];
    const name = shardRow.partition(place);
    const queue = this.#queues.get(name) ?? this.#start(name, place);
    if (queue.waiting.length + changes.length > MAX_WAITING) {
      const busy: RowOutcome = { outcome: 'refused', refusal: { type: 'busy', retryAfterSeconds: 1 } };
      return changes.map(() => busy);
    }
    const decided = await Promise.allSettled(
      changes.map(
        (change) => new Promise<RowOutcome>((settle, fail) => void queue.waiting.push({ change, settle, fail })),
      ),
    );
    return decided.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
  }

  #start(name: string, place: WritePlace): Queue {
    const queue: Queue = { waiting: [] };
    this.#queues.set(name, queue);
    void this.#drain(name, place, queue);
    return queue;
  }

  async #drain(name: string, place: WritePlace, queue: Queue): Promise<void> {
    // Changes submitted in the same turn of the event loop join the first batch.
    await Promise.resolve();
    while (queue.waiting.length > 0) {
      const batch = takeBatch(queue);
      const known = this.#known.get(name);
      this.#known.delete(name);
      try {
        const after = await settleBatch(this.#deps, place, batch, known);
        if (after) this.#known.set(name, after);
      } catch (error) {
        for (const { fail } of batch) fail(error);
      }
    }
    this.#queues.delete(name);
  }
}

/** At most 99 changes, in order, each of another key: a transaction may name a row only once. */
function takeBatch(queue: Queue): Submission[] {
  const batch: Submission[] = [];
  const keyIds = new Set<string>();
  const candidates = queue.waiting.splice(0, MAX_ROWS_BEHIND_SHARD);
  const later: Submission[] = [];
  for (const candidate of candidates) {
    if (keyIds.has(candidate.change.keyId)) later.push(candidate);
    else {
      keyIds.add(candidate.change.keyId);
      batch.push(candidate);
    }
  }
  if (later.length > 0) queue.waiting.unshift(...later);
  return batch;
}
