// Limits how many calls for data keys, and looks at a keyring or a switch, which read every shard, this process works on at once. The other calls
// wait, and a call that has waited too long is answered 503 with Retry-After instead of waiting for seconds. Fair by company: the next place goes to
// the company that holds least, and of several to the one that had its last place longest ago. In memory, for this process. Health, the
// administrators' other calls, pages, messages and timers need no place.
import { err, type Result } from '../../shared/domain/result.ts';
import type { Refusal } from '../../shared/domain/refusal.ts';
import type { Clock } from '../../shared/operations/ports.ts';
import type { VaultWaits } from '../../shared/operations/vault-waits.ts';
import { UnitLimit } from './unit-limit.ts';

/** A call for one key takes about as long as so many more keys in a batch do. */
const KEYS_OF_A_UNIT = 40;
/** As of a batch of 1,000 keys: there is always room for it. */
const MAX_UNITS_OF_A_CALL = 26;
/** More than a process does in the time that calls may wait: the last of them would wait in vain. */
const MAX_WAITING_UNITS = 4_096;
/** Calls that are turned away at the same moment get different times, so that they do not all come back at once. */
const RETRY_AFTER_SECONDS = [1, 2, 3, 4] as const;

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
  #turnedAway = 0;

  readonly #clock: Clock;
  readonly #limit: UnitLimit;

  constructor(
    deps: { readonly vaultWaits: Pick<VaultWaits, 'isWaiting' | 'onBegin'>; readonly clock: Clock },
    options: { readonly maxWaitMs: number },
  ) {
    const { vaultWaits, clock } = deps;
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

  /** `work` as soon as there is room; `overloaded`, and nothing was done, if there is none in time. */
  async run<T>(
    call: { readonly companyId: string } & Load,
    work: () => Promise<Result<T, Refusal>>,
  ): Promise<Result<T, Refusal>> {
    const { companyId } = call;
    const units = unitsOf(call);
    const company = this.#company(companyId);
    if (this.#waitingUnits === 0 && this.#hasRoom(company, units)) this.#take(company, units);
    else if (!(await this.#place(company, units))) {
      this.#turnedAway += 1;
      const retryAfterSeconds = RETRY_AFTER_SECONDS[this.#turnedAway % RETRY_AFTER_SECONDS.length] ?? 1;
      return err({ type: 'overloaded', retryAfterSeconds });
    }
    const begunMs = this.#clock.now().getTime();
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
        this.#limit.measure(companyId, isIdle ? 0 : this.#clock.now().getTime() - begunMs);
      }
      company.units -= units;
      this.#units -= units;
      this.#forget(company);
      this.#letIn();
    }
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
      if (this.#waitingUnits > MAX_WAITING_UNITS) this.#turnAway(this.#lastOfTheMost());
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
      if (!first || company.units + first.units > this.#limit.ofCompany) continue;
      if (!least || company.units < least.company.units) least = first;
    }
    return least && this.#hasRoom(least.company, least.units) ? least : undefined;
  }

  #hasRoom(company: Company, units: number): boolean {
    if (company.units + units > this.#limit.ofCompany) return false;
    if (this.#units + units <= this.#limit.units || this.#vaultWaits.isWaiting(company.companyId)) return true;
    let working = 0;
    for (const each of this.#companies.values()) {
      if (!this.#vaultWaits.isWaiting(each.companyId)) working += each.units;
    }
    return working + units <= this.#limit.units;
  }

  #lastOfTheMost(): Waiting | undefined {
    const [first, ...others] = this.#companies.values();
    const most = others.reduce((a, b) => (b.waitingUnits > (a?.waitingUnits ?? 0) ? b : a), first);
    return [...(most?.waiting ?? [])].at(-1);
  }
}
