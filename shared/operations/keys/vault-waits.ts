// Which companies' calls wait for a vault to open their company key. The code that limits calls asks here, since such calls keep neither the processor nor
// the store busy. In memory, for this process.

export class VaultWaits {
  readonly #waits = new Map<string, number>();
  readonly #listeners: ((companyId: string) => void)[] = [];

  isWaiting(companyId: string): boolean {
    return this.#waits.has(companyId);
  }

  /** Calls the listener each time a company begins to wait. */
  onBegin(listener: (companyId: string) => void): void {
    this.#listeners.push(listener);
  }

  async during<T>(companyId: string, wait: Promise<T>): Promise<T> {
    const before = this.#waits.get(companyId) ?? 0;
    this.#waits.set(companyId, before + 1);
    if (before === 0) for (const listener of this.#listeners) listener(companyId);
    try {
      return await wait;
    } finally {
      const left = (this.#waits.get(companyId) ?? 1) - 1;
      if (left === 0) this.#waits.delete(companyId);
      else this.#waits.set(companyId, left);
    }
  }
}
