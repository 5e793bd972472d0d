// Unwrapping data keys over HTTP with the company key cached: a host of the product against the least that any server must do. First
// both read their rows from the tables at every call, then both have them in memory.
import type { FunctionsHost } from '../local/functions-host/host-process.ts';
import { Company } from '../test/end-to-end/company.ts';
import { beginRun, type Run } from '../test/end-to-end/run.ts';
import { buildApp } from '../scripts/build-bundle.ts';
import { sized, type BenchOptions } from './benchmark.ts';
import { seedFloor, startFloor } from './floor.ts';
import { closedLoad, type Target } from './harness/http-load.ts';
import { runPairs } from './harness/pairs.ts';
import { number, Report } from './harness/report.ts';

const KEYS = 2_000;
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
  readonly calls: { readonly read: number; readonly kept: number };
  readonly goals: { readonly read: number; readonly kept: number };
}

const LOADS: readonly Load[] = [
  {
    what: '1 connection',
    batch: 1,
    connections: 1,
    calls: { read: 1_000, kept: 5_000 },
    goals: { read: 0.7, kept: 0.4 },
  },
  {
    what: '8 connections',
    batch: 1,
    connections: 8,
    calls: { read: 3_000, kept: 12_000 },
    goals: { read: 0.7, kept: 0.4 },
  },
  {
    what: '64 connections',
    batch: 1,
    connections: 64,
    calls: { read: 3_000, kept: 15_000 },
    goals: { read: 0.7, kept: 0.4 },
  },
  {
    what: 'batches of 100',
    batch: 100,
    connections: 8,
    calls: { read: 60, kept: 1_500 },
    goals: { read: 0.7, kept: 0.4 },
  },
  {
    what: 'batches of 1,000',
    batch: 1_000,
    connections: 2,
    calls: { read: 10, kept: 250 },
    goals: { read: 0.7, kept: 0.8 },
  },
];

export async function unwrapHttp(options: BenchOptions): Promise<boolean> {
  const keys = options.keys ?? sized(KEYS, options);
  const report = new Report('unwrap-http', options, { keys });
  const run = await beginRun({ bundleDir: await buildApp() }, { settings: SETTINGS });
  const company = await Company.create(run, 'contoso', keys);
  const ids = [...company.keys.keys()];
  const floorIds = await seedFloor(run, keys, SHARDS);
  for (const rows of ['tables', 'memory'] as const) {
    const host =
      rows === 'tables'
        ? run.environment.hosts[0]
        : await run.startHost({ KEYSWITCH_DATA_KEY_CACHE_ROWS: String(keys) });
    if (!host) throw new Error('no host');
    const floor = await startFloor(run, { shardCount: SHARDS, rows });
    for (const load of LOADS) {
      const batch = sized(load.batch, options);
      const ours = targetOf(run, host, company, bodies(ids, batch));
      const bare: Target = {
        url: floor.url,
        token: run.environment.tokens.dataKeys,
        body: bodies(floorIds, batch),
      };
      const { connections } = load;
      const calls = sized(rows === 'tables' ? load.calls.read : load.calls.kept, options);
      const measured = await runPairs({
        pairs: options.pairs,
        a: () => closedLoad(ours, { connections, calls }),
        b: () => closedLoad(bare, { connections, calls }),
      });
      const what = `${load.what}, rows ${rows === 'tables' ? 'read' : 'kept'}`;
      const goal = { atLeast: rows === 'tables' ? load.goals.read : load.goals.kept };
      report.pairs({ what, unit: 'calls/s', measured, goal });
    }
    await floor.close();
  }
  await run.close();
  return report.save();
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
