import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildBundle } from '../../scripts/build-bundle.ts';

/** Whether whoever takes a folder away dies after its first file. */
const dying = vi.hoisted(() => ({ inRemoval: false }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    rm: async (path: string, options: object): Promise<void> => {
      if (!dying.inRemoval) {
        await real.rm(path, options);
        return;
      }
      await real.rm(join(path, 'host.json'), { force: true });
      throw new Error('killed');
    },
  };
});

const WHOLE = ['functions/main.js', 'functions/main.js.map', 'host.json', 'package.json'];

let directory: string;
let outDir: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyswitch-build-'));
  outDir = join(directory, 'dist');
  await writeFile(join(directory, 'host.json'), '{}');
});
afterEach(async () => {
  dying.inRemoval = false;
  await rm(directory, { recursive: true });
});

async function build(program: string): Promise<void> {
  const entryPoint = join(directory, 'app.ts');
  await writeFile(entryPoint, program);
  await buildBundle({ entryPoint, hostJson: join(directory, 'host.json'), outDir });
}

async function built(): Promise<readonly string[]> {
  const entries = await readdir(outDir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(outDir.length + 1))
    .sort();
}

const app = (): Promise<string> => readFile(join(outDir, 'functions/main.js'), 'utf8');

test('a build takes the place of the one before, and leaves nothing beside it', async () => {
  await build('console.log("one");');
  await build('console.log("two");');
  expect([await built(), await app()]).toEqual([WHOLE, expect.stringContaining('two')]);
  expect((await readdir(directory)).sort()).toEqual(['app.ts', 'dist', 'host.json']);
});

test('a build that fails leaves the app of the one before', async () => {
  await build('console.log("one");');
  await expect(build('console.log(')).rejects.toThrow();
  expect([await built(), await app()]).toEqual([WHOLE, expect.stringContaining('one')]);
});

test('a build that dies while it takes the one before away leaves a whole app', async () => {
  await build('console.log("one");');
  dying.inRemoval = true;
  await expect(build('console.log("two");')).rejects.toThrow('killed');
  expect(await built()).toEqual(WHOLE);
});

test('of two builds at once one stays, whole', async () => {
  const programs = ['console.log("one");', 'console.log("two");'];
  const entryPoints = programs.map((_, index) => join(directory, `app${index}.ts`));
  await Promise.all(entryPoints.map((file, index) => writeFile(file, programs[index] ?? '')));
  const hostJson = join(directory, 'host.json');
  await Promise.all(entryPoints.map((entryPoint) => buildBundle({ entryPoint, hostJson, outDir })));
  expect(await built()).toEqual(WHOLE);
});
