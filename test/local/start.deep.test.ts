import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildBundle } from '../../scripts/build-bundle.ts';
import { readingToken } from '../../local/environment/environment-file.ts';
import { isAlive, until } from './functions-host/fixture.ts';
import { runScript } from './run-script.ts';

interface Written {
  readonly apiUrl: string;
  readonly hosts: readonly { readonly pid: number; readonly url: string }[];
  readonly controlUrls: Readonly<Record<string, string>>;
  readonly tokens: { readonly vendorAdmin: string };
}

let directory: string;
let bundleDir: string;
let run: ChildProcess;
const script = fileURLToPath(new URL('../../local/start.ts', import.meta.url));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyswitch-start-'));
  bundleDir = join(directory, 'dist');
  const hostJson = join(directory, 'host.json');
  await writeFile(hostJson, '{ "version": "2.0" }');
  const entryPoint = fileURLToPath(new URL('environment/probe-app.ts', import.meta.url));
  await buildBundle({ entryPoint, hostJson, outDir: bundleDir });
});

beforeEach(() => {
  const args = [script, '--hosts', '2', '--bundle', bundleDir, '--directory', directory];
  run = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
});

afterEach(() => run.kill('SIGKILL'));
afterAll(() => rm(directory, { recursive: true }));

async function isUp(): Promise<Written> {
  await once(run.stdout ?? run, 'data');
  return JSON.parse(readFileSync(join(directory, 'environment.json'), 'utf8')) as Written;
}

test('it says where everything is, in a file for its owner only, and SIGINT takes all of it away', async () => {
  const { apiUrl, hosts, controlUrls, tokens } = await isUp();
  const file = join(directory, 'environment.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(apiUrl).toBe(`${hosts[0]?.url ?? ''}/api/v1`);
  expect((await fetch(`${hosts[1]?.url ?? ''}/api/row?id=none`)).status).toBe(200);
  for (const url of Object.values(controlUrls)) expect((await fetch(`${url}/requests`)).status).toBe(200);
  expect(tokens.vendorAdmin.split('.')).toHaveLength(3);
  run.kill('SIGINT');
  expect(await once(run, 'exit')).toEqual([0, null]);
  expect(hosts.map(({ pid }) => isAlive(pid))).toEqual([false, false]);
  expect(existsSync(file)).toBe(false);
});

test('the line that reads a token does so, whatever the folder is called', async () => {
  await isUp();
  const folder = join(directory, `it's "a" $HOME`);
  await mkdir(folder);
  const file = join(folder, 'environment.json');
  await copyFile(join(directory, 'environment.json'), file);
  const { tokens } = JSON.parse(readFileSync(file, 'utf8')) as Written;
  const program = `${readingToken(file)}\necho "$TOKEN"`;
  expect(spawnSync('bash', ['-c', program], { encoding: 'utf8' }).stdout).toBe(`${tokens.vendorAdmin}\n`);
});

test('killed with SIGKILL it leaves no host behind', async () => {
  const { hosts } = await isUp();
  run.kill('SIGKILL');
  await until(() => !hosts.some(({ pid }) => isAlive(pid)));
  expect(hosts).toHaveLength(2);
});

/** Runs another beside the one that is up, until it ends. */
const another = (...args: readonly string[]): ReturnType<typeof runScript> =>
  runScript('start.ts', ['--bundle', bundleDir, ...args]);

test('a second run beside it is told where the first is, takes nothing from it, and says so when a port is taken', async () => {
  const { apiUrl, hosts } = await isUp();
  const file = join(directory, 'environment.json');
  const before = readFileSync(file, 'utf8');
  const second = await another('--directory', directory);
  expect([second.code, second.text]).toEqual([1, expect.stringContaining(`up already, at ${apiUrl}, `)]);
  expect(readFileSync(file, 'utf8')).toBe(before);
  const port = new URL(apiUrl).port;
  const onItsPort = await another('--directory', join(directory, 'second'), '--port', port);
  expect([onItsPort.code, onItsPort.text]).toEqual([1, expect.stringMatching(new RegExp(`^Port ${port} is in use`))]);
  expect(hosts.map(({ pid }) => isAlive(pid))).toEqual([true, true]);
});

test.each(['state', 'host.log'])('a folder whose %s cannot be had is told in one sentence', async (name) => {
  const folder = join(directory, `without-${name}`);
  await mkdir(folder);
  if (name === 'state') await writeFile(join(folder, name), '');
  else await mkdir(join(folder, name));
  const { code, text } = await another('--directory', folder);
  const why = name === 'state' ? 'is no folder (EEXIST)' : 'is a folder (EISDIR)';
  expect([code, text]).toEqual([1, `${join(folder, name)} ${why}\n`]);
});

test('what cannot be asked is refused with the usage, before anything starts', async () => {
  const { code, text } = await another('--hosts', '0');
  expect([code, text]).toEqual([2, '--hosts takes a whole number from 1 to 8: see npm start -- --help\n']);
});
