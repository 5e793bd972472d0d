// How Keyswitch is, for its operators: what its timers and instances say, what stands still and why. Each list is bounded, and says whether it is whole.
import pLimit from 'p-limit';
import type { Clock } from '../../domain/ports.ts';
import { standstillOf, type Standstill } from '../../domain/standstill.ts';
import type { SwitchPlace } from '../../domain/switch.ts';
import { TIMERS, timerState, type TimerBeat, type TimerName, type TimerState } from '../../domain/timer-beat.ts';
import type { ThrottledVault, Throttling } from '../../providers/throttling.ts';
import { allBuckets, pageOfAgenda, type ListedAgendaItem } from '../../store/agenda.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';
import { find, listPage } from '../../store/found.ts';
import { MalformedRow } from '../../store/rows/cells.ts';
import { instanceRows, timerRow, type InstanceBeat } from '../../store/rows/heartbeat-rows.ts';
import { poisonRows, type Poison } from '../../store/rows/poison-rows.ts';
import { storeNow, type StoreTime } from '../../store/store-time.ts';
import type { Tables } from '../../store/tables.ts';
import { INSTANCE_GONE_AFTER_MS } from './instances.ts';

export interface Watching extends StoreTime {
  readonly clock: Clock;
  readonly tables: Tables;
  readonly throttling: Pick<Throttling, 'vaults'>;
}

/** A list of which only so much was looked at. */
interface Bounded<T> {
  readonly value: readonly T[];
  readonly isWhole: boolean;
}

/** Absent `switchId`: a keyring whose rows cannot be read. */
export type StandingSwitch = Omit<SwitchPlace, 'switchId'> &
  Partial<Pick<SwitchPlace, 'switchId'>> &
  (Standstill | { readonly reason: 'unreadable' });

export interface OperationsStatus {
  readonly checkedAt: Date;
  readonly timers: readonly TimerStatus[];
  readonly instances: Bounded<InstanceBeat & { readonly instance: string; readonly isGone: boolean }>;
  readonly switches: Bounded<StandingSwitch>;
  /** Messages that were given up; none carries work that the tables do not know. */
  readonly deadLetters: Bounded<Poison>;
  readonly throttledVaults: readonly ThrottledVault[];
}

export interface TimerStatus {
  readonly timer: TimerName;
  /** Undefined before any instance has said when its first turn is due. */
  readonly state?: TimerState;
  readonly beat?: TimerBeat;
}

const MAX_INSTANCES = 1_000;
const MAX_SWITCHES = 500;
const MAX_DEAD_LETTERS = 500;
const READS_IN_FLIGHT = 16;

/** Throws StoreUnavailable. */
export async function operationsStatus(deps: Watching): Promise<OperationsStatus> {
  const { tables } = deps;
  const [timers, instances, switches, deadLetters] = await Promise.all([
    Promise.all(TIMERS.map((timer) => timerStatus(deps, timer))),
    listPage(tables, instanceRows, {}, { limit: MAX_INSTANCES }),
    standingSwitches(tables),
    listPage(tables, poisonRows, {}, { limit: MAX_DEAD_LETTERS }),
  ]);
  const now = storeNow(deps);
  const isGone = (seenAt: string): boolean => now.getTime() - Date.parse(seenAt) > INSTANCE_GONE_AFTER_MS;
  return {
    checkedAt: now,
    timers,
    instances: {
      value: instances.rows.flatMap(({ place, value }) =>
        value ? [{ ...place, ...value, isGone: isGone(value.seenAt) }] : [],
      ),
      isWhole: instances.last === undefined,
    },
    switches,
    deadLetters: {
      value: deadLetters.rows.map(({ value }) => value).toSorted((a, b) => (a.at < b.at ? 1 : -1)),
      isWhole: deadLetters.last === undefined,
    },
    throttledVaults: deps.throttling.vaults(),
  };
}

/** Throws StoreUnavailable. */
export async function timerStatus(deps: StoreTime & Pick<Watching, 'tables'>, timer: TimerName): Promise<TimerStatus> {
  const beat = await find(deps.tables, timerRow, { timer });
  if (!beat) return { timer };
  return { timer, state: timerState(beat.value, storeNow(deps)), ...(beat.value ? { beat: beat.value } : {}) };
}

/** From the agenda, which has every unfinished switch: no company is scanned. */
async function standingSwitches(tables: Tables): Promise<Bounded<StandingSwitch>> {
  const items: ListedAgendaItem[] = [];
  let isWhole = true;
  for (const bucket of allBuckets) {
    let continuation: string | undefined;
    do {
      const limit = MAX_SWITCHES + 1 - items.length;
      const at = { bucket, kind: 'switch', after: '', limit } as const;
      const page = await pageOfAgenda(tables, { ...at, ...(continuation === undefined ? {} : { continuation }) });
      items.push(...page.items);
      continuation = page.continuation;
    } while (continuation !== undefined && items.length <= MAX_SWITCHES);
    isWhole = items.length <= MAX_SWITCHES;
    if (!isWhole) break;
  }
  const looked = await pLimit(READS_IN_FLIGHT).map(items.slice(0, MAX_SWITCHES), (item) => standing(tables, item));
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
