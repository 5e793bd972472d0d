// Company keys that serve on while their vault cannot be reached: at most for the grace after the promised time, counted from before the vault opened
// them for this very process. Each stretch of it takes a new try that met an outage, and a list of denials in which the vault is not; anything else
// that a try meets ends it. So neither a denial that this process meets nor one that any other lists is outlived (invariant 9).
import type { KeyObject } from 'node:crypto';
import { ExpiringCache, type Forgotten, type Kept } from '../../domain/expiring-cache.ts';
import { isOutage, type Failure } from '../../domain/failure.ts';
import type { Clock, Log } from '../../domain/ports.ts';
import { sameProvider, type ProviderRef } from '../../domain/provider.ts';
import type { Result } from '../../domain/result.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import type { CompanyKeyContext } from '../../domain/company-key.ts';
import { denialName, type Denials } from './denials.ts';

/** Longest stretch after a try. It is never longer than the promised time: a denial that begins after the try is felt as early as without an outage. */
export const STRETCH_MS = 60_000;
/** When the next try is due, so that it ends before the stretch does and no caller waits for it. */
export const RENEW_AFTER_MS = 20_000;

export interface OpenedKey {
  readonly key: KeyObject;
  /** Whose wrap it was opened by. */
  readonly ref: ProviderRef;
  /** In an outage: when the vault is asked again, by the steady clock. */
  readonly renewAtMs?: number;
}

interface BridgeDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly denials: Pick<Denials, 'look'>;
}

type Opening = { readonly type: 'gone' } | { readonly type: 'failure'; readonly failure: Failure };

export class OutageBridge {
  readonly #deps: BridgeDependencies;
  readonly #ttlMs: number;
  /** The last key that the vault opened. Undefined without a grace: then no key outlives the promised time in memory. */
  readonly #opened: ExpiringCache<OpenedKey> | undefined;

  constructor(
    deps: BridgeDependencies,
    { ttlMs, graceMs, maxEntries }: { readonly ttlMs: number; readonly graceMs: number; readonly maxEntries: number },
  ) {
    this.#deps = deps;
    this.#ttlMs = ttlMs;
    this.#opened = graceMs > 0 ? new ExpiringCache(deps.clock, { ttlMs: ttlMs + graceMs, maxEntries }) : undefined;
  }

  get holdsKeys(): boolean {
    return this.#opened?.mayHold === true;
  }

  /** Remembers what is opened. Whatever keeps it from being opened, but an outage, has it forgotten. */
  remember<E extends Opening>(name: string, open: () => Promise<Result<OpenedKey, E>>): Promise<Result<OpenedKey, E>> {
    if (!this.#opened) return open();
    return this.#opened.loadSeveral(async (found) => {
      const opened = await open();
      if (opened.ok) found(name, { value: opened.value });
      else if (opened.error.type === 'gone' || !isOutage(opened.error.failure)) found(name, undefined);
      return opened;
    });
  }

  /** The key for a stretch after a try, begun at `begunMs`, that met an outage. Undefined if there is none, or it must not serve. */
  async over(
    { companyId, keyringId, version }: CompanyKeyContext,
    failed: { readonly name: string; readonly ref: ProviderRef; readonly begunMs: number },
  ): Promise<Kept<OpenedKey> | undefined> {
    if (!this.#opened?.peek(failed.name)) return undefined;
    const undeniedMs = await this.#undeniedAt(companyId, failed.ref);
    // A caller who waits for this came within the promised time, and must not be answered over a denial that was listed before that.
    const nowMs = this.#deps.clock.steadyMs();
    if (undeniedMs + this.#ttlMs <= nowMs) return undefined;
    // Looked for only now: what was denied is forgotten as the list is read.
    const opened = this.#opened.peek(failed.name);
    if (!opened || !sameProvider(opened.value.ref, failed.ref)) return undefined;
    const stretchMs = Math.min(this.#ttlMs, STRETCH_MS);
    const endsAtMs = Math.min(opened.endsAtMs, Math.min(failed.begunMs, undeniedMs) + stretchMs);
    const until = new Date(this.#deps.clock.now().getTime() + opened.endsAtMs - nowMs).toISOString();
    const detail = { companyId, keyringId, version, until };
    this.#deps.log.write({ level: 'warning', event: 'company-key.outage-bridged', detail });
    return { value: { ...opened.value, renewAtMs: failed.begunMs + RENEW_AFTER_MS }, endsAtMs };
  }

  forgetAll(isForgotten: Forgotten<OpenedKey>): void {
    this.#opened?.forgetAll(isForgotten);
  }

  /** Until when, by the steady clock, no denial was listed. The vendor's own key is never listed. Long ago if it is listed, or not known. */
  async #undeniedAt(companyId: string, { connectionId }: ProviderRef): Promise<number> {
    if (connectionId === undefined) return Infinity;
    try {
      const { asOfMs, rows } = await this.#deps.denials.look();
      return rows.has(denialName({ companyId, connectionId })) ? -Infinity : asOfMs;
    } catch (error) {
      if (error instanceof StoreUnavailable) return -Infinity;
      throw error;
    }
  }
}
