// A store that misbehaves as the world does: answers lost before or after the commit, refusals to serve, and others who go first.
import { type RowWrite, type TableName, type Tables, type WriteOutcome } from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';

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

export class FaultyTables implements Tables {
  readonly #tables: Tables;
  readonly #random: () => number;
  faults: TableFaults;

  constructor(tables: Tables, options: { readonly seed: number; readonly faults: TableFaults }) {
    this.#tables = tables;
    this.#random = random(options.seed);
    this.faults = options.faults;
  }

  async read(table: TableName, partitionKey: string, rowKey: string): ReturnType<Tables['read']> {
    await this.#begin();
    return this.#tables.read(table, partitionKey, rowKey);
  }

  async list(query: Parameters<Tables['list']>[0]): ReturnType<Tables['list']> {
    await this.#begin();
    return this.#tables.list(query);
  }

  async write(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome> {
    await this.#pause();
    if (this.#random() < this.faults.lostBefore) return { outcome: 'unknown' };
    const written = await this.#tables.write(table, partitionKey, writes);
    await this.#pause();
    return this.#random() < this.faults.lostAfter ? { outcome: 'unknown' } : written;
  }

  async #begin(): Promise<void> {
    await this.#pause();
    if (this.#random() < this.faults.unavailable) throw new StoreUnavailable('planted');
  }

  /** Lets a random number of others go first. */
  async #pause(): Promise<void> {
    for (let turns = Math.floor(this.#random() * 4); turns > 0; turns -= 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
