// The company keys for callers' requests: opened through the wrap in force only, kept for at most the promised revocation time. Only successes are kept;
// a thousand cold callers cause one unwrap (invariant 8). Keys are kept, rows never (invariant A8). Workers have their own cache (worker-keys.ts), so
// that a switch's guard wraps never fill this one. While a vault cannot be reached, keys that it opened before serve on (outage-bridge.ts).
import type { KeyObject } from 'node:crypto';
import type { CompanyKeyContext } from '../../domain/company-key.ts';
import { ExpiringCache, type EndBy, type Kept } from '../../domain/expiring-cache.ts';
import { isOutage, isRevocation, type Failure } from '../../domain/failure.ts';
import type { ProviderRef } from '../../domain/provider.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import { loadReadableCompanyKey, openThrough, verifyWrap, wrapInForce, type CompanyKeyOpening } from './open-wrap.ts';
import type { Clock } from '../../domain/ports.ts';
import type { ConnectionPlace } from '../../domain/connection.ts';
import type { AskedChecks } from './ask-check.ts';
import { companiesOf, denialName, type Denials, type KeyHolder } from './denials.ts';
import { OutageBridge, type OpenedKey } from './outage-bridge.ts';
import { forged } from './seals.ts';
import { VaultWaits } from './vault-waits.ts';

/** `gone`: the version no longer exists, so what asked for it is out of date. */
export type CompanyKeyProblem = { readonly type: 'gone' } | { readonly type: 'failure'; readonly failure: Failure };

/** As `CompanyKeyProblem`, with the provider that was asked to open its wrap. */
type Unopened = CompanyKeyProblem & { readonly ref?: ProviderRef };

const MAX_ENTRIES = 10_000;

type Deps = CompanyKeyOpening & {
  readonly clock: Clock;
  readonly denials: Denials;
  readonly askedChecks: Pick<AskedChecks, 'ask'>;
};

interface Options {
  readonly ttlMs: number;
  /** For so long after `ttlMs` a key may serve while its vault cannot be reached. 0: not at all. */
  readonly graceMs?: number;
  readonly maxEntries?: number;
  readonly vaultWaits?: Pick<VaultWaits, 'during'>;
}

export class CompanyKeyCache implements KeyHolder {
  readonly #opening: Deps;
  readonly #keys: ExpiringCache<OpenedKey, CompanyKeyProblem>;
  readonly #bridge: OutageBridge;
  readonly #vaultWaits: Pick<VaultWaits, 'during'>;
  /** Names whose key serves on in an outage while it is asked for anew. */
  readonly #renewals = new Set<string>();

  constructor(opening: Deps, options: Options) {
    const { ttlMs, graceMs = 0, maxEntries = MAX_ENTRIES } = options;
    this.#opening = opening;
    this.#vaultWaits = options.vaultWaits ?? new VaultWaits();
    this.#keys = new ExpiringCache(opening.clock, { ttlMs, maxEntries });
    this.#bridge = new OutageBridge(opening, { ttlMs, graceMs, maxEntries });
  }

  get holdsKeys(): boolean {
    return this.#keys.mayHold || this.#bridge.holdsKeys;
  }

