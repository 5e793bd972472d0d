// How many checks a process has in flight. Half of the places are for vaults that do not answer, each of which holds its place for its whole time limit:
// so they never hold most of them. A vault that turns out to be one of these moves over. For fairness only: correctness does not depend on it.
import type { Lane } from '../../domain/check-pace.ts';
import type { Timers } from '../../domain/ports.ts';

/** A check that has taken so long waits for a vault that does not answer. */
const SLOW_MS = 3_000;

interface Held {
  lane: Lane;
  isHeld: boolean;
}

export class CheckPlaces {
  readonly #timers: Pick<Timers, 'sleep'>;
  readonly #free: Record<Lane, number>;
  /** Checks that should have moved over, and found no place there. */
  readonly #late = new Set<Held>();
  readonly #waiting: Readonly<Record<Lane, (() => void)[]>> = { quick: [], silent: [] };

  constructor(timers: Pick<Timers, 'sleep'>, places: number) {
    const silent = Math.max(1, Math.floor(places / 2));
    this.#timers = timers;
    this.#free = { quick: Math.max(1, places - silent), silent };
  }

  async run<T>(lane: Lane, check: () => Promise<T>): Promise<T> {
    await this.#take(lane);
    const place: Held = { lane, isHeld: true };
    try {
      const checking = check();
      if (lane === 'quick') void this.#moveOver(place);
      return await checking;
    } finally {
      place.isHeld = false;
      this.#late.delete(place);
      this.#give(place.lane);
    }
  }

  async #moveOver(place: Held): Promise<void> {
    await this.#timers.sleep(SLOW_MS);
    if (!place.isHeld) return;
    this.#late.add(place);
    if (this.#free.silent > 0) this.#moveOne(place);
  }

  #moveOne(place: Held): void {
    this.#late.delete(place);
    this.#free.silent -= 1;
    place.lane = 'silent';
    this.#give('quick');
  }

  #take(lane: Lane): Promise<void> {
    if (this.#free[lane] === 0) return new Promise((resolve) => void this.#waiting[lane].push(resolve));
    this.#free[lane] -= 1;
    return Promise.resolve();
  }

  #give(lane: Lane): void {
    const [late] = lane === 'silent' ? this.#late : [];
    const next = late ? undefined : this.#waiting[lane].shift();
    if (next) {
      next();
      return;
    }
    this.#free[lane] += 1;
    if (late) this.#moveOne(late);
  }
}
