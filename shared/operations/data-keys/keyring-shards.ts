// How many shards a keyring has. The number never changes, so unwraps may take it from memory. Writers and lists read the keyring's row each time,
// since the company may be gone.
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import type { KeyringPlace } from '../../domain/keyring.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { shardOf, type ShardPlace } from '../../domain/shard.ts';
import { loadKeyring } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock } from '../../domain/ports.ts';

/** A keyring that is ready, and how it is divided. */
export interface ShardedKeyring extends KeyringPlace {
  readonly shardCount: number;
}

/** A shard, and how many the keyring has: the keyring's limit is kept shard by shard. */
export interface WritePlace extends ShardPlace {
  readonly shardCount: number;
}

const MAX_ENTRIES = 10_000;

export class KeyringShards {
  readonly #deps: { readonly tables: Tables; readonly clock: Clock };
  readonly #kept: ExpiringCache<ShardedKeyring, Refusal>;

  constructor(
    deps: { readonly tables: Tables; readonly clock: Clock },
    { ttlMs, maxEntries = MAX_ENTRIES }: { readonly ttlMs: number; readonly maxEntries?: number },
  ) {
    this.#deps = deps;
    this.#kept = new ExpiringCache(deps.clock, { ttlMs, maxEntries });
  }

  /** From the cache, if it is there. */
  async find(place: KeyringPlace): Promise<Result<ShardedKeyring, Refusal>> {
    const kept = this.#kept.peek(nameOf(place));
    return kept ? ok(kept.value) : this.read(place);
  }

  /** Always from the keyring's row. */
  read(place: KeyringPlace): Promise<Result<ShardedKeyring, Refusal>> {
    const { companyId, keyringId } = place;
    return this.#kept.load(nameOf(place), async () => {
      const keyring = await loadKeyring(this.#deps.tables, place);
      if (!keyring) return err(notFound('keyring', keyringId));
      if (keyring.value.state !== 'ready') {
        return err({ type: 'state', code: 'keyring-not-ready', message: 'The keyring is still being created.' });
      }
      return ok({ companyId, keyringId, shardCount: keyring.value.shardCount });
    });
  }
}

const nameOf = ({ companyId, keyringId }: KeyringPlace): string => `${companyId}|${keyringId}`;

/** The shard that a data key lives in. */
export const shardOfKey = ({ companyId, keyringId, shardCount }: ShardedKeyring, keyId: string): WritePlace => ({
  companyId,
  keyringId,
  shard: shardOf(keyId, shardCount),
  shardCount,
});
