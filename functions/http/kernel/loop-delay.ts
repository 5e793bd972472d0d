// By how much this process is behind: how late its event loop comes to what is due. What waits there, in sockets and in the host, the app has not seen
// yet; that it waits, the loop's delay tells. Nothing happens on import.

/** How often it is looked at. The timer keeps no process alive. */
const EVERY_MS = 100;
/** One pause, of the collector or of the whole machine, is no load: what lasts is the middle one of so many. */
const LOOKS = 3;

export class LoopDelay {
  readonly #nowMs: () => number;
  readonly #delays: number[] = [];
  #lastingMs = 0;

  /** `nowMs`: a monotonic clock, in milliseconds. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** In ms; 0 on a process that is not behind. */
  get lastingMs(): number {
    return this.#lastingMs;
  }

  start(): this {
    const dueMs = this.#nowMs() + EVERY_MS;
    const timer = setTimeout(() => {
      this.#heard(Math.max(0, this.#nowMs() - dueMs));
      this.start();
    }, EVERY_MS);
    timer.unref();
    return this;
  }

  #heard(delayMs: number): void {
    this.#delays.push(delayMs);
    if (this.#delays.length > LOOKS) this.#delays.shift();
    const inOrder = this.#delays.toSorted((a, b) => a - b);
    this.#lastingMs = this.#delays.length < LOOKS ? 0 : (inOrder[Math.floor(LOOKS / 2)] ?? 0);
  }
}
