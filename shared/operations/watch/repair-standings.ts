// Repairs the index of how companies stand: each minute what can have moved by itself, companies with a switch; once an hour every company, in slices.
import { STANDINGS } from '../../domain/company-standing.ts';
import type { Clock, Log } from '../../domain/ports.ts';
import { changeOnce } from '../../store/act.ts';
import { allBuckets, pageOfAgenda } from '../../store/agenda.ts';
import { companiesListed } from '../../store/company-index.ts';
import { find, listPage, walk } from '../../store/found.ts';
import { keysBeginningWith, standingRoundRow } from '../../store/rows/standing-rows.ts';
import { refreshStanding, type StandingKeeping } from '../../store/standings.ts';

export interface StandingRepairing extends StandingKeeping {
  readonly clock: Clock;
  readonly log: Log;
}

const MOVING = STANDINGS.filter((state) => ['blocked', 'waiting', 'switching', 'closing'].includes(state));
/** Of each kind, in one turn; the round finds the others. */
const MAX_MOVING = 200;
const ROUND_EVERY_MS = 60 * 60_000;
const BUDGET_MS = 20_000;
const PAGE_ROWS = 200;

/** For the timer. Answers how many entries were others. */
export async function repairStandings(deps: StandingRepairing): Promise<number> {
  const deadlineMs = deps.clock.now().getTime() + BUDGET_MS;
  let repaired = 0;
  for (const companyId of await movingCompanies(deps)) repaired += await repair(deps, companyId);
  return repaired + (await goRound(deps, deadlineMs));
}

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

/** A company that cannot be read keeps no other from its repair. */
async function repair(deps: StandingRepairing, companyId: string): Promise<number> {
  try {
    return (await refreshStanding(deps, companyId)) ? 1 : 0;
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
    for (const { place, at } of companies) {
      if (after !== (going?.after ?? '') && deps.clock.now().getTime() >= deadlineMs) {
        await keep(after);
        return repaired;
      }
      repaired += await repair(deps, place.companyId);
      after = at.rowKey;
    }
  }
  await keep('');
  return repaired;
}
