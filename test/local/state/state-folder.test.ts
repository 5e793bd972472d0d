import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StateFile } from '../../../local/state/state-file.ts';
import { openStateFolder, StateRefused, type StateFolder } from '../../../local/state/state-folder.ts';

let path: string;

beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'keyswitch-state-')), 'state');
});

afterEach(() => rm(join(path, '..'), { recursive: true }));

const open = (fresh = false): StateFolder => openStateFolder(path, { fresh });
const put = (file: string): void => {
  const state = new StateFile(file);
  state.write([{ kind: 'k', key: 'a', value: 'kept' }]);
  state.close();
};
const found = (file: string): string | undefined => {
  const state = new StateFile(file);
  const value = state.value('k', 'a');
  state.close();
  return value;
};

/** A run that came so far that everything was there, and stored something. */
function whole(): StateFolder['files'] {
  const state = open();
  for (const file of Object.values(state.files)) put(file);
  state.complete();
  state.close();
  return state.files;
}

test('what a run has stored is there at the next one, for the owner of the folder only', () => {
  const files = whole();
  const again = open();
  expect([again.isNew, found(files.tables)]).toEqual([false, 'kept']);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(path)) expect([name, statSync(join(path, name)).mode & 0o777]).toEqual([name, 0o600]);
  again.close();
});

test('--fresh forgets all of it, and the next run goes on with what is new', () => {
  const files = whole();
  const fresh = open(true);
  expect([fresh.isNew, existsSync(files.tables)]).toEqual([true, false]);
  for (const file of Object.values(files)) put(file);
  fresh.complete();
  fresh.close();
  const next = open();
  expect(next.isNew).toBe(false);
  next.close();
});

test('a start that was interrupted before all was there is begun anew', () => {
  const state = open();
  put(state.files.entra);
  state.close();
  const again = open();
  expect([again.isNew, existsSync(again.files.entra)]).toEqual([true, false]);
  again.close();
});

test('two runs do not share one folder, not even to begin anew', () => {
  const first = open();
  expect(() => open()).toThrow(/^\S+ is in use by another npm start: .*--directory$/);
  expect(() => open(true)).toThrow(StateRefused);
  first.close();
  open().close();
});

test.each([
  [
    'another version',
    writeVersion,
    /holds the state of another version \(0\.0\.0, format 0; this is \S+, format \d+\): .*--fresh$/,
  ],
  [
    'a damaged file',
    (): void => writeFileSync(join(path, 'tables.sqlite'), 'no database, whatever it is'),
    /tables\.sqlite is damaged: .*--fresh$/,
  ],
  [
    'a damaged file of the run',
    (): void => writeFileSync(join(path, 'run.sqlite'), 'no database, whatever it is'),
    /run\.sqlite is damaged: .*--fresh$/,
  ],
  [
    'a file that is damaged behind its beginning',
    (): void => spoilBehind('tables.sqlite', 4096),
    /tables\.sqlite is damaged: .*--fresh$/,
  ],
  [
    'a file of the run that is damaged behind its beginning',
    (): void => spoilBehind('run.sqlite', 4096),
    /run\.sqlite is damaged: .*--fresh$/,
  ],
  [
    'an empty file',
    (): void => writeFileSync(join(path, 'tables.sqlite'), ''),
    /tables\.sqlite is damaged: .*--fresh$/,
  ],
  ['a missing file', (): void => rmSync(join(path, 'entra.sqlite')), /entra\.sqlite is missing: .*--fresh$/],
])('%s is refused in one sentence, and --fresh begins anew', (_what, spoil, sentence) => {
  whole();
  spoil();
  expect(() => open()).toThrow(sentence);
  const fresh = open(true);
  expect(fresh.isNew).toBe(true);
  fresh.close();
});

function spoilBehind(name: string, offset: number): void {
  const file = join(path, name);
  writeFileSync(file, readFileSync(file).fill(0, offset));
}

function writeVersion(): void {
  const run = new StateFile(join(path, 'run.sqlite'));
  run.write([{ kind: 'run', key: 'version', value: '0.0.0, format 0' }]);
  run.close();
}

test('several changes are written as one', () => {
  const file = whole().tables;
  rmSync(file);
  const state = new StateFile(file);
  const bad = { kind: 'k', key: 'b', value: null as unknown as string };
  expect(() => state.write([{ kind: 'k', key: 'a', value: '1' }, bad])).toThrow();
  state.close();
  expect(found(file)).toBeUndefined();
});
