// Invariant 8: what a switch asks of each vault does not grow with the number of data keys. Held where nothing fails and nobody dies,
// since every retry is a call of its own.
import type { Switch } from '../../shared/domain/switch.ts';
import type { History } from './history.ts';
import type { Plan } from './plan.ts';

const FOR_A_SWITCH = 6;
const FOR_A_PROCESS = 3;

export class CallBudget {
  readonly #history: History;
  readonly #plan: Plan;
  readonly #calls = new Map<string, number>();
  readonly #generations = new Map<string, Set<number>>();

  constructor(history: History, plan: Plan) {
    this.#history = history;
    this.#plan = plan;
  }

  seen(sw: Switch): void {
    const generations = this.#generations.get(sw.switchId) ?? new Set();
    if (sw.generation > 0) generations.add(sw.generation);
    this.#generations.set(sw.switchId, generations);
  }

  /** An authorised call of a worker. Callers' own unwraps and the seal key's calls are counted apart. */
  called(host: string, sw: Switch): void {
    if (!this.#plan.calm) return;
    const name = `${sw.switchId} ${host}`;
    const calls = (this.#calls.get(name) ?? 0) + 1;
    this.#calls.set(name, calls);
    const generations = Math.max(1, this.#generations.get(sw.switchId)?.size ?? 0);
    const most = FOR_A_SWITCH + FOR_A_PROCESS * this.#plan.processes * generations;
    if (calls > most) this.#history.broken('8', `switch ${sw.switchId} asked ${host} ${calls} times, ${most} at most`);
  }
}
