// Kept company keys for callers: looked for only where a data key's version was found gone twice, which in a store that was never torn does
// not happen. A cache of their own, apart from the one that writers and exports use: nothing is ever written under a kept key (invariant 3).
// An entry ends with that of the key that it was opened by, so that a denial of the provider in force closes both at once (invariant 9).
import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { KEYSWITCH } from '../domain/audit.ts';
import type { CompanyKeyContext } from '../domain/company-key.ts';
import { openKeptKey } from '../domain/kept-key.ts';
import type { Failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { keptKeyRowKey } from '../domain/rows/row-keys.ts';
import { recordEvent, type Recording } from './audit/record-event.ts';
import type { CompanyKeyCache, CompanyKeyProblem } from './company-key-cache.ts';
import { loadKeptKey } from './control-state.ts';
import type { Clock, Log, Tables } from './ports.ts';
import { forged } from './seals.ts';

export interface KeyUntil {
  readonly key: KeyObject;
  readonly expiresAtMs: number;
}

const MAX_ENTRIES = 1_000;

/**
 * The kept company key of a version (invariant A5), by way of the chain that it hangs by. `parentOf` answers company keys that are in force or in use;
 * where it knows none, the next link is a kept key too. `gone`: nothing is kept of that version, or of one that it hangs by.
 */
export async function openKept<P extends { readonly type: string }>(
  deps: { readonly tables: Pick<Tables, 'read'>; readonly log: Log },
  context: CompanyKeyContext,
  way: {
    readonly parentOf: (version: number) => Promise<Result<KeyUntil, P | { readonly type: 'gone' }>>;
    readonly asProblem: (failure: Failure) => P;
  },
  opening: readonly number[] = [],
): Promise<Result<KeyUntil, P | { readonly type: 'gone' }>> {
  const row = await loadKeptKey(deps.tables, context);
  const { companyId, keyringId, version } = context;
  // A chain has a link for each end of a switch, however many there were; one that comes back to itself is somebody's who wrote past Keyswitch.
  if (!row || opening.includes(version)) return err({ type: 'gone' });
  const rowKey = keptKeyRowKey(keyringId, version);
  if (!row.value) return err(way.asProblem(forged(deps.log, { companyId, rowKey })));
  const { under, blob } = row.value;
  const own = await way.parentOf(under);
  const isGone = !own.ok && own.error.type === 'gone';
  const parent = isGone
    ? await openKept(deps, { companyId, keyringId, version: under }, way, [...opening, version])
    : own;
  if (!parent.ok) return parent;
  const key = openKeptKey({ under: parent.value.key, context: { companyId, keyringId, version, under }, blob });
  if (!key) return err(way.asProblem(forged(deps.log, { companyId, rowKey })));
  return ok({ key, expiresAtMs: parent.value.expiresAtMs });
}

/** A healthy store has no use of a kept key: each is in the log, and in the record as often as its limit lets it. */
export async function alarmKeptKey(
  deps: Recording,
  { companyId, keyringId, version }: CompanyKeyContext,
  use: { readonly by: 'reader' | 'pass' | 'decision'; readonly dataKeys: number },
): Promise<void> {
  const detail = { keyringId, version, ...use };
  deps.log.write({ level: 'error', event: 'security.kept-key-used', detail: { companyId, ...detail } });
  const target = keptKeyRowKey(keyringId, version);
  await recordEvent(deps, KEYSWITCH, {
    action: 'security.kept-key-used',
    companyId,
    target,
    detail,
    outcome: 'detected',
  });
}

export class KeptKeys {
  readonly #deps: Recording & { readonly clock: Clock };
  readonly #companyKeys: Pick<CompanyKeyCache, 'entry'>;
  readonly #entries = new LRUCache<string, KeyUntil>({ max: MAX_ENTRIES });

  constructor(deps: Recording & { readonly clock: Clock }, companyKeys: Pick<CompanyKeyCache, 'entry'>) {
    this.#deps = deps;
    this.#companyKeys = companyKeys;
  }

  async get(context: CompanyKeyContext): Promise<Result<KeyObject, CompanyKeyProblem>> {
    const { companyId, keyringId } = context;
    const name = `${companyId}|${keyringId}|${context.version}`;
    const held = this.#entries.get(name);
    if (held && held.expiresAtMs > this.#deps.clock.now().getTime()) return ok(held.key);
    const opened = await openKept<CompanyKeyProblem>(this.#deps, context, {
      parentOf: (version) => this.#companyKeys.entry({ companyId, keyringId, version }),
      asProblem: (failure) => ({ type: 'failure', failure }),
    });
    if (!opened.ok) return opened;
    this.#entries.set(name, opened.value);
    return ok(opened.value.key);
  }

  /** To be told whenever data keys were opened by one. */
  used(context: CompanyKeyContext, dataKeys: number): Promise<void> {
    return alarmKeptKey(this.#deps, context, { by: 'reader', dataKeys });
  }
}
