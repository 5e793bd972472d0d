// A Functions host with so many places for messages, on simulated time: whatever calls tables or vaults waits for time to go on, and holds
// its place meanwhile. Keyrings are worlds of their own, so that each has vaults of its own; what the process shares they are given.
import type { WorkMessage } from '../../../shared/domain/work-message.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { handleSwitchWork, type WorkDependencies } from '../../../shared/operations/switches/work.ts';
import type { FakeClock } from '../../fakes/fake-system.ts';

/** `maxConcurrentCalls` in host.json. */
const PLACES = 16;
const TABLE_CALL_MS = 10;
/** Enough for all that follows from one event and takes no time. */
const TURNS_OF_THE_LOOP = 6;

interface Waiting {
  readonly dueMs: number;
  readonly keyring: string;
  readonly message: WorkMessage;
}

export class HostWithSlots {
  readonly #clock: FakeClock;
  readonly #events: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly #keyrings = new Map<string, WorkDependencies>();
  #waiting: Waiting[] = [];
  #atWork: string[] = [];
  readonly failures: unknown[] = [];

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  add(keyring: string, deps: WorkDependencies): WorkDependencies {
    const send = (messages: readonly WorkMessage[], options: { readonly delayMs?: number } = {}): Promise<void> => {
      const dueMs = this.#nowMs() + (options.delayMs ?? 0);
      for (const message of messages) this.#waiting.push({ dueMs, keyring, message });
      return Promise.resolve();
    };
    const added = { ...deps, queue: { send } };
    this.#keyrings.set(keyring, added);
    return added;
  }

  /** Waiting or worked on. */
  messagesOf(isMeant: (keyring: string) => boolean): number {
    return this.#waiting.filter(({ keyring }) => isMeant(keyring)).length + this.#atWork.filter(isMeant).length;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.#nowMs() + ms, resolve));
  }

  at(atMs: number, run: () => void): void {
    this.#events.push({ atMs, run });
  }

  slow(tables: Tables): Tables {
    const after = async <T>(call: () => Promise<T>): Promise<T> => {
      await this.sleep(TABLE_CALL_MS);
      return call();
    };
    return {
      read: (...input) => after(() => tables.read(...input)),
      list: (query) => after(() => tables.list(query)),
      write: (...input) => after(() => tables.write(...input)),
    };
  }

  /** Until `enough`, looked at after each event, or for so long. Answers the time that went by, in milliseconds. */
  async run(longestMs: number, enough: () => Promise<boolean> | boolean = () => false): Promise<number> {
    const startedMs = this.#nowMs();
    while (this.#nowMs() - startedMs < longestMs) {
      this.#begin();
      for (let turn = 0; turn < TURNS_OF_THE_LOOP; turn += 1) await new Promise(setImmediate);
      if (await enough()) break;
      this.#goOn(startedMs + longestMs);
    }
    return this.#nowMs() - startedMs;
  }

  #begin(): void {
    this.#waiting.sort((a, b) => a.dueMs - b.dueMs);
    while (this.#atWork.length < PLACES && (this.#waiting[0]?.dueMs ?? Infinity) <= this.#nowMs()) {
      const { keyring, message } = this.#waiting.shift()!;
      this.#atWork.push(keyring);
      handleSwitchWork(this.#keyrings.get(keyring)!, message)
        .catch((error: unknown) => this.failures.push(error))
        .finally(() => this.#atWork.splice(this.#atWork.indexOf(keyring), 1));
    }
  }

  #goOn(endMs: number): void {
    const isFull = this.#atWork.length >= PLACES;
    const due = this.#waiting.map(({ dueMs }) => dueMs).filter((dueMs) => !isFull || dueMs > this.#nowMs());
    const nextMs = Math.min(endMs, ...this.#events.map(({ atMs }) => atMs), ...(isFull ? [] : due));
    this.#clock.advanceTo(nextMs);
    const now = this.#events.filter(({ atMs }) => atMs <= nextMs);
    this.#events.splice(0, this.#events.length, ...this.#events.filter(({ atMs }) => atMs > nextMs));
    for (const { run } of now) run();
  }

  #nowMs(): number {
    return this.#clock.now().getTime();
  }
}
