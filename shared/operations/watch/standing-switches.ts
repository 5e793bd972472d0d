// Unfinished switches that stand still, and why. From the agenda, which has every unfinished switch: no company is scanned.
import pLimit from 'p-limit';
import { standstillOf, type Standstill } from '../../domain/standstill.ts';
import type { SwitchPlace } from '../../domain/switch.ts';
import { firstOnAgenda, type ListedAgendaItem } from '../../store/agenda.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';
import { MalformedRow } from '../../store/rows/cells.ts';
import type { Tables } from '../../store/tables.ts';
import type { Bounded } from './bounded.ts';

/** Absent `switchId`: a keyring whose rows cannot be read. */
export type StandingSwitch = Omit<SwitchPlace, 'switchId'> &
  Partial<Pick<SwitchPlace, 'switchId'>> &
  (Standstill | { readonly reason: 'unreadable' });

const MAX_SWITCHES = 500;
const READS_IN_FLIGHT = 16;

/** Throws StoreUnavailable. */
export async function standingSwitches(tables: Tables): Promise<Bounded<StandingSwitch>> {
  const { items, isWhole } = await firstOnAgenda(tables, 'switch', MAX_SWITCHES);
  const looked = await pLimit(READS_IN_FLIGHT).map([...items], (item) => standing(tables, item));
  return { value: looked.filter((one) => one !== undefined), isWhole };
}

async function standing(tables: Tables, item: ListedAgendaItem): Promise<StandingSwitch | undefined> {
  const place = { companyId: item.companyId, keyringId: item.id };
  try {
    const switchId = (await loadKeyring(tables, place))?.value.switchId;
    const sw = switchId === undefined ? undefined : await loadSwitch(tables, { ...place, switchId });
    const why = sw && standstillOf(sw.value);
    return why && { ...place, switchId: sw.value.switchId, ...why };
  } catch (error) {
    if (error instanceof MalformedRow) return { ...place, reason: 'unreadable' };
    throw error;
  }
}
