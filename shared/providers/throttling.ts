// Which vaults have told this process to wait, and how often, for operators. Nothing is decided by it.
import { LRUCache } from 'lru-cache';
import type { Failure } from '../domain/failure.ts';
import type { Clock } from '../domain/ports.ts';
import type { KeyTarget } from '../domain/provider.ts';
import type { Result } from '../domain/result.ts';
import type { KeyProvider } from './provider.ts';

export interface ThrottledVault {
  readonly host: string;
  /** Since it began, or since it was last quiet for an hour. */
  readonly times: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

const MAX_VAULTS = 1_000;
const QUIET_MS = 60 * 60_000;

export class Throttling {
  readonly #clock: Clock;
  readonly #vaults = new LRUCache<string, ThrottledVault>({ max: MAX_VAULTS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The provider, with what its vaults answer counted. */
  readonly watched = (provider: KeyProvider): KeyProvider => ({
    ...provider,
    read: async (target, options) => this.#count(target, await provider.read(target, options)),
    wrap: async (target, key, companyKey) => this.#count(target, await provider.wrap(target, key, companyKey)),
    unwrap: async (target, wrapped, options) => this.#count(target, await provider.unwrap(target, wrapped, options)),
  });

  /** Of the last hour, the latest first. */
  vaults(): readonly ThrottledVault[] {
    return [...this.#vaults.values()]
      .filter((vault) => !this.#isQuiet(vault))
      .toSorted((a, b) => (a.lastAt < b.lastAt ? 1 : -1));
  }

  #count<T>({ host }: KeyTarget, answer: Result<T, Failure>): Result<T, Failure> {
    if (!answer.ok && answer.error.code === 'throttled') {
      const at = this.#clock.now().toISOString();
      const before = this.#vaults.get(host);
      const known = before && !this.#isQuiet(before) ? before : { times: 0, firstAt: at };
      this.#vaults.set(host, { host, times: known.times + 1, firstAt: known.firstAt, lastAt: at });
    }
    return answer;
  }

  #isQuiet({ lastAt }: ThrottledVault): boolean {
    return this.#clock.now().getTime() - Date.parse(lastAt) > QUIET_MS;
  }
}
