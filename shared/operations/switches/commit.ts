// The end of a switch, in either direction: commit, and its mirror image, the end of a cancel. One transaction under ETags that
// were read before the shards were looked at, so nothing that was true of them can have changed without its failing.
import type { KeyObject } from 'node:crypto';
import { KEYSWITCH } from '../../domain/audit.ts';
import type { CompanyKeyRow, Wrap } from '../../domain/company-key.ts';
import type { Connection } from '../../domain/connection.ts';
import { mayPass, type Failure } from '../../domain/failure.ts';
import { keepKey, KEPT_KEY_NONCE_BYTES, openKeptKey, type KeptKey } from '../../domain/kept-key.ts';
import { type Company, type Keyring, withoutSwitch } from '../../domain/keyring.ts';
import { providerName, sameProvider, type ProviderRef } from '../../domain/provider.ts';
import { switchCells } from '../../store/rows/switch-rows.ts';
import { keptKeyCells } from '../../store/rows/kept-rows.ts';
import { companyKeyRowKey, keptKeyRowKey } from '../../store/rows/row-keys.ts';
import { companyKeyCells } from '../../store/rows/sealed-rows.ts';
import { ok, type Result } from '../../domain/result.ts';
import { total } from '../../domain/shard-counts.ts';
import type { WaitsFor } from '../../domain/switch-machine.ts';
import { isRunning, type Switch, released, type SwitchPlace } from '../../domain/switch.ts';
import { renewOnAgenda } from '../../store/agenda.ts';
import type { Auditing } from '../../store/append.ts';
import { audited } from '../../store/audited.ts';
import { loadReadableCompanyKey, openWrap, wrapInForce, wrapOf, type CompanyKeyOpening } from '../keys/open-wrap.ts';
import { loadCompany, loadKeptKey, loadKeyring, loadSwitch, type Loaded } from '../../store/control-state.ts';
import { loadExportState, writeExportState } from '../exports/export-state.ts';
import type { RowWrite } from '../../store/tables.ts';
import type { Sealer } from '../../domain/ports.ts';
import { forged } from '../keys/seals.ts';
import { loadShards, type LoadedShard } from '../../store/shard-rows.ts';
import { putInForce } from '../keys/wrap-company-key.ts';
import { countsDiffer } from '../../domain/counts-differ.ts';
import { decide, seen, type SideFailure } from './decide.ts';
import { keptItemOf } from './sweep-kept.ts';
import { takeEndedSwitchOff } from './agenda.ts';
import { checkSwitch } from '../keys/switch-seal.ts';
import { tenantsThatHold, type TenantReading } from './gate.ts';
import { actOnSwitch, loadConnectionsOf, marksAtEnd } from './switch-writes.ts';
import { guardCompany, replaceKeyring, replaceSwitch } from '../../store/control-writes.ts';

export interface Committing extends CompanyKeyOpening, Auditing, TenantReading {
  readonly tables: Auditing['tables'];
  readonly sealer: Sealer;
  /** Longer than the vault calls of an end can take; after that the lease of a worker that died is void. */
  readonly endLeaseMs: number;
  /** For so long the company key that goes is kept, whatever the proof says. */
  readonly keepMs: number;
  /** For so long after a switch the company key can be exported without verifying anew. */
  readonly exportAllowanceMs: number;
}

export type CommitOutcome =
  | { readonly type: 'finished' }
  /** These shards still have work. */
  | { readonly type: 'undone'; readonly shards: readonly number[] }
  | { readonly type: 'waits'; readonly for: WaitsFor }
  /** The switch moved on · others wrote first. */
  | { readonly type: 'stale' | 'lost-race' }
  /** A shard that is done counts rows elsewhere, or fewer than none: a company key that may be needed is not deleted. */
  | { readonly type: 'counts-differ'; readonly failure: Failure }
  | ({
      readonly type: 'failed';
      /** It is about the company key that goes, which could not be kept. */
      readonly ofKeeping?: true;
    } & SideFailure);

type Failed = Extract<CommitOutcome, { readonly type: 'failed' }>;

interface Ending {
  readonly company: Loaded<Company>;
  readonly keyring: Loaded<Keyring>;
  readonly sw: Loaded<Switch>;
  /** The company key that stays, and the one that goes. */
  readonly stays: Loaded<CompanyKeyRow>;
  readonly goes: Loaded<CompanyKeyRow>;
  readonly connections: readonly Loaded<Connection>[];
  readonly endsWith: ProviderRef;
}

