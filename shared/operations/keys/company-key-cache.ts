// The company keys for callers' requests: opened through the wrap in force only, kept for at most the promised revocation time. Only successes are kept;
// a thousand cold callers cause one unwrap (invariant 8). Keys are kept, rows never (invariant A8). Workers have their own cache (worker-keys.ts), so
// that a switch's guard wraps never fill this one.
import type { KeyObject } from 'node:crypto';
import type { CompanyKeyContext } from '../../domain/company-key.ts';
import { ExpiringCache, type Kept } from '../../domain/expiring-cache.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import { loadReadableCompanyKey, openWrap, wrapInForce, type CompanyKeyOpening } from './open-wrap.ts';
import type { Clock } from '../../domain/ports.ts';
import { forged } from './seals.ts';
import { VaultWaits } from './vault-waits.ts';

/** `gone`: the version no longer exists, so what asked for it is out of date. */
export type CompanyKeyProblem = { readonly type: 'gone' } | { readonly type: 'failure'; readonly failure: Failure };

const MAX_ENTRIES = 10_000;

export class CompanyKeyCache {
  readonly #opening: CompanyKeyOpening & { readonly clock: Clock };
  readonly #keys: ExpiringCache<KeyObject, CompanyKeyProblem>;
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
    const { ttlMs, maxEntries = MAX_ENTRIES } = options;
    this.#keys = new ExpiringCache(opening.clock, { ttlMs, maxEntries });
  }

  /** The company key of one version, from the cache or by one `unwrapKey`. */
  get(context: CompanyKeyContext): Promise<Result<KeyObject, CompanyKeyProblem>> {
    return this.#keys.get(nameOf(context), () => this.#vaultWaits.during(context.companyId, this.#open(context)));
  }

  /** The same, with its end: what is opened by it must end no later. */
  async entry(context: CompanyKeyContext): Promise<Result<Kept<KeyObject>, CompanyKeyProblem>> {
    const key = await this.get(context);
    if (!key.ok) return key;
    const kept = this.#keys.peek(nameOf(context));
    // Dropped from the cache meanwhile: then what is opened by it serves only this once.
    return ok({ value: key.value, endsAtMs: kept?.value === key.value ? kept.endsAtMs : 0 });
  }

  async #open(context: CompanyKeyContext): Promise<Result<KeyObject, CompanyKeyProblem>> {
    const row = await loadReadableCompanyKey(this.#opening, context);
    if (!row.ok) return err({ type: 'failure', failure: row.error });
    if (!row.value) return err({ type: 'gone' });
    const wrap = wrapInForce(row.value.value);
    if (!wrap) {
      const rowKey = companyKeyRow.key(context);
      return err({ type: 'failure', failure: forged(this.#opening.log, { companyId: context.companyId, rowKey }) });
    }
    const key = await openWrap(this.#opening, context, wrap);
    if (!key.ok) return err({ type: 'failure', failure: key.error });
    return key;
  }
}

const nameOf = ({ companyId, keyringId, version }: CompanyKeyContext): string => `${companyId}|${keyringId}|${version}`;
