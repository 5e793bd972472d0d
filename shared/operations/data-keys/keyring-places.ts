// Into how many shards a keyring is divided, which never changes. Kept for a while, so that an unwrap need not read the keyring each
// time; its company may be closed meanwhile, so whoever writes always reads it.
import { LRUCache } from 'lru-cache';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { shardOf } from '../../domain/shard.ts';
import { loadKeyring } from '../control-state.ts';
import type { Clock, Tables } from '../ports.ts';
import type { WritePlace } from './row-change.ts';

export interface KeyringPlace {
  readonly companyId: string;
  readonly keyringId: string;
}

export interface KeyringShards {
  readonly shardCount: number;
}

const MAX_ENTRIES = 10_000;

export class KeyringPlaces {
  readonly #deps: { readonly tables: Tables; readonly clock: Clock };
  readonly #ttlMs: number;
  readonly #entries: LRUCache<string, { readonly shardCount: number; readonly expiresAtMs: number }>;

  constructor(
    deps: { readonly tables: Tables; readonly clock: Clock },
    options: { readonly ttlMs: number; readonly maxEntries?: number },
  ) {
    this.#deps = deps;
    this.#ttlMs = options.ttlMs;
    this.#entries = new LRUCache({ max: options.maxEntries ?? MAX_ENTRIES });
  }

  /** Perhaps from the cache. */
  async find(place: KeyringPlace): Promise<Result<KeyringShards, Refusal>> {
    const entry = this.#entries.get(nameOf(place));
    if (entry && entry.expiresAtMs > this.#deps.clock.now().getTime()) {
      return ok({ shardCount: entry.shardCount });
    }
    return this.read(place);
  }

  /** Always from the keyring's row. */
  async read(place: KeyringPlace): Promise<Result<KeyringShards, Refusal>> {
    const expiresAtMs = this.#deps.clock.now().getTime() + this.#ttlMs;
    const keyring = await loadKeyring(this.#deps.tables, place);
    if (keyring?.value.state !== 'ready') this.#entries.delete(nameOf(place));
    if (!keyring) return err(notFound('keyring', place.keyringId));
    if (keyring.value.state !== 'ready') {
      return err({ type: 'state', code: 'keyring-not-ready', message: 'The keyring is still being created.' });
    }
    const { shardCount } = keyring.value;
    this.#entries.set(nameOf(place), { shardCount, expiresAtMs });
    return ok({ shardCount });
  }
}

const nameOf = ({ companyId, keyringId }: KeyringPlace): string => `${companyId}|${keyringId}`;

/** The shard that a data key lives in. */
export const writePlaceOf = (place: KeyringPlace, keyId: string, shardCount: number): WritePlace => ({
  companyId: place.companyId,
  keyringId: place.keyringId,
  shard: shardOf(keyId, shardCount),
  shardCount,
});
