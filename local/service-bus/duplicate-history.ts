// Which message ids a queue has seen lately. Pure: the time is passed in. As in Service Bus an id is remembered from
// its first arrival on, a repeat does not prolong that, and neither completing nor cancelling a message forgets it.

/** Beyond this the oldest id is forgotten early: memory is bounded whatever the window. */
const MAX_REMEMBERED_IDS = 1_000_000;

export class DuplicateHistory {
  readonly #windowMs: number;
  /** Insertion order is order of expiry, since the window is the same for all. */
  readonly #forgetAtMs = new Map<string, number>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Whether the id was seen within the window; if not, it is remembered from now on. A window of 0 is none at all. */
  isRepeat(messageId: string, nowMs: number): boolean {
    if (this.#windowMs === 0) return false;
    this.#forget(nowMs);
    if (this.#forgetAtMs.has(messageId)) return true;
    this.#forgetAtMs.set(messageId, nowMs + this.#windowMs);
    return false;
  }

  #forget(nowMs: number): void {
    for (const [messageId, forgetAtMs] of this.#forgetAtMs) {
      if (forgetAtMs > nowMs && this.#forgetAtMs.size < MAX_REMEMBERED_IDS) break;
      this.#forgetAtMs.delete(messageId);
    }
  }
}
