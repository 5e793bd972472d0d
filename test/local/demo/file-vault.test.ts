import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileVault } from '../../../local/demo/file-vault.ts';
import { findFiles } from '../../../local/demo/files.ts';

const keyOf = (index: number): Buffer => createHash('sha256').update(String(index)).digest();

let directory: string;
let vault: FileVault;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyswitch-file-vault-'));
  const folder = join(directory, 'files');
  const copies = join(directory, 'copies');
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  await mkdir(copies);
  await writeFile(join(folder, 'node_modules', 'fetched'), 'left out');
  await writeFile(join(folder, 'empty'), '');
  await writeFile(join(folder, 'one'), Buffer.alloc(150_000, 'one'));
  await writeFile(join(folder, 'two'), Buffer.alloc(50_001, 'two'));
  const files = await findFiles(folder);
  vault = new FileVault({ folder, copies, files, keyCount: 100 });
  expect(await vault.encrypt(files, keyOf)).toEqual({ files: 3, bytes: 200_001 });
});

afterEach(() => rm(directory, { recursive: true }));

async function change(copy: number, edit: (bytes: Buffer) => Buffer): Promise<void> {
  const path = vault.copies[copy] ?? '';
  await writeFile(path, edit(await readFile(path)));
}

test('every key is in use, nothing is stored as it was, and every file opens as it was', async () => {
  expect(vault.segments).toBeGreaterThanOrEqual(100);
  expect(vault.keysInUse).toBe(100);
  for (const copy of vault.copies) expect((await readFile(copy)).includes('oneone')).toBe(false);
  expect(await vault.open(keyOf)).toEqual({ files: 3, bytes: 200_001, wrong: [] });
});

test('another key opens nothing', async () => {
  const { wrong } = await vault.open((index) => keyOf(index + 1));
  expect(wrong).toEqual(['one: segment 0 does not open', 'two: segment 0 does not open']);
});

test('a key that cannot be had is told, and the other files are opened', async () => {
  const { wrong } = await vault.open((index) =>
    index === 1 ? Promise.reject(new Error('no such key')) : keyOf(index),
  );
  expect(wrong).toEqual(['one: no such key']);
});

test.each([
  ['changed', (bytes: Buffer): Buffer => bytes.fill(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)],
  ['cut short', (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length - 40)],
  ['a segment shorter', (bytes: Buffer): Buffer => bytes.subarray(0, (vault.segmentBytes + 28) * 3)],
  ['with two segments exchanged', (bytes: Buffer): Buffer => exchanged(bytes, vault.segmentBytes + 28)],
])('a copy that is %s is noticed', async (_, edit) => {
  await change(1, edit);
  const { wrong } = await vault.open(keyOf);
  expect(wrong).toHaveLength(1);
  expect(wrong[0]).toMatch(/^one: /);
});

function exchanged(bytes: Buffer, size: number): Buffer {
  return Buffer.concat([bytes.subarray(size, 2 * size), bytes.subarray(0, size), bytes.subarray(2 * size)]);
}
