// The list of a keyring's soft-deleted data keys: a partition of the agenda, in the order of when each is due. Pure.
import type { KeyringPlace } from '../../domain/keyring.ts';
import type { Row } from './row.ts';

export interface PurgePlace extends KeyringPlace {
  readonly purgeAfter: string;
  readonly keyId: string;
}

export const purgePartition = ({ companyId, keyringId }: KeyringPlace): string => `purge|${companyId}|${keyringId}`;

/** Its key says all. */
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

/** Of the keys of entries: behind all that are due by then, and before the others. */
export const dueBy = (time: string): string => `${time}}`;
