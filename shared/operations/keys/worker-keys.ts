// The company keys for a switch's workers. Unlike callers, a worker may use the guard wrap if the vault in force cannot be reached, or if an admin chose to
// go on although it denies. A cache of its own, so guard wraps never reach callers; the second pass unwraps its key again once per process and
// generation, instead of trusting the key of the first pass.
import type { KeyObject } from 'node:crypto';
import type { CompanyKeyContext, CompanyKeyRow, Wrap } from '../../domain/company-key.ts';
import { ExpiringCache, type Kept } from '../../domain/expiring-cache.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import { failed, type StepFailure } from '../../domain/switch-machine.ts';
import { versionsOf, type Switch } from '../../domain/switch.ts';
import { loadReadableCompanyKey, openWrap, wrapInForce, type CompanyKeyOpening } from './open-wrap.ts';
import { openKept } from './kept-keys.ts';
import type { Clock } from '../../domain/ports.ts';
import { companiesOf, type KeyHolder } from './denials.ts';
import { forged } from './seals.ts';
import { checkSwitch } from './switch-seal.ts';

/** `gone`: the worker is out of date. */
export type WorkerKeyProblem = { readonly type: 'gone' } | StepFailure;

/** `rewrap` keys prefer the wrap in force; `verify` prefers the wrap that will be in force when the switch ends. */
export type WorkerKeyUse = 'rewrap' | 'verify';

const MAX_ENTRIES = 1_000;

/** The key of a version that the switch does not move. */
export interface OtherKey {
  readonly key: KeyObject;
  readonly isKept: boolean;
}

const nameOf = (
  companyId: string,
  sw: Switch,
  { version, use }: { readonly version: number; readonly use: WorkerKeyUse },
): string => [companyId, sw.keyringId, sw.switchId, sw.generation, version, use].join('|');

export class WorkerKeys implements KeyHolder {
  readonly #opening: CompanyKeyOpening & { readonly clock: Clock };
  readonly #keys: ExpiringCache<KeyObject, WorkerKeyProblem>;
  /** Each ends with the key that opened it, so it has no time of its own. */
  readonly #kept: ExpiringCache<KeyObject, WorkerKeyProblem>;

  constructor(opening: CompanyKeyOpening & { readonly clock: Clock }, { ttlMs }: { readonly ttlMs: number }) {
    this.#opening = opening;
    this.#keys = new ExpiringCache(opening.clock, { ttlMs, maxEntries: MAX_ENTRIES });
    this.#kept = new ExpiringCache(opening.clock, { ttlMs: Infinity, maxEntries: MAX_ENTRIES });
  }

  /** Whether this key is cached, so that no vault has to be asked. */
  isAtHand(companyId: string, sw: Switch, wanted: { readonly version: number; readonly use: WorkerKeyUse }): boolean {
    return this.#keys.peek(nameOf(companyId, sw, wanted)) !== undefined;
  }

  get(
    companyId: string,
    sw: Switch,
    wanted: { readonly version: number; readonly use: WorkerKeyUse },
  ): Promise<Result<KeyObject, WorkerKeyProblem>> {
    return this.#keys.get(nameOf(companyId, sw, wanted), () => this.#open(companyId, sw, wanted));
  }

