// Deleting a company. Every shard of every keyring is closed to new live keys, then counted: with keys in use it turns back, without
// it goes on until nothing is left but the record of events. Whoever calls again, or the timer, goes on where it stopped.
//
// Nothing but `closing` on the company's row is needed to be safe. A shard closed while the company is `closing` stays closed (it is
// opened only by who reads the company as `active` after it), so its live keys only get fewer; and the row's ETag, read before the
// shards were looked at, lets one outcome win.
import pLimit from 'p-limit';
import { KEYSWITCH, type Actor } from '../domain/audit.ts';
import { notFound, type Refusal } from '../domain/refusal.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { COMPANY_ROW_KEY, dataKeysPartition } from '../domain/rows/row-keys.ts';
import type { Company, Keyring } from '../domain/keyring.ts';
import { putOnAgenda, renewOnAgenda, takeOffAgenda, type AgendaItem } from './agenda.ts';
import type { Auditing } from './audit/append.ts';
import { audited } from './audit/audited.ts';
import { takeOffIndex } from './company-index.ts';
import { loadCompany, type Loaded } from './control-state.ts';
import { reopenStaleShard } from './data-keys/reopen-stale-shard.ts';
import { loadKeyrings } from './keyrings.ts';
import type { RowWrite, Tables, WriteOutcome } from './ports.ts';
import { matches } from './preconditions.ts';
import { settleRaces, undecided, type Undecided } from './races.ts';
import { removeCompany } from './remove-company.ts';
import { loadShard, shardWrite, type ShardPlace } from './shard-rows.ts';
import { guardCompany, replaceCompany } from './switches/switch-writes.ts';

export type CompanyDeleting = Auditing;

/** `deleting`: decided, and gone on with by the timer, or by the same call again. */
export type CompanyDeletion = 'deleted' | 'deleting';

export const COMPANY_PURGE_ID = 'company';
const SHARDS_IN_FLIGHT = 16;
/** How long one call goes on removing rows. */
const BUDGET_MS = 20_000;

export async function deleteCompany(
  deps: CompanyDeleting,
  input: { readonly companyId: string; readonly ifMatch?: string },
  actor: Actor,
): Promise<Result<CompanyDeletion, Refusal>> {
  const act = { action: 'company.delete', companyId: input.companyId, target: COMPANY_ROW_KEY };
  let closing: Company | undefined;
  const begun = await audited(deps, actor, act, (record) =>
    settleRaces<Company>(deps, async () => {
      // Before all else: the company may be gone by now, and another made under its id, which nobody wants to delete.
      if (closing && (await record.landed())) return ok(closing);
      return tryBegin(deps, input, (company, write) => {
        closing = company;
        return record.write('companies', input.companyId, [write]);
      });
    }),
  );
  if (!begun.ok) return begun;
  // Whoever looked before it was closing, and is about to take off what an earlier company of this id has left there, finds another ETag.
  await renewOnAgenda(deps.tables, agendaItemOf(input.companyId));
  return goOnDeleting(deps, begun.value);
}

const agendaItemOf = (companyId: string): AgendaItem => ({ kind: 'purge', companyId, id: COMPANY_PURGE_ID });

/** Whatever begins a switch or makes a keyring carries the company's ETag too, so it comes before this or not at all. */
async function tryBegin(
  deps: CompanyDeleting,
  input: { readonly companyId: string; readonly ifMatch?: string },
  close: (closing: Company, write: RowWrite) => Promise<WriteOutcome>,
): Promise<Result<Company, Refusal> | Undecided> {
  const { companyId } = input;
  const company = await loadCompany(deps.tables, companyId);
  if (!company) return err(notFound('company', companyId));
  if (company.value.state === 'closing') return ok(company.value);
  if (!matches(input.ifMatch, company.etag))
    return err({ type: 'precondition-failed', what: 'company', id: companyId });
  const keyrings = await loadKeyrings(deps.tables, companyId);
  for (const { value } of keyrings) {
    if (value.switchId !== undefined) return err({ type: 'switch-in-progress', switchId: value.switchId });
  }
  await putOnAgenda(deps.tables, agendaItemOf(companyId));
  const closing: Company = { ...company.value, state: 'closing' };
  const written = await close(closing, replaceCompany(company, closing));
  return written.outcome === 'committed' ? ok(closing) : undecided(written);
}

