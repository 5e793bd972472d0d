// A keyring's soft-deleted data keys, in the order in which they are due: a partition of the agenda. Pure.
import type { KeyringPlace } from '../../domain/keyring.ts';
import type { Row } from './row.ts';

export interface PurgePlace extends KeyringPlace {
  readonly purgeAfter: string;
  readonly keyId: string;
}

export const purgePartition = ({ companyId, keyringId }: KeyringPlace): string => `purge|${companyId}|${keyringId}`;

/** The row's key says everything. */
export const purgeRow: Row<PurgePlace, undefined> = {
  table: 'agenda',
  partition: purgePartition,
  key: ({ purgeAfter, keyId }) => `${purgeAfter}|${keyId}`,
  cells: () => ({ format: 1 }),
  read: () => undefined,
};

/** Undefined if the key is none of ours. */
export function purgePlaceOf({ companyId, keyringId }: KeyringPlace, rowKey: string): PurgePlace | undefined {
  const [purgeAfter = '', keyId] = rowKey.split('|');
  return keyId === undefined ? undefined : { companyId, keyringId, purgeAfter, keyId };
}

/** A row key behind all entries that are due by `time` and before all others. */
export const dueBy = (time: string): string => `${time}}`;
