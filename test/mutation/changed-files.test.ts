import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { changedFiles } from './changed-files.ts';

const AUTHOR = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false'];
let repository: string;
const git = (...parts: readonly string[]): void =>
  void execFileSync('git', ['-C', repository, ...AUTHOR, ...parts], { stdio: 'pipe' });

function commit(file: string): void {
  writeFileSync(join(repository, file), file);
  git('add', '.');
  git('commit', '--quiet', '-m', file);
}

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'changed-files-'));
  git('init', '--quiet', '--initial-branch', 'main');
  commit('first.ts');
  commit('second.ts');
});
afterEach(() => {
  rmSync(repository, { recursive: true });
});

test('on a branch everything counts that main did not have when it left: committed, uncommitted and new', () => {
  git('checkout', '--quiet', '-b', 'topic');
  commit('committed.ts');
  git('checkout', '--quiet', 'main');
  commit('meanwhile.ts');
  git('checkout', '--quiet', 'topic');
  writeFileSync(join(repository, 'second.ts'), 'changed');
  writeFileSync(join(repository, 'new.ts'), '');
  expect(changedFiles({ root: repository }).files).toEqual(['committed.ts', 'second.ts', 'new.ts']);
});

test('on main with nothing new it is the last commit', () => {
  expect(changedFiles({ root: repository }).files).toEqual(['second.ts']);
});

test('a ref that is named is taken at its word', () => {
  expect(changedFiles({ root: repository, ref: 'HEAD' }).files).toEqual([]);
  expect(changedFiles({ root: repository, ref: 'HEAD^' }).files).toEqual(['second.ts']);
});

test('a file that is gone has nothing to mutate', () => {
  rmSync(join(repository, 'first.ts'));
  writeFileSync(join(repository, 'second.ts'), 'changed');
  expect(changedFiles({ root: repository }).files).toEqual(['second.ts']);
});
