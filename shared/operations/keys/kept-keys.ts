// Kept company keys for callers: looked for only if a data key's version was missing twice, which happens only after a restore from copies of different
// instants. A cache apart from the one for writers and exports: nothing is ever written under a kept key (invariant 3). An entry ends with the key that
// opened it, so that a denial of the provider in force ends both at once (invariant 9).
import type { KeyObject } from 'node:crypto';
import { KEYSWITCH } from '../../domain/audit.ts';
import type { CompanyKeyContext } from '../../domain/company-key.ts';
import { ExpiringCache, type EndBy, type Kept } from '../../domain/expiring-cache.ts';
import { openKeptKey } from '../../domain/kept-key.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { keptKeyRow } from '../../store/rows/kept-rows.ts';
import { recordEvent, type Recording } from '../../store/record-event.ts';
import type { CompanyKeyCache, CompanyKeyProblem } from './company-key-cache.ts';
import { loadKeptKey } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock, Log } from '../../domain/ports.ts';
import { companiesOf, type KeyHolder } from './denials.ts';
import { forged } from './seals.ts';

const MAX_ENTRIES = 1_000;

/**
 * The kept company key of a version (invariant A5), by the chain of keys that open each other. `parentOf` answers company keys that are in force or in
 * use; if it has none, the next link is a kept key too. `gone`: that version, or a link to it, is not kept.
 */
export async function openKept<P extends { readonly type: string }>(
  deps: { readonly tables: Pick<Tables, 'read'>; readonly log: Log },
  context: CompanyKeyContext,
  way: {
    readonly parentOf: (version: number) => Promise<Result<Kept<KeyObject>, P | { readonly type: 'gone' }>>;
    readonly asProblem: (failure: Failure) => P;
    /** Told when the key at the start of the chain ends: what is opened by it must end no later. */
    readonly endBy: EndBy;
  },
  opening: readonly number[] = [],
): Promise<Result<KeyObject, P | { readonly type: 'gone' }>> {
  const row = await loadKeptKey(deps.tables, context);
  const { companyId, keyringId, version } = context;
  // A chain has a link for each ended switch, so its length has no limit. One that comes back to itself was not written by Keyswitch.
  if (!row || opening.includes(version)) return err({ type: 'gone' });
  const rowKey = keptKeyRow.key(context);
  if (!row.value) return err(way.asProblem(forged(deps.log, { companyId, rowKey })));
  const { under, blob } = row.value;
  const own = await way.parentOf(under);
  if (own.ok) way.endBy(own.value.endsAtMs);
  const parent = own.ok
    ? ok(own.value.value)
    : own.error.type === 'gone'
      ? await openKept(deps, { companyId, keyringId, version: under }, way, [...opening, version])
      : own;
  if (!parent.ok) return parent;
  const key = openKeptKey({ under: parent.value, context: { companyId, keyringId, version, under }, blob });
  return key ? ok(key) : err(way.asProblem(forged(deps.log, { companyId, rowKey })));
}

/** A healthy store needs no kept key: each use is logged, and recorded as often as the limit allows. */
export async function alarmKeptKey(
  deps: Recording,
  { companyId, keyringId, version }: CompanyKeyContext,
  use: { readonly by: 'reader' | 'pass' | 'decision'; readonly dataKeys: number },
): Promise<void> {
  const detail = { keyringId, version, ...use };
  deps.log.write({ level: 'error', event: 'security.kept-key-used', detail: { companyId, ...detail } });
  const target = keptKeyRow.key({ companyId, keyringId, version });
  await recordEvent(deps, KEYSWITCH, {
    action: 'security.kept-key-used',
    companyId,
    target,
    detail,
    outcome: 'detected',
  });
}

export class KeptKeys implements KeyHolder {
  readonly #deps: Recording & { readonly clock: Clock };
  readonly #companyKeys: Pick<CompanyKeyCache, 'entry'>;
  /** Each ends with the key that opened it, so it has no time of its own. */
  readonly #keys: ExpiringCache<KeyObject, CompanyKeyProblem>;

  constructor(deps: Recording & { readonly clock: Clock }, companyKeys: Pick<CompanyKeyCache, 'entry'>) {
    this.#deps = deps;
    this.#companyKeys = companyKeys;
    this.#keys = new ExpiringCache(deps.clock, { ttlMs: Infinity, maxEntries: MAX_ENTRIES });
  }

  async get(context: CompanyKeyContext): Promise<Result<KeyObject, CompanyKeyProblem>> {
    const { companyId, keyringId } = context;
    const name = `${companyId}|${keyringId}|${context.version}`;
    const kept = this.#keys.peek(name);
    if (kept) return ok(kept.value);
    return this.#keys.load(name, (endBy) =>
      openKept<CompanyKeyProblem>(this.#deps, context, {
        parentOf: (version) => this.#companyKeys.entry({ companyId, keyringId, version }),
        asProblem: (failure) => ({ type: 'failure', failure }),
        endBy,
      }),
    );
  }

  get holdsKeys(): boolean {
    return this.#keys.mayHold;
  }

  /** Drops those of the companies: the keys that opened them were denied. */
  forget(denied: ReadonlySet<string>): void {
    const companies = companiesOf(denied);
    this.#keys.forgetAll((name) => companies.has(name.slice(0, name.indexOf('|'))));
  }

  /** Call it whenever data keys were opened by a kept key. */
  used(context: CompanyKeyContext, dataKeys: number): Promise<void> {
    return alarmKeptKey(this.#deps, context, { by: 'reader', dataKeys });
  }
}
