// Who may wait for a vault. A message that waits holds one of the process's few, and a vault that says nothing holds it until its time-out:
// of one company only so many wait at once, whatever their keyrings and vaults, and a further one gives its place back at once. One for each
// process. For fairness only: nothing is right or wrong by it, and another process knows nothing of it.

/** Of host.json's `maxConcurrentCalls`, 16. */
const WAITING_OF_A_COMPANY = 2;

/** There is no turn now: nothing was done. */
export const NO_TURN = 'no-turn';

export class VaultTurns {
  readonly #waiting = new Map<string, number>();

  /** Does the work, which may ask vaults, in one of the company's turns. */
  async run<T>(companyId: string, work: () => Promise<T>): Promise<T | typeof NO_TURN> {
    const waiting = this.#waiting.get(companyId) ?? 0;
    if (waiting >= WAITING_OF_A_COMPANY) return NO_TURN;
    this.#waiting.set(companyId, waiting + 1);
    try {
      return await work();
    } finally {
      const left = (this.#waiting.get(companyId) ?? 1) - 1;
      if (left > 0) this.#waiting.set(companyId, left);
      else this.#waiting.delete(companyId);
    }
  }
}
