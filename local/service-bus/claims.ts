// What the tokens put on one connection allow, and until when. Pure: the time is passed in.

/** One per entity and management node is usual; more than this means a client that asks for the same for ever. */
const MAX_CLAIMS = 1000;

export class Claims {
  readonly #expiresAtMs = new Map<string, number>();

  /** A later token for the same path replaces the earlier one. */
  add(path: string, expiresAtMs: number): void {
    this.#expiresAtMs.delete(path);
    const [oldest] = this.#expiresAtMs.keys();
    if (oldest !== undefined && this.#expiresAtMs.size >= MAX_CLAIMS) this.#expiresAtMs.delete(oldest);
    this.#expiresAtMs.set(path, expiresAtMs);
  }

  /** A token for an entity also covers what lies below it: its management node, its dead-letter queue. */
  allow(path: string, nowMs: number): boolean {
    for (const [claimed, expiresAtMs] of this.#expiresAtMs) {
      const covers = claimed === '' || claimed === path || path.startsWith(`${claimed}/`);
      if (covers && expiresAtMs > nowMs) return true;
    }
    return false;
  }

  /** Whether the connection showed any token that is still good: only then is it told which entities do not exist. */
  hasAny(nowMs: number): boolean {
    return [...this.#expiresAtMs.values()].some((expiresAtMs) => expiresAtMs > nowMs);
  }
}
