// Which vaults have told this process to wait, how often, and until when. Operators see it; work that can wait, checks and switches, leaves such a vault alone
// until then, whichever of its calls was told. Of this process, and expires by itself.
import { LRUCache } from 'lru-cache';
import type { Failure } from '../domain/failure.ts';
import type { Clock } from '../domain/ports.ts';
import type { KeyTarget } from '../domain/provider.ts';
import { err, type Result } from '../domain/result.ts';
import type { KeyProvider } from './provider.ts';

export interface ThrottledVault {
  readonly host: string;
  /** Since it began, or since it was last quiet for an hour. */
  readonly times: number;
  readonly firstAt: string;
  readonly lastAt: string;
  /** As the vault asked by Retry-After, or by our own back-off where it did not. */
  readonly restsUntil: string;
  readonly retryAfterSeconds?: number;
}

interface Known extends ThrottledVault {
  readonly failure: Failure;
  /** In a row. */
  readonly inARow: number;
}

const MAX_VAULTS = 1_000;
const QUIET_MS = 60 * 60_000;
/** Key Vault mostly names no time: 1, 2, 4, 8, then 16 seconds. */
const LONGEST_BACK_OFF_SECONDS = 16;
/** A customer's vault names the time: it keeps no check away for longer. */
const LONGEST_REST_SECONDS = 60;

export class Throttling {
  readonly #clock: Clock;
  readonly #vaults = new LRUCache<string, Known>({ max: MAX_VAULTS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The provider, with what its vaults answer counted. */
  readonly watched = (provider: KeyProvider): KeyProvider => ({
    ...provider,
    read: async (target, options) => this.#count(target, await provider.read(target, options)),
    wrap: async (target, key, companyKey) => this.#count(target, await provider.wrap(target, key, companyKey)),
    unwrap: async (target, wrapped) => this.#count(target, await provider.unwrap(target, wrapped)),
  });

  /** The provider for work that can wait: a vault that rests is not asked, and what it said last is answered. */
  readonly considerate = (provider: KeyProvider): KeyProvider => ({
    ...provider,
    read: async (target, options) => this.#toTell(target) ?? (await provider.read(target, options)),
    unwrap: async (target, wrapped) => this.#toTell(target) ?? (await provider.unwrap(target, wrapped)),
  });

  /** Of the last hour, the latest first. */
  vaults(): readonly ThrottledVault[] {
    return [...this.#vaults.values()]
      .filter((vault) => !this.#isQuiet(vault))
      .map(({ failure: _failure, inARow: _inARow, ...vault }) => vault)
      .toSorted((a, b) => (a.lastAt < b.lastAt ? 1 : -1));
  }

  #toTell({ host }: KeyTarget): Result<never, Failure> | undefined {
    const known = this.#vaults.get(host);
    const leftMs = known === undefined ? 0 : Date.parse(known.restsUntil) - this.#clock.now().getTime();
    // What lies further ahead was told before the clock was set back.
    return known && leftMs > 0 && leftMs <= LONGEST_REST_SECONDS * 1_000 ? err(known.failure) : undefined;
  }

  #count<T>({ host }: KeyTarget, answer: Result<T, Failure>): Result<T, Failure> {
    const before = this.#vaults.get(host);
    if (answer.ok || answer.error.code !== 'throttled') {
      if (before && before.inARow > 0) this.#vaults.set(host, { ...before, inARow: 0 });
      return answer;
    }
    const failure = answer.error;
    const now = this.#clock.now();
    const at = now.toISOString();
    const known = before && !this.#isQuiet(before) ? before : { times: 0, firstAt: at, inARow: 0 };
    const asked = failure.service?.retryAfterSeconds;
    const seconds = asked ?? Math.min(LONGEST_BACK_OFF_SECONDS, 2 ** known.inARow);
    const restMs = Math.min(LONGEST_REST_SECONDS, seconds) * 1_000;
    this.#vaults.set(host, {
      host,
      times: known.times + 1,
      firstAt: known.firstAt,
      lastAt: at,
      restsUntil: new Date(now.getTime() + restMs).toISOString(),
      ...(asked === undefined ? {} : { retryAfterSeconds: asked }),
      failure,
      inARow: known.inARow + 1,
    });
    return answer;
  }

  #isQuiet({ lastAt }: ThrottledVault): boolean {
    return this.#clock.now().getTime() - Date.parse(lastAt) > QUIET_MS;
  }
}
