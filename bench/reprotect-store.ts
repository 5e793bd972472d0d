// Re-protection on Azurite through the product's own adapter, against a bare loop that does the identical reads and transactions
// through the SDK with bytes made beforehand. Every pair switches the same company's keys over once more.
import { runPairs } from './harness/pairs.ts';
import { Report } from './harness/report.ts';
import { BareTables } from './bare-tables.ts';
import { sized, type BenchOptions } from './benchmark.ts';
import { BenchCompany } from './company.ts';
import { dataKeyIds, seedDataKeys } from './seed-data-keys.ts';
import { startTablesService } from './tables-service.ts';

const KEYS = 20_000;
const SHARDS = 16;

export async function reprotectStore(options: BenchOptions): Promise<boolean> {
  const keys = options.keys ?? sized(KEYS, options);
  const report = new Report('reprotect-store', options, { keys, shards: SHARDS });
  const service = await startTablesService();
  const { tables } = service;
  const ids = dataKeyIds(keys, SHARDS);
  const create = async (companyId: string): Promise<BenchCompany> => {
    const rowCount = (shard: number): number => ids[shard]?.length ?? 0;
    const company = await BenchCompany.create(tables, { companyId, shardCount: SHARDS, rowCount });
    await seedDataKeys(tables, { companyId, companyKey: await company.companyKey(1), ids });
    return company;
  };
  const company = await create('ours');
  const { companyId } = await create('bare');
  const bare = new BareTables({ companyId, shardCount: SHARDS });
  const measured = await runPairs({
    pairs: options.pairs,
    a: async () => keys / (await company.switchProvider()).seconds,
    b: async () => {
      const begun = performance.now();
      await bare.bothPasses();
      return keys / ((performance.now() - begun) / 1000);
    },
  });
  await service.close();
  report.pairs({ what: 'keys re-protected', unit: 'keys/s', measured, goal: { atLeast: 0.9 } });
  return report.save();
}
