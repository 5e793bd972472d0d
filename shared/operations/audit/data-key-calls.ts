// How many data-key calls a company has made, by caller and outcome: added up in memory, minute by minute, since the path of a data key
// writes no table. What was counted in a minute is recorded once that minute is over, or when the instance is told to stop; it is lost if the
// instance dies before.
import { KEYSWITCH } from '../../domain/audit.ts';
import type { Clock } from '../../domain/ports.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import { recordEvent, type Recording } from '../../store/record-event.ts';
import { noteUnwraps, type UnwrapNoting } from './note-unwraps.ts';

/** What is counted of data keys that a caller was given opened. */
export const KEYS_UNWRAPPED = 'unwrap-data-keys: keys unwrapped';

const MINUTE_MS = 60_000;
const MAX_COMPANIES = 10_000;
/** Of one company and minute; further callers are added up as one. */
const MAX_COUNTERS = 200;
/** All of them go into one property of a row: a subject of a second issuer may have hundreds of characters. */
const MAX_NAMES_CHARS = 20_000;
/** Longer names are cut, as in the record (audit.ts). */
const MAX_NAME_CHARS = 500;
/** Of one turn: as long as a slice of the agenda. */
const RECORDING_MS = 30_000;

interface CountedMinute {
  readonly companyId: string;
  readonly minute: number;
  readonly counters: ReadonlyMap<string, number>;
}

export class DataKeyCalls {
  readonly #clock: Clock;
  /** Names this process, so that the counts of several do not look like one counted twice. */
  readonly instance: string;
  #minute = 0;
  #counters = new Map<string, Map<string, number>>();
  #due: CountedMinute[] = [];

  constructor(clock: Clock, instance: string) {
    this.#clock = clock;
    this.instance = instance;
  }

  add(companyId: string, what: string, by: { readonly caller: string; readonly count: number }): void {
    this.#turn();
    let counters = this.#counters.get(companyId);
    if (!counters) {
      if (this.#counters.size >= MAX_COMPANIES) return;
      counters = new Map();
      this.#counters.set(companyId, counters);
    }
    const name = `${what} by ${by.caller}`.slice(0, MAX_NAME_CHARS);
    const isKnown = counters.has(name) || (counters.size < MAX_COUNTERS && hasRoom(counters, name));
    const kept = isKnown ? name : `${what} by others`;
    counters.set(kept, (counters.get(kept) ?? 0) + by.count);
  }

  get isDue(): boolean {
    return this.#due.length > 0;
  }

  /** The counts of past minutes; the caller takes them and must record them. */
  takeDue(): readonly CountedMinute[] {
    this.#turn();
    const due = this.#due;
    this.#due = [];
    return due;
  }

  giveBack(counted: CountedMinute): void {
    if (this.#due.length < MAX_COMPANIES) this.#due.push(counted);
  }

  /** What was counted in the present minute is due now: this process ends. */
  endMinute(): void {
    this.#turn();
    this.#close();
  }

  #turn(): void {
    const minute = Math.floor(this.#clock.now().getTime() / MINUTE_MS);
    if (minute === this.#minute) return;
    this.#close();
    this.#minute = minute;
  }

  #close(): void {
    for (const [companyId, counters] of this.#counters) this.giveBack({ companyId, minute: this.#minute, counters });
    this.#counters = new Map();
  }
}

/** Characters as JSON writes them: a quote or a control character takes several. */
function hasRoom(counters: ReadonlyMap<string, number>, name: string): boolean {
  let chars = JSON.stringify(name).length;
  for (const other of counters.keys()) chars += JSON.stringify(other).length;
  return chars <= MAX_NAMES_CHARS;
}

export interface CallCounting extends Recording, UnwrapNoting {
  readonly dataKeyCalls: DataKeyCalls;
}

/**
 * Answers how many records it made. What the store does not take, and what there is no time for, is kept for the next time. Throws what
 * one of them threw, which is a bug, after it has been through all others.
 */
export async function recordDataKeyCalls(deps: CallCounting, budgetMs = RECORDING_MS): Promise<number> {
  const deadlineMs = deps.clock.now().getTime() + budgetMs;
  const bugs: unknown[] = [];
  let recorded = 0;
  for (const counted of deps.dataKeyCalls.takeDue()) {
    if (deps.clock.now().getTime() >= deadlineMs) {
      deps.dataKeyCalls.giveBack(counted);
      continue;
    }
    try {
      if (!(await recordMinute(deps, counted))) {
        deps.dataKeyCalls.giveBack(counted);
        continue;
      }
      recorded += 1;
      await noteMinute(deps, counted);
    } catch (error) {
      bugs.push(error);
    }
  }
  if (bugs.length > 0) throw bugs[0];
  return recorded;
}

function recordMinute(deps: CallCounting, { companyId, minute, counters }: CountedMinute): Promise<boolean> {
  const detail = { minute: new Date(minute * MINUTE_MS).toISOString(), ...Object.fromEntries(counters) };
  const { instance } = deps.dataKeyCalls;
  return recordEvent(deps, KEYSWITCH, {
    action: 'data-keys.calls',
    companyId,
    target: instance,
    detail,
    outcome: 'counted',
  });
}

/** What the store does not take is left out: an hour is then counted too low, never too high. */
async function noteMinute(deps: CallCounting, { companyId, minute, counters }: CountedMinute): Promise<void> {
  const unwrapped = [...counters].filter(([what]) => what.startsWith(`${KEYS_UNWRAPPED} by `));
  const keys = unwrapped.reduce((sum, [, count]) => sum + count, 0);
  if (keys === 0) return;
  try {
    await noteUnwraps(deps, companyId, { minute, keys, name: `${deps.dataKeyCalls.instance}|${minute}` });
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
  }
}
