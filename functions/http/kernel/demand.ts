// How many units of work each company has asked of this process of late, answered or turned away. When the process must turn calls away, it turns
// away calls of the companies that ask most.

export class Demand {
  readonly #halfLifeMs: number;
  readonly #units = new Map<string, number>();
  #sum = 0;
  #calls = 0;
  #halvedAtMs = -Infinity;

  constructor(options: { readonly halfLifeMs: number }) {
    this.#halfLifeMs = options.halfLifeMs;
  }

  add(companyId: string, units: number, nowMs: number): void {
    if (Math.abs(nowMs - this.#halvedAtMs) >= this.#halfLifeMs) this.#halve(nowMs);
    this.#units.set(companyId, (this.#units.get(companyId) ?? 0) + units);
    this.#sum += units;
    this.#calls += 1;
  }

  /** Of all companies, within about twice the half-life. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether it asks as much as companies do on average, or more: at least one of them does. */
  isMuch(companyId: string): boolean {
    return (this.#units.get(companyId) ?? 0) * this.#units.size >= this.#sum;
  }

  /** Companies that ask nothing any more are forgotten. */
  #halve(nowMs: number): void {
    this.#halvedAtMs = nowMs;
    this.#calls = Math.floor(this.#calls / 2);
    this.#sum = 0;
    for (const [companyId, units] of this.#units) {
      const half = Math.floor(units / 2);
      if (half === 0) this.#units.delete(companyId);
      else this.#units.set(companyId, half);
      this.#sum += half;
    }
  }
}
