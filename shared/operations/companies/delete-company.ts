// Deleting a company. Every shard of every keyring is closed to new live keys, then counted: with keys in use or restorable it turns
// back, without it goes on until nothing is left but a closed row and the record of events. Whoever calls again, or the timer, goes on
// where it stopped.
//
// Nothing but `closing` on the company's row is needed to be safe. A shard closed while the company is `closing` stays closed (it is
// opened only by who reads the company as `active` after it), so its live keys only get fewer; and the row's ETag, read before the
// shards were looked at, lets one outcome win. Once that is `decided`, nothing turns back. The lease on the row keeps others from doing
// the same work beside it, no more.
import { KEYSWITCH, type Actor } from '../../domain/audit.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { COMPANY_ROW_KEY, rowKeysUnder } from '../../store/rows/row-keys.ts';
import type { Closing, Company, Keyring } from '../../domain/keyring.ts';
import { putOnAgenda, renewOnAgenda, takeOffAgenda, type AgendaItem } from '../../store/agenda.ts';
import type { Auditing } from '../../store/append.ts';
import { audited, settleAct, type ActRecord } from '../../store/audited.ts';
import type { ClockGuard } from '../../store/clock-guard.ts';
import { closeShards, countUndeletable, lookThroughShards, reopenShards } from './company-shards.ts';
import { listAll, loadCompany, loadCompanyRow, loadKeyring, type Loaded } from '../../store/control-state.ts';
import { loadKeyrings } from '../keyrings/keyrings.ts';
import { matches } from '../../domain/preconditions.ts';
import { settleRaces, undecided, type Undecided } from '../../store/races.ts';
import { removeCompany } from './remove-company.ts';
import { guardCompany, replaceCompany } from '../../store/control-writes.ts';

export interface CompanyDeleting extends Auditing {
  readonly clockGuard: ClockGuard;
}

/** `deleting`: decided or being decided, and gone on with by the timer, or by the same call again. */
export type CompanyDeletion = 'deleted' | 'deleting';

export const COMPANY_PURGE_ID = 'company';
/** How long one call goes on removing rows. */
const BUDGET_MS = 20_000;
/** Longer than one call works: whoever finds it over takes the work for left behind. */
const LEASE_MS = 30_000;
/** How long a call looks on while another one does the work. */
const LOOKS = 20;
const BETWEEN_LOOKS_MS = 60;

interface Asked {
  readonly companyId: string;
  readonly ifMatch?: string;
}

/** A company that is closed already has been deleted. Throws StoreUnavailable. */
export async function deleteCompany(
  deps: CompanyDeleting,
  input: Asked,
  actor: Actor,
): Promise<Result<CompanyDeletion, Refusal>> {
  const { companyId } = input;
  const worker = deps.entropy.id();
  const act = { action: 'company.delete', companyId, target: COMPANY_ROW_KEY };
  const begun = await audited(deps, actor, act, (record) =>
    settleAct<Company>(deps, record, () => tryBegin(deps, input, { worker, record })),
  );
  if (!begun.ok) return begun;
  if (begun.value.state === 'closed') return ok('deleted');
  // Where another began it, in a store that was laid back without its agenda: this call may be the only one that knows.
  if (begun.value.closing?.worker !== worker) await putOnAgenda(deps.tables, agendaItemOf(companyId));
  return workOrLookOn(deps, { companyId, worker, looks: LOOKS });
}

/** Called by the timer, for a company whose delete stopped half way. Leaves it to another call that is at work. */
export const goOnDeleting = (
  deps: CompanyDeleting,
  { companyId }: { readonly companyId: string },
): Promise<Result<CompanyDeletion, Refusal>> => workOrLookOn(deps, { companyId, worker: deps.entropy.id(), looks: 0 });

const agendaItemOf = (companyId: string): AgendaItem => ({ kind: 'purge', companyId, id: COMPANY_PURGE_ID });

