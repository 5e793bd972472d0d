// Repairs the index of how companies stand: each minute what can have moved by itself, companies with a switch; once an hour every company, in slices, and then
// the counts.
import pLimit from 'p-limit';
import { STANDINGS } from '../../domain/company-standing.ts';
import type { Clock, Log } from '../../domain/ports.ts';
import { changeOnce } from '../../store/act.ts';
import { allBuckets, pageOfAgenda } from '../../store/agenda.ts';
import { companiesListed } from '../../store/company-index.ts';
import { find, listPage, walk } from '../../store/found.ts';
import { keysBeginningWith, standingRoundRow } from '../../store/rows/standing-rows.ts';
import { recountStandings } from '../../store/standing-counts.ts';
import { refreshStanding, type StandingKeeping } from '../../store/standings.ts';

export interface StandingRepairing extends StandingKeeping {
  readonly clock: Clock;
  readonly log: Log;
}

const MOVING = STANDINGS.filter((state) => ['blocked', 'waiting', 'switching', 'closing'].includes(state));
/** Of each kind, in one turn; the round finds the others. */
const MAX_MOVING = 200;
const ROUND_EVERY_MS = 60 * 60_000;
/** Of either part of a turn. */
const BUDGET_MS = 20_000;
const PAGE_ROWS = 200;
const SIDE_BY_SIDE = 16;

/** For the timer. Answers how many entries were others. */
export async function repairStandings(deps: StandingRepairing): Promise<number> {
  const moved = await repairAll(deps, [...(await movingCompanies(deps))], { deadlineMs: budgetOf(deps) });
  return moved + (await goRound(deps, budgetOf(deps)));
}

const budgetOf = ({ clock }: StandingRepairing): number => clock.now().getTime() + BUDGET_MS;

/** Those with a switch on the agenda, and those that the index says have one. */
async function movingCompanies({ tables }: StandingRepairing): Promise<ReadonlySet<string>> {
  const moving = new Set<string>();
  for (const bucket of allBuckets) {
    const { items } = await pageOfAgenda(tables, { bucket, kind: 'switch', after: '', limit: MAX_MOVING });
    for (const { companyId } of items) moving.add(companyId);
  }
  for (const state of MOVING) {
    const { rows } = await listPage(tables, keysBeginningWith(`state|${state}|`), {}, { limit: MAX_MOVING });
    for (const { place } of rows) moving.add(place.key.split('|')[2] ?? '');
  }
  return moving;
}

/** Side by side; those that are not begun in time wait for the next turn. */
async function repairAll(
  deps: StandingRepairing,
  companyIds: readonly string[],
  how: { readonly deadlineMs?: number; readonly andKeys?: boolean },
): Promise<number> {
  const repaired = await pLimit(SIDE_BY_SIDE).map([...companyIds], (companyId) =>
    deps.clock.now().getTime() < (how.deadlineMs ?? Infinity) ? repair(deps, companyId, how) : 0,
  );
  return repaired.reduce((sum: number, one) => sum + one, 0);
}

/** A company that cannot be read keeps no other from its repair. */
async function repair(
  deps: StandingRepairing,
  companyId: string,
  how: { readonly andKeys?: boolean },
): Promise<number> {
  try {
    return (await refreshStanding(deps, companyId, how)) ? 1 : 0;
  } catch (error) {
    const detail = { company: companyId, error: error instanceof Error ? error.name : 'unknown' };
    deps.log.write({ level: 'warning', event: 'company.standing-unknown', detail });
    return 0;
  }
}

async function goRound(deps: StandingRepairing, deadlineMs: number): Promise<number> {
  const held = await find(deps.tables, standingRoundRow, {});
  const now = deps.clock.now();
  const going = held?.value !== undefined && held.value.after !== '' ? held.value : undefined;
  // A beginning in the future was written by a host whose clock was ahead.
  const isRested = !(Math.abs(now.getTime() - Date.parse(held?.value?.began ?? '')) < ROUND_EVERY_MS);
  if (!going && !isRested) return 0;
  const began = going?.began ?? now.toISOString();
  let after = going?.after ?? '';
  let repaired = 0;
  const keep = async (to: string): Promise<void> => {
    // A lost race is harmless: another instance goes the same round.
    await changeOnce(deps, (tx) => void tx.put(standingRoundRow, {}, held, { began, after: to }));
  };
  const how = { limit: PAGE_ROWS, toTheEnd: true, ...(after === '' ? {} : { after }) };
  for await (const companies of walk(deps.tables, companiesListed, {}, how)) {
    // However slow the store is, each turn looks at one page at least.
    if (after !== (going?.after ?? '') && deps.clock.now().getTime() >= deadlineMs) {
      await keep(after);
      return repaired;
    }
    const ids = companies.map(({ place }) => place.companyId);
    repaired += await repairAll(deps, ids, { andKeys: true });
    after = companies.at(-1)?.at.rowKey ?? after;
  }
  const recounted = await recountStandings(deps);
  await keep('');
  return repaired + recounted;
}
