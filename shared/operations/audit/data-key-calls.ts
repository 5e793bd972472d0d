// How many data-key calls a company has made, by caller and outcome: added up in memory, minute by minute, since the path of a data key
// writes no table. What was counted in a minute is recorded once that minute is over; it is lost if the instance ends before.
import { KEYSWITCH } from '../../domain/audit.ts';
import type { Clock } from '../ports.ts';
import { recordEvent, type Recording } from './record-event.ts';

const MINUTE_MS = 60_000;
const MAX_COMPANIES = 10_000;
/** Of one company and minute; further callers are added up as one. */
const MAX_COUNTERS = 200;

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
    const name = `${what} by ${by.caller}`;
    const isKnown = counters.has(name) || counters.size < MAX_COUNTERS;
    const kept = isKnown ? name : `${what} by others`;
    counters.set(kept, (counters.get(kept) ?? 0) + by.count);
  }

  get isDue(): boolean {
    return this.#due.length > 0;
  }

  /** What was counted in minutes that are over; whoever takes it records it. */
  takeDue(): readonly CountedMinute[] {
    this.#turn();
    const due = this.#due;
    this.#due = [];
    return due;
  }

  giveBack(counted: CountedMinute): void {
    if (this.#due.length < MAX_COMPANIES) this.#due.push(counted);
  }

  #turn(): void {
    const minute = Math.floor(this.#clock.now().getTime() / MINUTE_MS);
    if (minute === this.#minute) return;
    for (const [companyId, counters] of this.#counters) this.giveBack({ companyId, minute: this.#minute, counters });
    this.#counters = new Map();
    this.#minute = minute;
  }
}

export interface CallCounting extends Recording {
  readonly dataKeyCalls: DataKeyCalls;
}

/** Answers how many records it made. What the store does not take is kept for the next time. */
export async function recordDataKeyCalls(deps: CallCounting): Promise<number> {
  const due = [...deps.dataKeyCalls.takeDue()];
  let recorded = 0;
  try {
    for (let counted = due.shift(); counted; counted = due.shift()) {
      if (await recordMinute(deps, counted)) recorded += 1;
      else deps.dataKeyCalls.giveBack(counted);
    }
  } finally {
    // One that throws, which is a bug, does not take the others with it.
    for (const counted of due) deps.dataKeyCalls.giveBack(counted);
  }
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