export async function commit(deps: Committing, place: SwitchPlace): Promise<CommitOutcome> {
  const ending = await loadEnding(deps, place);
  if ('type' in ending) return ending;
  const sw = ending.sw.value;
  let shards: readonly (LoadedShard | undefined)[] = [];
  const decided = await decide(
    sw,
    { rows: 'read' },
    {
      seal: async () => seen('source', await checkSwitch(deps, place, sw), () => 'good' as const),
      // invariant A10: the ETags of the end were read before (loadEnding)
      shards: async () => {
        shards = await loadShards(deps.tables, { ...place, shardCount: ending.keyring.value.shardCount });
        return ok(shards.map((shard) => shard?.value));
      },
      // invariant A11
      // Counts because the company's row was read before, and stands in the transaction: tenants come and go by merging it. What was said of
      // this switch only grows until its end, and its connection, in the transaction too, cannot lead elsewhere.
      tenants: async () =>
        seen('target', await tenantsThatHold(deps, { companyId: place.companyId, sw }), ({ length }) => length),
      lease: () => Promise.resolve(ok(isHeld(sw, deps.clock.now()) ? ('held' as const) : ('free' as const))),
    },
  );
  if (!decided.ok) return { type: 'failed', ...decided.error };
  const then = decided.value;
  if (then.type === 'wait') return { type: 'waits', for: then.for };
  if (then.type === 'fan-out') return { type: 'undone', shards: then.shards };
  if (then.type === 'counts-differ')
    return {
      type: 'counts-differ',
      failure: countsDiffer(then.shards.flatMap((number) => shards[number]?.value ?? [])),
    };
  if (then.type !== 'step') return { type: 'stale' };
  const leased = await takeLease(deps, place, ending);
  if ('type' in leased) return leased;
  const end = await proveAndStore(deps, place, leased, shards);
  // Release the lease: this worker did not commit, and the next one must not wait for it to expire.
  if (end.type !== 'finished')
    await deps.tables.write('companies', place.companyId, [replaceSwitch(leased.sw, released(leased.sw.value))]);
  return end;
}

/** Another worker is about to end it. */
const isHeld = ({ lease }: Switch, now: Date): boolean => lease !== undefined && now < new Date(lease.until);

/** The workers of all shards may find everything done in the same moment: one goes on, so that the vault is asked once. */
async function takeLease(deps: Committing, place: SwitchPlace, ending: Ending): Promise<Ending | CommitOutcome> {
  const { sw } = ending;
  const now = deps.clock.now();
  const until = new Date(now.getTime() + deps.endLeaseMs).toISOString();
  const next = { ...sw.value, lease: { worker: deps.entropy.id(), until } };
  const written = await deps.tables.write('companies', place.companyId, [replaceSwitch(sw, next)]);
  if (written.outcome === 'committed') return { ...ending, sw: { value: next, etag: written.etags[0] ?? '' } };
  // After a lost answer the row says whose lease it holds; the whole row must be as written here, since a pause keeps the lease.
  const held = written.outcome === 'unknown' ? await loadSwitch(deps.tables, place) : undefined;
  return held && sameCells(held.value, next) ? { ...ending, sw: held } : { type: 'lost-race' };
}

const sameCells = (a: Switch, b: Switch): boolean => JSON.stringify(switchCells(a)) === JSON.stringify(switchCells(b));

async function loadEnding(deps: Committing, place: SwitchPlace): Promise<Ending | CommitOutcome> {
  const { tables } = deps;
  const [company, keyring, sw] = await Promise.all([
    loadCompany(tables, place.companyId),
    loadKeyring(tables, place),
    loadSwitch(tables, place),
  ]);
  if (!company || !keyring || !sw || !isRunning(sw.value) || keyring.value.switchId !== place.switchId)
    return { type: 'stale' };
  const { state, source, target, fromVersion, toVersion } = sw.value;
  const forward = state === 're-protecting';
  const stays = await loadReadableCompanyKey(deps, { ...place, version: forward ? toVersion : fromVersion });
  const goes = await loadReadableCompanyKey(deps, { ...place, version: forward ? fromVersion : toVersion });
  if (!stays.ok) return { type: 'failed', side: 'source', failure: stays.error };
  if (!goes.ok) return { type: 'failed', side: 'source', failure: goes.error };
  if (!stays.value || !goes.value) return { type: 'stale' };
  const endsWith = forward ? target : source;
  const refs = { needed: [endsWith], leaving: [forward ? source : target] };
  const connections = await loadConnectionsOf(deps, place.companyId, refs);
  if (!connections.ok) return { type: 'failed', side: forward ? 'target' : 'source', failure: connections.error };
  return {
    company,
    keyring,
    sw,
    stays: stays.value,
    goes: goes.value,
    connections: connections.value,
    endsWith,
  };
}