  /** The company key of one version, from the cache or by one `unwrapKey`. */
  async get(context: CompanyKeyContext): Promise<Result<KeyObject, CompanyKeyProblem>> {
    const name = nameOf(context);
    const kept = this.#keys.peek(name);
    if (kept) {
      if (kept.value.renewAtMs !== undefined) this.#renew(context, kept.value.renewAtMs);
      return ok(kept.value.key);
    }
    const { companyId } = context;
    const opened = await this.#keys.get(name, (endBy) =>
      this.#vaultWaits.during(companyId, this.#load(context, endBy)),
    );
    return opened.ok ? ok(opened.value.key) : opened;
  }

  /** The same, with its end: what is opened by it must end no later. */
  async entry(context: CompanyKeyContext): Promise<Result<Kept<KeyObject>, CompanyKeyProblem>> {
    const key = await this.get(context);
    if (!key.ok) return key;
    const kept = this.#keys.peek(nameOf(context));
    // Dropped from the cache meanwhile: then what is opened by it serves only this once.
    return ok({ value: key.value, endsAtMs: kept?.value.key === key.value ? kept.endsAtMs : 0 });
  }

  /** In an outage callers do not wait for the next try: one of them begins it, and is served like the others. */
  #renew(context: CompanyKeyContext, renewAtMs: number): void {
    const name = nameOf(context);
    if (this.#nowMs() < renewAtMs || this.#renewals.has(name)) return;
    this.#renewals.add(name);
    this.#inBackground(context, () =>
      this.#keys.load(name, (endBy) => this.#load(context, endBy)).finally(() => this.#renewals.delete(name)),
    );
  }

  async #load(context: CompanyKeyContext, endBy: EndBy): Promise<Result<OpenedKey, CompanyKeyProblem>> {
    const begunMs = this.#nowMs();
    const opened = await this.#bridge.remember(nameOf(context), () => this.#open(context));
    if (opened.ok) return opened;
    const { error } = opened;
    if (error.type === 'gone' || error.ref === undefined) return err(error);
    const { connectionId } = error.ref;
    if (connectionId !== undefined) this.#tell({ companyId: context.companyId, connectionId }, error.failure);
    if (!isOutage(error.failure)) return err(error);
    const bridged = await this.#bridge.over(context, { name: nameOf(context), ref: error.ref, begunMs });
    if (!bridged) return err(error);
    endBy(bridged.endsAtMs);
    return ok(bridged.value);
  }

  /** What a vault in force has refused with is for others to know, and to look at. The caller does not wait for that. */
  #tell(place: ConnectionPlace, failure: Failure): void {
    if (isRevocation(failure))
      this.#inBackground(place, () => this.#opening.denials.add(place, failure.code, { again: true }));
    if (failure.kind === 'denied' || isOutage(failure))
      this.#inBackground(place, () => this.#opening.askedChecks.ask(place, isOutage(failure) ? 'outage' : 'denial'));
  }

  #inBackground(about: ConnectionPlace | CompanyKeyContext, work: () => Promise<unknown>): void {
    work().catch((error: unknown) => {
      const { companyId } = about;
      const { log } = this.#opening;
      if (error instanceof StoreUnavailable)
        log.write({ level: 'warning', event: 'store.unavailable', detail: { companyId, reason: error.message } });
      else {
        const detail = { companyId, error: error instanceof Error ? error.name : 'unknown' };
        log.write({ level: 'error', event: 'company-key.bug', detail });
      }
    });
  }

  async #open(context: CompanyKeyContext): Promise<Result<OpenedKey, Unopened>> {
    const row = await loadReadableCompanyKey(this.#opening, context);
    if (!row.ok) return err({ type: 'failure', failure: row.error });
    if (!row.value) return err({ type: 'gone' });
    const wrap = wrapInForce(row.value.value);
    if (!wrap) {
      const rowKey = companyKeyRow.key(context);
      return err({ type: 'failure', failure: forged(this.#opening.log, { companyId: context.companyId, rowKey }) });
    }
    // invariants 6 and A16: nothing is sent before the seal is verified
    const target = await verifyWrap(this.#opening, context, wrap);
    // The vault was not asked: an outage of the seal key says nothing of it, and is not bridged.
    if (!target.ok) return err({ type: 'failure', failure: target.error });
    const { ref } = wrap;
    const key = await openThrough(this.#opening, target.value, { context, wrap });
    return key.ok ? ok({ key: key.value, ref }) : err({ type: 'failure', failure: key.error, ref });
  }

  /**
   * Every key of these companies, also one that another vault opened: a switch may have ended since, and the vault now in force denies. Callers who come
   * now must ask it. In an outage of another vault the bridge serves on with what that one opened.
   */
  forget(denied: ReadonlySet<string>): void {
    const companies = companiesOf(denied);
    this.#keys.forgetAll((name) => companies.has(companyIn(name)));
    this.#bridge.forgetAll(
      (name, opened) => companies.has(companyIn(name)) && (opened === undefined || isThrough(denied, name, opened.ref)),
    );
  }

  #nowMs(): number {
    return this.#opening.clock.steadyMs();
  }
}

const nameOf = ({ companyId, keyringId, version }: CompanyKeyContext): string => `${companyId}|${keyringId}|${version}`;

const companyIn = (name: string): string => name.slice(0, name.indexOf('|'));

const isThrough = (denied: ReadonlySet<string>, name: string, { connectionId }: ProviderRef): boolean =>
  connectionId !== undefined && denied.has(denialName({ companyId: companyIn(name), connectionId }));
