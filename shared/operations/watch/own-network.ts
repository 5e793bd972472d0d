// Whether it is our own network that fails. Many vaults of different customers do not lose their names, or their way to us, within one minute; and if our
// own vault cannot be reached in the same way, no customer's can. What is remembered is of this process: any process sees enough of them.
import { LRUCache } from 'lru-cache';
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import type { Failure, FailureCode } from '../../domain/failure.ts';
import { failure } from '../../domain/failures.ts';
import type { Look } from '../../domain/health.ts';
import type { Clock } from '../../domain/ports.ts';
import { ok } from '../../domain/result.ts';
import type { Providers } from '../../providers/provider.ts';

const SAME_TIME_MS = 60_000;
/** So many others without a name, and more than there are with one. */
const MANY = 3;
const MAX_HOSTS = 10_000;
const ASKED_AGAIN_AFTER_MS = 10_000;

/** Of a vault that was there before it is said that it was deleted. */
const NAMELESS: ReadonlySet<FailureCode> = new Set<FailureCode>(['vault-not-found', 'vault-deleted']);
const ON_THE_WAY: ReadonlySet<FailureCode> = new Set<FailureCode>([...NAMELESS, 'vault-unreachable']);

interface Seen {
  readonly isNameless: boolean;
  readonly atMs: number;
}

export class OwnNetwork {
  readonly #deps: { readonly clock: Clock; readonly providers: Providers };
  readonly #seen = new LRUCache<string, Seen>({ max: MAX_HOSTS });
  readonly #ownVault: ExpiringCache<FailureCode | undefined>;

  constructor(deps: { readonly clock: Clock; readonly providers: Providers }) {
    this.#deps = deps;
    this.#ownVault = new ExpiringCache(deps.clock, { ttlMs: ASKED_AGAIN_AFTER_MS, maxEntries: 1 });
  }

  /** The look as it is, or with our own failure in place of what the vault seems to have. */
  async judge(host: string, look: Look): Promise<Look> {
    const failed = look.outcome === 'failed' && isOnTheWay(look.failure) ? look.failure : undefined;
    const isNameless = failed !== undefined && NAMELESS.has(failed.code);
    this.#seen.set(host, { isNameless, atMs: this.#deps.clock.steadyMs() });
    if (!failed) return look;
    const detail = (isNameless ? this.#othersWithout(host) : undefined) ?? (await this.#ownVaultToo(failed.code));
    if (detail === undefined) return look;
    return { outcome: 'failed', failure: failure('own-network', { detail }), warnings: look.warnings };
  }

  #othersWithout(host: string): string | undefined {
    const since = this.#deps.clock.steadyMs() - SAME_TIME_MS;
    let without = 0;
    let withName = 0;
    for (const [other, { isNameless, atMs }] of this.#seen.entries()) {
      // The last that were seen come first.
      if (atMs < since) break;
      if (other === host) continue;
      if (isNameless) without += 1;
      else withName += 1;
    }
    if (without < MANY || without < withName) return undefined;
    return `${without} other vaults lost their names within the same minute`;
  }

  async #ownVaultToo(code: FailureCode): Promise<string | undefined> {
    const { providers } = this.#deps;
    const met = await this.#ownVault.get('own', async () => {
      const reached = await providers.of(providers.vendor.ref).probe.reach(providers.vendor);
      return ok(reached.ok ? undefined : reached.error.code);
    });
    const isSame =
      met.ok && met.value !== undefined && (met.value === code || (NAMELESS.has(met.value) && NAMELESS.has(code)));
    return isSame ? "the vendor's own vault cannot be reached either" : undefined;
  }
}

/** An answer that there is no such vault came over the network. */
const isOnTheWay = ({ code, service }: Failure): boolean => ON_THE_WAY.has(code) && service?.status === undefined;