/** Whatever begins a switch or makes a keyring carries the company's ETag too, so it comes before this or not at all. */
async function tryBegin(
  deps: CompanyDeleting,
  { companyId, ifMatch }: Asked,
  { worker, record }: { readonly worker: string; readonly record: ActRecord },
): Promise<Result<Company, Refusal> | Undecided> {
  const now = deps.clock.now();
  const company = await loadCompanyRow(deps.tables, companyId);
  if (!company) return err(notFound('company', companyId));
  if (company.value.state !== 'active') return ok(company.value);
  // It was begun by this very call, whose answer was lost, and has turned back since.
  if (await record.landed()) return ok(company.value);
  if (!matches(ifMatch, company.etag)) return err({ type: 'precondition-failed', what: 'company', id: companyId });
  const keyrings = await loadKeyrings(deps.tables, companyId);
  for (const { value } of keyrings) {
    if (value.switchId !== undefined) return err({ type: 'switch-in-progress', switchId: value.switchId });
  }
  // What is refused anyway closes nothing. It is decided below, with the shards closed.
  const undeletable = await countUndeletable(deps, companyId, keyrings);
  if (undeletable) return err(undeletable);
  deps.clockGuard.assertAgrees(now);
  // Behind the company's row: `forgetDelete` counts on it.
  await renewOnAgenda(deps.tables, agendaItemOf(companyId));
  const closing: Company = { ...company.value, state: 'closing', closing: leaseOf(deps, worker, false) };
  const written = await record.write('companies', companyId, [replaceCompany(company, closing)]);
  return written.outcome === 'committed' ? ok(closing) : undecided(written);
}

const leaseOf = (deps: CompanyDeleting, worker: string, decided: boolean): Closing => ({
  decided,
  worker,
  until: new Date(deps.clock.now().getTime() + LEASE_MS).toISOString(),
});

interface Work {
  readonly companyId: string;
  readonly worker: string;
  readonly looks: number;
}

/** Does the work if nobody else does. Otherwise it looks on for a while, and answers what came of it, or that it goes on. */
async function workOrLookOn(deps: CompanyDeleting, work: Work): Promise<Result<CompanyDeletion, Refusal>> {
  const deadline = new Date(deps.clock.now().getTime() + BUDGET_MS);
  for (let looks = 0; ; looks += 1) {
    const company = await loadCompany(deps.tables, work.companyId);
    if (!company) return ended(deps, work.companyId);
    const { closing } = company.value;
    if (!closing) return turnedBack(deps, work.companyId);
    const isFree = closing.worker === work.worker || closing.until <= deps.clock.now().toISOString();
    if (isFree) return doWork(deps, work, deadline);
    if (looks >= work.looks) return ok('deleting');
    await deps.timers.sleep(BETWEEN_LOOKS_MS);
  }
}

/** What could not be done this time is not undone: it is `deleting` still. */
async function doWork(deps: CompanyDeleting, work: Work, deadline: Date): Promise<Result<CompanyDeletion, Refusal>> {
  const done = await settleRaces(deps, () => tryDelete(deps, work, deadline));
  const isOver = done.ok ? done.value === 'deleted' : done.error.type !== 'busy';
  if (isOver) return done;
  await release(deps, work);
  return ok('deleting');
}

/** So that the next call goes on at once. Losing the race is harmless: the lease runs out. */
async function release(deps: CompanyDeleting, { companyId, worker }: Work): Promise<void> {
  const company = await loadCompany(deps.tables, companyId);
  if (company?.value.closing?.worker !== worker) return;
  const closing: Closing = { ...company.value.closing, worker: '', until: '' };
  await deps.tables.write('companies', companyId, [replaceCompany(company, { ...company.value, closing })]);
}

async function ended(deps: CompanyDeleting, companyId: string): Promise<Result<CompanyDeletion, Refusal>> {
  await forgetDelete(deps, companyId);
  return ok('deleted');
}

/**
 * The row of the agenda is read, then the company, whose ETag is moved, and then the row goes. A delete reads the company, renews the row and then
 * says `closing` under that ETag: if it came to the row before it was read here, that ETag no longer holds; if after, this one takes nothing off. So a
 * company that is `closing` is on the agenda, wherever either of them dies.
 */
const forgetDelete = ({ tables }: CompanyDeleting, companyId: string): Promise<void> =>
  takeOffAgenda(tables, agendaItemOf(companyId), async () => {
    const company = await loadCompany(tables, companyId);
    if (!company) return true;
    if (company.value.state === 'closing') return false;
    const moved = await tables.write('companies', companyId, [guardCompany(company)]);
    return moved.outcome === 'committed';
  });

