// A chapter of the demo: what is told, with which settings the product runs meanwhile, and what can be broken on purpose.
import type { Demo } from './demo.ts';
import type { ChapterFacts } from './options.ts';

export interface Chapter extends ChapterFacts {
  /** The first line. */
  readonly title: string;
  /** App settings of its hosts, beside the demo's own. */
  readonly settings: Readonly<Record<string, string>>;
  tell(demo: Demo): Promise<void>;
}
