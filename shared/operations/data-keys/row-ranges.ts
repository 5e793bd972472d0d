// Reads stored rows of many data keys in few requests: rows of a shard that lie close together, as keys made in one call do, are read as a range. A range
// only finds rows: a key that it does not show is read by itself before the caller is told that it does not exist.
import { LRUCache } from 'lru-cache';
import pLimit, { type LimitFunction } from 'p-limit';
import type { StoredRow, Tables } from '../../store/tables.ts';

const REQUESTS_IN_FLIGHT = 64;
/** Reads a range from this many keys of a shard on. */
const FEW = 4;
/** Rows that a page may have for each key that is wanted of it. */
const ROWS_ASKED_PER_KEY = 4;
const MAX_PAGE_ROWS = 1_000;
/** A row in a page costs about a twentieth of a single read; with more rows than this for each key, the keys are scattered. */
const WORTH_ROWS_PER_KEY = 8;
/** After a range that was not worth it, the next calls for that keyring read single rows: 1, then 2, 4 and so on, up to this many. */
const MAX_PAUSE = 64;
const MAX_KEYRINGS = 500;

interface Shard {
  readonly partitionKey: string;
  readonly keyIds: readonly string[];
}

export class RowRanges {
  readonly #tables: Pick<Tables, 'read' | 'list'>;
  /** Keyrings whose keys were scattered. */
  readonly #pauses = new LRUCache<string, { left: number; readonly length: number }>({ max: MAX_KEYRINGS });

  constructor(tables: Pick<Tables, 'read' | 'list'>) {
    this.#tables = tables;
  }

  /** By the data key's id, without absent ones. `shards`: each once, without repeated ids. Throws StoreUnavailable. */
  async read(keyring: string, shards: readonly Shard[]): Promise<ReadonlyMap<string, StoredRow>> {
    const found = new Map<string, StoredRow>();
    const limit = pLimit(REQUESTS_IN_FLIGHT);
    // A call with too few keys in each shard for a range does not show how keys lie.
    const tells = shards.some(({ keyIds }) => keyIds.length >= FEW);
    const pause = tells ? this.#pauses.get(keyring) : undefined;
    const isPaused = pause !== undefined && pause.left > 0;
    if (isPaused) pause.left -= 1;
    const readShard = async ({ partitionKey, keyIds }: Shard): Promise<boolean> => {
      const { alone, areScattered } = isPaused
        ? { alone: keyIds, areScattered: false }
        : await this.#readRanges(limit, { partitionKey, keyIds }, found);
      await limit.map(alone, async (keyId) => {
        const row = await this.#tables.read('datakeys', partitionKey, keyId);
        if (row) found.set(keyId, row);
      });
      return areScattered;
    };
    if ((await Promise.all(shards.map(readShard))).includes(true)) {
      const length = Math.min(MAX_PAUSE, 2 * (pause?.length ?? 0.5));
      this.#pauses.set(keyring, { left: length, length });
    } else if (tells && !isPaused) this.#pauses.delete(keyring);
    return found;
  }

  /** Adds the rows that ranges show to `found`; `alone` are keys that they do not show, that are too few, or too far apart. */
  async #readRanges(
    limit: LimitFunction,
    { partitionKey, keyIds }: Shard,
    found: Map<string, StoredRow>,
  ): Promise<{ readonly alone: readonly string[]; readonly areScattered: boolean }> {
    const alone: string[] = [];
    let left = keyIds.toSorted();
    while (left.length >= FEW) {
      const [from = '', to = ''] = [left[0], left.at(-1)];
      const most = Math.min(MAX_PAGE_ROWS, left.length * ROWS_ASKED_PER_KEY);
      const page = await limit(() => this.#tables.list({ table: 'datakeys', partitionKey, from, to, limit: most }));
      const last = page.continuation === undefined ? to : page.rows.at(-1)?.rowKey;
      if (last === undefined) break;
      const rows = new Map(page.rows.map((row) => [row.rowKey, row]));
      const covered = left.filter((keyId) => keyId <= last);
      for (const keyId of covered) {
        const row = rows.get(keyId);
        if (row) found.set(keyId, row);
        else alone.push(keyId);
      }
      left = left.slice(covered.length);
      if (page.rows.length > covered.length * WORTH_ROWS_PER_KEY)
        return { alone: [...alone, ...left], areScattered: true };
    }
    return { alone: [...alone, ...left], areScattered: false };
  }
}
