// What callers see of a data key, never its blob; and its row, as operations on one data key read it.
import type { DataKey, DataKeyState, QuarantineReason } from '../../domain/data-key.ts';
import { dataKeyRow } from '../../store/rows/data-rows.ts';
import { present } from '../../domain/plain-object.ts';
import { find, type Found } from '../../store/found.ts';
import type { Tables } from '../../store/tables.ts';
import type { ShardPlace } from '../../domain/shard.ts';

export interface DataKeyView {
  readonly keyId: string;
  readonly state: Exclude<DataKeyState, 'tombstone'>;
  readonly origin: DataKey['origin'];
  readonly companyKeyVersion: number;
  readonly createdAt: string;
  readonly deletedAt?: string;
  /** It can be restored until then. */
  readonly purgeAfter?: string;
  readonly quarantineReason?: QuarantineReason;
}

/** Undefined for a tombstone: for callers the key no longer exists. */
export function viewOf(key: DataKey): DataKeyView | undefined {
  if (key.state === 'tombstone') return undefined;
  const { keyId, state, origin, companyKeyVersion, createdAt } = key;
  const isDeleted = state === 'deleted';
  return {
    keyId,
    state,
    origin,
    companyKeyVersion,
    createdAt,
    ...present({
      deletedAt: isDeleted ? key.deletedAt : undefined,
      purgeAfter: isDeleted ? key.purgeAfter : undefined,
      quarantineReason: state === 'quarantined' ? key.quarantineReason : undefined,
    }),
  };
}

export const loadDataKey = (
  tables: Pick<Tables, 'read'>,
  place: ShardPlace,
  keyId: string,
): Promise<Found<DataKey> | undefined> => find(tables, dataKeyRow, { ...place, keyId });
