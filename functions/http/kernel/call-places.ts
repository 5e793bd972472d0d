// Limits how many calls for data keys, and looks at a keyring or a switch, which read every shard, this process works on at once. The other calls
// wait, and a call that has waited too long is answered 503 with Retry-After. Fair by company: the next place goes to the company that holds least,
// and of several to the one that had its last place longest ago. Where calls wait for the process itself, before it has seen them, a part of the calls
// of the companies that ask most is turned away at once. In memory, for this process. Health, the administrators' other calls, pages, messages and
// timers need no place.
import { ok, type Result } from '../../../shared/domain/result.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import type { Clock, Log } from '../../../shared/domain/ports.ts';
import type { VaultWaits } from '../../../shared/operations/keys/vault-waits.ts';
import type { CallRates } from './call-rates.ts';
import { Demand } from './demand.ts';
import type { LoopDelay } from './loop-delay.ts';
import { TurnedAway } from './turned-away.ts';
import { UnitLimit } from './unit-limit.ts';

/** A call for one key takes about as long as so many more keys in a batch do. */
const KEYS_OF_A_UNIT = 40;
/** As of a batch of 1,000 keys: there is always room for it. */
const MAX_UNITS_OF_A_CALL = 26;
/** Of the time that calls may wait. From the socket to the answer a call waits for several rounds of the event loop. */
const LOOP_TOO_LATE = 1 / 4;
/** Fewer calls within some seconds are not what makes it late: none of them is turned away for it. */
const MANY_CALLS = 128;
/** However late the loop is, so many of all calls are answered: to turn one away takes the process's time too. */
const LEAST_ANSWERED = 1 / 8;

/** Of data keys, which a batch reads in ranges, or of rows that are read one by one. */
type Load = { readonly keys: number } | { readonly rows: number };

const unitsOf = (load: Load): number =>
  Math.min(MAX_UNITS_OF_A_CALL, 1 + ('keys' in load ? Math.floor(load.keys / KEYS_OF_A_UNIT) : load.rows));

interface Waiting {
  readonly company: Company;
  readonly units: number;
  /** Whether there is room for it now; not if it is turned away. */
  end(hasPlace: boolean): void;
}

interface Company {
  readonly companyId: string;
  /** Units that are worked on. */
  units: number;
  waitingUnits: number;
  readonly waiting: Set<Waiting>;
  /** How often it began to wait for its vault since it is known here. */
  vaultWaits: number;
}

export class CallPlaces {
  readonly #maxWaitMs: number;
  readonly #vaultWaits: Pick<VaultWaits, 'isWaiting'>;
  /** The one that had its last place longest ago comes first. */
  readonly #companies = new Map<string, Company>();
  #units = 0;
  #waitingUnits = 0;

  readonly #clock: Clock;
  readonly #turnedAway: TurnedAway;
  readonly #loopDelay: Pick<LoopDelay, 'lastingMs'>;
  readonly #limit: UnitLimit;
  readonly #demand: Demand;
  readonly #rates: Pick<CallRates, 'take'>;
  /** Grows by a call's share of being answered; one whole is one call. */
  #answerable = 0;

  constructor(
    deps: {
      readonly vaultWaits: Pick<VaultWaits, 'isWaiting' | 'onBegin'>;
      readonly loopDelay: Pick<LoopDelay, 'lastingMs'>;
      readonly rates: Pick<CallRates, 'take'>;
      readonly clock: Clock;
      readonly log: Log;
    },
    options: { readonly maxWaitMs: number },
  ) {
    const { vaultWaits, loopDelay, rates, clock, log } = deps;
    this.#rates = rates;
    this.#turnedAway = new TurnedAway({ clock, log }, options);
    this.#loopDelay = loopDelay;
    this.#demand = new Demand({ halfLifeMs: options.maxWaitMs });
    this.#maxWaitMs = options.maxWaitMs;
    this.#vaultWaits = vaultWaits;
    this.#clock = clock;
    this.#limit = new UnitLimit(options);
    vaultWaits.onBegin((companyId) => {
      const company = this.#companies.get(companyId);
      if (company) company.vaultWaits += 1;
      this.#letIn();
    });
  }