  /**
   * The company key of a version that the switch does not move: one whose row still exists, or a kept one. Cached apart from the others, and never longer
   * than the key that opened it. `gone`: there is none.
   */
  async other(companyId: string, sw: Switch, version: number): Promise<Result<OtherKey, WorkerKeyProblem>> {
    const there = await this.get(companyId, sw, { version, use: 'rewrap' });
    if (there.ok) return ok({ key: there.value, isKept: false });
    if (there.error.type !== 'gone') return there;
    const name = [companyId, sw.keyringId, sw.switchId, sw.generation, version].join('|');
    const kept = this.#kept.peek(name);
    if (kept) return ok({ key: kept.value, isKept: true });
    const context = { companyId, keyringId: sw.keyringId, version };
    const opened = await this.#kept.load(name, (endBy) =>
      openKept<WorkerKeyProblem>(this.#opening, context, {
        parentOf: (under) => this.#until(companyId, sw, under),
        asProblem: (failure) => failed(failure, { side: 'source' }),
        endBy,
      }),
    );
    return opened.ok ? ok({ key: opened.value, isKept: true }) : opened;
  }

  get holdsKeys(): boolean {
    return this.#keys.mayHold || this.#kept.mayHold;
  }

  /** Drops those of companies for which a vault has denied: the next page asks the vaults, and stops if the one in force denies. */
  forget(denied: ReadonlySet<string>): void {
    const companies = companiesOf(denied);
    const isTheirs = (name: string): boolean => companies.has(name.slice(0, name.indexOf('|')));
    this.#keys.forgetAll(isTheirs);
    this.#kept.forgetAll(isTheirs);
  }

  async #until(companyId: string, sw: Switch, version: number): Promise<Result<Kept<KeyObject>, WorkerKeyProblem>> {
    const wanted = { version, use: 'rewrap' } as const;
    const key = await this.get(companyId, sw, wanted);
    if (!key.ok) return key;
    const kept = this.#keys.peek(nameOf(companyId, sw, wanted));
    return ok({ value: key.value, endsAtMs: kept?.value === key.value ? kept.endsAtMs : 0 });
  }

  async #open(
    companyId: string,
    sw: Switch,
    wanted: { readonly version: number; readonly use: WorkerKeyUse },
  ): Promise<Result<KeyObject, WorkerKeyProblem>> {
    const context = { companyId, keyringId: sw.keyringId, version: wanted.version };
    const row = await loadReadableCompanyKey(this.#opening, context);
    if (!row.ok) return err(failed(row.error, { side: 'source' }));
    if (!row.value) return err({ type: 'gone' });
    let problem: WorkerKeyProblem | undefined;
    for (const wrap of inOrder(row.value.value, sw, wanted.use)) {
      const key = await openWrap(this.#opening, context, wrap);
      if (key.ok) return key;
      const found = problemWith(sw, wrap, key.error);
      if (found.type === 'blocked') {
        if (!mayUseOther(sw, wrap, key.error)) return err(found);
        const granted = await this.#checkGrant(companyId, sw);
        if (!granted.ok) return granted;
      }
      problem = problem?.type === 'retry' ? problem : found;
    }
    return err(problem ?? this.#notOurs(context));
  }

  /** To go on over a denial is an admin's order, which is sealed with the switch. */
  async #checkGrant(companyId: string, sw: Switch): Promise<Result<void, WorkerKeyProblem>> {
    if (!sw.denialAccepted) return ok(undefined);
    const { keyringId, switchId } = sw;
    const checked = await checkSwitch(this.#opening, { companyId, keyringId, switchId }, sw);
    if (checked.ok) return checked;
    return err(failed(checked.error, { side: 'source' }));
  }

  /** Every row of ours has a wrap in force. One without was tampered with, and those who wait for the switch are told. */
  #notOurs(context: CompanyKeyContext): WorkerKeyProblem {
    const { companyId } = context;
    return failed(forged(this.#opening.log, { companyId, rowKey: companyKeyRow.key(context) }), { side: 'source' });
  }
}

/**
 * Which wrap to try first. With one wrap (a re-key) there is no choice. Empty if none is in force: the one whose vault may deny was removed by
 * tampering.
 */
function inOrder(row: CompanyKeyRow, sw: Switch, use: WorkerKeyUse): readonly Wrap[] {
  if (!wrapInForce(row)) return [];
  const inForceFirst = use === 'rewrap' || versionsOf(sw).writeVersion === sw.fromVersion;
  const rank = (wrap: Wrap): number => ((wrap.guard !== true) === inForceFirst ? 0 : 1);
  return [...row.wraps].sort((a, b) => rank(a) - rank(b));
}

const problemWith = (sw: Switch, wrap: Wrap, failure: Failure): StepFailure =>
  failed(failure, { side: sw.kind === 'rekey' || wrap.guard !== true ? 'source' : 'target' });

/**
 * A denial by the vault in force stops the switch until an admin decides: callers fail closed, and so must the switch. A denial by the other vault does
 * not, while the one in force still opens: the end of the switch will meet it. A forged row always stops it.
 */
function mayUseOther(sw: Switch, wrap: Wrap, failure: Failure): boolean {
  if (failure.kind !== 'denied') return false;
  return wrap.guard === true || sw.denialAccepted;
}
