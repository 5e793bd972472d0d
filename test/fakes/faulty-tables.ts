// A store that misbehaves as the world does: answers lost before or after the commit, refusals to serve, and others who go first. By chance, from a
// seed; or by a script, at the writes that a test names.
import { type RowWrite, type TableName, type Tables, type WriteOutcome } from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { Died } from './tables-but.ts';

export interface TableFaults {
  /** Chances from 0 to 1. */
  readonly lostBefore: number;
  readonly lostAfter: number;
  readonly unavailable: number;
}

/** A small generator of numbers from 0 to 1 that repeats from its seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Write {
  readonly table: TableName;
  readonly partitionKey: string;
  readonly writes: readonly RowWrite[];
}

export const isOfDataKeys = ({ table }: Write): boolean => table === 'datakeys';

type Call = 'read' | 'list' | 'write';

/** What comes of a write. */
type Happening = (write: Write, commit: () => Promise<WriteOutcome>) => Promise<WriteOutcome>;

const UNKNOWN = { outcome: 'unknown' } as const;

/** What happens at the writes that are meant. The last that is said counts. */
export class At {
  readonly isMeant: (write: Write, nth: number) => boolean;
  happening: Happening = (_, commit) => commit();
  #onItsWay:
    { readonly commit: () => Promise<WriteOutcome>; readonly kind: Call | undefined; left: number } | undefined;

  constructor(isMeant: (write: Write, nth: number) => boolean) {
    this.isMeant = isMeant;
  }

  /** Written, and its answer is lost. `meanwhile` is what others do after the commit. */
  losesTheAnswer(meanwhile?: () => unknown): void {
    this.happening = async (_, commit) => (await commit(), await meanwhile?.(), UNKNOWN);
  }

  /** Not written, and its answer is lost. */
  isLost(): void {
    this.happening = () => Promise.resolve(UNKNOWN);
  }

  /** Its answer is lost, and it is written only as the nth further call is made: of any kind, or of this one. */
  arrivesLate(nth: number, kind?: Call): void {
    this.happening = (_, commit) => {
      this.#onItsWay = { commit, kind, left: nth };
      return Promise.resolve(UNKNOWN);
    };
  }

  /** Another call is made. */
  async passes(call: Call): Promise<void> {
    const late = this.#onItsWay;
    if (!late || (late.kind ?? call) !== call) return;
    late.left -= 1;
    if (late.left > 0) return;
    this.#onItsWay = undefined;
    await late.commit();
  }

  /** Not written: others changed its first row, or its last, since it was read. */
  isOutrun(of: 'first' | 'last' = 'first'): void {
    this.happening = ({ writes }) =>
      Promise.resolve({ outcome: 'conflict', index: of === 'first' ? 0 : writes.length - 1, reason: 'changed' });
  }

  /** Not written: the store is away, and says so. */
  isRefused(): void {
    this.happening = () => Promise.reject(new StoreUnavailable('planted'));
  }

  /** The process dies, `before` it is written or `after`. */
  dies(moment: 'before' | 'after'): void {
    this.happening = async (_, commit) => {
      if (moment === 'after') await commit();
      throw new Died();
    };
  }

  /** Others do this first. */
  comesAfter(others: (write: Write) => unknown): void {
    this.happening = async (write, commit) => {
      await others(write);
      return commit();
    };
  }

  /** Others do this right after its commit, before its answer arrives. */
  isFollowedBy(others: (write: Write) => unknown): void {
    this.happening = async (write, commit) => {
      const written = await commit();
      await others(write);
      return written;
    };
  }
}

const NO_FAULTS: TableFaults = { lostBefore: 0, lostAfter: 0, unavailable: 0 };

export class FaultyTables implements Tables {
  readonly #tables: Tables;
  readonly #random: (() => number) | undefined;
  #script: At[] = [];
  #isDead = false;
  faults: TableFaults;
  /** As they were asked for. */
  readonly writes: Write[] = [];
  reads = 0;

  /** Without a seed nothing is left to chance. */
  constructor(tables: Tables, options?: { readonly seed: number; readonly faults: TableFaults }) {
    this.#tables = tables;
    this.#random = options && random(options.seed);
    this.faults = options?.faults ?? NO_FAULTS;
  }

  /** The nth of `writes`, from 1; or each that is meant. */
  at(which: number | ((write: Write) => boolean)): At {
    const at = new At(typeof which === 'number' ? (_, nth) => nth === which : which);
    this.#script.push(at);
    return at;
  }

  /** The next write that is meant, once. */
  atNext(isMeant: (write: Write) => boolean = () => true): At {
    let isOver = false;
    return this.at((write) => {
      if (isOver || !isMeant(write)) return false;
      isOver = true;
      return true;
    });
  }

  /** The script is over; a process that died is started again. */
  recovers(): void {
    this.#script = [];
    this.#isDead = false;
  }

  async read(table: TableName, partitionKey: string, rowKey: string): ReturnType<Tables['read']> {
    this.reads += 1;
    await this.#begin('read');
    return this.#tables.read(table, partitionKey, rowKey);
  }

  async list(query: Parameters<Tables['list']>[0]): ReturnType<Tables['list']> {
    await this.#begin('list');
    return this.#tables.list(query);
  }

  async write(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome> {
    await this.#pause();
    this.#assertAlive();
    for (const at of this.#script) await at.passes('write');
    if (this.#happens(this.faults.lostBefore)) return UNKNOWN;
    const write = { table, partitionKey, writes };
    const nth = this.writes.push(write);
    const at = this.#script.find((one) => one.isMeant(write, nth));
    const written = await this.#carriedOut(write, at);
    await this.#pause();
    return this.#happens(this.faults.lostAfter) ? UNKNOWN : written;
  }

  async #carriedOut(write: Write, at: At | undefined): Promise<WriteOutcome> {
    const commit = (): Promise<WriteOutcome> => this.#tables.write(write.table, write.partitionKey, write.writes);
    if (!at) return commit();
    try {
      return await at.happening(write, commit);
    } catch (error) {
      this.#isDead ||= error instanceof Died;
      throw error;
    }
  }

  async #begin(call: Call): Promise<void> {
    await this.#pause();
    this.#assertAlive();
    for (const at of this.#script) await at.passes(call);
    if (this.#happens(this.faults.unavailable)) throw new StoreUnavailable('planted');
  }

  /** What is dead asks nothing any more. */
  #assertAlive(): void {
    if (this.#isDead) throw new Died();
  }

  #happens(chance: number): boolean {
    return this.#random !== undefined && this.#random() < chance;
  }

  /** Lets a random number of others go first. */
  async #pause(): Promise<void> {
    if (!this.#random) return;
    for (let turns = Math.floor(this.#random() * 4); turns > 0; turns -= 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
