// Keeps values for a time, in this process; drops the least recently used first. The time counts from before the load, so that a slow answer does
// not lengthen it, and by a clock that is never set back. Callers that want the same value at once share one load; once a load has taken longer than the time, callers start another,
// because its answer may come from before a denial. A failed load is not kept.
import { LRUCache } from 'lru-cache';
import type { Clock } from './ports.ts';
import { ok, type Result } from './result.ts';

/** `endsAtMs`: from when the value is not given out, by the steady clock. */
export interface Kept<V> {
  readonly value: V;
  readonly endsAtMs: number;
}

/** Makes the value expire earlier than the time; a later end changes nothing. */
export type EndBy = (endsAtMs: number) => void;
type Found<V> = (name: string, found: { readonly value: V; readonly endsAtMs?: number } | undefined) => void;
type Load<V, E> = (endBy: EndBy) => Promise<Result<V, E>>;

/** What must not be given out any more. `value` is undefined for a load in progress, whose value is not known yet. */
export type Forgotten<V> = (name: string, value: V | undefined) => boolean;

interface UnderWay<V, E> {
  readonly answer: Promise<Result<V, E>>;
  readonly endsAtMs: number;
}

export class ExpiringCache<V, E = never> {
  readonly #clock: Pick<Clock, 'steadyMs'>;
  readonly #ttlMs: number;
  readonly #kept: LRUCache<string, Kept<V>>;
  /** Loads that later callers of the same name may wait for. */
  readonly #shared = new Map<string, UnderWay<V, E>>();
  /** Every load in progress, with what was forgotten since it began. */
  readonly #loads = new Set<Forgotten<V>[]>();
  #lastEndMs = -Infinity;

  constructor(clock: Pick<Clock, 'steadyMs'>, options: { readonly ttlMs: number; readonly maxEntries: number }) {
    this.#clock = clock;
    this.#ttlMs = options.ttlMs;
    // By `max` the library would set aside memory for all of them at once, 0.8 ms for 10,000.
    this.#kept = new LRUCache({ maxSize: options.maxEntries, sizeCalculation: () => 1 });
  }

  /** Whether a value may still be given out. */
  get mayHold(): boolean {
    return this.#nowMs() < this.#lastEndMs;
  }

  /** The kept value, without waiting for a load. */
  peek(name: string): Kept<V> | undefined {
    const kept = this.#kept.get(name);
    if (!kept) return undefined;
    if (kept.endsAtMs > this.#nowMs()) return kept;
    this.#kept.delete(name);
    return undefined;
  }

  /** Keeps a value that needed no load, from now for `ttlMs`, or until `endsAtMs` if that is earlier. */
  keep(name: string, value: V, endsAtMs = Infinity): void {
    this.#set(name, { value, endsAtMs: Math.min(endsAtMs, this.#nowMs() + this.#ttlMs) });
  }

  /** The kept value, else the one being loaded, else a new load. */
  get(name: string, load: Load<V, E>): Promise<Result<V, E>> {
    const kept = this.peek(name);
    if (kept) return Promise.resolve(ok(kept.value));
    const nowMs = this.#nowMs();
    const underWay = this.#shared.get(name);
    if (underWay && underWay.endsAtMs > nowMs) return underWay.answer;
    const answer = this.load(name, load).finally(() => {
      if (this.#shared.get(name)?.answer === answer) this.#shared.delete(name);
    });
    this.#shared.set(name, { answer, endsAtMs: nowMs + this.#ttlMs });
    return answer;
  }

  /** Loads in any case, and replaces what is kept. */
  load(name: string, load: Load<V, E>): Promise<Result<V, E>> {
    return this.loadSeveral(async (found) => {
      let endsAtMs = Infinity;
      const answer = await load((atMs) => (endsAtMs = Math.min(endsAtMs, atMs)));
      found(name, answer.ok ? { value: answer.value, endsAtMs } : undefined);
      return answer;
    });
  }

  /**
   * Loads several names: `load` reports what it found for each, and undefined for what must not be kept. If it takes longer than the time, it
   * changes nothing.
   */
  async loadSeveral<T>(load: (found: Found<V>) => Promise<T>): Promise<T> {
    const timeIsOverAtMs = this.#nowMs() + this.#ttlMs;
    const forgotten: Forgotten<V>[] = [];
    this.#loads.add(forgotten);
    try {
      return await load((name, found) => {
        const nowMs = this.#nowMs();
        if (timeIsOverAtMs <= nowMs || forgotten.some((isForgotten) => isForgotten(name, found?.value))) return;
        const endsAtMs = Math.min(timeIsOverAtMs, found?.endsAtMs ?? Infinity);
        if (found && endsAtMs > nowMs) this.#set(name, { value: found.value, endsAtMs });
        else this.#kept.delete(name);
      });
    } finally {
      this.#loads.delete(forgotten);
    }
  }

  /** Drops the value. A load in progress is neither kept nor shared with later callers. */
  forget(name: string): void {
    this.#kept.delete(name);
    this.#shared.delete(name);
    for (const forgotten of this.#loads) forgotten.push((other) => other === name);
  }

  /** The same for every name and value that it is true of. Looks at all that is kept. */
  forgetAll(isForgotten: Forgotten<V>): void {
    for (const [name, { value }] of this.#kept) if (isForgotten(name, value)) this.#kept.delete(name);
    for (const name of this.#shared.keys()) if (isForgotten(name, undefined)) this.#shared.delete(name);
    for (const forgotten of this.#loads) forgotten.push(isForgotten);
  }

  #set(name: string, kept: Kept<V>): void {
    this.#kept.set(name, kept);
    this.#lastEndMs = Math.max(this.#lastEndMs, kept.endsAtMs);
  }

  #nowMs(): number {
    return this.#clock.steadyMs();
  }
}
