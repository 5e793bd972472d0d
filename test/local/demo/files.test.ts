import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFiles } from '../../../local/demo/files.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyswitch-files-test-'));
});

afterEach(() => rm(folder, { recursive: true }));

test('files are found below the folder with their sizes, in order; links, and what is fetched or built, are not', async () => {
  await mkdir(join(folder, 'below'));
  await mkdir(join(folder, 'node_modules'));
  await writeFile(join(folder, 'node_modules', 'x'), 'x');
  await writeFile(join(folder, 'below', 'b'), 'bb');
  await writeFile(join(folder, 'a'), '');
  await symlink(join(folder, 'a'), join(folder, 'link'));
  expect(await findFiles(folder)).toEqual([
    { path: 'a', sizeBytes: 0 },
    { path: `below${sep}b`, sizeBytes: 2 },
  ]);
});

test.runIf(process.platform === 'linux')('a file whose name is not UTF-8 is left out', async () => {
  await writeFile(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([0xff])]), 'x');
  await writeFile(join(folder, 'good'), 'x');
  expect(await findFiles(folder)).toEqual([{ path: 'good', sizeBytes: 1 }]);
});
