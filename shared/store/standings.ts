// Keeps the index of how companies stand. Whoever has changed a company, or how its vault stands, writes its entry anew; what was missed is repaired by a
// timer. An entry is decided from rows that are read after it, so that of two writers the one with the older knowledge loses.
import { standingOf, type CompanyStanding } from '../domain/company-standing.ts';
import { ok } from '../domain/result.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import { change } from './act.ts';
import { loadCompany } from './control-state.ts';
import { find, list } from './found.ts';
import type { Races } from './races.ts';
import { MalformedRow } from './rows/cells.ts';
import { healthRow } from './rows/health-rows.ts';
import { keyringsOf } from './rows/keyring-rows.ts';
import { foundByKeys, foundByRow, standingRow } from './rows/standing-rows.ts';
import { switchRow } from './rows/switch-rows.ts';
import type { Tables } from './tables.ts';
import type { Tx } from './tx.ts';

export interface StandingKeeping extends Races {
  readonly tables: Tables;
}

/** True if the entry was another one. Throws StoreUnavailable, and MalformedRow for a company that cannot be read. */
export async function refreshStanding(deps: StandingKeeping, companyId: string): Promise<boolean> {
  const done = await change<boolean>(deps, async (tx) => {
    const held = await tx.find(standingRow, { companyId });
    const now = await standingNow(deps.tables, companyId);
    if (same(held?.value, now) && (held !== undefined) === (now !== undefined)) return ok(false);
    if (now) tx.put(standingRow, { companyId }, held, now);
    else if (held) tx.delete(held);
    const before = held?.value ? foundByKeys(held.value) : [];
    await keepKeys(tx, before, now ? foundByKeys(now) : []);
    return ok(true);
  });
  return done.ok && done.value;
}

/** The same after an act: the act is done, whatever comes of this. */
export async function keepStanding(deps: StandingKeeping, companyId: string): Promise<void> {
  try {
    await refreshStanding(deps, companyId);
  } catch (error) {
    if (!(error instanceof StoreUnavailable || error instanceof MalformedRow)) throw error;
  }
}

async function keepKeys(tx: Tx, before: readonly string[], after: readonly string[]): Promise<void> {
  for (const key of new Set([...before, ...after])) {
    const row = await tx.find(foundByRow, { key });
    if (after.includes(key) && !row) tx.insert(foundByRow, { key }, undefined);
    if (!after.includes(key) && row) tx.delete(row);
  }
}

const same = (one: CompanyStanding | undefined, other: CompanyStanding | undefined): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/** Undefined for a company that was never made, or is closed. */
async function standingNow(tables: Tables, companyId: string): Promise<CompanyStanding | undefined> {
  const company = await loadCompany(tables, companyId);
  if (!company) return undefined;
  const keyrings = (await list(tables, keyringsOf, { companyId })).map(({ value }) => value);
  const connections = new Set(keyrings.flatMap(({ provider }) => provider.connectionId ?? []));
  const switches = keyrings.flatMap(({ keyringId, switchId }) =>
    switchId === undefined ? [] : [find(tables, switchRow, { companyId, keyringId, switchId })],
  );
  const health = [...connections].map((connectionId) => find(tables, healthRow, { companyId, connectionId }));
  return standingOf({
    company: company.value,
    keyrings,
    switches: (await Promise.all(switches)).flatMap((sw) => sw?.value ?? []),
    health: (await Promise.all(health)).flatMap((one) => one?.value ?? []),
  });
}