/**
 * The wrap that will be the only one left must open now, through its vault; and so must the key that goes, so that it can be kept under the
 * one that stays (design: no store, however torn, is ever without the key of its rows).
 */
async function proveAndStore(
  deps: Committing,
  place: SwitchPlace,
  ending: Ending,
  shards: readonly (LoadedShard | undefined)[],
): Promise<CommitOutcome> {
  const { stays, goes, sw } = ending;
  const staying = await openedAnew(deps, place, ending, stays.value);
  if (!('key' in staying)) return staying;
  const [denied, going] = await Promise.all([
    heldByDenial(deps, place, ending),
    openedAnew(deps, place, ending, goes.value),
  ]);
  // invariant 9
  if (denied) return denied;
  const mayEnd = 'key' in going || (sw.value.endsWithoutKeeping === true && !mayPass(going.failure));
  if (!mayEnd) return { ...going, ...(mayPass(going.failure) ? {} : { ofKeeping: true }) };
  const kept = 'key' in going ? keptRow(deps, place, ending, { going: going.key, staying: staying.key }) : undefined;
  if (kept === 'differs') throw new Error('a company key that was just kept does not open');
  const endedAt = deps.clock.now();
  const allowed = await allowance(deps, place, ending, endedAt);
  if (!allowed.ok) return { type: 'failed', side: 'target', failure: allowed.error };
  const inForce = await putInForce(deps.sealer, stays.value, staying.wrap);
  if (!inForce.ok) return { type: 'failed', side: 'target', failure: inForce.error };
  return store(deps, place, ending, { shards, kept, endedAt, allowed: allowed.value, wrap: inForce.value });
}

async function openedAnew(
  deps: Committing,
  place: SwitchPlace,
  { endsWith, sw }: Ending,
  row: CompanyKeyRow,
): Promise<{ readonly key: KeyObject; readonly wrap: Wrap } | Failed> {
  const side = sw.value.state === 're-protecting' && sw.value.kind === 'switch' ? 'target' : 'source';
  const wrap = wrapOf(row, endsWith);
  if (!wrap) {
    const rowKey = companyKeyRowKey(place.keyringId, row.version);
    return { type: 'failed', side, failure: forged(deps.log, { companyId: place.companyId, rowKey }) };
  }
  const opened = await openWrap(deps, row, wrap);
  return opened.ok ? { key: opened.value, wrap } : { type: 'failed', side, failure: opened.error };
}

/**
 * A denial by the vault in force holds the end as it holds the passes, until an admin of the company goes on over it: rows may have been moved before it
 * came, and a switch may have waited long since. One that is only away holds nothing.
 */
async function heldByDenial(deps: Committing, place: SwitchPlace, { goes, sw }: Ending): Promise<Failed | undefined> {
  const { state, kind, source, denialAccepted } = sw.value;
  if (kind !== 'switch' || state !== 're-protecting' || denialAccepted) return undefined;
  const wrap = wrapInForce(goes.value);
  if (!wrap || !sameProvider(wrap.ref, source)) {
    const rowKey = companyKeyRowKey(place.keyringId, goes.value.version);
    return { type: 'failed', side: 'source', failure: forged(deps.log, { companyId: place.companyId, rowKey }) };
  }
  const opened = await openWrap(deps, goes.value, wrap);
  return opened.ok || mayPass(opened.error) ? undefined : { type: 'failed', side: 'source', failure: opened.error };
}

