// Who may wait for a vault. A message that asks a vault holds one of the process's few places, and a vault that does not answer holds it until
// the call times out: so few of one company ask at once, whatever its keyrings and vaults, and not all places of the process are held
// by companies whose vaults do not answer. A further message waits a moment for a turn, as long as vaults that answer take, and then gives its
// place back. One for each process. For fairness only: nothing is right or wrong by it, and another process knows nothing of it.
import type { Timers } from '../ports.ts';

const TURNS_OF_A_COMPANY = 2;
/** Of host.json's `maxConcurrentCalls`, 16: the others are for messages that have their keys. */
const TURNS = 12;
const PATIENCE_MS = 250;

/** There was no turn: nothing was done. */
export const NO_TURN = 'no-turn';

interface Waiter {
  readonly companyId: string;
  begin(): void;
}

export class VaultTurns {
  readonly #timers: Pick<Timers, 'sleep'>;
  readonly #held = new Map<string, number>();
  #heldByAll = 0;
  readonly #waiters = new Set<Waiter>();
  /** A message waited in vain for those that hold the turns of its company: the next ones need not. */
  readonly #slow = new Set<string>();

  constructor(timers: Pick<Timers, 'sleep'>) {
    this.#timers = timers;
  }

  /** Does the work, which may ask vaults, in one of the company's turns. */
  async run<T>(companyId: string, work: () => Promise<T>): Promise<T | typeof NO_TURN> {
    if (this.#isFree(companyId)) this.#take(companyId);
    else if (this.#slow.has(companyId) || !(await this.#wait(companyId))) return NO_TURN;
    try {
      return await work();
    } finally {
      this.#end(companyId);
    }
  }

  #isFree(companyId: string): boolean {
    return (this.#held.get(companyId) ?? 0) < TURNS_OF_A_COMPANY && this.#heldByAll < TURNS;
  }

  #take(companyId: string): void {
    this.#held.set(companyId, (this.#held.get(companyId) ?? 0) + 1);
    this.#heldByAll += 1;
  }

  /** Whether a turn was handed over in time; it is taken already then. */
  async #wait(companyId: string): Promise<boolean> {
    const turn = Promise.withResolvers<true>();
    const waiter: Waiter = { companyId, begin: () => turn.resolve(true) };
    this.#waiters.add(waiter);
    const tooLong = this.#timers.sleep(PATIENCE_MS).then(() => {
      // Handed over just now: then it is ours.
      if (!this.#waiters.delete(waiter)) return true;
      if (this.#held.has(companyId)) this.#slow.add(companyId);
      return false;
    });
    return Promise.race([turn.promise, tooLong]);
  }

  #end(companyId: string): void {
    const left = (this.#held.get(companyId) ?? 1) - 1;
    if (left > 0) this.#held.set(companyId, left);
    else this.#held.delete(companyId);
    this.#heldByAll -= 1;
    this.#slow.delete(companyId);
    for (const waiter of this.#waiters) {
      if (!this.#isFree(waiter.companyId)) continue;
      this.#waiters.delete(waiter);
      this.#take(waiter.companyId);
      waiter.begin();
    }
  }
}
