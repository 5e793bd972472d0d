// The company keys that callers' requests use: through the wrap in force only, kept for at most the promised revocation time.
// Positive entries only; a thousand cold callers cause one unwrap. Workers have a cache of their own (worker-keys.ts), so that
// the guard wraps of a switch never fill this one.
import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { CompanyKeyContext } from '../domain/company-key.ts';
import type { Failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { companyKeyRowKey } from '../domain/rows/row-keys.ts';
import { loadReadableCompanyKey, openWrap, wrapInForce, type CompanyKeyOpening } from './company-key-opener.ts';
import type { Clock } from './ports.ts';
import { forged } from './seals.ts';
import { VaultWaits } from './vault-waits.ts';

/** `gone`: there is no such version any more, so what asked for it is out of date. */
export type CompanyKeyProblem = { readonly type: 'gone' } | { readonly type: 'failure'; readonly failure: Failure };

interface Entry {
  readonly key: KeyObject;
  readonly expiresAtMs: number;
  /** The KEK version that it came through. */
  readonly kek: string;
}

/** An unwrap under way. */
interface Flight {
  readonly answer: Promise<Result<KeyObject, CompanyKeyProblem>>;
  readonly expiresAtMs: number;
}

const MAX_ENTRIES = 10_000;

export class CompanyKeyCache {
  readonly #opening: CompanyKeyOpening & { readonly clock: Clock };
  readonly #ttlMs: number;
  readonly #entries: LRUCache<string, Entry>;
  readonly #flights = new Map<string, Flight>();
  readonly #vaultWaits: Pick<VaultWaits, 'during'>;

  constructor(
    opening: CompanyKeyOpening & { readonly clock: Clock },
    options: {
      readonly ttlMs: number;
      readonly maxEntries?: number;
      readonly vaultWaits?: Pick<VaultWaits, 'during'>;
    },
  ) {
    this.#vaultWaits = options.vaultWaits ?? new VaultWaits();
    this.#opening = opening;
    this.#ttlMs = options.ttlMs;
    this.#entries = new LRUCache({ max: options.maxEntries ?? MAX_ENTRIES });
  }

  /** The company key of one version, from the cache or by one `unwrapKey`. */
  get(context: CompanyKeyContext): Promise<Result<KeyObject, CompanyKeyProblem>> {
    const name = `${context.companyId}|${context.keyringId}|${context.version}`;
    const nowMs = this.#opening.clock.now().getTime();
    const entry = this.#entries.get(name);
    if (entry && entry.expiresAtMs > nowMs) return Promise.resolve(ok(entry.key));
    const underWay = this.#flights.get(name);
    // The vault may have answered one that began so long ago before it denied: whoever comes now may not have that answer.
    if (underWay && underWay.expiresAtMs > nowMs) return underWay.answer;
    // Counted from before the unwrap: a slow vault must not lengthen the time within which a revocation is felt.
    const expiresAtMs = nowMs + this.#ttlMs;
    const opening = this.#open(name, context, expiresAtMs);
    const answer = this.#vaultWaits.during(context.companyId, opening).finally(() => {
      if (this.#flights.get(name)?.answer === answer) this.#flights.delete(name);
    });
    this.#flights.set(name, { answer, expiresAtMs });
    return answer;
  }

  /** The same, with when it ends: what is opened by it must end no later. */
  async entry(
    context: CompanyKeyContext,
  ): Promise<Result<{ readonly key: KeyObject; readonly expiresAtMs: number }, CompanyKeyProblem>> {
    const key = await this.get(context);
    if (!key.ok) return key;
    const entry = this.#entries.get(`${context.companyId}|${context.keyringId}|${context.version}`);
    // Pushed out meanwhile: what is opened by it then serves this once.
    return ok({ key: key.value, expiresAtMs: entry?.key === key.value ? entry.expiresAtMs : 0 });
  }

  async #open(
    name: string,
    context: CompanyKeyContext,
    expiresAtMs: number,
  ): Promise<Result<KeyObject, CompanyKeyProblem>> {
    const row = await loadReadableCompanyKey(this.#opening, context);
    if (!row.ok) return err({ type: 'failure', failure: row.error });
    if (!row.value) return err({ type: 'gone' });
    const wrap = wrapInForce(row.value.value);
    if (!wrap) {
      const rowKey = companyKeyRowKey(context.keyringId, context.version);
      return err({ type: 'failure', failure: forged(this.#opening.log, { companyId: context.companyId, rowKey }) });
    }
    const key = await openWrap(this.#opening, context, wrap);
    if (!key.ok) return err({ type: 'failure', failure: key.error });
    this.#entries.set(name, { key: key.value, expiresAtMs, kek: wrap.keyId });
    return key;
  }
}
