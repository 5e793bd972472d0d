// Callers of one keyring while its data keys are re-protected, on one host that does both, beside the same calls without a switch, and how long the
// switch takes with them.
// Calls come at a steady rate; how long one takes counts from when it was due.
import { azure, Company, MANAGED, type Provider } from '../test/end-to-end/company.ts';
import { beginRun } from '../test/end-to-end/run.ts';
import { buildApp } from '../scripts/build-bundle.ts';
import { sized, type BenchOptions } from './benchmark.ts';
import { closedLoad, openLoad, percentile, type Target } from './harness/http-load.ts';
import { runPairs } from './harness/pairs.ts';
import { Report } from './harness/report.ts';
import { summarize } from './harness/summary.ts';
import { orderSwitch, untilCompleted } from './until-completed.ts';
import { bodies, targetOf } from './unwrap-http.ts';

const KEYS = 10_000;
const CALLS_PER_SECOND = 100;
/** A switch is over in a few seconds: too few calls for a hundredth of them to mean anything. */
const SWITCHES_PER_SAMPLE = 4;
const QUIET_CALLS = 1_000;
/** A ratio to a quiet p99, which itself varies by a factor of ten, says nothing. */
const MOST_MS = { read: 80, kept: 35 };
const SETTINGS = {
  KEYSWITCH_SHARD_COUNT: '16',
  KEYSWITCH_COMPANY_KEY_TTL_SECONDS: '3600',
  KEYSWITCH_DATA_KEY_CACHE_ROWS: '0',
};

/** Rows read share the one store, which here does one thing at a time; rows kept show what the host itself adds. */
export async function unwrapDuringSwitch(options: BenchOptions): Promise<boolean> {
  const keys = options.keys ?? sized(KEYS, options);
  const switchesPerSample = sized(SWITCHES_PER_SAMPLE, options);
  const facts = { keys, callsPerSecond: CALLS_PER_SECOND, switchesPerSample };
  const report = new Report('unwrap-during-switch', options, facts);
  await measure(report, 'rows read', { ...options, keys, settings: SETTINGS, mostMs: MOST_MS.read });
  const settings = { ...SETTINGS, KEYSWITCH_DATA_KEY_CACHE_ROWS: String(keys) };
  await measure(report, 'rows kept', { ...options, keys, settings, mostMs: MOST_MS.kept });
  return report.save();
}

async function measure(
  report: Report,
  what: string,
  options: BenchOptions & {
    readonly keys: number;
    readonly settings: Readonly<Record<string, string>>;
    readonly mostMs: number;
  },
): Promise<void> {
  const run = await beginRun({ bundleDir: await buildApp() }, { settings: options.settings });
  const [host] = run.environment.hosts;
  if (!host) throw new Error('no host');
  const company = await Company.create(run, 'contoso', options.keys);
  await company.connect(run.environment.customers.contoso, { id: 'own', keyName: 'bench' });
  const target = targetOf(run, host, company, bodies([...company.keys.keys()], 1));
  // Every key once, so that what can be kept is.
  await closedLoad(target, { connections: 16, calls: options.keys });
  let switches = 0;
  let errors = 0;
  const switchSeconds: number[] = [];
  const measured = await runPairs({
    pairs: options.pairs,
    a: async () => {
      const latenciesMs: number[] = [];
      for (let n = 0; n < sized(SWITCHES_PER_SAMPLE, options); n += 1) {
        switches += 1;
        const to = switches % 2 === 1 ? azure('own') : MANAGED;
        const begun = performance.now();
        const load = await whileSwitching(company, target, { switchId: `switch-${switches}`, to });
        switchSeconds.push((performance.now() - begun) / 1000);
        errors += load.errors;
        latenciesMs.push(...load.latenciesMs);
      }
      return percentile(latenciesMs, 0.99);
    },
    b: async () => {
      const load = await openLoad(target, {
        callsPerSecond: CALLS_PER_SECOND,
        while: (n) => n < sized(QUIET_CALLS, options),
      });
      errors += load.errors;
      return percentile(load.latenciesMs, 0.99);
    },
  });
  await run.close();
  const { a: during, b: without } = measured;
  const p99 = (when: string, raw: readonly number[], goal?: { readonly atMost: number }): void => {
    const value = summarize(raw).median;
    report.value({ what: `p99, ${what}, ${when}`, value, unit: 'ms', raw, ...(goal ? { goal } : {}) });
  };
  p99('during a switch', during, { atMost: options.mostMs });
  p99('without', without);
  const value = summarize(switchSeconds).median;
  report.value({ what: `the switch, ${what}`, value, unit: 's', raw: switchSeconds });
  report.value({ what: `errors, ${what}`, value: errors, unit: '', goal: { atMost: 0 } });
}

async function whileSwitching(
  company: Company,
  target: Target,
  order: { readonly switchId: string; readonly to: Provider },
): Promise<Awaited<ReturnType<typeof openLoad>>> {
  await orderSwitch(company, order.switchId, order.to);
  let completed = false;
  const watching = untilCompleted(company, order.switchId).then(() => (completed = true));
  const load = await openLoad(target, { callsPerSecond: CALLS_PER_SECOND, while: () => !completed });
  await watching;
  return load;
}
