// How Keyswitch is, for its operators. Each part has a source of its own and a limit of time: one that does not answer, or cannot be read, is named as missing and
// keeps no other from being told.
import type { CompaniesCounted } from '../../domain/company-standing.ts';
import type { QueueWatch } from '../../domain/ports.ts';
import type { QueueDepth } from '../../domain/queue-depth.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import { TIMERS, timerState, type TimerBeat, type TimerName, type TimerState } from '../../domain/timer-beat.ts';
import type { ThrottledVault, Throttling } from '../../providers/throttling.ts';
import { find, listPage } from '../../store/found.ts';
import { MalformedRow } from '../../store/rows/cells.ts';
import { instanceRows, timerRow, type InstanceBeat } from '../../store/rows/heartbeat-rows.ts';
import { poisonRows, type Poison } from '../../store/rows/poison-rows.ts';
import { countStandings } from '../../store/standing-counts.ts';
import { storeNow, type StoreTime } from '../../store/store-time.ts';
import type { Tables } from '../../store/tables.ts';
import type { Bounded } from './bounded.ts';
import { givenUpEvents, type GivenUpEvents } from './given-up-events.ts';
import { INSTANCE_GONE_AFTER_MS } from './instances.ts';
import { withinLimit } from './jobs.ts';
import { standingSwitches, type StandingSwitch } from './standing-switches.ts';

export interface Watching extends StoreTime {
  readonly tables: Tables;
  readonly queueWatches: Readonly<Record<'work' | 'checks', QueueWatch>>;
  readonly throttling: Pick<Throttling, 'vaults'>;
}

interface Parts {
  readonly timers: readonly TimerStatus[];
  readonly instances: Bounded<InstanceBeat & { readonly instance: string; readonly isGone: boolean }>;
  readonly companies: CompaniesCounted;
  readonly workQueue: QueueDepth;
  readonly checksQueue: QueueDepth;
  readonly switches: Bounded<StandingSwitch>;
  /** Messages that were given up; none carries work that the tables do not know. */
  readonly deadLetters: Bounded<Poison>;
  readonly givenUpEvents: Bounded<GivenUpEvents>;
}
type PartName = keyof Parts;

export interface OperationsStatus extends Partial<Parts> {
  readonly checkedAt: Date;
  /** Parts that are absent, and why. */
  readonly missing: readonly { readonly part: PartName; readonly reason: string }[];
  readonly throttledVaults: readonly ThrottledVault[];
}

export interface TimerStatus {
  readonly timer: TimerName;
  /** Undefined before any instance has said when its first turn is due. */
  readonly state?: TimerState;
  readonly beat?: TimerBeat;
}

const MAX_INSTANCES = 1_000;
const MAX_DEAD_LETTERS = 500;
/** Of a part. */
const LIMIT_MS = 5_000;

/** Never throws StoreUnavailable. */
export async function operationsStatus(deps: Watching): Promise<OperationsStatus> {
  const { tables, queueWatches } = deps;
  const missing: { readonly part: PartName; readonly reason: string }[] = [];
  const part = async <N extends PartName>(name: N, read: Promise<Parts[N]>): Promise<Partial<Pick<Parts, N>>> => {
    const told = await toldInTime(read);
    if ('found' in told) return { [name]: told.found } as Pick<Parts, N>;
    missing.push({ part: name, reason: told.reason });
    return {};
  };
  const told = await Promise.all([
    part('timers', Promise.all(TIMERS.map((timer) => timerStatus(deps, timer)))),
    part('instances', instancesNow(deps)),
    part('companies', countStandings(tables)),
    part('workQueue', queueWatches.work.look()),
    part('checksQueue', queueWatches.checks.look()),
    part('switches', standingSwitches(tables)),
    part('deadLetters', lastDeadLetters(tables)),
    part('givenUpEvents', givenUpEvents(tables)),
  ]);
  const parts: Partial<Parts> = Object.assign({}, ...told) as Partial<Parts>;
  return { checkedAt: storeNow(deps), ...parts, missing, throttledVaults: deps.throttling.vaults() };
}

async function toldInTime<T>(read: Promise<T>): Promise<{ readonly found: T } | { readonly reason: string }> {
  try {
    const found = await withinLimit(read, LIMIT_MS);
    return found === 'overdue' ? { reason: `It did not answer within ${LIMIT_MS / 1000} seconds.` } : { found };
  } catch (error) {
    if (error instanceof StoreUnavailable || error instanceof MalformedRow) return { reason: error.message };
    throw error;
  }
}

async function instancesNow(deps: Watching): Promise<Parts['instances']> {
  const { rows, last } = await listPage(deps.tables, instanceRows, {}, { limit: MAX_INSTANCES });
  const nowMs = storeNow(deps).getTime();
  const isGone = (seenAt: string): boolean => nowMs - Date.parse(seenAt) > INSTANCE_GONE_AFTER_MS;
  const value = rows.flatMap(({ place, value: beat }) =>
    beat ? [{ ...place, ...beat, isGone: isGone(beat.seenAt) }] : [],
  );
  return { value, isWhole: last === undefined };
}

async function lastDeadLetters(tables: Tables): Promise<Bounded<Poison>> {
  const { rows, last } = await listPage(tables, poisonRows, {}, { limit: MAX_DEAD_LETTERS });
  const value = rows.map((row) => row.value).toSorted((a, b) => (a.at < b.at ? 1 : -1));
  return { value, isWhole: last === undefined };
}

/** Throws StoreUnavailable. */
export async function timerStatus(deps: StoreTime & Pick<Watching, 'tables'>, timer: TimerName): Promise<TimerStatus> {
  const beat = await find(deps.tables, timerRow, { timer });
  if (!beat) return { timer };
  return { timer, state: timerState(beat.value, storeNow(deps)), ...(beat.value ? { beat: beat.value } : {}) };
}
