// Who may wait for a vault. A message that asks a vault holds one of the process's few places, and a vault that does not answer holds it until
// the call times out. So few of one company ask at once, whatever its keyrings and vaults; companies whose vaults have not answered here leave turns
// to those whose have, and all of them leave places to messages that have their keys. One for each process. For fairness only: nothing is right or
// wrong by it, and another process knows nothing of it.
import { LRUCache } from 'lru-cache';
import type { Clock, Timers } from '../ports.ts';

const TURNS_OF_A_COMPANY = 2;
/** Of host.json's `maxConcurrentCalls`, 16: the others are for messages that have their keys. */
const TURNS = 12;
/** Of these, for all companies whose vaults have not answered here: one each, if they are several. */
const TURNS_UNPROVED = 10;
/** Of these, for all companies whose vaults are known not to answer. */
const TURNS_OF_SILENT = 4;
/** A turn that takes so long waits for a vault that does not answer: longer than all calls of a turn to vaults that do. */
const SLOW_MS = 3_000;
/** So long a message waits for a turn in any case; after that while places are left for others. */
const PATIENCE_MS = 250;
/** The same of a company whose vaults have answered. */
const LONGER_PATIENCE_MS = 500;
const REMEMBERED_MS = 10 * 60_000;
const MAX_COMPANIES = 1_000;

/** There was no turn: nothing was done. */
export const NO_TURN = 'no-turn';

/** Whether the vaults of a company answer, as far as is known here. */
type Vaults = 'answer' | 'silent' | 'unknown';

interface Turn {
  readonly companyId: string;
  readonly begunMs: number;
}

interface Waiter {
  readonly companyId: string;
  readonly begin: (turn: Turn) => void;
}

export class VaultTurns {
  readonly #timers: Pick<Timers, 'sleep'>;
  readonly #clock: Clock;
  readonly #held = new Set<Turn>();
  readonly #waiters = new Set<Waiter>();
  readonly #seen = new LRUCache<string, { readonly vaults: Vaults; readonly untilMs: number }>({ max: MAX_COMPANIES });

  constructor(timers: Pick<Timers, 'sleep'>, clock: Clock) {
    this.#timers = timers;
    this.#clock = clock;
  }

  /** Does the work, which may ask vaults, in one of the company's turns. `proves`: what it answers has come of an answer of the vaults. */
  async run<T>(
    companyId: string,
    work: () => Promise<T>,
    proves: (done: T) => boolean = () => false,
  ): Promise<T | typeof NO_TURN> {
    const turn = this.#isFree(companyId) ? this.#take(companyId) : await this.#wait(companyId);
    if (!turn) return NO_TURN;
    try {
      const done = await work();
      if (proves(done)) this.#note(companyId, 'answer');
      return done;
    } finally {
      this.#end(turn);
    }
  }

  #isFree(companyId: string): boolean {
    const vaults = this.#vaultsOf(companyId);
    const holding = { own: 0, unproved: 0, silent: 0 };
    for (const turn of this.#held) {
      const others = this.#vaultsOf(turn.companyId);
      if (turn.companyId === companyId) holding.own += 1;
      if (others !== 'answer') holding.unproved += 1;
      if (others === 'silent') holding.silent += 1;
    }
    if (this.#held.size >= TURNS || holding.own >= TURNS_OF_A_COMPANY) return false;
    if (vaults === 'answer') return true;
    if (holding.own > 0 && holding.unproved > holding.own) return false;
    return holding.unproved < TURNS_UNPROVED && (vaults === 'unknown' || holding.silent < TURNS_OF_SILENT);
  }

  #vaultsOf(companyId: string): Vaults {
    const nowMs = this.#nowMs();
    for (const turn of this.#held) if (turn.companyId === companyId && nowMs - turn.begunMs >= SLOW_MS) return 'silent';
    const seen = this.#seen.get(companyId);
    return seen && nowMs < seen.untilMs ? seen.vaults : 'unknown';
  }

  #note(companyId: string, vaults: Vaults): void {
    this.#seen.set(companyId, { vaults, untilMs: this.#nowMs() + REMEMBERED_MS });
  }

  #take(companyId: string): Turn {
    const turn = { companyId, begunMs: this.#nowMs() };
    this.#held.add(turn);
    return turn;
  }

  /** The turn that was handed over in time. */
  async #wait(companyId: string): Promise<Turn | undefined> {
    const { promise, resolve: begin } = Promise.withResolvers<Turn>();
    const waiter: Waiter = { companyId, begin };
    this.#waiters.add(waiter);
    for (let waitedMs = 0; this.#mayWait(companyId, waitedMs); waitedMs += PATIENCE_MS) {
      const turn = await Promise.race([promise, this.#timers.sleep(PATIENCE_MS).then(() => undefined)]);
      if (turn) return turn;
      // Nobody hands on what becomes free because time has gone by.
      if (this.#waiters.has(waiter)) this.#handOn();
    }
    // Handed over just now: then it is ours.
    return this.#waiters.delete(waiter) ? undefined : promise;
  }

  /** Nothing is given back while nothing says that the vaults do not answer and there is room. */
  #mayWait(companyId: string, waitedMs: number): boolean {
    const vaults = this.#vaultsOf(companyId);
    if (vaults === 'silent' || waitedMs >= SLOW_MS) return false;
    const isCrowded = this.#held.size + this.#waiters.size > TURNS;
    return !isCrowded || waitedMs < (vaults === 'answer' ? LONGER_PATIENCE_MS : PATIENCE_MS);
  }

  #end(turn: Turn): void {
    this.#held.delete(turn);
    if (this.#nowMs() - turn.begunMs >= SLOW_MS) this.#note(turn.companyId, 'silent');
    this.#handOn();
  }

  #handOn(): void {
    for (const waiter of this.#waiters) {
      if (!this.#isFree(waiter.companyId)) continue;
      this.#waiters.delete(waiter);
      waiter.begin(this.#take(waiter.companyId));
    }
  }

  #nowMs(): number {
    return this.#clock.now().getTime();
  }
}
