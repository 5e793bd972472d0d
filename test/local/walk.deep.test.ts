// The README's walk against the running product, in each shell that is here. A run has state, so each shell has one of its own.
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const local = (name: string): string => fileURLToPath(new URL(`../../local/${name}`, import.meta.url));
const shells = ['bash', 'zsh'].filter((shell) => spawnSync(shell, ['-c', 'exit']).status === 0);

let directory: string;
let run: ChildProcess | undefined;
let said: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyswitch-walk-'));
  mkdirSync(join(directory, 'old'));
  writeFileSync(join(directory, 'old/node'), '#!/bin/sh\necho an old Node >&2\nexit 9\n', { mode: 0o755 });
});

afterEach(async () => {
  await stop('SIGINT');
  await rm(directory, { recursive: true });
});

async function stop(signal: NodeJS.Signals): Promise<void> {
  if (!run) return;
  run.kill(signal);
  await once(run, 'exit');
  run = undefined;
}

async function start(...options: readonly string[]): Promise<void> {
  run = spawn(process.execPath, [local('start.ts'), '--directory', directory, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  said = String(((await once(run.stdout!, 'data')) as [Buffer])[0]);
}

const walk = (shell: string): Promise<{ readonly stdout: string }> =>
  promisify(execFile)(shell, [local('walk.sh')], {
    // Whatever Node the machine has: here one that can nothing.
    env: { ...process.env, DIRECTORY: directory, PATH: `${directory}/old:${process.env['PATH'] ?? ''}` },
  });

async function unwrap(): Promise<unknown> {
  const { apiUrl, tokens } = JSON.parse(readFileSync(join(directory, 'environment.json'), 'utf8')) as {
    apiUrl: string;
    tokens: { dataKeys: string };
  };
  const answer = await fetch(`${apiUrl}/companies/contoso/keyrings/default/unwrap`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens.dataKeys}`, 'content-type': 'application/json' },
    body: JSON.stringify({ keyIds: ['first'] }),
  });
  return await answer.json();
}

test.each(shells)('in %s it takes a company to its own vault, and its data key opens as before', async (shell) => {
  await start();
  const { stdout } = await walk(shell);
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

test('what a walk has stored is there after a kill, until a run is told to begin anew', async () => {
  await start();
  expect(said).toContain(
    `Begun anew; what is stored now is there again at the next start: ${join(directory, 'state')}`,
  );
  await walk('bash');
  await stop('SIGKILL');
  await start();
  expect(said).toContain('What earlier runs have stored is there again');
  expect(said).toContain('npm start -- --fresh');
  const opened = { keys: [{ outcome: 'unwrapped', keyId: 'first' }] };
  // Under Contoso's key by now: its vault, the consent in its tenant and the role have to be as they were.
  expect(await unwrap()).toMatchObject(opened);
  await expect(walk('bash')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('--fresh') as unknown });
  await stop('SIGINT');
  await start('--fresh');
  expect(await unwrap()).toMatchObject({ error: { code: 'keyring-not-found' } });
});

test('it takes no options, and says so in one sentence', () => {
  const { status, stderr } = spawnSync('bash', [local('walk.sh'), '--fast'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([
    2,
    'local/walk.sh takes no options, and --fast is one too many: see bash local/walk.sh --help\n',
  ]);
});

test('without a run it says what to do', () => {
  const { status, stderr } = spawnSync('bash', [local('walk.sh')], {
    env: { ...process.env, DIRECTORY: join(directory, 'none') },
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([1, expect.stringContaining('Run npm start in another terminal first.')]);
});
