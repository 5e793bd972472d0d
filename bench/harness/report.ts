// What a benchmark found: printed line by line, with its goal, and kept as JSON with the machine it was found on.
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import type { BenchOptions } from '../benchmark.ts';
import type { PairSummary } from './pairs.ts';
import { MAX_SPREAD, type Summary } from './summary.ts';

type Verdict = 'met' | 'missed' | 'no goal' | 'spread too wide';

interface Line {
  readonly what: string;
  readonly value: string;
  readonly goal: string;
  readonly verdict: Verdict;
  /** Every sample, for the JSON. */
  readonly raw: unknown;
}

/** A report as its JSON file holds it. */
export interface StoredReport {
  readonly name: string;
  readonly at: string;
  readonly node: string;
  readonly processor: { readonly model: string; readonly count: number };
  readonly memoryBytes: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly lines: readonly Line[];
}

const RESULTS = new URL('../results/', import.meta.url);

/** Three significant digits, and thousands kept apart. */
export const number = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));

const range = ({ median, min, max }: Summary): string => `${number(median)} (${number(min)} to ${number(max)})`;

export class Report {
  readonly #name: string;
  readonly #settings: Readonly<Record<string, unknown>>;
  readonly #trial: boolean;
  readonly #lines: Line[] = [];

  constructor(name: string, options: BenchOptions, settings: Readonly<Record<string, unknown>> = {}) {
    this.#name = name;
    this.#trial = options.trial;
    this.#settings = { ...settings, pairs: options.pairs };
    const { model, count } = processor();
    console.log(`${name} ${JSON.stringify(this.#settings)} on node ${process.version}, ${count} x ${model}`);
  }

  /** Two things measured side by side; `names` are `ours` and `bare` unless told. Their ratio is withheld if it spreads too far. */
  pairs(options: {
    readonly what: string;
    readonly names?: readonly [string, string];
    readonly unit: string;
    readonly measured: PairSummary;
    readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
  }): void {
    const { what, unit, measured, goal } = options;
    const [a, b] = options.names ?? ['ours', 'bare'];
    this.#add({
      what: `${what}: ${a}, ${unit}`,
      value: range(measured.summaryA),
      goal: '',
      verdict: 'no goal',
      raw: measured.a,
    });
    this.#add({
      what: `${what}: ${b}, ${unit}`,
      value: range(measured.summaryB),
      goal: '',
      verdict: 'no goal',
      raw: measured.b,
    });
    const { ratio, ratios: raw } = measured;
    if (ratio.spread > MAX_SPREAD) {
      const value = `withheld: spread ${number(ratio.spread * 100)} % of the median`;
      this.#add({ what: `${what}: ${a} / ${b}`, value, goal: textOf(goal), verdict: 'spread too wide', raw });
      return;
    }
    this.#add({
      what: `${what}: ${a} / ${b}`,
      value: range(ratio),
      goal: textOf(goal),
      verdict: judge(ratio.median, goal),
      raw,
    });
  }

  value(options: {
    readonly what: string;
    readonly value: number;
    readonly unit: string;
    readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
    readonly raw?: unknown;
  }): void {
    const { what, value, unit, goal, raw } = options;
    this.#add({
      what,
      value: `${number(value)} ${unit}`.trim(),
      goal: textOf(goal),
      verdict: judge(value, goal),
      raw: raw ?? value,
    });
  }

  /** Writes the JSON; true if no goal was missed. Of a trial nothing is written, and nothing missed. */
  async save(): Promise<boolean> {
    if (this.#trial) return true;
    await mkdir(RESULTS, { recursive: true });
    const content: StoredReport = {
      name: this.#name,
      at: new Date().toISOString(),
      node: process.version,
      processor: processor(),
      memoryBytes: totalmem(),
      settings: this.#settings,
      lines: this.#lines,
    };
    await writeFile(new URL(`${this.#name}.json`, RESULTS), `${JSON.stringify(content, undefined, 2)}\n`);
    return this.#lines.every(({ verdict }) => verdict === 'met' || verdict === 'no goal');
  }

  #add(line: Line): void {
    this.#lines.push(line);
    const goal = line.goal === '' ? '' : `   goal ${line.goal}: ${line.verdict}`;
    console.log(`  ${line.what.padEnd(64)} ${line.value}${goal}`);
  }
}

type Goal = { readonly atLeast: number } | { readonly atMost: number } | undefined;

function judge(value: number, goal: Goal): Verdict {
  if (!goal) return 'no goal';
  return ('atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost) ? 'met' : 'missed';
}

function textOf(goal: Goal): string {
  if (!goal) return '';
  return 'atLeast' in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`;
}

function processor(): { readonly model: string; readonly count: number } {
  const all = cpus();
  return { model: all[0]?.model.trim() ?? 'unknown', count: all.length };
}