  /** `work` as soon as there is room; `overloaded`, and nothing was done, if there is none in time; `over-rate` if the company asks for too many keys. */
  async run<T, E = never>(
    call: { readonly companyId: string } & Load,
    work: () => Promise<Result<T, Refusal | E>>,
  ): Promise<Result<T, Refusal | E>> {
    const { companyId } = call;
    const isWithinRate = 'keys' in call ? this.#rates.take(companyId, call.keys) : ok(undefined);
    if (!isWithinRate.ok) return isWithinRate;
    const units = unitsOf(call);
    const cameMs = this.#clock.now().getTime();
    this.#demand.add(companyId, units, cameMs);
    if (this.#loopIsTooLate(companyId)) return this.#refuse(0);
    const company = this.#company(companyId);
    if (this.#waitingUnits === 0 && this.#hasRoom(company, units)) this.#take(company, units);
    else if (!(await this.#place(company, units))) return this.#refuse(this.#clock.now().getTime() - cameMs);
    const begunMs = this.#clock.now().getTime();
    this.#limit.begin(this.#units);
    const beganAlone = this.#isAlone(units);
    const mayMeasure = !this.#vaultWaits.isWaiting(companyId);
    const { vaultWaits } = company;
    try {
      return await work();
    } finally {
      // A call that waited for a vault says nothing of how much this process carries. One that had the process to itself says that there is
      // room, however long it took: a batch of 1,000 may take half a second on an idle one.
      if (mayMeasure && company.vaultWaits === vaultWaits) {
        const isIdle = beganAlone && this.#isAlone(units);
        const nowMs = this.#clock.now().getTime();
        this.#limit.measure({ companyId, tookMs: isIdle ? 0 : nowMs - begunMs, nowMs });
      }
      company.units -= units;
      this.#units -= units;
      this.#forget(company);
      this.#letIn();
    }
  }

  #refuse(waitedMs: number): Result<never, Refusal> {
    return this.#turnedAway.refuse(waitedMs, () => ({
      places: this.#limit.units,
      waiting: this.#waitingUnits,
      loopDelayMs: Math.round(this.#loopDelay.lastingMs),
    }));
  }

  /** As many calls are let through as would find the loop just in time if the others came later. */
  #loopIsTooLate(companyId: string): boolean {
    const mayBeMs = this.#maxWaitMs * LOOP_TOO_LATE;
    const { lastingMs } = this.#loopDelay;
    if (lastingMs <= mayBeMs || this.#demand.calls < MANY_CALLS || !this.#demand.isMuch(companyId)) return false;
    this.#answerable += Math.max(LEAST_ANSWERED, mayBeMs / lastingMs);
    if (this.#answerable < 1) return true;
    this.#answerable -= 1;
    return false;
  }

  #company(companyId: string): Company {
    const known = this.#companies.get(companyId);
    if (known) return known;
    const company: Company = { companyId, units: 0, waitingUnits: 0, waiting: new Set(), vaultWaits: 0 };
    this.#companies.set(companyId, company);
    return company;
  }

  /** A place that was taken, or false. */
  #place(company: Company, units: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        company,
        units,
        end: (hasPlace) => {
          clearTimeout(late);
          company.waiting.delete(waiting);
          company.waitingUnits -= units;
          this.#waitingUnits -= units;
          if (hasPlace) this.#take(company, units);
          else this.#forget(company);
          resolve(hasPlace);
        },
      };
      const late = setTimeout(() => this.#turnAway(waiting), this.#maxWaitMs);
      company.waiting.add(waiting);
      company.waitingUnits += units;
      this.#waitingUnits += units;
      this.#letIn();
      const most = this.#limit.mostWaiting(this.#clock.now().getTime());
      if (this.#waitingUnits > most) this.#turnAway(this.#lastOfTheMost());
    });
  }

  /** Others may have waited behind it, for less room. */
  #turnAway(waiting: Waiting | undefined): void {
    waiting?.end(false);
    this.#letIn();
  }

  #take(company: Company, units: number): void {
    this.#companies.delete(company.companyId);
    this.#companies.set(company.companyId, company);
    company.units += units;
    this.#units += units;
  }

  /** Whether a call of so many units is all that is worked on. */
  #isAlone(units: number): boolean {
    return this.#units === units && this.#waitingUnits === 0;
  }

  #forget(company: Company): void {
    if (company.units === 0 && company.waiting.size === 0) this.#companies.delete(company.companyId);
  }

  #letIn(): void {
    while (this.#waitingUnits > 0) {
      const first = this.#next();
      if (!first) return;
      first.end(true);
    }
  }

  /** The first call of the company that holds least, if there is room: a large one is not passed by small ones for ever. */
  #next(): Waiting | undefined {
    let least: Waiting | undefined;
    for (const company of this.#companies.values()) {
      const [first] = company.waiting;
      if (!first || company.units + first.units > this.#mostOf(company)) continue;
      if (!least || company.units < least.company.units) least = first;
    }
    return least && this.#hasRoom(least.company, least.units) ? least : undefined;
  }

  #hasRoom(company: Company, units: number): boolean {
    if (company.units + units > this.#mostOf(company)) return false;
    if (this.#units + units <= this.#limit.units || this.#vaultWaits.isWaiting(company.companyId)) return true;
    let working = 0;
    for (const each of this.#companies.values()) {
      if (!this.#vaultWaits.isWaiting(each.companyId)) working += each.units;
    }
    return working + units <= this.#limit.units;
  }

  #mostOf({ companyId }: Company): number {
    return this.#vaultWaits.isWaiting(companyId) ? this.#limit.ofWaitingCompany : this.#limit.ofCompany;
  }

  #lastOfTheMost(): Waiting | undefined {
    const [first, ...others] = this.#companies.values();
    const most = others.reduce((a, b) => (b.waitingUnits > (a?.waitingUnits ?? 0) ? b : a), first);
    return [...(most?.waiting ?? [])].at(-1);
  }
}
