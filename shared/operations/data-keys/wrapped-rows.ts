// Wrapped data keys for callers' unwraps. If configured, keeps some for at most the promised revocation time: wrapped and live ones only. A kept row may
// be out of date, so no refusal may rest on it: the row is read again first (invariant A8).
import type { KeyringPlace } from '../../domain/keyring.ts';
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import { readWrappedKey, shardRow, type WrappedKey } from '../../store/rows/data-rows.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock } from '../../domain/ports.ts';
import { shardOfKey, type ShardedKeyring } from './keyring-shards.ts';
import { RowRanges } from './row-ranges.ts';

/** `row` is undefined if there is none. `kept`: it comes from the cache and may be out of date. */
export interface FoundRow {
  readonly row: WrappedKey | undefined;
  readonly kept: boolean;
}

export class WrappedRows {
  readonly #deps: { readonly tables: Pick<Tables, 'read' | 'list'>; readonly clock: Clock };
  readonly #ranges: RowRanges;
  readonly #isKeeping: boolean;
  readonly #kept: ExpiringCache<WrappedKey>;

  /** `rows`: how many are kept; 0 keeps none. */
  constructor(
    deps: { readonly tables: Pick<Tables, 'read' | 'list'>; readonly clock: Clock },
    options: { readonly rows: number; readonly ttlMs: number },
  ) {
    this.#deps = deps;
    this.#ranges = new RowRanges(deps.tables);
    this.#isKeeping = options.rows > 0;
    this.#kept = new ExpiringCache(deps.clock, { ttlMs: options.ttlMs, maxEntries: Math.max(options.rows, 1) });
  }

  /** The row of each id, in their order; ids may repeat. `anew`: not from the cache. Throws StoreUnavailable. */
  async find(
    keyring: ShardedKeyring,
    keyIds: readonly string[],
    { anew }: { readonly anew: boolean },
  ): Promise<readonly FoundRow[]> {
    const found = new Array<FoundRow>(keyIds.length);
    const missing: number[] = [];
    for (const [index, keyId] of keyIds.entries()) {
      const row = this.#isKeeping && !anew ? this.#kept.peek(nameOf(keyring, keyId))?.value : undefined;
      if (row) found[index] = { row, kept: true };
      else missing.push(index);
    }
    const idAt = (index: number): string => keyIds[index] ?? '';
    const [first] = missing;
    if (missing.length === 1 && first !== undefined) {
      found[first] = { row: await this.#read(keyring, idAt(first)), kept: false };
    } else if (missing.length > 0) {
      const rows = await this.#readAll(keyring, new Set(missing.map(idAt)));
      for (const index of missing) found[index] = { row: rows.get(idAt(index)), kept: false };
    }
    return found;
  }

  #read(keyring: ShardedKeyring, keyId: string): Promise<WrappedKey | undefined> {
    return this.#kept.loadSeveral(async (found) => {
      const partition = shardRow.partition(shardOfKey(keyring, keyId));
      const stored = await this.#deps.tables.read(shardRow.table, partition, keyId);
      const row = stored && readWrappedKey(stored.cells);
      found(nameOf(keyring, keyId), this.#toKeep(row));
      return row;
    });
  }

  /** By id, without absent ones. */
  #readAll(keyring: ShardedKeyring, keyIds: ReadonlySet<string>): Promise<ReadonlyMap<string, WrappedKey>> {
    return this.#kept.loadSeveral(async (found) => {
      const shards = Map.groupBy(keyIds, (keyId) => shardRow.partition(shardOfKey(keyring, keyId)));
      const stored = await this.#ranges.read(
        `${keyring.companyId}|${keyring.keyringId}`,
        Array.from(shards, ([partitionKey, ofShard]) => ({ partitionKey, keyIds: ofShard })),
      );
      const rows = new Map<string, WrappedKey>();
      for (const keyId of keyIds) {
        const cells = stored.get(keyId)?.cells;
        const row = cells && readWrappedKey(cells);
        found(nameOf(keyring, keyId), this.#toKeep(row));
        if (row) rows.set(keyId, row);
      }
      return rows;
    });
  }

  #toKeep(row: WrappedKey | undefined): { readonly value: WrappedKey } | undefined {
    return this.#isKeeping && row?.state === 'live' ? { value: { ...row, blob: ownMemory(row.blob) } } : undefined;
  }

  /** This process has changed the row: a read that began before must not be kept either. */
  forget(place: KeyringPlace, keyId: string): void {
    this.#kept.forget(nameOf(place, keyId));
  }
}

const nameOf = ({ companyId, keyringId }: KeyringPlace, keyId: string): string => `${companyId}|${keyringId}|${keyId}`;

/** Node cuts small buffers from shared larger pieces: a kept row would keep its whole piece, with whatever else is in it. */
const ownMemory = (blob: Uint8Array): Uint8Array => new Uint8Array(blob);
