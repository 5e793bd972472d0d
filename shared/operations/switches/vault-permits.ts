// Who may wait for a vault. A message that asks a vault holds one of the process's few places, and a vault that does not answer holds it until
// the call times out. So few of one company ask at once, whatever its keyrings and vaults; companies whose vaults have not answered here leave permits
// to those whose have, and all of them leave places to messages that have their keys. One for each process. For fairness only: nothing is right or
// wrong by it, and another process knows nothing of it.
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import type { Clock, Timers } from '../../domain/ports.ts';

const PERMITS_OF_A_COMPANY = 2;
/** Of host.json's `maxConcurrentCalls`, 16: the others are for messages that have their keys. */
const PERMITS = 12;
/** Of these, for all companies whose vaults have not answered here: one each, if they are several. */
const PERMITS_UNPROVED = 10;
/** Of these, for all companies whose vaults are known not to answer. */
const PERMITS_OF_SILENT = 4;
/** A permit that is held for so long waits for a vault that does not answer: all calls under one permit to vaults that do take less. */
const SLOW_MS = 3_000;
/** So long a message waits for a permit in any case; after that while places are left for others. */
const PATIENCE_MS = 250;
/** The same of a company whose vaults have answered. */
const LONGER_PATIENCE_MS = 500;
const REMEMBERED_MS = 10 * 60_000;
const MAX_COMPANIES = 1_000;

/** There was no permit: nothing was done. */
export const NO_PERMIT = 'no-permit';

/** Whether the vaults of a company answer, as far as is known here. */
type Vaults = 'answer' | 'silent' | 'unknown';

interface Permit {
  readonly companyId: string;
  readonly begunMs: number;
}

interface Waiter {
  readonly companyId: string;
  readonly begin: (permit: Permit) => void;
}

export class VaultPermits {
  readonly #timers: Pick<Timers, 'sleep'>;
  readonly #clock: Clock;
  readonly #held = new Set<Permit>();
  readonly #waiters = new Set<Waiter>();
  readonly #seen: ExpiringCache<Vaults>;

  constructor(timers: Pick<Timers, 'sleep'>, clock: Clock) {
    this.#timers = timers;
    this.#clock = clock;
    this.#seen = new ExpiringCache(clock, { ttlMs: REMEMBERED_MS, maxEntries: MAX_COMPANIES });
  }

  /** Does the work, which may ask vaults, under one of the company's permits. `proves`: what it answers has come of an answer of the vaults. */
  async run<T>(
    companyId: string,
    work: () => Promise<T>,
    proves: (done: T) => boolean = () => false,
  ): Promise<T | typeof NO_PERMIT> {
    const permit = this.#isFree(companyId) ? this.#take(companyId) : await this.#wait(companyId);
    if (!permit) return NO_PERMIT;
    try {
      const done = await work();
      if (proves(done)) this.#seen.keep(companyId, 'answer');
      return done;
    } finally {
      this.#end(permit);
    }
  }

  #isFree(companyId: string): boolean {
    const vaults = this.#vaultsOf(companyId);
    const holding = { own: 0, unproved: 0, silent: 0 };
    for (const permit of this.#held) {
      const others = this.#vaultsOf(permit.companyId);
      if (permit.companyId === companyId) holding.own += 1;
      if (others !== 'answer') holding.unproved += 1;
      if (others === 'silent') holding.silent += 1;
    }
    if (this.#held.size >= PERMITS || holding.own >= PERMITS_OF_A_COMPANY) return false;
    if (vaults === 'answer') return true;
    if (holding.own > 0 && holding.unproved > holding.own) return false;
    return holding.unproved < PERMITS_UNPROVED && (vaults === 'unknown' || holding.silent < PERMITS_OF_SILENT);
  }

  #vaultsOf(companyId: string): Vaults {
    const nowMs = this.#nowMs();
    for (const permit of this.#held)
      if (permit.companyId === companyId && nowMs - permit.begunMs >= SLOW_MS) return 'silent';
    return this.#seen.peek(companyId)?.value ?? 'unknown';
  }

  #take(companyId: string): Permit {
    const permit = { companyId, begunMs: this.#nowMs() };
    this.#held.add(permit);
    return permit;
  }

  /** The permit that was handed over in time. */
  async #wait(companyId: string): Promise<Permit | undefined> {
    const { promise, resolve: begin } = Promise.withResolvers<Permit>();
    const waiter: Waiter = { companyId, begin };
    this.#waiters.add(waiter);
    for (let waitedMs = 0; this.#mayWait(companyId, waitedMs); waitedMs += PATIENCE_MS) {
      const permit = await Promise.race([promise, this.#timers.sleep(PATIENCE_MS).then(() => undefined)]);
      if (permit) return permit;
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
    const isCrowded = this.#held.size + this.#waiters.size > PERMITS;
    return !isCrowded || waitedMs < (vaults === 'answer' ? LONGER_PATIENCE_MS : PATIENCE_MS);
  }

  #end(permit: Permit): void {
    this.#held.delete(permit);
    if (this.#nowMs() - permit.begunMs >= SLOW_MS) this.#seen.keep(permit.companyId, 'silent');
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
