// A host under mixed load of one company, from one connection to more than it carries: 80 % single unwraps, 15 % batches of 100 neighbouring keys,
// 5 % new keys. Says where more connections bring no more calls, and how long calls take there; compares with nothing.
import { Company } from '../test/end-to-end/company.ts';
import { beginRun } from '../test/end-to-end/run.ts';
import { buildApp } from '../scripts/build-bundle.ts';
import { sized, type BenchOptions } from './benchmark.ts';
import { GAUGED, readGauge, type Gauge } from './harness/host-gauge.ts';
import { mixedLoad, percentile, type Answered, type Target } from './harness/http-load.ts';
import { Report } from './harness/report.ts';
import { summarize } from './harness/summary.ts';
import { shuffled } from './seeded-entropy.ts';
import { bodies, targetOf } from './unwrap-http.ts';

const KEYS = 10_000;
const BATCH = 100;
const CONNECTIONS = [1, 4, 16, 64, 256];
const SECONDS = 3;
const TRIAL = { connections: [1, 16], seconds: 0.1 };
const SETTINGS = { KEYSWITCH_SHARD_COUNT: '16', KEYSWITCH_COMPANY_KEY_TTL_SECONDS: '3600' };

const OF_TWENTY = { single: 16, batch: 3, generate: 1 } as const;
type Kind = keyof typeof OF_TWENTY;
const KINDS = Object.keys(OF_TWENTY) as Kind[];
const IN_TURN = shuffled(
  KINDS.flatMap((kind) => Array.from({ length: OF_TWENTY[kind] }, () => kind)),
  'mixed',
);

interface Step {
  /** Until the last of its calls was answered. */
  readonly seconds: number;
  readonly answered: Readonly<Partial<Record<Kind, Answered>>>;
  readonly gauge: Gauge;
}

export async function mixed(options: BenchOptions): Promise<boolean> {
  const keys = options.keys ?? sized(KEYS, options);
  const { connections: stepsOf, seconds } = options.trial ? TRIAL : { connections: CONNECTIONS, seconds: SECONDS };
  const report = new Report('mixed', options, { keys, secondsPerSample: seconds });
  const built = { bundleDir: await buildApp(), program: GAUGED };
  for (const [rows, settings] of [
    ['read', { ...SETTINGS, KEYSWITCH_DATA_KEY_CACHE_ROWS: '0' }],
    ['kept as by default', SETTINGS],
  ] as const) {
    const run = await beginRun(built, { settings });
    const [host] = run.environment.hosts;
    if (!host) throw new Error('no host');
    const company = await Company.create(run, 'contoso', keys);
    const ids = [...company.keys.keys()];
    const targets: Readonly<Record<Kind, Target>> = {
      single: targetOf(run, host, company, bodies(shuffled(ids, 'single'), 1)),
      batch: targetOf(run, host, company, bodies(ids, sized(BATCH, options))),
      generate: {
        url: `${host.url}/api/v1${company.keyring}/datakeys`,
        token: run.environment.tokens.dataKeys,
        body: () => JSON.stringify({ keys: [{}] }),
      },
    };
    const steps = new Map<number, Step[]>(stepsOf.map((connections) => [connections, []]));
    for (let round = 0; round <= options.pairs; round += 1) {
      for (const connections of stepsOf) {
        await readGauge(host);
        const begun = performance.now();
        const answered = await mixedLoad(targets, { kinds: IN_TURN, connections, seconds });
        const step = { seconds: (performance.now() - begun) / 1000, answered, gauge: await readGauge(host) };
        if (round > 0) steps.get(connections)?.push(step);
      }
    }
    await run.close();
    for (const [connections, samples] of steps) tell(report, `${connections} connections, rows ${rows}`, samples);
  }
  return report.save();
}

function tell(report: Report, what: string, samples: readonly Step[]): void {
  const say = (name: string, unit: string, of: (step: Step) => number, goal?: { readonly atMost: number }): void => {
    const raw = samples.map(of);
    const value = summarize(raw).median;
    report.value({ what: `${what}: ${name}`, value, unit, raw, ...(goal ? { goal } : {}) });
  };
  const sum = (step: Step, of: (answered: Answered) => number): number =>
    Object.values(step.answered).reduce((total, answered) => total + of(answered), 0);
  say('calls', '/s', (step) => sum(step, ({ latenciesMs }) => latenciesMs.length) / step.seconds);
  for (const kind of KINDS) {
    for (const [name, share] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const of = (step: Step): number => {
        const { latenciesMs = [] } = step.answered[kind] ?? {};
        return latenciesMs.length === 0 ? 0 : percentile(latenciesMs, share);
      };
      say(`${kind}, ${name}`, 'ms', of);
    }
  }
  say('event loop waits, p99', 'ms', ({ gauge }) => gauge.delayP99Ms);
  say('event loop in use', '%', ({ gauge }) => gauge.utilization * 100);
  say('turned away', '', (step) => sum(step, ({ turnedAway }) => turnedAway));
  say('errors', '', (step) => sum(step, ({ errors }) => errors), { atMost: 0 });
}
