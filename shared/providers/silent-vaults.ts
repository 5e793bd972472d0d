// Vaults as the workers of switches ask them: one that has just said nothing until its time-out is not asked again for some seconds, and
// then by one call at a time, until it answers. The others are told what that one was told, which may pass by itself and so is never a
// denial. What is remembered is of this process, by vault and key, and expires by itself.
import { LRUCache } from 'lru-cache';
import { ExpiringCache } from '../domain/expiring-cache.ts';
import type { Failure } from '../domain/failure.ts';
import type { VaultKey, VaultTarget } from '../domain/provider.ts';
import { err, type Result } from '../domain/result.ts';
import type { Clock } from '../domain/ports.ts';
import type { KeyVaults } from './provider.ts';

/** An answer that took so long has cost its asker's slot; a quick one costs nothing and is not remembered. */
const SLOW_MS = 2_000;
/** So long others are told, and again while one call asks anew: longer than KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS is by default. */
const REMEMBERED_MS = 20_000;
const MAX_VAULTS = 1_000;

export class SilentVaults implements Pick<KeyVaults, 'readKey' | 'unwrap'> {
  readonly #vaults: Pick<KeyVaults, 'readKey' | 'unwrap'>;
  readonly #clock: Clock;
  /** What callers are told instead of a call. */
  readonly #told: ExpiringCache<Failure>;
  /** What the last call met, until one is answered. */
  readonly #silences = new LRUCache<string, Failure>({ max: MAX_VAULTS });

  constructor(vaults: Pick<KeyVaults, 'readKey' | 'unwrap'>, clock: Clock) {
    this.#vaults = vaults;
    this.#clock = clock;
    this.#told = new ExpiringCache(clock, { ttlMs: REMEMBERED_MS, maxEntries: MAX_VAULTS });
  }

  readKey(target: VaultTarget, version?: string): Promise<Result<VaultKey, Failure>> {
    return this.#ask(target, () => this.#vaults.readKey(target, version));
  }

  unwrap(
    target: VaultTarget,
    wrapped: { readonly keyId: string; readonly ciphertext: string },
  ): Promise<Result<Uint8Array, Failure>> {
    return this.#ask(target, () => this.#vaults.unwrap(target, wrapped));
  }

  async #ask<T>(target: VaultTarget, call: () => Promise<Result<T, Failure>>): Promise<Result<T, Failure>> {
    // With key and tenant: what one company's connection meets says nothing of another's.
    const name = [target.host, target.keyName.toLowerCase(), target.tenantId].join('|');
    const told = this.#told.peek(name);
    if (told) return err(told.value);
    const silence = this.#silences.get(name);
    if (silence) this.#told.keep(name, silence);
    const begunMs = this.#clock.now().getTime();
    const answer = await call();
    const tookMs = this.#clock.now().getTime() - begunMs;
    if (!answer.ok && answer.error.kind === 'transient' && tookMs >= SLOW_MS) {
      this.#silences.set(name, answer.error);
      this.#told.keep(name, answer.error);
    } else {
      this.#silences.delete(name);
      this.#told.forget(name);
    }
    return answer;
  }
}
