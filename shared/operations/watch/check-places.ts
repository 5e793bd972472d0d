// How many checks a process has in flight. Half of the places are for vaults that do not answer, each of which holds its place for its whole time limit:
// so they never hold most of them. A vault that turns out to be one of these moves over; where no place is left there, its check is given up undecided,
// since vaults that answer wait for the place. For fairness only: correctness does not depend on it.
import type { Lane } from '../../domain/check-pace.ts';
import type { Timers } from '../../domain/ports.ts';
import { fateOf, LATE_MS, usualAfter } from '../../domain/slow-check.ts';

/** A check has ended by then: two calls, of ten seconds each by default. */
const MOST_SECONDS = 30;
/** A quarter of the messages that a process works at once (host.json). */
const FEW = 4;

export interface CheckPlace {
  /** Once. `undecided` if the check was given up: its signal is aborted, and it has to end with the signal's reason. */
  run<T>(check: (signal: AbortSignal) => Promise<T>): Promise<T | 'undecided'>;
  /** Instead of a check. */
  leave(): void;
}

interface Held {
  lane: Lane;
  isHeld: boolean;
  /** In whole seconds. */
  takenMs: number;
}

export class CheckPlaces {
  readonly #timers: Pick<Timers, 'sleep'>;
  readonly #free: Record<Lane, number>;
  #few = 0;
  /** How long checks take of vaults that answer. */
  #usualMs: number | undefined;
  readonly #waiting: Readonly<Record<Lane, (() => void)[]>> = { quick: [], silent: [] };

  constructor(timers: Pick<Timers, 'sleep'>, places: number) {
    const silent = Math.max(1, Math.floor(places / 2));
    this.#timers = timers;
    this.#free = { quick: Math.max(1, places - silent), silent };
  }

  /** In the order of asking. Who takes one place after the other thus takes turns with all others. */
  async take(lane: Lane): Promise<CheckPlace> {
    if (this.#free[lane] > 0) this.#free[lane] -= 1;
    else await new Promise<void>((resolve) => void this.#waiting[lane].push(resolve));
    const place: Held = { lane, isHeld: true, takenMs: 0 };
    return { run: (check) => this.#run(place, check), leave: () => this.#leave(place) };
  }

  /** For a check that the rounds make as well: undefined where several such are in hand. */
  async takeIfFew(): Promise<CheckPlace | undefined> {
    if (this.#few >= FEW) return undefined;
    this.#few += 1;
    const place = await this.take('quick');
    const over = (): void => void (this.#few -= 1);
    return {
      run: (check) => place.run(check).finally(over),
      leave: () => {
        over();
        place.leave();
      },
    };
  }

  async #run<T>(place: Held, check: (signal: AbortSignal) => Promise<T>): Promise<T | 'undecided'> {
    const givingUp = new AbortController();
    const { signal } = givingUp;
    const mayBeSlow = place.lane === 'quick';
    if (mayBeSlow) void this.#whileSlow(place, givingUp);
    try {
      return await check(signal);
    } catch (error) {
      if (signal.aborted && error === signal.reason) return 'undecided';
      throw error;
    } finally {
      if (mayBeSlow && !signal.aborted) this.#usualMs = usualAfter(this.#usualMs, place.takenMs);
      this.#leave(place);
    }
  }

  async #whileSlow(place: Held, givingUp: AbortController): Promise<void> {
    for (let second = 0; second < MOST_SECONDS; second += 1) {
      await this.#timers.sleep(LATE_MS);
      if (!place.isHeld) return;
      place.takenMs += LATE_MS;
      // Of one that has moved over only the time is counted.
      if (place.lane === 'silent') continue;
      const othersWait = this.#waiting.quick.length > 0;
      const { takenMs } = place;
      const fate = fateOf({ takenMs, usualMs: this.#usualMs, othersWait, freeOfSilent: this.#free.silent });
      if (fate === 'move-over') this.#moveOver(place);
      if (fate !== 'give-up') continue;
      givingUp.abort();
      return;
    }
  }

  #moveOver(place: Held): void {
    this.#free.silent -= 1;
    place.lane = 'silent';
    this.#give('quick');
  }

  #leave(place: Held): void {
    place.isHeld = false;
    this.#give(place.lane);
  }

  #give(lane: Lane): void {
    const next = this.#waiting[lane].shift();
    if (next) next();
    else this.#free[lane] += 1;
  }
}
