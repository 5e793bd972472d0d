// Bundles a Functions app into one CommonJS file beside host.json and a package.json that names it: the fewer files,
// the faster a cold start. Only the worker's own module stays outside.
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions } from 'esbuild';
import { UsageError } from './command-line.ts';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

interface BundleOptions {
  readonly entryPoint: string;
  readonly hostJson: string;
  /** Replaced as a whole. */
  readonly outDir: string;
}

const MAIN = 'functions/main.js';
const READABLE = 0o755;
/** Of errors that a person can set right. */
const NOT_OURS = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC'];

/** A program of many modules as one CommonJS file. */
export const AS_ONE_FILE = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  mainFields: ['module', 'main'],
  conditions: ['import', 'module'],
  logLevel: 'warning',
} satisfies BuildOptions;

export async function buildBundle({ entryPoint, hostJson, outDir }: BundleOptions): Promise<void> {
  await mkdir(dirname(outDir), { recursive: true });
  const whole = await mkdtemp(`${outDir}-`);
  try {
    await build({
      ...AS_ONE_FILE,
      entryPoints: [entryPoint],
      outfile: join(whole, MAIN),
      external: ['@azure/functions-core'],
      sourcemap: 'linked',
    });
    await copyFile(hostJson, join(whole, 'host.json'));
    await writeFile(join(whole, 'package.json'), `${JSON.stringify({ private: true, main: MAIN }, undefined, 2)}\n`);
    await chmod(whole, READABLE);
    await takePlace(whole, outDir);
  } finally {
    await rm(whole, { recursive: true, force: true });
  }
}

/** So that whoever deploys `outDir` never finds half an app there. Of two builds at once, either one stays. */
async function takePlace(whole: string, outDir: string): Promise<void> {
  const before = `${whole}-before`;
  try {
    for (;;) {
      await renameUnless('ENOENT', outDir, before);
      if (await renameUnless('ENOTEMPTY', whole, outDir)) return;
      await rm(before, { recursive: true, force: true });
    }
  } finally {
    // File by file: whoever is stopped in the middle of it leaves half an app, but not there.
    await rm(before, { recursive: true, force: true });
  }
}

/** False, and nothing is done, where that error comes of it. */
async function renameUnless(code: string, from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === code) return false;
    throw error;
  }
}

/** Programs for machines that have nothing of ours but this one file. */
const PROGRAMS = { recover: 'scripts/recover.ts', cli: 'cli/main.ts' } as const;

/** A program as one file for any Node from 20 on, which needs nothing beside it. */
export async function buildProgram(program: keyof typeof PROGRAMS, outFile: string): Promise<void> {
  const format = { format: 'esm', target: 'node20' } as const;
  await build({
    ...AS_ONE_FILE,
    ...format,
    // Commander is CommonJS, and asks for modules of Node by `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    entryPoints: [fromRoot(PROGRAMS[program])],
    outfile: outFile,
  });
}

/** The product itself, into dist/, which it answers. Throws UsageError if that cannot be written. */
export async function buildApp(): Promise<string> {
  const outDir = fromRoot('dist');
  try {
    await buildBundle({ entryPoint: fromRoot('functions/main.ts'), hostJson: fromRoot('host.json'), outDir });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw NOT_OURS.includes(code) ? new UsageError(`${outDir} cannot be written (${code})`) : error;
  }
  return outDir;
}
