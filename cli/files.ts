// Files that a command reads and writes. Errors are told by the name of the file and what the system said, never by content.
import { readFileSync, writeFileSync } from 'node:fs';
import { Refused } from './refused.ts';

/** More than any file here needs. */
const MAX_BYTES = 1_048_576;

/** `what`: "private key", as the sentence names it. Throws Refused. */
export function readInput(file: string, what: string): Buffer {
  const content = tried(() => readFileSync(file), `The ${what} cannot be read from ${file}`);
  if (content.length > MAX_BYTES) throw new Refused(`${file} is longer than any ${what}`);
  if (content.length === 0) throw new Refused(`${file} is empty`);
  return content;
}

/** A file that is there stays as it is, unless `replace`. Throws Refused. */
export function writeOutput(file: string, content: string, { replace }: { readonly replace: boolean }): void {
  tried(() => writeFileSync(file, content, { flag: replace ? 'w' : 'wx' }), `${file} cannot be written`, {
    EEXIST: `${file} is there already: give another --out, or --replace`,
  });
}

function tried<T>(act: () => T, sentence: string, known: Readonly<Record<string, string>> = {}): T {
  try {
    return act();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Refused(known[code] ?? `${sentence} (${code})`);
  }
}
