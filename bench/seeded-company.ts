// The rows of a company with one keyring under its first company key, as they are once its provider is in force. Pure.
import type { Company, Keyring } from '../shared/domain/keyring.ts';
import type { ProviderRef } from '../shared/domain/provider.ts';
import { companyCells } from '../shared/store/rows/company-rows.ts';
import { keyringCells } from '../shared/store/rows/keyring-rows.ts';
import { shardCells } from '../shared/store/rows/data-rows.ts';
import { COMPANY_ROW_KEY, companyKeyRowKey, dataKeysPartition, keyringRowKey } from '../shared/store/rows/row-keys.ts';
import { companyKeyCells } from '../shared/store/rows/sealed-rows.ts';
import { newShard, SHARD_ROW_KEY } from '../shared/domain/shard.ts';
import type { VersionCounts } from '../shared/domain/shard-counts.ts';
import type { Wrap } from '../shared/domain/company-key.ts';
import type { Cells } from '../shared/store/tables.ts';
import type { SeededRow } from '../test/fixtures/consented-connection.ts';

export const KEYRING = 'default';

/** `rowCount`: of data keys, which are not among the rows. */
export function companyRows(company: {
  readonly companyId: string;
  readonly provider: ProviderRef;
  readonly wrap: Wrap;
  readonly createdAt: string;
  readonly shardCount: number;
  readonly rowCount: (shard: number) => number;
  readonly seals: Pick<Company, 'featuresSeal' | 'policySeal'>;
}): readonly SeededRow[] {
  const { companyId, provider, wrap, createdAt, shardCount, rowCount, seals } = company;
  const control = (rowKey: string, cells: Cells): SeededRow => ({
    table: 'companies',
    partitionKey: companyId,
    rowKey,
    cells,
  });
  const keyring: Keyring = {
    keyringId: KEYRING,
    state: 'ready',
    shardCount,
    provider,
    activeVersion: 1,
    highVersion: 1,
    generation: 0,
    rollBacks: 0,
    createdAt,
  };
  const key = { companyId, keyringId: KEYRING, version: 1, wraps: [wrap], createdAt };
  const about = { companyId, displayName: companyId, defaultKeyring: KEYRING, state: 'active', createdAt } as const;
  return [
    control(COMPANY_ROW_KEY, companyCells({ ...about, ...seals })),
    control(keyringRowKey(KEYRING), keyringCells(keyring)),
    control(companyKeyRowKey(KEYRING, 1), companyKeyCells(key)),
    ...Array.from({ length: shardCount }, (_, shard): SeededRow => {
      const live = rowCount(shard);
      const at: VersionCounts = live === 0 ? {} : { 1: live };
      return {
        table: 'datakeys',
        partitionKey: dataKeysPartition({ companyId, keyringId: KEYRING, shard }),
        rowKey: SHARD_ROW_KEY,
        cells: shardCells({ ...newShard({ writeVersion: 1, now: createdAt }), live, at }, 'seed'),
      };
    }),
  ];
}
