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
/** So many other companies whose vaults have no name, and more than there are with one: one company alone can delete many. */
const MANY = 3;
const MAX_HOSTS = 10_000;
const ASKED_AGAIN_AFTER_MS = 10_000;

/** Of a vault that was there before it is said that it was deleted. */
const NAMELESS: ReadonlySet<FailureCode> = new Set<FailureCode>(['vault-not-found', 'vault-deleted']);
const ON_THE_WAY: ReadonlySet<FailureCode> = new Set<FailureCode>([...NAMELESS, 'vault-unreachable']);

interface Seen {
  readonly companyId: string;
  readonly isNameless: boolean;
  readonly atMs: number;
}

interface Place {
  readonly companyId: string;
  readonly host: string;
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
  async judge({ companyId, host }: Place, look: Look): Promise<Look> {
    const failed = look.outcome === 'failed' && isOnTheWay(look.failure) ? look.failure : undefined;
    const isNameless = failed !== undefined && NAMELESS.has(failed.code);
    this.#seen.set(host, { companyId, isNameless, atMs: this.#deps.clock.steadyMs() });
    if (!failed) return look;
    const detail = (isNameless ? this.#othersWithout(companyId) : undefined) ?? (await this.#ownVaultToo(failed.code));
    if (detail === undefined) return look;
    return { outcome: 'failed', failure: failure('own-network', { detail }), warnings: look.warnings };
  }

  #othersWithout(companyId: string): string | undefined {
    const since = this.#deps.clock.steadyMs() - SAME_TIME_MS;
    const nameless = new Set<string>();
    const withName = new Set<string>();
    for (const { companyId: other, isNameless, atMs } of this.#seen.values()) {
      // The last that were seen come first.
      if (atMs < since) break;
      if (other !== companyId) (isNameless ? nameless : withName).add(other);
    }
    const without = [...nameless].filter((other) => !withName.has(other)).length;
    if (without < MANY || without < withName.size) return undefined;
    return `the vaults of ${without} other companies lost their names within the same minute`;
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
