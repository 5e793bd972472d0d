// Keeps values for a time, in this process, and drops the least recently used first. The time is counted from before the load: a slow answer must
// not lengthen it. Callers that want the same value at once share one load. A caller that comes when a load has taken longer than the time starts
// another one, since the answer to so old a question may come from before a denial. A load that failed is not kept.
import { ok, type Result } from './result.ts';

/** Milliseconds since 1970: from then on it is not given out. */
export interface Kept<V> {
  readonly value: V;
  readonly endsAtMs: number;
}

/** Has the value end earlier than the time; a later end changes nothing. */
export type EndBy = (endsAtMs: number) => void;
type Found<V> = (name: string, found: { readonly value: V; readonly endsAtMs?: number } | undefined) => void;
type Load<V, E> = (endBy: EndBy) => Promise<Result<V, E>>;

interface UnderWay<V, E> {
  readonly answer: Promise<Result<V, E>>;
  readonly endsAtMs: number;
}

export class ExpiringCache<V, E = never> {
  readonly #clock: { now(): Date };
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  /** The least recently used first. */
  readonly #kept = new Map<string, Kept<V>>();
  /** By name, what others wait for too. */
  readonly #shared = new Map<string, UnderWay<V, E>>();
  /** Every load under way, with the names that were forgotten since it began. */
  readonly #loads = new Set<Set<string>>();

  constructor(clock: { now(): Date }, options: { readonly ttlMs: number; readonly maxEntries: number }) {
    this.#clock = clock;
    this.#ttlMs = options.ttlMs;
    this.#maxEntries = options.maxEntries;
  }

  /** What is kept; waits for no load. */
  peek(name: string): Kept<V> | undefined {
    const kept = this.#kept.get(name);
    if (!kept) return undefined;
    this.#kept.delete(name);
    const nowMs = this.#nowMs();
    // More than the time is left only where the clock was put back.
    if (kept.endsAtMs <= nowMs || kept.endsAtMs > nowMs + this.#ttlMs) return undefined;
    this.#kept.set(name, kept);
    return kept;
  }

  /** What is known without a load. Its time begins now, and ends earlier where `endsAtMs` says so. */
  keep(name: string, value: V, endsAtMs = Infinity): void {
    this.#put(name, { value, endsAtMs: Math.min(endsAtMs, this.#nowMs() + this.#ttlMs) });
  }

  /** What is kept, or is being loaded, or else what `load` answers. */
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

  /** What `load` answers, whatever is kept: it takes the place of that. */
  load(name: string, load: Load<V, E>): Promise<Result<V, E>> {
    return this.loadSeveral(async (found) => {
      let endsAtMs = Infinity;
      const answer = await load((atMs) => (endsAtMs = Math.min(endsAtMs, atMs)));
      found(name, answer.ok ? { value: answer.value, endsAtMs } : undefined);
      return answer;
    });
  }

  /**
   * The same of several names: `load` says what it found of each, and what it found nothing of that may be kept. If it takes longer than the
   * time, nothing is changed by it.
   */
  async loadSeveral<T>(load: (found: Found<V>) => Promise<T>): Promise<T> {
    const timeIsOverAtMs = this.#nowMs() + this.#ttlMs;
    const forgotten = new Set<string>();
    this.#loads.add(forgotten);
    try {
      return await load((name, found) => {
        const nowMs = this.#nowMs();
        if (timeIsOverAtMs <= nowMs || forgotten.has(name)) return;
        const endsAtMs = Math.min(timeIsOverAtMs, found?.endsAtMs ?? Infinity);
        if (found && endsAtMs > nowMs) this.#put(name, { value: found.value, endsAtMs });
        else this.#kept.delete(name);
      });
    } finally {
      this.#loads.delete(forgotten);
    }
  }

  /** Drops the value. A load of it that is under way is neither kept nor shared with later callers. */
  forget(name: string): void {
    this.#kept.delete(name);
    this.#shared.delete(name);
    for (const forgotten of this.#loads) forgotten.add(name);
  }

  #put(name: string, kept: Kept<V>): void {
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#maxEntries) return;
      this.#kept.delete(oldest);
    }
  }

  #nowMs(): number {
    return this.#clock.now().getTime();
  }
}
