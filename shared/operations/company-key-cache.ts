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

/** `gone`: there is no such version any more, so what asked for it is out of date. */
export type CompanyKeyProblem = { readonly type: 'gone' } | { readonly type: 'failure'; readonly failure: Failure };

interface Entry {
  readonly key: KeyObject;
  readonly expiresAtMs: number;
  /** The KEK version that it came through. */
  readonly kek: string;
}

const MAX_ENTRIES = 10_000;

export class CompanyKeyCache {
  readonly #opening: CompanyKeyOpening & { readonly clock: Clock };
  readonly #ttlMs: number;
  readonly #entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES });
  readonly #flights = new Map<string, Promise<Result<KeyObject, CompanyKeyProblem>>>();

  constructor(opening: CompanyKeyOpening & { readonly clock: Clock }, options: { readonly ttlMs: number }) {
    this.#opening = opening;
    this.#ttlMs = options.ttlMs;
  }

  /** The company key of one version, from the cache or by one `unwrapKey`. */
  get(context: CompanyKeyContext): Promise<Result<KeyObject, CompanyKeyProblem>> {
    const name = `${context.companyId}|${context.keyringId}|${context.version}`;
    const entry = this.#entries.get(name);
    if (entry && entry.expiresAtMs > this.#opening.clock.now().getTime()) return Promise.resolve(ok(entry.key));
    const underWay = this.#flights.get(name);
    if (underWay) return underWay;
    const flight = this.#open(name, context).finally(() => this.#flights.delete(name));
    this.#flights.set(name, flight);
    return flight;
  }

  async #open(name: string, context: CompanyKeyContext): Promise<Result<KeyObject, CompanyKeyProblem>> {
    // Counted from before the unwrap: a slow vault must not lengthen the time within which a revocation is felt.
    const expiresAtMs = this.#opening.clock.now().getTime() + this.#ttlMs;
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
