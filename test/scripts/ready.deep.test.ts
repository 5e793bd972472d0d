// What stands before each command, on a machine that is not ready for it yet.
import { execFile, execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildBundle } from '../../scripts/build-bundle.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keyswitch-ready-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (name: string, value: object): void => writeFileSync(join(directory, name), JSON.stringify(value));

describe('a clone', () => {
  beforeEach(() => {
    mkdirSync(join(directory, 'scripts'));
    copyFileSync(join(ROOT, 'scripts/ready.mjs'), join(directory, 'scripts/ready.mjs'));
    writeFileSync(
      join(directory, 'hello.ts'),
      "const said: string = process.argv.slice(2).join(' ');\nconsole.log(said);\n",
    );
  });

  /** As a command of package.json would, on the Node of that version as far as the script can see. */
  function ready(version: string, ...args: readonly string[]): SpawnSyncReturns<string> {
    const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`;
    const before = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`];
    return spawnSync(process.execPath, [...before, join(directory, 'scripts/ready.mjs'), ...args], {
      encoding: 'utf8',
    });
  }

  test('without packages says to install them, in one sentence', () => {
    const { status, stdout, stderr } = ready('20.20.2', 'hello.ts');
    expect([status, stdout, stderr]).toEqual([1, '', expect.stringMatching(/^Run npm ci first: [^\n]*\.\n$/)]);
  });

  test('with packages says so of a Node that is too old, and goes on with a newer one and the same arguments', () => {
    mkdirSync(join(directory, 'node_modules'));
    write('node_modules/.package-lock.json', {});
    const old = ready('24.4.9', 'hello.ts');
    expect([old.status, old.stdout, old.stderr]).toEqual([
      1,
      '',
      expect.stringMatching(/^This is Node 24\.4\.9, and 24\.5 [^\n]*\.\n$/),
    ]);
    expect(ready('24.5.0', 'hello.ts', '--port', '1').stdout).toBe('--port 1\n');
    expect(ready('26.0.0').status).toBe(0);
  });
});

test('every command begins with it, but for those that only call others', () => {
  const others = Object.entries(scripts).filter(([, line]) => !line.startsWith('node scripts/ready.mjs '));
  expect(others.map(([name]) => name)).toEqual(['check']);
});

test('npm warns of no package that asks for another Node than the one that starts npm', async () => {
  mkdirSync(join(directory, 'package'));
  write('package/package.json', { name: 'later', version: '1.0.0', engines: { node: '>=999' } });
  execFileSync('tar', ['czf', 'later.tgz', 'package'], { cwd: directory });
  write('package.json', { name: 'clone', dependencies: { later: 'file:later.tgz' } });
  // Not as this run's own npm was told.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_config_')));
  const install = async (): Promise<string> =>
    (await promisify(execFile)('npm', ['install', '--ignore-scripts', '--cache', 'cache'], { cwd: directory, env }))
      .stderr;
  expect(await install()).toContain('EBADENGINE');
  rmSync(join(directory, 'node_modules'), { recursive: true });
  copyFileSync(join(ROOT, '.npmrc'), join(directory, '.npmrc'));
  expect(await install()).toBe('');
});

test('a build that does not come to its end leaves the app of the one before whole', async () => {
  const outDir = join(directory, 'dist');
  write('host.json', { version: '2.0' });
  const build = (source: string): Promise<void> => {
    writeFileSync(join(directory, 'main.ts'), source);
    return buildBundle({ entryPoint: join(directory, 'main.ts'), hostJson: join(directory, 'host.json'), outDir });
  };
  await build('console.log(1);');
  await expect(build("import './nothing.ts';")).rejects.toThrow();
  for (const file of ['host.json', 'package.json', 'functions/main.js'])
    expect(existsSync(join(outDir, file))).toBe(true);
  await Promise.all([build('console.log(2);'), build('console.log(2);')]);
  expect(readFileSync(join(outDir, 'functions/main.js'), 'utf8')).toContain('console.log(2)');
});
