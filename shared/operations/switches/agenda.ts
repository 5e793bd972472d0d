// The agenda row of a keyring with an unfinished switch: one a keyring, however many switches are asked for. Inserted before the transaction that
// begins a switch; deleted after its end, or at once by an attempt that lost. The timer must not delete it under an attempt that has not committed
// yet: a row that several attempts share stays until none of them can still be running.
import { isEnded, type SwitchPlace } from '../../domain/switch.ts';
import { flag, text } from '../../store/rows/cells.ts';
import {
  findOnAgenda,
  takeOffListed,
  writeOnAgenda,
  type AgendaItem,
  type ListedAgendaItem,
} from '../../store/agenda.ts';
import { loadSwitch } from '../../store/control-state.ts';
import type { Cells, Tables } from '../../store/tables.ts';
import { undecided, type Undecided } from '../../store/races.ts';

/** No attempt lasts this long: functionTimeout in host.json is ten minutes, and a request on the wire is over in minutes too. */
export const ATTEMPT_LASTS_MS = 60 * 60 * 1000;

export const agendaItemOf = (place: Omit<SwitchPlace, 'switchId'>): AgendaItem => ({
  kind: 'switch',
  companyId: place.companyId,
  id: place.keyringId,
});

/** The row as this attempt has written it. */
export interface PutOnAgenda {
  readonly etag: string;
  /** There was no row before. */
  readonly isFirst: boolean;
}

/** Before the transaction that begins a switch (invariant A12). Throws StoreUnavailable. */
export async function putSwitchOnAgenda(
  tables: Tables,
  place: SwitchPlace,
  at: string,
): Promise<PutOnAgenda | Undecided> {
  const item = agendaItemOf(place);
  const listed = await findOnAgenda(tables, item);
  const others = listed !== undefined && (isShared(listed.cells) || text(listed.cells, 'switchId') !== place.switchId);
  const written = await writeOnAgenda(tables, item, listed, { at, switchId: place.switchId, shared: others });
  if (written.outcome !== 'committed') return undecided(written);
  return { etag: written.etags[0] ?? '', isFirst: listed === undefined };
}

/** For an attempt that certainly lost, not for one with a lost answer. Does nothing if another attempt shares the row. */
export async function takeLostAttemptOff(tables: Tables, place: SwitchPlace, put: PutOnAgenda): Promise<void> {
  if (put.isFirst) await takeOffListed(tables, { ...agendaItemOf(place), etag: put.etag, cells: {} });
}

/** After the end of a switch. Its id is never used again, so no attempt can still be about to begin it. */
export async function takeEndedSwitchOff(tables: Tables, place: SwitchPlace): Promise<void> {
  const listed = await findOnAgenda(tables, agendaItemOf(place));
  if (!listed || isShared(listed.cells) || text(listed.cells, 'switchId') !== place.switchId) return;
  await takeOffListed(tables, listed);
}

/** For a keyring that was read after the item and has no switch: deletes the item if no attempt can still be about to begin one. */
export async function takeIdleSwitchOff(
  deps: { readonly tables: Tables; readonly now: Date },
  item: ListedAgendaItem,
): Promise<void> {
  const { tables, now } = deps;
  const isOld = !(now.getTime() - Date.parse(text(item.cells, 'at') ?? '') < ATTEMPT_LASTS_MS);
  if (isOld || (await isOfEndedSwitch(tables, item))) await takeOffListed(tables, item);
}

async function isOfEndedSwitch(
  tables: Tables,
  { companyId, id: keyringId, cells }: ListedAgendaItem,
): Promise<boolean> {
  const switchId = text(cells, 'switchId');
  if (isShared(cells) || switchId === undefined) return false;
  const sw = await loadSwitch(tables, { companyId, keyringId, switchId });
  return sw !== undefined && isEnded(sw.value.state);
}

/** A row that cannot be read counts as shared, so it stays longer. */
const isShared = (cells: Cells): boolean => flag(cells, 'shared') !== false;
