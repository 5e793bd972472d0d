// Limits which messages may wait for vaults. A message holds one of the process's few places until its vault answers or the call times out. So each company
// gets few permits, whatever its keyrings and vaults; companies whose vaults have not answered leave permits to those whose vaults have, and all leave places
// to messages that already have their keys. One for each process, for fairness only: correctness does not depend on it, and processes do not
// share it.
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import type { Clock, Timers } from '../../domain/ports.ts';

const PERMITS_OF_A_COMPANY = 2;
/** Of host.json's `maxConcurrentCalls`, 16: the others are for messages that have their keys. */
const PERMITS = 12;
/** Of these, for all companies whose vaults have not answered here: one each while several compete. */
const PERMITS_UNPROVED = 10;
/** Of these, for all companies whose vaults did not answer here. */
const PERMITS_OF_SILENT = 4;
/** A permit held this long waits for a vault that does not answer: calls to vaults that do take less. */
const SLOW_MS = 3_000;
/** Every message waits this long for a permit, and longer while there are places left for others. */
const PATIENCE_MS = 250;
/** The same for a company whose vaults have answered. */
const LONGER_PATIENCE_MS = 500;
const REMEMBERED_MS = 10 * 60_000;
const MAX_COMPANIES = 1_000;

/** There was no permit: nothing was done. */
export const NO_PERMIT = 'no-permit';

/** Whether a company's vaults answer, as far as this process knows. */
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

  /** Runs the work, which may ask vaults, under one of the company's permits. `proves`: the result shows that the vaults answered. */
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

  /** The permit, if one is handed over in time. */
  async #wait(companyId: string): Promise<Permit | undefined> {
    const { promise, resolve: begin } = Promise.withResolvers<Permit>();
    const waiter: Waiter = { companyId, begin };
    this.#waiters.add(waiter);
    for (let waitedMs = 0; this.#mayWait(companyId, waitedMs); waitedMs += PATIENCE_MS) {
      const permit = await Promise.race([promise, this.#timers.sleep(PATIENCE_MS).then(() => undefined)]);
      if (permit) return permit;
      // A permit that becomes free only because time has passed has no one to hand it on, so this waiter does.
      if (this.#waiters.has(waiter)) this.#handOn();
    }
    // Handed over just now: then it is ours.
    return this.#waiters.delete(waiter) ? undefined : promise;
  }

  /** A message goes on waiting as long as no vault is known not to answer and there is room. */
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
    return this.#clock.steadyMs();
  }
}
