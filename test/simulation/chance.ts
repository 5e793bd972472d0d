// Everything that is left to chance in a simulation, from its seed alone. Each stream is independent, so that one more draw in one
// place does not change the others.
import { random } from '../fakes/faulty-tables.ts';

export class Chance {
  readonly #next: () => number;

  constructor(seed: number, stream: string) {
    let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
    for (let index = 0; index < stream.length; index += 1) {
      mixed = Math.imul(mixed ^ stream.charCodeAt(index), 0xc2b2ae35);
      mixed ^= mixed >>> 15;
    }
    this.#next = random(mixed);
  }

  happens(probability: number): boolean {
    return probability > 0 && this.#next() < probability;
  }

  /** From 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  /** Both ends inclusive. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error('nothing to choose from');
    return choice;
  }
}
