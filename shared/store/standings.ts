// Keeps the index of how companies stand. An act that changes a company, or a check that changes its vault's state, writes its entry anew; what was missed is repaired by a
// timer. An entry is decided from rows that are read after it, so that of two writers the one with the older knowledge loses.
import { standingOf, type CompanyStanding } from '../domain/company-standing.ts';
import { ok } from '../domain/result.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import { change } from './act.ts';
import { loadCompany } from './control-state.ts';
import { find, list, type Found } from './found.ts';
import type { Races } from './races.ts';
import { MalformedRow } from './rows/cells.ts';
import { healthRow } from './rows/health-rows.ts';
import { keyringsOf } from './rows/keyring-rows.ts';
import { foundByKeys, foundByRow, standingRow } from './rows/standing-rows.ts';
import { switchRow } from './rows/switch-rows.ts';
import { moveCount } from './standing-counts.ts';
import type { Tables } from './tables.ts';
import type { Tx } from './tx.ts';

export interface StandingKeeping extends Races {
  readonly tables: Tables;
}

/**
 * True if the entry was another one. `andKeys`: also if it was right and one of the keys by which it is found was not there. Throws StoreUnavailable, and
 * MalformedRow for a company that cannot be read.
 */
export async function refreshStanding(
  deps: StandingKeeping,
  companyId: string,
  { andKeys = false }: { readonly andKeys?: boolean } = {},
): Promise<boolean> {
  const done = await change<boolean>(deps, async (tx) => {
    const held = await tx.find(standingRow, { companyId });
    const now = await standingNow(deps.tables, companyId);
    const isRight = same(held?.value, now) && (held !== undefined) === (now !== undefined);
    if (isRight && !andKeys) return ok(false);
    const keys = await keysToChange(tx, held?.value, now);
    if (isRight && keys.length === 0) return ok(false);
    // Written also where only keys are wrong: its ETag holds them to this entry.
    if (now) tx.put(standingRow, { companyId }, held, now);
    else if (held) tx.delete(held);
    for (const { key, row } of keys) {
      if (row) tx.delete(row);
      else tx.insert(foundByRow, { key }, undefined);
    }
    await moveCount(tx, companyId, { from: held?.value?.state, to: now?.state });
    return { done: () => true };
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

/** Those that are missing, and those that are too many, with their rows. */
async function keysToChange(
  tx: Tx,
  before: CompanyStanding | undefined,
  after: CompanyStanding | undefined,
): Promise<{ readonly key: string; readonly row: Found<unknown> | undefined }[]> {
  const wanted = new Set(after ? foundByKeys(after) : []);
  const all = new Set([...(before ? foundByKeys(before) : []), ...wanted]);
  const rows = await Promise.all([...all].map(async (key) => ({ key, row: await tx.find(foundByRow, { key }) })));
  return rows.filter(({ key, row }) => (row !== undefined) !== wanted.has(key));
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