async function tryDelete(
  deps: CompanyDeleting,
  { companyId, worker }: Work,
  deadline: Date,
): Promise<Result<CompanyDeletion, Refusal> | Undecided> {
  const now = deps.clock.now();
  const found = await loadCompany(deps.tables, companyId);
  if (!found) return ended(deps, companyId);
  if (!found.value.closing) return turnedBack(deps, companyId);
  deps.clockGuard.assertAgrees(now);
  const leased = await lease(deps, found, worker);
  if (typeof leased === 'string') return leased;
  const decided = leased.value.closing?.decided === true ? leased : await decide(deps, leased, worker);
  if (typeof decided === 'string' || !('etag' in decided)) return decided;
  const keyrings = await loadKeyrings(deps.tables, companyId);
  const removed = await removeCompany(deps, { companyId, keyrings, deadline });
  if (removed === 'removed') return ended(deps, companyId);
  return removed === 'out-of-time' || removed === 'later' ? ok('deleting') : removed;
}

async function lease(
  deps: CompanyDeleting,
  company: Loaded<Company>,
  worker: string,
): Promise<Loaded<Company> | Undecided> {
  const { closing } = company.value;
  if (closing?.worker === worker && closing.until > deps.clock.now().toISOString()) return company;
  const value: Company = { ...company.value, closing: leaseOf(deps, worker, closing?.decided ?? false) };
  const written = await deps.tables.write('companies', company.value.companyId, [replaceCompany(company, value)]);
  return written.outcome === 'committed' ? { value, etag: written.etags[0] ?? '' } : undecided(written);
}

/** The company once it is decided that it goes; the refusal if it has turned back. */
async function decide(
  deps: CompanyDeleting,
  company: Loaded<Company>,
  worker: string,
): Promise<Loaded<Company> | Result<never, Refusal> | Undecided> {
  const { companyId } = company.value;
  const keyrings = await loadKeyrings(deps.tables, companyId);
  if (await lacksOne(deps, company.value, keyrings)) return 'lost-race';
  const closed = await closeShards(deps, companyId, keyrings);
  if (!closed.ok) return closed;
  const now = deps.clock.now();
  const undeletable = await lookThroughShards(deps, companyId, keyrings);
  if (!undeletable) {
    deps.clockGuard.assertAgrees(now);
    // From here on nobody can find a key in use, and nobody who found one before can turn back.
    const value: Company = { ...company.value, closing: leaseOf(deps, worker, true) };
    const written = await deps.tables.write('companies', companyId, [replaceCompany(company, value)]);
    return written.outcome === 'committed' ? { value, etag: written.etags[0] ?? '' } : undecided(written);
  }
  const active: Company = { ...company.value, state: 'active', closing: undefined };
  const act = { action: 'company.delete-turned-back', companyId, target: COMPANY_ROW_KEY };
  const written = await audited(deps, KEYSWITCH, act, (record) =>
    record.write('companies', companyId, [replaceCompany(company, active)]),
  );
  return written.outcome === 'committed' ? turnedBack(deps, companyId, undeletable) : undecided(written);
}

/** Whether a list of keyrings, whose keys go with the company, has left one out: by the company's own row, and by the company keys. */
async function lacksOne(
  { tables }: CompanyDeleting,
  { companyId, defaultKeyring }: Company,
  keyrings: readonly Loaded<Keyring>[],
): Promise<boolean> {
  const listed = new Set(keyrings.map(({ value }) => value.keyringId));
  if (!listed.has(defaultKeyring) && (await loadKeyring(tables, { companyId, keyringId: defaultKeyring }))) return true;
  const range = rowKeysUnder('companykey|');
  const companyKeys = await listAll(tables, { table: 'companies', partitionKey: companyId, ...range });
  return companyKeys.some(({ rowKey }) => !listed.has(rowKey.split('|')[1] ?? ''));
}

/** Says why: as it was found, or as it is now. */
async function turnedBack(deps: CompanyDeleting, companyId: string, why?: Refusal): Promise<Result<never, Refusal>> {
  const keyrings = await loadKeyrings(deps.tables, companyId);
  await reopenShards(deps, companyId, keyrings);
  await forgetDelete(deps, companyId);
  const refusal = why ?? (await countUndeletable(deps, companyId, keyrings));
  return err(refusal ?? { type: 'busy', retryAfterSeconds: 1 });
}
