// The memory of a host that has met the vaults of many customers, each in a tenant of its own, against one that has answered as many calls for one
// of them: what it keeps of a customer is what grows.
import { Company } from '../test/end-to-end/company.ts';
import { beginRun } from '../test/end-to-end/run.ts';
import { buildApp } from '../scripts/build-bundle.ts';
import { sized, type BenchOptions } from './benchmark.ts';
import { customerName, seedCustomers, SEEDED_KEY } from './customers.ts';
import { GAUGED, readGauge } from './harness/host-gauge.ts';
import { closedLoad, type Target } from './harness/http-load.ts';
import { Report } from './harness/report.ts';
import { summarize } from './harness/summary.ts';
import { targetOf } from './unwrap-http.ts';

const CUSTOMERS = 2_000;
const CONNECTIONS = 16;
const PROCESSES = 3;
const MOST_MB = 64;
const SETTINGS = { KEYSWITCH_SHARD_COUNT: '1', KEYSWITCH_COMPANY_KEY_TTL_SECONDS: '3600' };

export async function manyCustomers(options: BenchOptions): Promise<boolean> {
  const customers = options.keys ?? sized(CUSTOMERS, options);
  const report = new Report('many-customers', options, { customers, processes: PROCESSES });
  const run = await beginRun({ bundleDir: await buildApp(), program: GAUGED }, { settings: SETTINGS });
  await seedCustomers(run, customers);
  const body = (): string => JSON.stringify({ keyIds: [SEEDED_KEY] });
  const peakOf = async (companyOf: (n: number) => string): Promise<number> => {
    const host = await run.startHost();
    const target = (n: number): Target => targetOf(run, host, new Company(run, companyOf(n)), body);
    await closedLoad(target, { connections: CONNECTIONS, calls: customers });
    const { peakMb } = await readGauge(host);
    await host.kill();
    return peakMb;
  };
  const [many, one]: [number[], number[]] = [[], []];
  for (let n = 0; n < sized(PROCESSES, options); n += 1) {
    many.push(await peakOf(customerName));
    one.push(await peakOf(() => customerName(0)));
  }
  await run.close();
  const more = many.map((peak, n) => peak - (one[n] ?? 0));
  report.value({ what: `${customers} customers: peak`, value: summarize(many).median, unit: 'MB', raw: many });
  report.value({ what: 'one customer, as many calls: peak', value: summarize(one).median, unit: 'MB', raw: one });
  const value = summarize(more).median;
  report.value({ what: 'more for many', value, unit: 'MB', goal: { atMost: MOST_MB }, raw: more });
  return report.save();
}
