// Bundles a Functions app into one CommonJS file beside host.json and a package.json that names it: the fewer files,
// the faster a cold start. Only the worker's own module stays outside.
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions } from 'esbuild';

interface BundleOptions {
  readonly entryPoint: string;
  readonly hostJson: string;
  /** Replaced as a whole. */
  readonly outDir: string;
}

const MAIN = 'functions/main.js';

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
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  await build({
    ...AS_ONE_FILE,
    entryPoints: [entryPoint],
    outfile: join(outDir, MAIN),
    external: ['@azure/functions-core'],
    sourcemap: 'linked',
  });
  await copyFile(hostJson, join(outDir, 'host.json'));
  await writeFile(join(outDir, 'package.json'), `${JSON.stringify({ private: true, main: MAIN }, undefined, 2)}\n`);
}

/** The product itself, into dist/, which it answers. */
export async function buildApp(): Promise<string> {
  const fromRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
  const outDir = fromRoot('dist');
  await buildBundle({ entryPoint: fromRoot('functions/main.ts'), hostJson: fromRoot('host.json'), outDir });
  return outDir;
}
