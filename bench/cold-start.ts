// How long a new process takes until the app has answered its first call: the bundle as it is deployed, against `node -e 0` and
// against the same app that loads its packages from node_modules. The host around it is the same bundle of ours in both.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { appEnvironment } from '../local/environment/app-environment.ts';
import { buildBundle } from '../scripts/build-bundle.ts';
import type { BenchOptions } from './benchmark.ts';
import { runPairs } from './harness/pairs.ts';
import { Report } from './harness/report.ts';
import { summarize } from './harness/summary.ts';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const MOST_MS = 250;
/** A sample is the median of so many starts: a single one may meet whatever else the system does in that instant. */
const STARTS = 7;

export async function coldStart(options: BenchOptions): Promise<boolean> {
  const report = new Report('cold-start', { pairs: options.pairs, startsPerSample: STARTS });
  // Below the project, so that the app without its packages finds node_modules.
  const directory = await mkdtemp(fromRoot('bench/.cold-start-'));
  const host = join(await mkdtemp(join(tmpdir(), 'keyswitch-cold-start-')), 'host.cjs');
  const bundled = join(directory, 'bundled');
  const unbundled = join(directory, 'unbundled');
  const app = { entryPoint: fromRoot('functions/main.ts'), hostJson: fromRoot('host.json') };
  await buildBundle({ ...app, outDir: bundled });
  await buildBundle({ ...app, outDir: unbundled });
  await build({
    entryPoints: [app.entryPoint],
    outfile: join(unbundled, 'functions/main.js'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
  });
  const child = fileURLToPath(new URL('cold-start-child.ts', import.meta.url));
  await build({ entryPoints: [child], outfile: host, bundle: true, platform: 'node', format: 'cjs' });

  const bare = (): Promise<number> => Promise.resolve(sample(['-e', '0']));
  const start = (appDirectory: string) => (): Promise<number> => Promise.resolve(sample([host, appDirectory]));
  const pairs = { pairs: options.pairs };
  const overBare = await runPairs({ ...pairs, a: start(bundled), b: bare });
  const overBundled = await runPairs({ ...pairs, a: start(unbundled), b: start(bundled) });
  await rm(directory, { recursive: true });

  report.pairs({ what: 'until it answered', names: ['bundle', 'node -e 0'], unit: 'ms', measured: overBare });
  const differences = overBare.a.map((ms, pair) => ms - (overBare.b[pair] ?? 0));
  const value = summarize(differences).median;
  report.value({ what: 'bundle over bare node', value, unit: 'ms', goal: { atMost: MOST_MS }, raw: differences });
  report.pairs({ what: 'until it answered', names: ['unbundled', 'bundle'], unit: 'ms', measured: overBundled });
  return report.save();
}

const sample = (args: readonly string[]): number =>
  summarize(Array.from({ length: STARTS }, () => timeOf(args))).median;

/** Milliseconds of a whole process. */
function timeOf(args: readonly string[]): number {
  const identity = { IDENTITY_ENDPOINT: 'http://127.0.0.1:1/msi/token', IDENTITY_HEADER: 'none' };
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { env: appEnvironment(identity) });
  if (status !== 0) throw new Error(`a process ended with ${status}: ${stderr.toString()}`);
  return performance.now() - begun;
}
