// How the demo looks: sections, ticks, wrapped text, a bar on a terminal and plain lines elsewhere. Knows nothing of what is
// told. Colours only on a terminal, and not if NO_COLOR is set.
import { Writable } from 'node:stream';
import { styleText } from 'node:util';
import cliProgress from 'cli-progress';

export type Style = 'plain' | 'good' | 'bad' | 'warn' | 'strong' | 'quiet';

export interface ProgressLine {
  /** `note` stands behind the bar: what has been done, how fast. */
  update(done: number, note: string): void;
  /** Leaves the last state on the screen. */
  stop(): void;
}

const MAX_COLUMNS = 110;
const MIN_COLUMNS = 40;
/** What a note behind the bar may need. */
const NOTE_COLUMNS = 92;
const MIN_BAR_COLUMNS = 8;
const MAX_BAR_COLUMNS = 30;
/** Off a terminal, a line of progress at most so often. */
const PLAIN_PROGRESS_MS = 1_000;
const FORMATS = { good: 'green', bad: 'red', warn: 'yellow', strong: 'bold', quiet: 'dim' } as const;

/** A terminal, or anything else that is written to: without `columns` lines are wrapped as on a usual one. */
type Out = Writable & { readonly columns?: number; readonly isTTY?: boolean };

interface ScreenOptions {
  /** Hears of each section before it is shown. */
  readonly onSection?: (title: string) => void;
}

export class Screen {
  readonly #out: Out;
  readonly #width: number;
  readonly #onSection: ((title: string) => void) | undefined;

  constructor(out: Out, { onSection }: ScreenOptions = {}) {
    this.#out = out;
    this.#onSection = onSection;
    const { columns = 100 } = out;
    this.#width = Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, columns));
  }

  style(text: string, style: Style): string {
    return style === 'plain' ? text : styleText(FORMATS[style], text, { stream: this.#out });
  }

  /** A line of its own, as it is. */
  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  section(title: string): void {
    this.#onSection?.(title);
    const rule = '─'.repeat(Math.max(3, this.#width - title.length - 4));
    this.line(`\n${this.style(`── ${title} `, 'strong')}${this.style(rule, 'quiet')}\n`);
  }

  say(text: string, style: Style = 'plain'): void {
    this.#wrapped(text, { first: '  ', rest: '  ', style });
  }

  done(text: string): void {
    this.#wrapped(text, { first: `  ${this.style('✓', 'good')} `, rest: '    ', style: 'plain' });
  }

  failed(text: string): void {
    this.#wrapped(text, { first: `  ${this.style('✗', 'bad')} `, rest: '    ', style: 'plain' });
  }

  /** What the product refuses, as it should. */
  refused(code: string, message: string): void {
    this.#wrapped(`${code}: ${message}`, { first: `  ${this.style('!', 'warn')} `, rest: '    ', style: 'warn' });
  }

  /** Further words on the line before, set in. */
  detail(text: string, style: Style = 'plain'): void {
    this.#wrapped(text, { first: '    ', rest: '    ', style });
  }

  /** Something to copy: never wrapped, or it would not work when pasted. */
  command(text: string): void {
    for (const line of text.split('\n')) this.line(`      ${this.style(line, 'quiet')}`);
  }

  /** Columns as wide as what is in them; the first to the left, the others as `right` says. */
  table(rows: readonly (readonly string[])[], right: readonly boolean[] = [], style: Style = 'plain'): void {
    const widths = rows.reduce<number[]>(
      (known, row) => row.map((cell, index) => Math.max(known[index] ?? 0, cell.length)),
      [],
    );
    for (const row of rows) {
      const cells = row.map((cell, index) =>
        right[index] === true ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      );
      this.line(`    ${this.style(cells.join('   ').trimEnd(), style)}`);
    }
  }

  progress(total: number): ProgressLine {
    return this.#out.isTTY ? this.#bar(total) : this.#plainProgress(total);
  }

  #bar(total: number): ProgressLine {
    const bar = new cliProgress.SingleBar(
      {
        format: '    {bar} {percentage} %  {note}',
        barsize: Math.min(MAX_BAR_COLUMNS, Math.max(MIN_BAR_COLUMNS, this.#width - NOTE_COLUMNS)),
        barCompleteChar: '█',
        barIncompleteChar: '░',
        stream: this.#out,
        hideCursor: false,
        linewrap: false,
      },
      cliProgress.Presets.shades_classic,
    );
    bar.start(total, 0, { note: '' });
    return { update: (done, note) => bar.update(done, { note }), stop: () => bar.stop() };
  }

  #plainProgress(total: number): ProgressLine {
    let shownAt = 0;
    return {
      update: (done, note) => {
        const now = Date.now();
        if (now - shownAt < PLAIN_PROGRESS_MS && done < total) return;
        shownAt = now;
        this.line(`    ${String(Math.floor((100 * done) / total)).padStart(3)} %  ${note}`);
      },
      stop: () => undefined,
    };
  }

  #wrapped(text: string, indent: { readonly first: string; readonly rest: string; readonly style: Style }): void {
    const { first, rest, style } = indent;
    const lines = wrap(text, this.#width - rest.length);
    for (const [index, line] of lines.entries()) this.line(`${index === 0 ? first : rest}${this.style(line, style)}`);
  }
}

/** Shows nothing. */
export const nowhere = (): Out =>
  new Writable({
    write(_chunk, _encoding, done): void {
      done();
    },
  });

/** Lines of at most `width` characters, broken at blanks; a longer word stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
