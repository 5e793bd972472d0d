// The README's walk against the running product, in each shell that is here. A run has state, so each shell has one of its own.
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const local = (name: string): string => fileURLToPath(new URL(`../../local/${name}`, import.meta.url));
const shells = ['bash', 'zsh'].filter((shell) => spawnSync(shell, ['-c', 'exit']).status === 0);
const UP_MS = 60_000;

let directory: string;
let run: ChildProcess;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyswitch-walk-'));
  run = spawn(process.execPath, [local('start.ts'), '--directory', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(run.stdout ?? run, 'data');
}, UP_MS);

afterEach(async () => {
  run.kill('SIGINT');
  await once(run, 'exit');
  await rm(directory, { recursive: true });
});

test.each(shells)('in %s it takes a company to its own vault, and its data key opens as before', async (shell) => {
  const env = { ...process.env, DIRECTORY: directory };
  const { stdout } = await promisify(execFile)(shell, [local('walk.sh')], { env });
  expect(stdout.split('\n').filter((line) => /^(test|switch|data keys moved|unwrap|the record)\b/.test(line))).toEqual([
    'unwrap: the same key',
    'test: consent-required',
    'test: access-denied-rbac',
    'test: green',
    'switch: pending-verification',
    'switch: completed',
    'data keys moved: 1',
    'unwrap, under the key of Contoso: the same key',
    'the record: intact',
  ]);
  expect(stdout).toContain('Need admin approval');
  expect(stdout).toContain('Consent is granted');
});

test('without a run it says what to do', () => {
  const { status, stderr } = spawnSync('bash', [local('walk.sh')], {
    env: { ...process.env, DIRECTORY: join(directory, 'none') },
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([1, expect.stringContaining('Run npm start in another terminal first.')]);
});
