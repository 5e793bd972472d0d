// The parts of the demo as they went, a line for each: what it ends with, and all that `--short` tells.
import type { Screen } from './screen.ts';
import { seconds } from './words.ts';

interface Part {
  readonly title: string;
  readonly begunAt: number;
  tookMs?: number;
  failed: boolean;
}

export class Parts {
  readonly #parts: Part[] = [];
  readonly #screen: Screen | undefined;

  /** `screen`: where each part is told once it is over. */
  constructor(screen?: Screen) {
    this.#screen = screen;
  }

  /** The part before is over with it. */
  begin(title: string): void {
    this.end();
    this.#parts.push({ title, begunAt: Date.now(), failed: false });
  }

  /** Something of the part that is under way was not as it should be. Answers its title. */
  fail(): string | undefined {
    const part = this.#parts.at(-1);
    if (part) part.failed = true;
    return part?.title;
  }

  end(): void {
    const part = this.#parts.at(-1);
    if (!part || part.tookMs !== undefined) return;
    part.tookMs = Date.now() - part.begunAt;
    if (this.#screen) tell(this.#screen, part);
  }

  tellAll(screen: Screen): void {
    for (const part of this.#parts) tell(screen, part);
  }
}

function tell(screen: Screen, { title, tookMs = 0, failed }: Part): void {
  const words = `${title} (${seconds(tookMs)})`;
  if (failed) screen.failed(words);
  else screen.done(words);
}
