// How a vault stands, as callers see it. Only changes are stored: when it was checked last follows from the rounds that are done, and when it is checked
// next from the clock.
import { lastDue, laneOf, nextDue, phaseOf, slotOf, startOfSlot, type Pace } from '../../domain/check-pace.ts';
import type { ConnectionPlace } from '../../domain/connection.ts';
import { isWell, type VaultHealth } from '../../domain/health.ts';
import type { Clock, Log, Sealer } from '../../domain/ports.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { findOnAgenda } from '../../store/agenda.ts';
import { find, listPage } from '../../store/found.ts';
import { healthChangesOf, healthRow } from '../../store/rows/health-rows.ts';
import { roundRow } from '../../store/rows/round-rows.ts';
import type { Tables } from '../../store/tables.ts';
import { loadConnection } from '../keys/verified-connection.ts';
import { bucketOf, checkItem, paceIn, paceOf } from './pace.ts';

/** With `checkedAt` and `lastGoodAt` of the last check, whether it showed anything new or not. */
export interface VaultView extends VaultHealth {
  readonly nextCheckAt: string;
}

export interface HealthReport {
  /** Absent before the first check. */
  readonly current?: VaultView;
  /** The last changes, newest first. */
  readonly history: readonly VaultHealth[];
}

interface Looking {
  readonly tables: Tables;
  readonly clock: Clock;
}

const MAX_HISTORY = 100;

export async function getHealth(
  deps: Looking & { readonly sealer: Sealer; readonly log: Log },
  place: ConnectionPlace,
): Promise<Result<HealthReport, Refusal>> {
  const connection = await loadConnection(deps, place);
  if (!connection.ok) return err(refusedBy(connection.error));
  if (!connection.value) return err(notFound('connection', place.connectionId));
  const current = await find(deps.tables, healthRow, place);
  const { rows } = await listPage(deps.tables, healthChangesOf, place, { limit: MAX_HISTORY });
  const history = rows.map(({ value }) => value);
  if (!current?.value) return ok({ history });
  const noted = await notedPace(deps.tables, place);
  const checked = await asChecked(deps.tables, place, current.value, noted);
  return ok({ current: viewOf(deps, place, checked, noted), history });
}

/** The stored health with the time of the last check that left it as it is. */
export async function asChecked(
  tables: Tables,
  place: ConnectionPlace,
  health: VaultHealth,
  noted?: Pace,
): Promise<VaultHealth> {
  const pace = paceOf(health);
  const round = await find(tables, roundRow, { bucket: bucketOf(place), lane: laneOf(pace) });
  const found = noted ?? (await notedPace(tables, place));
  // From then on no check of it came to its end.
  const before = found?.kind === 'slow' ? slotOf(new Date(found.since)) - 1 : Infinity;
  const upTo = Math.min(round?.value.done ?? 0, before);
  const slots = { after: slotOf(new Date(health.checkedAt)), upTo };
  const last = lastDue(pace, phaseOf(place), slots);
  return last === undefined ? health : checkedAt(health, startOfSlot(last));
}

async function notedPace(tables: Tables, place: ConnectionPlace): Promise<Pace | undefined> {
  const item = await findOnAgenda(tables, checkItem(place));
  return item && paceIn(item.cells);
}

/** A check at that time left the health as it is. */
export function checkedAt(health: VaultHealth, time: Date): VaultHealth {
  const at = time.toISOString();
  return { ...health, checkedAt: at, ...(isWell(health.state) ? { lastGoodAt: at } : {}) };
}

/** `noted`: the pace on its agenda row, which is another one where the last check was given up. */
export function viewOf(
  { clock }: Pick<Looking, 'clock'>,
  place: ConnectionPlace,
  health: VaultHealth,
  noted?: Pace,
): VaultView {
  const pace = noted?.kind === 'slow' ? noted : paceOf(health);
  const slot = nextDue(pace, phaseOf(place), slotOf(clock.now()));
  return { ...health, nextCheckAt: startOfSlot(slot).toISOString() };
}
