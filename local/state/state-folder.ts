// The folder in which `npm start` keeps what its stand-ins hold, from run to run. One run at a time has it; a folder that was left by another
// version, or before it was complete, is not gone on with.
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SQLITE_CORRUPT, StateFile } from './state-file.ts';

/** To be raised whenever rows or stand-ins change so that what was kept before cannot be read. */
export const FORMAT = 21;
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};
const VERSION = `${version}, format ${FORMAT}`;

const STORES = ['entra', 'google', 'managed-identity', 'key-vault', 'service-bus', 'tables'] as const;
const RUN = 'run';
const KIND = 'run';
/** What SQLite may leave beside a file. */
const SUFFIXES = ['', '-wal', '-shm', '-journal'];
const OWNER_ONLY = 0o700;
const SQLITE_BUSY = 5;
const SQLITE_NOT_A_DATABASE = 26;

export interface StateFolder {
  readonly path: string;
  /** Nothing is in it that a person has made. */
  readonly isNew: boolean;
  /** Of each stand-in. */
  readonly files: Readonly<Record<(typeof STORES)[number], string>>;
  /** To be called when all that a run begins with is there. */
  complete(): void;
  close(): void;
}

const ANEW = 'begin anew with npm start -- --fresh';

/** Why it cannot be had, in one sentence. */
export class StateRefused extends Error {
  readonly why: 'damaged' | undefined;

  constructor(message: string, why?: 'damaged') {
    super(message);
    this.why = why;
  }
}

/** Throws StateRefused. `fresh` forgets all that is there. */
export function openStateFolder(path: string, { fresh }: { readonly fresh: boolean }): StateFolder {
  mkdirSync(path, { recursive: true, mode: OWNER_ONLY });
  const fileOf = (name: string): string => join(path, `${name}.sqlite`);
  const run = openRun(path, fileOf(RUN), fresh);
  try {
    const isNew = fresh || run.value(KIND, 'complete') === undefined;
    if (isNew) beginAnew(run, STORES.map(fileOf));
    else refuseUnlessReadable(path, run.value(KIND, 'version'), STORES.map(fileOf));
    return {
      path,
      isNew,
      files: Object.fromEntries(STORES.map((name) => [name, fileOf(name)])) as StateFolder['files'],
      complete: () => run.write([{ kind: KIND, key: 'complete', value: 'yes' }]),
      close: () => run.close(),
    };
  } catch (error) {
    run.close();
    throw error;
  }
}

/** Also after a start that was interrupted, which leaves parts that nobody has worked with yet. */
function beginAnew(run: StateFile, stores: readonly string[]): void {
  run.write([
    { kind: KIND, key: 'complete' },
    { kind: KIND, key: 'version', value: VERSION },
  ]);
  for (const file of stores) removeStore(file);
}

function refuseUnlessReadable(path: string, found: string | undefined, stores: readonly string[]): void {
  if (found !== VERSION) {
    const versions = `${found ?? 'unknown'}; this is ${VERSION}`;
    throw new StateRefused(`${path} holds the state of another version (${versions}): ${ANEW}`);
  }
  for (const file of stores) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found) throw new StateRefused(`${file} is missing: ${ANEW}`);
    // SQLite takes it for a new one, and all that was in it would be gone without a word.
    if (found.size === 0) throw new StateRefused(`${file} is damaged: ${ANEW}`, 'damaged');
    open(path, file).close();
  }
}

function openRun(path: string, file: string, fresh: boolean): StateFile {
  try {
    return open(path, file);
  } catch (error) {
    if (!fresh || !(error instanceof StateRefused) || error.why !== 'damaged') throw error;
    removeStore(file);
    return open(path, file);
  }
}

function open(path: string, file: string): StateFile {
  try {
    return new StateFile(file);
  } catch (error) {
    // The low byte: the rest says more exactly what it is.
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
    if (code === SQLITE_BUSY) {
      throw new StateRefused(
        `${path} is in use by another npm start: stop it, or give another folder with --directory`,
      );
    }
    if (code === SQLITE_NOT_A_DATABASE || code === SQLITE_CORRUPT) {
      throw new StateRefused(`${file} is damaged: ${ANEW}`, 'damaged');
    }
    throw error;
  }
}

function removeStore(file: string): void {
  for (const suffix of SUFFIXES) rmSync(`${file}${suffix}`, { force: true });
}
