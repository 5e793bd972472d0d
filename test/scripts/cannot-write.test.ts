import { mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { cannotWrite } from '../../scripts/cannot-write.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyswitch-cannot-write-'));
const file = join(folder, 'file');
writeFileSync(file, '');
afterAll(() => rmSync(folder, { recursive: true }));

const errorOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was wrong');
};

test.each([
  [() => mkdirSync(file), `${file} is no folder (EEXIST)`],
  [() => readdirSync(file), `${file} is no folder (ENOTDIR)`],
  [() => openSync(folder, 'w'), `${folder} is a folder (EISDIR)`],
  [() => rmSync(folder), `${folder} is a folder (ERR_FS_EISDIR)`],
  [() => readdirSync(join(folder, 'none')), `${join(folder, 'none')} is not there (ENOENT)`],
  [() => fails('EACCES'), '/x cannot be written (EACCES)'],
  [() => fails('ENOSPC'), '/x cannot be written (ENOSPC)'],
])('a person is told in one sentence what is wrong: %s', (act, sentence) => {
  expect(cannotWrite(errorOf(act))).toBe(sentence);
});

test('a fault of ours is none of those', () => {
  expect(cannotWrite(errorOf(() => fails('EBADF')))).toBeUndefined();
  expect(cannotWrite(new TypeError('x'))).toBeUndefined();
  expect(cannotWrite('x')).toBeUndefined();
});

function fails(code: string): never {
  throw Object.assign(new Error(code), { code, path: '/x' });
}
