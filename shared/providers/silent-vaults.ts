// Vaults as the workers of switches ask them: one that has just said nothing until its time-out is not asked again for some seconds, and
// then by one call at a time, until it answers. The others are told what that one was told, which may pass by itself and so is never a
// denial. What is remembered is of this process, by vault and key, and expires by itself.
import { LRUCache } from 'lru-cache';
import type { Failure } from '../domain/failure.ts';
import type { VaultKey, VaultTarget } from '../domain/provider.ts';
import { err, type Result } from '../domain/result.ts';
import type { Clock } from '../domain/ports.ts';
import type { KeyVaults } from './provider.ts';

/** An answer that took so long has cost its asker's slot; a quick one costs nothing and is not remembered. */
const SLOW_MS = 2_000;
const REMEMBERED_MS = 20_000;
/** Longer than KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS as it is by default: so long others wait for who asks again. */
const ASKING_MS = 20_000;
const MAX_VAULTS = 1_000;

interface Silence {
  readonly failure: Failure;
  readonly untilMs: number;
}

export class SilentVaults implements Pick<KeyVaults, 'readKey' | 'unwrap'> {
  readonly #vaults: Pick<KeyVaults, 'readKey' | 'unwrap'>;
  readonly #clock: Clock;
  readonly #silences = new LRUCache<string, Silence>({ max: MAX_VAULTS });

  constructor(vaults: Pick<KeyVaults, 'readKey' | 'unwrap'>, clock: Clock) {
    this.#vaults = vaults;
    this.#clock = clock;
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
    const begunMs = this.#clock.now().getTime();
    const silence = this.#silences.get(name);
    if (silence && begunMs < silence.untilMs) return err(silence.failure);
    if (silence) this.#silences.set(name, { ...silence, untilMs: begunMs + ASKING_MS });
    const answer = await call();
    const endedMs = this.#clock.now().getTime();
    if (!answer.ok && answer.error.kind === 'transient' && endedMs - begunMs >= SLOW_MS)
      this.#silences.set(name, { failure: answer.error, untilMs: endedMs + REMEMBERED_MS });
    else this.#silences.delete(name);
    return answer;
  }
}
