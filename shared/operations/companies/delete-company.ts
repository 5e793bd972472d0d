// Deletes a company. Closes every shard of every keyring to new live keys, then counts: with keys in use or restorable it turns back, otherwise
// it goes on until only a closed row and the record of events are left. A further call, or the timer, goes on where it stopped.
//
// Nothing but `closing` on the company's row is needed to be safe. A shard closed while the company is `closing` stays closed (it is opened only by
// who reads the company as `active` after it), so its live keys only get fewer; and the row's ETag, read before the shards were looked at, lets one
// outcome win. Once that is `decided`, nothing turns back. The lease on the row only keeps others from doing the same work beside it.
import { KEYSWITCH, type Actor } from '../../domain/audit.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { act, actOnce, change, changeOnce, type About } from '../../store/act.ts';
import { companyRow, everyCompanyRow } from '../../store/rows/company-rows.ts';
import { companyKeysOfCompany } from '../../store/rows/sealed-rows.ts';
import type { Closing, Company, Keyring } from '../../domain/keyring.ts';
import { putOnAgenda, takeOffAgenda, type AgendaItem } from '../../store/agenda.ts';
import type { Auditing } from '../../store/append.ts';
import type { ClockGuard } from '../../store/clock-guard.ts';
import { closeShards, countUndeletable, lookThroughShards, reopenShards } from './company-shards.ts';
import { loadCompany, loadCompanyRow, loadKeyring } from '../../store/control-state.ts';
import { list, type Found, type Loaded } from '../../store/found.ts';
import { loadKeyrings } from '../keyrings/keyrings.ts';
import { matches } from '../../domain/preconditions.ts';
import { keepStanding } from '../../store/standings.ts';
import type { Undecided } from '../../store/races.ts';
import { removeCompany } from './remove-company.ts';

export interface CompanyDeleting extends Auditing {
  readonly clockGuard: ClockGuard;
}

/** `deleting`: decided or being decided, and gone on with by the timer, or by the same call again. */
export type CompanyDeletion = 'deleted' | 'deleting';

export const COMPANY_PURGE_ID = 'company';
/** How long one call goes on removing rows. */
const BUDGET_MS = 20_000;
/** Longer than one call works: when it is over, the next caller treats the work as abandoned. */
const LEASE_MS = 30_000;
/** How often a call looks while another one does the work. */
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
  const begun = await begin(deps, input, { actor, worker });
  if (!begun.ok) return begun;
  if (begun.value.state === 'closed') return ok('deleted');
  // If another call began it, in a store restored without its agenda, this call may be the only one that can put it there.
  if (begun.value.closing?.worker !== worker) await putOnAgenda(deps.tables, agendaItemOf(companyId));
  return workOrLookOn(deps, { companyId, worker, looks: LOOKS });
}

/** Called by the timer, for a company whose delete stopped half way. Leaves it to another call that is at work. */
export const goOnDeleting = (
  deps: CompanyDeleting,
  { companyId }: { readonly companyId: string },
): Promise<Result<CompanyDeletion, Refusal>> => workOrLookOn(deps, { companyId, worker: deps.entropy.id(), looks: 0 });

const agendaItemOf = (companyId: string): AgendaItem => ({ kind: 'purge', companyId, id: COMPANY_PURGE_ID });

/** A call that begins a switch or creates a keyring also writes under the company's ETag, so it commits before this or not at all. */
function begin(
  deps: CompanyDeleting,
  { companyId, ifMatch }: Asked,
  { actor, worker }: { readonly actor: Actor; readonly worker: string },
): Promise<Result<Company, Refusal>> {
  return act<Company>(deps, aboutDelete(actor, 'company.delete', companyId), async (tx) => {
    const now = deps.clock.now();
    const company = await tx.find(everyCompanyRow, { companyId });
    if (!company) return err(notFound('company', companyId));
    if (company.value.state !== 'active') return ok(company.value);
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
    tx.agenda(agendaItemOf(companyId));
    const closing: Company = { ...company.value, state: 'closing', closing: leaseOf(deps, worker, false) };
    tx.replace(company, closing);
    return {
      done: () => closing,
      // It may have turned back since.
      ifLanded: async () => ok((await loadCompanyRow(deps.tables, companyId))?.value ?? closing),
    };
  });
}

const aboutDelete = (actor: Actor, action: string, companyId: string): About => ({
  actor,
  action,
  companyId,
  target: companyRow.key({ companyId }),
});

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

/** Does the work if no other call does. Otherwise looks on for a while, and answers the result, or that it goes on. */
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

/** If the work is not finished this time, the company stays `deleting`. */
async function doWork(deps: CompanyDeleting, work: Work, deadline: Date): Promise<Result<CompanyDeletion, Refusal>> {
  const done = await change(deps, () => tryDelete(deps, work, deadline));
  const isOver = done.ok ? done.value === 'deleted' : done.error.type !== 'busy';
  if (isOver) return done;
  await release(deps, work);
  return ok('deleting');
}

