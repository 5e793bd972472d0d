// Wrapped data keys as callers' unwraps read them. If asked to, it keeps some for at most the promised revocation time: wrapped
// ones only, live ones only. A kept row may be out of date, so nobody may say no because of one.
import type { DataKeyState } from '../../domain/data-key.ts';
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import { bytes, count, oneOf } from '../../store/rows/cells.ts';
import { dataKeysPartition } from '../../store/rows/row-keys.ts';
import type { StoredRow, Tables } from '../../store/tables.ts';
import type { Clock } from '../../domain/ports.ts';
import { writePlaceOf, type KeyringPlace } from './keyring-shards.ts';
import { RowRanges } from './row-ranges.ts';

/** What it takes to open a data key. */
export interface WrappedRow {
  readonly state: DataKeyState;
  readonly companyKeyVersion: number;
  readonly blob: Uint8Array;
}

const STATES: readonly DataKeyState[] = ['live', 'deleted', 'quarantined', 'lost', 'tombstone'];
const EMPTY = new Uint8Array(0);
export class WrappedRows {
  readonly #deps: { readonly tables: Pick<Tables, 'read' | 'list'>; readonly clock: Clock };
  readonly #ranges: RowRanges;
  readonly #isKeeping: boolean;
  readonly #kept: ExpiringCache<WrappedRow>;

  /** `rows`: how many are kept; 0 keeps none. */
  constructor(
    deps: { readonly tables: Pick<Tables, 'read' | 'list'>; readonly clock: Clock },
    options: { readonly rows: number; readonly ttlMs: number },
  ) {
    this.#deps = deps;
    this.#ranges = new RowRanges(deps.tables);
    this.#isKeeping = options.rows > 0;
    this.#kept = new ExpiringCache(deps.clock, { ttlMs: options.ttlMs, maxEntries: options.rows });
  }

  kept(place: KeyringPlace, keyId: string): WrappedRow | undefined {
    return this.#isKeeping ? this.#kept.peek(nameOf(place, keyId))?.value : undefined;
  }

  /** Past what is kept. Undefined if there is no such row. Throws StoreUnavailable. */
  read(place: KeyringPlace, keyId: string, shardCount: number): Promise<WrappedRow | undefined> {
    return this.#kept.loadSeveral(async (found) => {
      const partition = dataKeysPartition(writePlaceOf(place, keyId, shardCount));
      const row = wrappedRow(await this.#deps.tables.read('datakeys', partition, keyId));
      found(nameOf(place, keyId), this.#toKeep(row));
      return row;
    });
  }

  /** Several, past what is kept; by id, without those that there are not. Ids may repeat. Throws StoreUnavailable. */
  readAll(
    place: KeyringPlace,
    keyIds: readonly string[],
    shardCount: number,
  ): Promise<ReadonlyMap<string, WrappedRow>> {
    return this.#kept.loadSeveral(async (found) => {
      const ids = new Set(keyIds);
      const shards = Map.groupBy(ids, (keyId) => dataKeysPartition(writePlaceOf(place, keyId, shardCount)));
      const stored = await this.#ranges.read(
        `${place.companyId}|${place.keyringId}`,
        Array.from(shards, ([partitionKey, ofShard]) => ({ partitionKey, keyIds: ofShard })),
      );
      const rows = new Map<string, WrappedRow>();
      for (const keyId of ids) {
        const row = wrappedRow(stored.get(keyId));
        found(nameOf(place, keyId), this.#toKeep(row));
        if (row) rows.set(keyId, row);
      }
      return rows;
    });
  }

  #toKeep(row: WrappedRow | undefined): { readonly value: WrappedRow } | undefined {
    return this.#isKeeping && row?.state === 'live' ? { value: { ...row, blob: ownMemory(row.blob) } } : undefined;
  }

  /** Called when this process has changed the row: a read that began before keeps nothing of it either. */
  forget(place: KeyringPlace, keyId: string): void {
    this.#kept.forget(nameOf(place, keyId));
  }
}

const wrappedRow = (stored: StoredRow | undefined): WrappedRow | undefined =>
  stored && {
    state: oneOf(stored.cells, 'state', STATES) ?? 'live',
    companyKeyVersion: count(stored.cells, 'companyKeyVersion') ?? 0,
    blob: bytes(stored.cells, 'blob') ?? EMPTY,
  };

const nameOf = ({ companyId, keyringId }: KeyringPlace, keyId: string): string => `${companyId}|${keyringId}|${keyId}`;

/** Node cuts small buffers from larger pieces that they share: a row that is kept would keep all of its piece, and what else lay there. */
const ownMemory = (blob: Uint8Array): Uint8Array => new Uint8Array(blob);
