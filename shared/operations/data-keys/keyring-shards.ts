// Into how many shards a keyring is divided, which never changes. Kept for a while, so that an unwrap need not read the keyring each
// time; its company may be closed meanwhile, so whoever writes always reads it.
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { shardOf } from '../../domain/shard.ts';
import { loadKeyring } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock } from '../../domain/ports.ts';
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
  readonly #kept: ExpiringCache<KeyringShards, Refusal>;

  constructor(
    deps: { readonly tables: Tables; readonly clock: Clock },
    { ttlMs, maxEntries = MAX_ENTRIES }: { readonly ttlMs: number; readonly maxEntries?: number },
  ) {
    this.#deps = deps;
    this.#kept = new ExpiringCache(deps.clock, { ttlMs, maxEntries });
  }

  /** Perhaps from the cache. */
  async find(place: KeyringPlace): Promise<Result<KeyringShards, Refusal>> {
    const kept = this.#kept.peek(nameOf(place));
    return kept ? ok(kept.value) : this.read(place);
  }

  /** Always from the keyring's row. */
  read(place: KeyringPlace): Promise<Result<KeyringShards, Refusal>> {
    return this.#kept.load(nameOf(place), async () => {
      const keyring = await loadKeyring(this.#deps.tables, place);
      if (!keyring) return err(notFound('keyring', place.keyringId));
      if (keyring.value.state !== 'ready') {
        return err({ type: 'state', code: 'keyring-not-ready', message: 'The keyring is still being created.' });
      }
      return ok({ shardCount: keyring.value.shardCount });
    });
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