/** Wrapped here, opened again and compared before the key itself goes. */
function keptRow(
  deps: Committing,
  { companyId, keyringId }: SwitchPlace,
  { stays, goes, sw }: Ending,
  { going, staying }: { readonly going: KeyObject; readonly staying: KeyObject },
): KeptKey | 'differs' {
  const context = { companyId, keyringId, version: goes.value.version, under: stays.value.version };
  const blob = keepKey({ going, staying, context, nonce: deps.entropy.bytes(KEPT_KEY_NONCE_BYTES) });
  if (openKeptKey({ under: staying, context, blob })?.equals(going) !== true) return 'differs';
  const now = deps.clock.now();
  return {
    ...context,
    blob,
    reason: sw.value.state === 're-protecting' ? 'completed' : 'cancelled',
    keptAt: now.toISOString(),
    until: new Date(now.getTime() + deps.keepMs).toISOString(),
  };
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
    readonly shards: readonly (LoadedShard | undefined)[];
    readonly kept: KeptKey | undefined;
    readonly endedAt: Date;
    readonly allowed: readonly RowWrite[];
    /** The only one that stays. */
    readonly wrap: Wrap;
  },
): Promise<CommitOutcome> {
  const { company, keyring, sw, stays, goes, connections, endsWith } = ending;
  const committed = sw.value.state === 're-protecting';
  // The key itself is at hand: a row that somebody put there past Keyswitch is written over, and holds up no end.
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
  const writes: RowWrite[] = [
    replaceSwitch(sw, next),
    replaceKeyring(keyring, nextKeyring),
    guardCompany(company),
    {
      kind: 'replace',
      rowKey: companyKeyRowKey(place.keyringId, stays.value.version),
      cells: companyKeyCells({ ...stays.value, wraps: [wrap] }),
      etag: stays.etag,
    },
    // invariant 2: nothing that is stored opens by the provider that is left, but what is kept under the key that stays (invariant A5)
    { kind: 'delete', rowKey: companyKeyRowKey(place.keyringId, goes.value.version), etag: goes.etag },
    ...(kept ? [keptWrite(kept, planted)] : []),
    ...marksAtEnd(sw.value, connections, endsWith),
    ...allowed,
  ];
  const { connectionId } = endsWith;
  if (connectionId !== undefined) {
    await renewOnAgenda(deps.tables, { kind: 'check', companyId: place.companyId, id: connectionId });
  }
  if (kept) await renewOnAgenda(deps.tables, keptItemOf(place));
  const keeps = kept ? { keptVersion: kept.version, keptUntil: kept.until } : { notKeptVersion: goes.value.version };
  const detail = {
    provider: providerName(endsWith),
    companyKeyVersion: stays.value.version,
    ...keeps,
    ...next.finalCounts,
  };
  const act = actOnSwitch(`switch.${next.state}`, place, detail);
  const written = await audited(deps, KEYSWITCH, act, (record) => record.write('companies', place.companyId, writes));
  if (written.outcome !== 'committed') return { type: 'lost-race' };
  if (kept && planted)
    forged(deps.log, { companyId: place.companyId, rowKey: keptKeyRowKey(place.keyringId, kept.version) });
  await takeEndedSwitchOff(deps.tables, place);
  deps.log.write({ level: 'info', event: `switch.${next.state}`, detail: { ...place } });
  return { type: 'finished' };
}

const keptWrite = (kept: KeptKey, planted: Loaded<unknown> | undefined): RowWrite => {
  const row = { rowKey: keptKeyRowKey(kept.keyringId, kept.version), cells: keptKeyCells(kept) };
  return planted ? { kind: 'replace', ...row, etag: planted.etag } : { kind: 'insert', ...row };
};

/** Whoever has just shown that the company's data may go under this key may take the company key out, once. */
async function allowance(
  deps: Committing,
  place: SwitchPlace,
  { sw }: Ending,
  endedAt: Date,
): Promise<Result<RowWrite[], Failure>> {
  if (sw.value.kind !== 'switch' || sw.value.state !== 're-protecting') return ok([]);
  const from = await loadExportState(deps, place);
  if (!from.ok) return from;
  const allowanceUntil = new Date(endedAt.getTime() + deps.exportAllowanceMs).toISOString();
  const to = { ...from.value.value, allowanceUntil };
  const written = await writeExportState(deps, place, { from: from.value, to });
  return written.ok ? ok([written.value]) : written;
}

function finalCounts(shards: readonly (LoadedShard | undefined)[]): NonNullable<Switch['finalCounts']> {
  const sum = (count: (shard: LoadedShard) => number): number =>
    shards.reduce((all, shard) => all + (shard ? count(shard) : 0), 0);
  return {
    total: sum(({ value }) => total(value)),
    quarantined: sum(({ value }) => value.quarantined),
    lost: sum(({ value }) => value.lost),
  };
}
