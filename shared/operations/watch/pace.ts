// How often a vault is checked, as its agenda row notes it beside the health that it follows from. The note may be older than the health where a write
// was lost; the next check of the vault mends it.
import {
  agendaPlaceOf,
  findOnAgenda,
  noteOnAgenda,
  type AgendaItem,
  type ListedAgendaItem,
} from '../../store/agenda.ts';
import { laneOf, type Pace } from '../../domain/check-pace.ts';
import type { Clock } from '../../domain/ports.ts';
import type { ConnectionPlace } from '../../domain/connection.ts';
import type { FailureCode } from '../../domain/failure.ts';
import { isWell, type VaultHealth } from '../../domain/health.ts';
import { oneOf, text, type Cells } from '../../store/rows/cells.ts';
import type { Tables } from '../../store/tables.ts';

/** Nothing was heard from the vault, or from the directory that lets us in. */
const SILENT: ReadonlySet<FailureCode> = new Set<FailureCode>(['vault-unreachable', 'entra-unreachable']);

export function paceOf({ state, code, since }: Pick<VaultHealth, 'state' | 'code' | 'since'>): Pace {
  if (isWell(state)) return { kind: 'well' };
  return code !== undefined && SILENT.has(code) ? { kind: 'silent', since } : { kind: 'ill' };
}

export const checkItem = ({ companyId, connectionId }: ConnectionPlace): AgendaItem => ({
  kind: 'check',
  companyId,
  id: connectionId,
});

export const bucketOf = (place: ConnectionPlace): string => agendaPlaceOf(checkItem(place)).bucket;

/** Undefined before the first check. */
export function paceIn(cells: Cells): Pace | undefined {
  const kind = oneOf(cells, 'pace', ['well', 'ill', 'slow', 'silent']);
  const since = text(cells, 'since') ?? '';
  if (kind === 'silent' || kind === 'slow') return Number.isNaN(Date.parse(since)) ? undefined : { kind, since };
  return kind && { kind };
}

const cellsOf = (pace: Pace): Cells => ({ pace: pace.kind, since: 'since' in pace ? pace.since : '' });

/** `listed`: the item as the round found it. */
export async function notePace(
  tables: Tables,
  place: ConnectionPlace,
  { health, listed }: { readonly health: VaultHealth; readonly listed: ListedAgendaItem | undefined },
): Promise<void> {
  const item = listed ?? (await findOnAgenda(tables, checkItem(place)));
  const cells = cellsOf(paceOf(health));
  if (!item) return;
  const isNoted = Object.entries(cells).every(([name, value]) => item.cells[name] === value);
  if (!isNoted) await noteOnAgenda(tables, item, cells);
}

/** A check of it was given up. Its next one, among those that do not answer, writes over this. */
export async function noteSlow(
  { tables, clock }: { readonly tables: Tables; readonly clock: Clock },
  place: ConnectionPlace,
  listed: ListedAgendaItem | undefined,
): Promise<void> {
  const item = listed ?? (await findOnAgenda(tables, checkItem(place)));
  if (!item || laneOf(paceIn(item.cells)) === 'silent') return;
  await noteOnAgenda(tables, item, cellsOf({ kind: 'slow', since: clock.now().toISOString() }));
}
