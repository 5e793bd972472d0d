// Unwrapping data keys over HTTP with the company key cached: a host of the product against a bare function app in a host of its own, which reads
// each row by itself. First both read their rows from the tables at every call, then both have them in memory. Beside rates it tells what a call
// costs the host's processor, which does not depend on what else the machine does, nor on who makes the calls.
import type { FunctionsHost } from '../local/functions-host/host-process.ts';
import { Company } from '../test/end-to-end/company.ts';
import { beginRun, type Run } from '../test/end-to-end/run.ts';
import { buildApp } from '../scripts/build-bundle.ts';
import { sized, type BenchOptions } from './benchmark.ts';
import { buildFloor, seedFloor, startFloor } from './floor.ts';
import { GAUGED, readGauge } from './harness/host-gauge.ts';
import { closedLoad, type Target } from './harness/http-load.ts';
import { runPairs, summarizePairs } from './harness/pairs.ts';
import { number, Report } from './harness/report.ts';
import { shuffled } from './seeded-entropy.ts';

/** So many that a thousand of them, drawn at random, lie far apart. */
const KEYS = 20_000;
/** Those that calls for kept rows ask for. */
const KEPT = 2_000;
const SHARDS = 16;
/** Rows stay until the benchmark is over. */
const SETTINGS = {
  KEYSWITCH_SHARD_COUNT: String(SHARDS),
  KEYSWITCH_COMPANY_KEY_TTL_SECONDS: '3600',
  KEYSWITCH_DATA_KEY_CACHE_ROWS: '0',
};

interface Load {
  readonly what: string;
  readonly batch: number;
  readonly connections: number;
  /** So many that a sample takes about a second or more. */
  readonly calls: number;
  /** Drawn at random instead of made one after the other. */
  readonly scattered?: true;
  readonly atLeast?: number;
}

const LOADS: Readonly<Record<'read' | 'kept', readonly Load[]>> = {
  read: [
    { what: '8 connections', batch: 1, connections: 8, calls: 1_500 },
    { what: '64 connections', batch: 1, connections: 64, calls: 1_500 },
    { what: 'batches of 100, neighbouring', batch: 100, connections: 8, calls: 60 },
    { what: 'batches of 1,000, neighbouring', batch: 1_000, connections: 2, calls: 10, atLeast: 6 },
    { what: 'batches of 100, scattered', batch: 100, connections: 8, calls: 60, scattered: true, atLeast: 0.8 },
    { what: 'batches of 1,000, scattered', batch: 1_000, connections: 2, calls: 6, scattered: true, atLeast: 0.8 },
  ],
  kept: [
    { what: '8 connections', batch: 1, connections: 8, calls: 5_000, atLeast: 0.45 },
    { what: '64 connections', batch: 1, connections: 64, calls: 6_000, atLeast: 0.45 },
    { what: 'batches of 100', batch: 100, connections: 8, calls: 800 },
    { what: 'batches of 1,000', batch: 1_000, connections: 2, calls: 150, atLeast: 0.75 },
  ],
};

export async function unwrapHttp(options: BenchOptions): Promise<boolean> {
  const keys = options.keys ?? sized(KEYS, options);
  const report = new Report('unwrap-http', options, { keys });
  const run = await beginRun({ bundleDir: await buildApp(), program: GAUGED }, { settings: SETTINGS });
  const company = await Company.create(run, 'contoso', keys);
  const ours = [...company.keys.keys()];
  const bare = await seedFloor(run, keys, SHARDS);
  const bundleDir = await buildFloor();
  for (const rows of ['read', 'kept'] as const) {
    const host =
      rows === 'read' ? run.environment.hosts[0] : await run.startHost({ KEYSWITCH_DATA_KEY_CACHE_ROWS: String(KEPT) });
    if (!host) throw new Error('no host');
    const floor = await startFloor(run, { bundleDir, shardCount: SHARDS, rows: rows === 'read' ? 'tables' : 'memory' });
    for (const load of LOADS[rows]) {
      const batch = sized(load.batch, options);
      const idsOf = (ids: readonly string[]): readonly string[] => {
        if (rows === 'kept') return ids.slice(0, KEPT);
        return load.scattered ? shuffled(ids, load.what) : ids;
      };
      const bodiesOf = (ids: readonly string[]): Target['body'] => bodies(idsOf(ids), batch);
      const ourTarget = targetOf(run, host, company, bodiesOf(ours));
      const bareTarget = { url: floor.url, token: run.environment.tokens.dataKeys, body: bodiesOf(bare) };
      const how = { connections: load.connections, calls: sized(load.calls, options) };
      const cpu = { ours: [] as number[], bare: [] as number[] };
      const measured = await runPairs({
        pairs: options.pairs,
        a: () => withCpu(host, cpu.ours, how.calls, () => closedLoad(ourTarget, how)),
        b: () => withCpu(floor.host, cpu.bare, how.calls, () => closedLoad(bareTarget, how)),
      });
      const goal = load.atLeast === undefined ? {} : { goal: { atLeast: load.atLeast } };
      const what = `${load.what}, rows ${rows}`;
      report.pairs({ what, unit: 'calls/s', measured, ...goal });
      // Of the pair that warms up neither.
      const ofCalls = summarizePairs(cpu.ours.slice(1), cpu.bare.slice(1));
      report.pairs({ what: `${what}, host's processor`, unit: 'ms a call', measured: ofCalls });
    }
    await floor.close();
  }
  await run.close();
  return report.save();
}

async function withCpu(
  host: FunctionsHost,
  msPerCall: number[],
  calls: number,
  load: () => Promise<number>,
): Promise<number> {
  await readGauge(host);
  const rate = await load();
  msPerCall.push((await readGauge(host)).cpuMs / calls);
  return rate;
}

export const targetOf = (run: Run, host: FunctionsHost, company: Company, body: Target['body']): Target => ({
  url: `${host.url}/api/v1${company.keyring}/unwrap`,
  token: run.environment.tokens.dataKeys,
  body,
});

/** Round and round through the keys. */
export function bodies(ids: readonly string[], batch: number): (n: number) => string {
  if (ids.length < batch) throw new Error(`only ${number(ids.length)} keys`);
  return (n) => {
    const from = (n * batch) % (ids.length - batch + 1);
    return JSON.stringify({ keyIds: ids.slice(from, from + batch) });
  };
}
