// What the seeds of a run have reached, to be added up over many.
import type { Plan } from './plan.ts';
import { reachedPlace, type Death, type Place, type Way } from '../fixtures/places-to-die.ts';

export interface Reached {
  readonly faultPoints: readonly string[];
  readonly places: readonly string[];
}

export class Coverage {
  readonly #faultPoints = new Set<string>();
  readonly #places = new Set<string>();

  /** Actor, point and kind of fault; what is different at every run (ETags, numbers, ids) is left out of the point. */
  fault(role: string, text: string, kind: string): void {
    const parts = text
      .replace(/:(?= [^ ]).*$/, ':after')
      .replace(/\|?(key-\d+|new-[\w-]+|\d[\w-]*)/g, '')
      .replace(/acme\|default\|?/g, '')
      .split(', ');
    const point = [...new Set(parts)].join(', ').slice(0, 120);
    this.#faultPoints.add(`${role} · ${point} · ${kind}`);
  }

  /** Who died there or froze; without either, an answer was lost. */
  place(place: Place, way: Way, plan: Plan, fate: Death | 'answer' = 'answer'): void {
    const several = plan.processes * plan.workersPerProcess > 1;
    this.#places.add(reachedPlace({ place, way, workers: several ? 'several workers' : 'one worker', fate }));
  }

  get reached(): Reached {
    return { faultPoints: [...this.#faultPoints], places: [...this.#places] };
  }
}
