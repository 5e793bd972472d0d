// The wrapped data keys of a dump: pages as the list call answers them. Line by line, so that a dump may be larger than memory; a dump whose
// first line is not JSON by itself is taken as one text. Judges no key.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isRecord } from '../../shared/domain/plain-object.ts';
import { RecoveryRefused } from './refused.ts';

export interface DumpEntry {
  /** Where it stands, for what cannot be named otherwise. */
  readonly place: string;
  readonly value: unknown;
}

/** A file of wrapped data keys. */
export class Dump {
  readonly #file: string;
  #pages = 0;
  #lastPages = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Of what was read so far, every page names one that follows: it was not fetched to its end. */
  get lacksLastPage(): boolean {
    return this.#pages > 0 && this.#lastPages === 0;
  }

  /** In the order of the file. Throws RecoveryRefused. */
  async *entries(): AsyncGenerator<DumpEntry> {
    let line = 0;
    let isFirst = true;
    for await (const text of linesOf(this.#file)) {
      line += 1;
      if (text.trim() === '') continue;
      const value = jsonIn(text);
      if (value !== undefined) yield* this.#entriesIn(value, `line ${line}`);
      else if (isFirst) {
        yield* this.#entriesIn(await wholeOf(this.#file), 'the file');
        return;
      } else throw new RecoveryRefused(`Line ${line} of the data keys is no JSON. What stands before it was read.`);
      isFirst = false;
    }
  }

  *#entriesIn(value: unknown, place: string, depth = 0): Generator<DumpEntry> {
    const page = pageIn(value);
    if (page) this.#count(page);
    const items = Array.isArray(value) ? (value as readonly unknown[]) : page?.value;
    if (!items || depth === DEEPEST) {
      yield { place, value };
      return;
    }
    for (const [index, item] of items.entries()) yield* this.#entriesIn(item, `${place}, item ${index + 1}`, depth + 1);
  }

  #count({ nextLink }: Page): void {
    this.#pages += 1;
    if (nextLink === undefined) this.#lastPages += 1;
  }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  let parts: string[] = [];
  for await (const chunk of chunksOf(file)) {
    const [first = '', ...more] = chunk.split('\n');
    parts.push(first);
    for (const next of more) {
      yield parts.join('');
      parts = [next];
    }
  }
  yield parts.join('');
}

async function* chunksOf(file: string): AsyncGenerator<string> {
  try {
    for await (const chunk of createReadStream(file, { encoding: 'utf8' })) yield String(chunk);
  } catch {
    throw new RecoveryRefused(`The file of the data keys cannot be read: ${file}`);
  }
}

async function wholeOf(file: string): Promise<unknown> {
  const value = jsonIn(await readFile(file, 'utf8'));
  if (value === undefined) throw new RecoveryRefused('The file of the data keys is no JSON.');
  return value;
}

/** Undefined if it is none. What the parser says would repeat the text. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text) as unknown;
  } catch {
    return undefined;
  }
}

/** An array of pages of data keys; nothing goes deeper. */
const DEEPEST = 2;

interface Page {
  readonly value: readonly unknown[];
  readonly nextLink?: unknown;
}

function pageIn(value: unknown): Page | undefined {
  return isRecord(value) && Array.isArray(value['value'])
    ? { value: value['value'], nextLink: value['nextLink'] }
    : undefined;
}
