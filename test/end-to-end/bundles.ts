// What the tests start most often, built once for all files of a run (`globalSetup` of vitest.config.ts): the app, and the host as one
// file, which starts in half the time of its modules. In a place of this run alone: several may go on in one checkout.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { TestProject } from 'vitest/node';
import type { HostProgram } from '../../local/functions-host/host-process.ts';
import { AS_ONE_FILE, buildBundle } from '../../scripts/build-bundle.ts';

const MAIN_MODULES = {
  product: 'functions/main.ts',
  /** The product with places at which it dies when it is ordered to. */
  deadly: 'test/end-to-end/kill-points/main.ts',
};

export type AppName = keyof typeof MAIN_MODULES;

declare module 'vitest' {
  interface ProvidedContext {
    /** The built app of each name. */
    readonly bundleDirs: Readonly<Record<AppName, string>>;
    readonly hostProgram: HostProgram;
  }
}

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'keyswitch-bundles-'));
  const [product, deadly, hostProgram] = await Promise.all([
    buildApp('product', directory),
    buildApp('deadly', directory),
    buildHost(directory),
  ]);
  project.provide('bundleDirs', { product, deadly });
  project.provide('hostProgram', hostProgram);
  return async () => {
    await rm(directory, { recursive: true });
  };
}

async function buildApp(name: AppName, directory: string): Promise<string> {
  const outDir = join(directory, name);
  await buildBundle({ entryPoint: fromRoot(MAIN_MODULES[name]), hostJson: fromRoot('host.json'), outDir });
  return outDir;
}

async function buildHost(directory: string): Promise<HostProgram> {
  const outdir = join(directory, 'host');
  const entryPoints = {
    main: fromRoot('local/functions-host/main.ts'),
    preload: fromRoot('local/redirect/preload.ts'),
  };
  await build({ ...AS_ONE_FILE, entryPoints, outdir });
  return { main: join(outdir, 'main.js'), preload: pathToFileURL(join(outdir, 'preload.js')).href };
}
