// How long a new process takes until the app has answered its first call: the bundle as it is deployed, against `node -e 0` and
// against the same app that loads its packages from node_modules. The host around it is the same bundle of ours in both.
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { appEnvironment } from '../local/environment/app-environment.ts';
import { buildBundle } from '../scripts/build-bundle.ts';
import { sized, type BenchOptions } from './benchmark.ts';
import { runPairs } from './harness/pairs.ts';
import { Report } from './harness/report.ts';
import { summarize } from './harness/summary.ts';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const MOST_MS = 250;
/** A sample is the median of so many starts: a single one may meet whatever else the system does in that instant. */
const STARTS = 7;

export async function coldStart(options: BenchOptions): Promise<boolean> {
  const starts = sized(STARTS, options);
  const report = new Report('cold-start', options, { startsPerSample: starts });
  // Below the project, so that the app without its packages finds node_modules.
  await mkdir(fromRoot('.local'), { recursive: true });
  const apps = await mkdtemp(fromRoot('.local/cold-start-'));
  const elsewhere = await mkdtemp(join(tmpdir(), 'keyswitch-cold-start-'));
  try {
    const { host, bundled, unbundled } = await buildAll(apps, elsewhere);
    const bare = (): Promise<number> => Promise.resolve(sample(['-e', '0'], starts));
    const start = (app: string) => (): Promise<number> => Promise.resolve(sample([host, app], starts));
    const pairs = { pairs: options.pairs };
    const overBare = await runPairs({ ...pairs, a: start(bundled), b: bare });
    const overBundled = await runPairs({ ...pairs, a: start(unbundled), b: start(bundled) });

    report.pairs({ what: 'until it answered', names: ['bundle', 'node -e 0'], unit: 'ms', measured: overBare });
    const differences = overBare.a.map((ms, pair) => ms - (overBare.b[pair] ?? 0));
    const value = summarize(differences).median;
    report.value({ what: 'bundle over bare node', value, unit: 'ms', goal: { atMost: MOST_MS }, raw: differences });
    report.pairs({ what: 'until it answered', names: ['unbundled', 'bundle'], unit: 'ms', measured: overBundled });
  } finally {
    for (const directory of [apps, elsewhere]) await rm(directory, { recursive: true });
  }
  return report.save();
}

async function buildAll(
  apps: string,
  elsewhere: string,
): Promise<{ readonly host: string; readonly bundled: string; readonly unbundled: string }> {
  const [bundled, unbundled] = [join(apps, 'bundled'), join(apps, 'unbundled')];
  const app = { entryPoint: fromRoot('functions/main.ts'), hostJson: fromRoot('host.json') };
  await buildBundle({ ...app, outDir: bundled });
  // An ES module: what is required, and has a default export only, is no such thing to a bundle that loads it as CommonJS.
  const main = 'functions/main.mjs';
  const parts = { bundle: true, platform: 'node' } as const;
  const outfile = join(unbundled, main);
  await build({ ...parts, entryPoints: [app.entryPoint], outfile, packages: 'external', format: 'esm' });
  await copyFile(app.hostJson, join(unbundled, 'host.json'));
  await writeFile(join(unbundled, 'package.json'), JSON.stringify({ private: true, main }));
  const child = fileURLToPath(new URL('cold-start-child.ts', import.meta.url));
  const host = join(elsewhere, 'host.cjs');
  await build({ ...parts, entryPoints: [child], outfile: host, format: 'cjs' });
  return { host, bundled, unbundled };
}

const sample = (args: readonly string[], starts: number): number =>
  summarize(Array.from({ length: starts }, () => timeOf(args))).median;

/** Milliseconds of a whole process. */
function timeOf(args: readonly string[]): number {
  const identity = { IDENTITY_ENDPOINT: 'http://127.0.0.1:1/msi/token', IDENTITY_HEADER: 'none' };
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { env: appEnvironment(identity) });
  if (status !== 0) throw new Error(`a process ended with ${status}: ${stderr.toString()}`);
  return performance.now() - begun;
}
