// What callers see of a data key: never its blob. And the row behind it, as operations on one data key read it.
import type { DataKey, DataKeyState, QuarantineReason } from '../../domain/data-key.ts';
import { readDataKey } from '../../store/rows/data-rows.ts';
import { present } from '../../domain/plain-object.ts';
import { dataKeysPartition } from '../../store/rows/row-keys.ts';
import type { Loaded } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { ShardPlace } from '../../store/shard-rows.ts';

export interface DataKeyView {
  readonly keyId: string;
  readonly state: Exclude<DataKeyState, 'tombstone'>;
  readonly origin: DataKey['origin'];
  readonly companyKeyVersion: number;
  readonly createdAt: string;
  readonly deletedAt?: string;
  /** Until then it can be restored. */
  readonly purgeAfter?: string;
  readonly quarantineReason?: QuarantineReason;
}

/** Undefined for a tombstone: to callers there is no such key any more. */
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

export async function loadDataKey(
  tables: Pick<Tables, 'read'>,
  place: ShardPlace,
  keyId: string,
): Promise<Loaded<DataKey> | undefined> {
  const row = await tables.read('datakeys', dataKeysPartition(place), keyId);
  return row && { value: readDataKey(keyId, row.cells), etag: row.etag };
}
