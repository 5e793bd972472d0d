// Wrapped data keys as callers' unwraps read them. If asked to, it keeps some for at most the promised revocation time: wrapped
// ones only, live ones only. A kept row may be out of date, so nobody may say no because of one.
import { LRUCache } from 'lru-cache';
import type { DataKeyState } from '../../domain/data-key.ts';
import { bytes, count, oneOf } from '../../domain/rows/cells.ts';
import { dataKeysPartition } from '../../domain/rows/row-keys.ts';
import type { Clock, StoredRow, Tables } from '../ports.ts';
import { writePlaceOf, type KeyringPlace } from './keyring-places.ts';
import { RowRanges } from './row-ranges.ts';

/** What it takes to open a data key. */
export interface WrappedRow {
  readonly state: DataKeyState;
  readonly companyKeyVersion: number;
  readonly blob: Uint8Array;
}

const STATES: readonly DataKeyState[] = ['live', 'deleted', 'quarantined', 'lost', 'tombstone'];
const EMPTY = new Uint8Array(0);
/** More than can be forgotten while one read is under way. */
const MAX_FORGOTTEN = 10_000;

interface Begun {
  readonly expiresAtMs: number;
  readonly forgets: number;
}

export class WrappedRows {
  readonly #deps: { readonly tables: Pick<Tables, 'read' | 'list'>; readonly clock: Clock };
  readonly #ranges: RowRanges;
  readonly #ttlMs: number;
  /** Counts up: whether a row was forgotten while a read of it was under way. */
  #forgets = 0;
  readonly #forgotten = new LRUCache<string, number>({ max: MAX_FORGOTTEN });
  readonly #kept: LRUCache<string, { readonly row: WrappedRow; readonly expiresAtMs: number }> | undefined;

  /** `rows`: how many are kept; 0 keeps none. */
  constructor(
    deps: { readonly tables: Pick<Tables, 'read' | 'list'>; readonly clock: Clock },
    options: { readonly rows: number; readonly ttlMs: number },
  ) {
    this.#deps = deps;
    this.#ranges = new RowRanges(deps.tables);
    this.#ttlMs = options.ttlMs;
    this.#kept = options.rows > 0 ? new LRUCache({ max: options.rows }) : undefined;
  }

  kept(place: KeyringPlace, keyId: string): WrappedRow | undefined {
    if (!this.#kept) return undefined;
    const entry = this.#kept.get(nameOf(place, keyId));
    return entry && entry.expiresAtMs > this.#deps.clock.now().getTime() ? entry.row : undefined;
  }

  /** Past what is kept. Undefined if there is no such row. Throws StoreUnavailable. */
  async read(place: KeyringPlace, keyId: string, shardCount: number): Promise<WrappedRow | undefined> {
    const begun = this.#begin();
    const partition = dataKeysPartition(writePlaceOf(place, keyId, shardCount));
    return this.#taken(place, keyId, {
      stored: await this.#deps.tables.read('datakeys', partition, keyId),
      begun,
    });
  }

  /** Several, past what is kept; by id, without those that there are not. Ids may repeat. Throws StoreUnavailable. */
  async readAll(
    place: KeyringPlace,
    keyIds: readonly string[],
    shardCount: number,
  ): Promise<ReadonlyMap<string, WrappedRow>> {
    const begun = this.#begin();
    const ids = new Set(keyIds);
    const shards = Map.groupBy(ids, (keyId) => dataKeysPartition(writePlaceOf(place, keyId, shardCount)));
    const stored = await this.#ranges.read(
      `${place.companyId}|${place.keyringId}`,
      Array.from(shards, ([partitionKey, ofShard]) => ({ partitionKey, keyIds: ofShard })),
    );
    const found = new Map<string, WrappedRow>();
    for (const keyId of ids) {
      const row = this.#taken(place, keyId, { stored: stored.get(keyId), begun });
      if (row) found.set(keyId, row);
    }
    return found;
  }

  #begin(): Begun {
    return { expiresAtMs: this.#deps.clock.now().getTime() + this.#ttlMs, forgets: this.#forgets };
  }

  #taken(
    place: KeyringPlace,
    keyId: string,
    { stored, begun }: { readonly stored: StoredRow | undefined; readonly begun: Begun },
  ): WrappedRow | undefined {
    const row: WrappedRow | undefined = stored && {
      state: oneOf(stored.cells, 'state', STATES) ?? 'live',
      companyKeyVersion: count(stored.cells, 'companyKeyVersion') ?? 0,
      blob: bytes(stored.cells, 'blob') ?? EMPTY,
    };
    const name = nameOf(place, keyId);
    const isOutOfDate = (this.#forgotten.get(name) ?? 0) > begun.forgets;
    if (row?.state === 'live' && !isOutOfDate)
      this.#kept?.set(name, { row: { ...row, blob: ownMemory(row.blob) }, expiresAtMs: begun.expiresAtMs });
    else this.#kept?.delete(name);
    return row;
  }

  /** Called when this process has changed the row: a read that began before keeps nothing of it either. */
  forget(place: KeyringPlace, keyId: string): void {
    const name = nameOf(place, keyId);
    this.#forgets += 1;
    this.#forgotten.set(name, this.#forgets);
    this.#kept?.delete(name);
  }
}

const nameOf = ({ companyId, keyringId }: KeyringPlace, keyId: string): string => `${companyId}|${keyringId}|${keyId}`;

/** Node cuts small buffers from larger pieces that they share: a row that is kept would keep all of its piece, and what else lay there. */
const ownMemory = (blob: Uint8Array): Uint8Array => new Uint8Array(blob);