/** Also called by the timer, for a company whose delete stopped half way. `createdAt` says which company of this id it is. */
export async function goOnDeleting(
  deps: CompanyDeleting,
  which: { readonly companyId: string; readonly createdAt?: string },
): Promise<Result<CompanyDeletion, Refusal>> {
  const { companyId } = which;
  const deadline = new Date(deps.clock.now().getTime() + BUDGET_MS);
  const done = await settleRaces<CompanyDeletion>(deps, () => tryDelete(deps, which, deadline));
  if (done.ok && done.value === 'deleted') {
    await takeOffIndex(deps.tables, companyId);
    await forgetDelete(deps.tables, companyId);
  }
  return done;
}

/** Not that of another company of this id, which was made and is being deleted since. */
const forgetDelete = (tables: Tables, companyId: string): Promise<void> =>
  takeOffAgenda(
    tables,
    agendaItemOf(companyId),
    async () => (await loadCompany(tables, companyId))?.value.state !== 'closing',
  );

async function tryDelete(
  deps: CompanyDeleting,
  { companyId, createdAt }: { readonly companyId: string; readonly createdAt?: string },
  deadline: Date,
): Promise<Result<CompanyDeletion, Refusal> | Undecided> {
  const company = await loadCompany(deps.tables, companyId);
  if (!company) return ok('deleted');
  // Made anew since. A shard of it that this call took for one of the other company, and closed, is opened again.
  const isAnother = createdAt !== undefined && company.value.createdAt !== createdAt;
  const keyrings = await loadKeyrings(deps.tables, companyId);
  if (company.value.state === 'active') {
    const inUse = await turnedBack(deps, companyId, keyrings);
    return isAnother ? ok('deleted') : inUse;
  }
  if (isAnother) return ok('deleted');
  const inUse = await closeShards(deps, companyId, keyrings);
  if (!inUse.ok) return inUse;
  if (inUse.value > 0) {
    const active: Company = { ...company.value, state: 'active' };
    const act = { action: 'company.delete-turned-back', companyId, target: COMPANY_ROW_KEY };
    const written = await audited(deps, KEYSWITCH, act, (record) =>
      record.write('companies', companyId, [replaceCompany(company, active)]),
    );
    return written.outcome === 'committed' ? turnedBack(deps, companyId, keyrings) : undecided(written);
  }
  // The decision: from here on nobody can find a key in use, and nobody who found one before can turn back.
  const decided = await deps.tables.write('companies', companyId, [guardCompany(company)]);
  if (decided.outcome !== 'committed') return undecided(decided);
  const removed = await removeCompany(deps, { company: company.value, keyrings, deadline });
  return removed === 'out-of-time' ? ok('deleting') : removed === 'removed' ? ok('deleted') : removed;
}

async function turnedBack(
  deps: CompanyDeleting,
  companyId: string,
  keyrings: readonly Loaded<Keyring>[],
): Promise<Result<CompanyDeletion, Refusal>> {
  await pLimit(SHARDS_IN_FLIGHT).map(shardsOf(companyId, keyrings), (place) => reopenStaleShard(deps, place));
  await forgetDelete(deps.tables, companyId);
  return err({
    type: 'state',
    code: 'company-has-data-keys',
    message: 'The company has data keys in use: delete them first.',
  });
}

const shardsOf = (companyId: string, keyrings: readonly Loaded<Keyring>[]): ShardPlace[] =>
  keyrings.flatMap(({ value: { keyringId, shardCount } }) =>
    Array.from({ length: shardCount }, (_, shard) => ({ companyId, keyringId, shard })),
  );

/** How many keys are in use, each shard counted as it was closed. */
async function closeShards(
  deps: CompanyDeleting,
  companyId: string,
  keyrings: readonly Loaded<Keyring>[],
): Promise<Result<number, Refusal>> {
  const counts = await pLimit(SHARDS_IN_FLIGHT).map(shardsOf(companyId, keyrings), (place) => closeShard(deps, place));
  let sum = 0;
  for (const count of counts) {
    if (!count.ok) return count;
    sum += count.value;
  }
  return ok(sum);
}

/** Written also if it is closed already: whoever is about to open it must find another ETag. */
function closeShard(deps: CompanyDeleting, place: ShardPlace): Promise<Result<number, Refusal>> {
  return settleRaces<number>(deps, async () => {
    const shard = await loadShard(deps.tables, place);
    if (!shard) return ok(0);
    const closed = { ...shard.value, closed: true };
    const write = shardWrite(closed, { etag: shard.etag, writtenBy: deps.entropy.id() });
    const written = await deps.tables.write('datakeys', dataKeysPartition(place), [write]);
    return written.outcome === 'committed' ? ok(closed.live + closed.quarantined) : undecided(written);
  });
}
