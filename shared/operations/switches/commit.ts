// The end of a switch in either direction: commit, and its mirror image, the end of a cancel. One transaction under ETags that were read before the
// shards were looked at, so it fails if anything that was true of them has changed.
import type { KeyObject } from 'node:crypto';
import { KEYSWITCH } from '../../domain/audit.ts';
import type { CompanyKeyRow, Wrap } from '../../domain/company-key.ts';
import { mayPass, type Failure } from '../../domain/failure.ts';
import type { KeptKey } from '../../domain/kept-key.ts';
import { withoutSwitch, type Keyring } from '../../domain/keyring.ts';
import type { Sealer } from '../../domain/ports.ts';
import { providerName, sameProvider } from '../../domain/provider.ts';
import { ok, type Result } from '../../domain/result.ts';
import { total } from '../../domain/shard-counts.ts';
import { DONE, failed, LOST_RACE, type StepFailure, type StepOutcome } from '../../domain/switch-machine.ts';
import { released, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import { actOnce, changeOnce } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import { loadKeptKey, loadSwitch } from '../../store/control-state.ts';
import { switchCells } from '../../store/rows/switch-rows.ts';
import { keptKeyRow } from '../../store/rows/kept-rows.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import type { Writes } from '../../store/tx.ts';
import { allowExport } from '../exports/export-state.ts';
import { companyKeyWrites, type Leaving } from '../keys/former-versions.ts';
import { keepUnder } from '../keys/keep-key.ts';
import { openWrap, wrapInForce, wrapOf, type CompanyKeyOpening } from '../keys/open-wrap.ts';
import { forged } from '../keys/seals.ts';
import { putInForce } from '../keys/make-wrap.ts';
import { takeEndedSwitchOff } from './agenda.ts';
import { loadEnding, lookAtEnd, type Ending, type EndReading, type FanOut, type Shards } from './ending.ts';
import { keptItemOf } from './sweep-kept.ts';
import { actOnSwitch, markEnd } from './switch-writes.ts';

export interface Committing extends EndReading, CompanyKeyOpening, Auditing, Leaving {
  readonly tables: Auditing['tables'];
  readonly clock: Auditing['clock'];
  readonly sealer: Sealer;
  /** Longer than an end's vault calls can take; then the lease of a worker that died is void. */
  readonly endLeaseMs: number;
  /** How long the old company key is kept at least, whatever the proof says. */
  readonly keepMs: number;
  /** For how long after a switch the company key can be exported without new verifications. */
  readonly exportAllowanceMs: number;
}

/** Ends the switch if nothing is left to do; `fan-out` names the shards that have work left. */
export async function commit(deps: Committing, place: SwitchPlace): Promise<StepOutcome | FanOut> {
  const ending = await loadEnding(deps, place);
  if ('type' in ending) return ending;
  const looked = await lookAtEnd(deps, place, ending);
  if ('type' in looked) return looked;
  const leased = await takeLease(deps, place, ending);
  if ('type' in leased) return leased;
  const end = await proveAndStore(deps, place, leased, looked.shards);
  // Release the lease: this worker did not commit, and the next one must not wait for it to expire.
  if (end.type !== 'done') await changeOnce(deps, (tx) => tx.replace(leased.sw, released(leased.sw.value)));
  return end;
}

/** Workers of several shards may find everything done at the same moment: one takes the lease, so that the vault is asked once. */
async function takeLease(deps: Committing, place: SwitchPlace, ending: Ending): Promise<Ending | StepOutcome> {
  const { sw } = ending;
  const now = deps.clock.now();
  const until = new Date(now.getTime() + deps.endLeaseMs).toISOString();
  const next = { ...sw.value, lease: { worker: deps.entropy.id(), until } };
  const leased = await changeOnce(deps, (tx) => tx.replace(sw, next));
  if (leased.ok) return { ...ending, sw: leased.value };
  // After a lost answer the row tells whose lease it holds. The whole row must be as written here, since a pause keeps the lease.
  const held = leased.error === 'no-answer' ? await loadSwitch(deps.tables, place) : undefined;
  return held && sameCells(held.value, next) ? { ...ending, sw: held } : LOST_RACE;
}

const sameCells = (a: Switch, b: Switch): boolean => JSON.stringify(switchCells(a)) === JSON.stringify(switchCells(b));

/**
 * Opens through its vault the wrap that will be the only one left, and the old company key too, so that it can be kept under the one that stays:
 * no store, not even one restored in parts, may lack the key of its rows.
 */
async function proveAndStore(
  deps: Committing,
  place: SwitchPlace,
  ending: Ending,
  shards: Shards,
): Promise<StepOutcome> {
  const { stays, goes, sw } = ending;
  const staying = await openedAnew(deps, place, ending, stays.value);
  if (!('key' in staying)) return staying;
  const [denied, going] = await Promise.all([
    heldByDenial(deps, place, ending),
    openedAnew(deps, place, ending, goes.value),
  ]);
  // invariant 9
  if (denied) return denied;
  const mayEnd = 'key' in going || (sw.value.endsWithoutKeeping === true && going.type === 'blocked');
  if (!mayEnd) return going.type === 'blocked' ? { ...going, ofKeeping: true } : going;
  const kept = 'key' in going ? keep(deps, place, ending, { going: going.key, staying: staying.key }) : undefined;
  const endedAt = deps.clock.now();
  const allowed = await allowance(deps, place, ending, endedAt);
  if (!allowed.ok) return failed(allowed.error, { side: 'target' });
  const inForce = await putInForce(deps.sealer, stays.value, staying.wrap);
  if (!inForce.ok) return failed(inForce.error, { side: 'target' });
  return store(deps, place, ending, { shards, kept, endedAt, allowed: allowed.value, wrap: inForce.value });
}

async function openedAnew(
  deps: Committing,
  place: SwitchPlace,
  { endsWith, sw }: Ending,
  row: CompanyKeyRow,
): Promise<{ readonly key: KeyObject; readonly wrap: Wrap } | StepFailure> {
  const side = sw.value.state === 're-protecting' && sw.value.kind === 'switch' ? 'target' : 'source';
  const wrap = wrapOf(row, endsWith);
  if (!wrap) {
    const rowKey = companyKeyRow.key(row);
    return failed(forged(deps.log, { companyId: place.companyId, rowKey }), { side });
  }
  const opened = await openWrap(deps, row, wrap);
  return opened.ok ? { key: opened.value, wrap } : failed(opened.error, { side });
}

/**
 * A denial by the vault in force stops the end as it stops the passes, until an admin of the company goes on over it: rows may have been moved before
 * the denial, and the switch may have waited long since. A vault that cannot be reached stops nothing.
 */
async function heldByDenial(
  deps: Committing,
  place: SwitchPlace,
  { goes, sw }: Ending,
): Promise<StepFailure | undefined> {
  const { state, kind, source, denialAccepted } = sw.value;
  if (kind !== 'switch' || state !== 're-protecting' || denialAccepted) return undefined;
  const wrap = wrapInForce(goes.value);
  if (!wrap || !sameProvider(wrap.ref, source)) {
    const rowKey = companyKeyRow.key(goes.value);
    return failed(forged(deps.log, { companyId: place.companyId, rowKey }), { side: 'source' });
  }
  const opened = await openWrap(deps, goes.value, wrap);
  return opened.ok || mayPass(opened.error) ? undefined : failed(opened.error, { side: 'source' });
}

function keep(
  deps: Committing,
  { companyId, keyringId }: SwitchPlace,
  { stays, goes, sw }: Ending,
  keys: { readonly going: KeyObject; readonly staying: KeyObject },
): KeptKey {
  const context = { companyId, keyringId, version: goes.value.version, under: stays.value.version };
  const reason = sw.value.state === 're-protecting' ? 'completed' : 'cancelled';
  return keepUnder(deps, context, { ...keys, reason, keepMs: deps.keepMs });
}

async function store(
  deps: Committing,
  place: SwitchPlace,
  ending: Ending,
  {
    shards,
    kept,
    endedAt,
    allowed,
    wrap,
  }: {
    readonly shards: Shards;
    readonly kept: KeptKey | undefined;
    readonly endedAt: Date;
    readonly allowed: ((tx: Writes) => void) | undefined;
    /** The only wrap that stays. */
    readonly wrap: Wrap;
  },
): Promise<StepOutcome> {
  const { company, keyring, sw, stays, goes, endsWith } = ending;
  const committed = sw.value.state === 're-protecting';
  // We hold the key itself, so a row that was planted in its place is replaced and does not stop the end.
  const planted = kept && (await loadKeptKey(deps.tables, kept));
  const next: Switch = {
    ...released(sw.value),
    state: committed ? 'completed' : 'cancelled',
    endedAt: endedAt.toISOString(),
    finalCounts: finalCounts(shards),
  };
  const nextKeyring: Keyring = committed
    ? { ...withoutSwitch(keyring.value), provider: endsWith, activeVersion: sw.value.toVersion, rollBacks: 0 }
    : { ...withoutSwitch(keyring.value), rollBacks: keyring.value.rollBacks + 1 };
  const keeps = kept ? { keptVersion: kept.version, keptUntil: kept.until } : { notKeptVersion: goes.value.version };
  const detail = {
    provider: providerName(endsWith),
    companyKeyVersion: stays.value.version,
    ...keeps,
    ...next.finalCounts,
  };
  const action = committed ? 'switch.completed' : 'switch.cancelled';
  const about = { actor: KEYSWITCH, ...actOnSwitch(action, place, detail) };
  // invariant 2: nothing that is stored opens by the provider that was left, except the key kept under the one that stays (invariant A5)
  const changes = [{ held: stays, next: { ...stays.value, wraps: [wrap] } }, { held: goes }];
  const writeCompanyKeys = await companyKeyWrites(deps, place.companyId, changes);
  const ended = await actOnce(deps, about, (tx) => {
    const { connectionId } = endsWith;
    if (connectionId !== undefined) tx.agenda({ kind: 'check', companyId: place.companyId, id: connectionId });
    if (kept) tx.agenda(keptItemOf(place));
    tx.replace(sw, next);
    tx.replace(keyring, nextKeyring);
    tx.guard(company);
    writeCompanyKeys(tx);
    if (kept) tx.put(keptKeyRow, kept, planted, kept);
    markEnd(tx, sw.value, ending);
    allowed?.(tx);
    return undefined;
  });
  if (!ended.ok) return LOST_RACE;
  if (kept && planted) forged(deps.log, { companyId: place.companyId, rowKey: keptKeyRow.key(kept) });
  await takeEndedSwitchOff(deps.tables, place);
  deps.log.write({ level: 'info', event: `switch.${next.state}`, detail: { ...place } });
  return DONE;
}

/** A switch forward shows that the company's data may come under this key, so it allows one export of the company key. */
const allowance = (
  deps: Committing,
  place: SwitchPlace,
  { sw }: Ending,
  endedAt: Date,
): Promise<Result<((tx: Writes) => void) | undefined, Failure>> =>
  sw.value.kind !== 'switch' || sw.value.state !== 're-protecting'
    ? Promise.resolve(ok(undefined))
    : allowExport(deps, place, new Date(endedAt.getTime() + deps.exportAllowanceMs));

function finalCounts(shards: Shards): NonNullable<Switch['finalCounts']> {
  const sum = (count: (shard: NonNullable<Shards[number]>) => number): number =>
    shards.reduce((all, shard) => all + (shard ? count(shard) : 0), 0);
  return {
    total: sum(({ value }) => total(value)),
    quarantined: sum(({ value }) => value.quarantined),
    lost: sum(({ value }) => value.lost),
  };
}