/** Releases the lease, so that the next call need not wait. A lost race is harmless: the lease runs out. */
async function release(deps: CompanyDeleting, { companyId, worker }: Work): Promise<void> {
  const company = await loadCompany(deps.tables, companyId);
  if (company?.value.closing?.worker !== worker) return;
  const closing: Closing = { ...company.value.closing, worker: '', until: '' };
  await changeOnce(deps, (tx) => void tx.replace(company, { ...company.value, closing }));
}

async function ended(deps: CompanyDeleting, companyId: string): Promise<Result<CompanyDeletion, Refusal>> {
  await keepStanding(deps, companyId);
  await forgetDelete(deps, companyId);
  return ok('deleted');
}

/**
 * The row of the agenda is read, then the company, whose ETag is moved, and then the row goes. A delete reads the company, renews the row and then
 * says `closing` under that ETag: if it came to the row before it was read here, that ETag no longer holds; if after, this one takes nothing off. So a
 * company that is `closing` is on the agenda, wherever either of them dies.
 */
const forgetDelete = (deps: CompanyDeleting, companyId: string): Promise<void> =>
  takeOffAgenda(deps.tables, agendaItemOf(companyId), async () => {
    const company = await loadCompany(deps.tables, companyId);
    if (!company) return true;
    if (company.value.state === 'closing') return false;
    return (await changeOnce(deps, (tx) => tx.guard(company))).ok;
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
  if (!leased.ok) return leased.error;
  const decided =
    leased.value.value.closing?.decided === true ? ok(undefined) : await decide(deps, leased.value, worker);
  if (typeof decided === 'string' || !decided.ok) return decided;
  const keyrings = await loadKeyrings(deps.tables, companyId);
  const removed = await removeCompany(deps, { companyId, keyrings, deadline });
  if (removed === 'removed') return ended(deps, companyId);
  return removed === 'out-of-time' || removed === 'later' ? ok('deleting') : removed;
}

async function lease(
  deps: CompanyDeleting,
  company: Found<Company>,
  worker: string,
): Promise<Result<Found<Company>, Undecided>> {
  const { closing } = company.value;
  if (closing?.worker === worker && closing.until > deps.clock.now().toISOString()) return ok(company);
  const value: Company = { ...company.value, closing: leaseOf(deps, worker, closing?.decided ?? false) };
  return changeOnce(deps, (tx) => tx.replace(company, value));
}

/** Decides whether the company goes; answers the refusal if the delete turned back. */
async function decide(
  deps: CompanyDeleting,
  company: Found<Company>,
  worker: string,
): Promise<Result<undefined, Refusal> | Undecided> {
  const { companyId } = company.value;
  const keyrings = await loadKeyrings(deps.tables, companyId);
  if (await lacksOne(deps, company.value, keyrings)) return 'lost-race';
  const closed = await closeShards(deps, companyId, keyrings);
  if (!closed.ok) return closed;
  const now = deps.clock.now();
  const undeletable = await lookThroughShards(deps, companyId, keyrings);
  if (!undeletable) {
    deps.clockGuard.assertAgrees(now);
    // From here on no caller can find a key in use, and none that found one before can turn the delete back.
    const value: Company = { ...company.value, closing: leaseOf(deps, worker, true) };
    const written = await changeOnce(deps, (tx) => void tx.replace(company, value));
    return written.ok ? written : written.error;
  }
  const written = await actOnce(deps, aboutDelete(KEYSWITCH, 'company.delete-turned-back', companyId), (tx) => {
    tx.replace(company, { ...company.value, state: 'active', closing: undefined });
  });
  return written.ok ? turnedBack(deps, companyId, undeletable) : written.error;
}

/** Whether a list of keyrings, whose keys go with the company, has left one out: by the company's own row, and by the company keys. */
async function lacksOne(
  { tables }: CompanyDeleting,
  { companyId, defaultKeyring }: Company,
  keyrings: readonly Loaded<Keyring>[],
): Promise<boolean> {
  const listed = new Set(keyrings.map(({ value }) => value.keyringId));
  if (!listed.has(defaultKeyring) && (await loadKeyring(tables, { companyId, keyringId: defaultKeyring }))) return true;
  const companyKeys = await list(tables, companyKeysOfCompany, { companyId });
  return companyKeys.some(({ place }) => !listed.has(place.keyringId));
}

/** Answers the reason: as it was found, or as it is now. */
async function turnedBack(deps: CompanyDeleting, companyId: string, why?: Refusal): Promise<Result<never, Refusal>> {
  const keyrings = await loadKeyrings(deps.tables, companyId);
  await reopenShards(deps, companyId, keyrings);
  await forgetDelete(deps, companyId);
  const refusal = why ?? (await countUndeletable(deps, companyId, keyrings));
  return err(refusal ?? { type: 'busy', retryAfterSeconds: 1 });
}
