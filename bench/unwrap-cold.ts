// A thousand callers at once whose company key is in no cache, in one process over fakes: one of them asks the vault, the others
// wait for its answer. What they take beyond the vault's own time is the product's.
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../shared/adapters/system.ts';
import { unwrapDataKeys } from '../shared/operations/data-keys/unwrap.ts';
import { sized, type BenchOptions } from './benchmark.ts';
import { BenchCompany } from './company.ts';
import { KEYRING } from './seeded-company.ts';
import { percentile } from './harness/http-load.ts';
import { Report } from './harness/report.ts';
import { summarize } from './harness/summary.ts';
import { dataKeyIds, seedDataKeys } from './seed-data-keys.ts';
import { FakeTables } from '../test/fakes/fake-tables.ts';

const CALLERS = 1_000;
const LATENCY_MS = 55;
const SHARDS = 16;
const COMPANY = 'acme';

export async function unwrapCold(options: BenchOptions): Promise<boolean> {
  const callers = sized(CALLERS, options);
  const report = new Report('unwrap-cold', options, { callers, latencyMs: LATENCY_MS });
  const tables = new FakeTables();
  const ids = dataKeyIds(callers, SHARDS);
  const rowCount = (shard: number): number => ids[shard]?.length ?? 0;
  const company = await BenchCompany.create(tables, { companyId: COMPANY, shardCount: SHARDS, rowCount });
  await seedDataKeys(tables, { companyId: COMPANY, companyKey: await company.companyKey(1), ids });
  const beyondVault: number[] = [];
  const vaultCalls: number[] = [];
  for (let round = 0; round <= options.pairs; round += 1) {
    const { deps, calls } = company.coldReader(systemClock, () => delay(LATENCY_MS));
    const latencies = await Promise.all(
      ids.flat().map(async (keyId) => {
        const begun = performance.now();
        const outcome = await unwrapDataKeys(deps, { companyId: COMPANY, keyringId: KEYRING, keyIds: [keyId] });
        if (!outcome.ok || outcome.value[0]?.outcome !== 'unwrapped') throw new Error(`${keyId} was not unwrapped`);
        return performance.now() - begun;
      }),
    );
    if (round === 0) continue;
    beyondVault.push(percentile(latencies, 0.99) - LATENCY_MS);
    vaultCalls.push(calls());
  }
  const { median } = summarize(beyondVault);
  report.value({ what: 'p99 beyond the vault', value: median, unit: 'ms', goal: { atMost: 25 }, raw: beyondVault });
  report.value({ what: 'vault calls', value: Math.max(...vaultCalls), unit: '', goal: { atMost: 1 }, raw: vaultCalls });
  return report.save();
}
