// Plans one transaction on a shard: the requested changes, the rows that they become, and the `!shard` row with its exact counts. Writes nothing. Decides
// everything by one reading of `!shard`, under whose ETag the transaction is written.
import type { KeyObject } from 'node:crypto';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { counted, type Shard } from '../../domain/shard.ts';
import { total, type CountedRow, type RowMove } from '../../domain/shard-counts.ts';
import type { CompanyKeyCache } from '../keys/company-key-cache.ts';
import type { Cells, RowWrite } from '../../store/tables.ts';
import type { LoadedShard, ShardChange } from '../../store/shard-rows.ts';
import type { WritePlace } from './keyring-shards.ts';

/** A data key that does not exist yet. */
export interface NewRow {
  readonly kind: 'new';
  readonly keyId: string;
  /** The row wrapped under this version. Called again if the shard has turned before the row was written. */
  wrap(companyKey: KeyObject, version: number): Cells;
}

/** A change to a row as it was read, written only if the row is still the same. */
export interface ChangedRow {
  readonly kind: 'changed';
  readonly keyId: string;
  readonly etag: string;
  /** Merged into the row. `writtenBy` names this one change: after a lost answer it shows whose write it was. */
  readonly cells: Cells & { readonly writtenBy: string };
  /** What counts about the row as it was read, and once the cells are merged. */
  readonly before: CountedRow;
  readonly after: CountedRow;
  /** A closed shard takes no new live key, nor a restored one. */
  readonly makesLive: boolean;
}

export type RowChange = NewRow | ChangedRow;

export type RowOutcome =
  /** `etag` is empty if the answer was lost and the row was found written. */
  | { readonly outcome: 'written'; readonly etag: string }
  /** The row exists, perhaps by our own write with a lost answer: its `createdBy` tells. */
  | { readonly outcome: 'exists' }
  /** The row has changed since it was read. */
  | { readonly outcome: 'changed' }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

export interface PendingChange {
  readonly change: RowChange;
  readonly settle: (outcome: RowOutcome) => void;
}

/** `fresh`: read for this attempt. A remembered reading may be old, so it never refuses anything. */
export interface ShardReading {
  readonly shard: LoadedShard;
  readonly fresh: boolean;
}

export interface ShardPlan {
  readonly change: ShardChange;
  /** In the order of the rows of `change`. */
  readonly pending: readonly PendingChange[];
}

const NO_BLOB = new Uint8Array(0);

const CLOSING: Refusal = { type: 'state', code: 'company-closing', message: 'The company is being deleted.' };
const FULL: Refusal = {
  type: 'state',
  code: 'keyring-full',
  message: 'The keyring holds as many data keys as it may.',
};

export interface Planning {
  readonly companyKeys: Pick<CompanyKeyCache, 'get'>;
  readonly maxDataKeysPerKeyring: number;
}

/** Settles changes that must be refused. `read-again`: the reading is out of date, or too old to refuse by. */
export async function planShard(
  deps: Planning,
  place: WritePlace,
  input: { readonly reading: ShardReading; readonly pending: readonly PendingChange[]; readonly writtenBy: string },
): Promise<ShardPlan | 'read-again'> {
  const { reading, pending, writtenBy } = input;
  const shard = reading.shard.value;
  const key = await keyToWrapWith(deps, place, shard, pending);
  if (key === 'gone') return 'read-again';
  const room = Math.floor(deps.maxDataKeysPerKeyring / place.shardCount) - total(shard);
  const kept: PendingChange[] = [];
  const refused: { readonly entry: PendingChange; readonly refusal: Refusal }[] = [];
  let added = 0;
  for (const entry of pending) {
    const isNew = entry.change.kind === 'new';
    const refusal = refusalOf({ change: entry.change, shard, key, isFull: added >= room });
    if (refusal) refused.push({ entry, refusal });
    else {
      kept.push(entry);
      if (isNew) added += 1;
    }
  }
  if (refused.length > 0 && !reading.fresh) return 'read-again';
  for (const { entry, refusal } of refused) entry.settle({ outcome: 'refused', refusal });
  return transaction({ shard: reading.shard, kept, key, writtenBy });
}

type WrappingKey = { readonly companyKey: KeyObject } | { readonly refusal: Refusal } | undefined;

/** Undefined if no new row is written. Only ever under the version that this reading of the shard names. */
async function keyToWrapWith(
  deps: Planning,
  place: WritePlace,
  shard: Shard,
  pending: readonly PendingChange[],
): Promise<WrappingKey | 'gone'> {
  if (shard.closed || !pending.some(({ change }) => change.kind === 'new')) return undefined;
  const { companyId, keyringId } = place;
  const key = await deps.companyKeys.get({ companyId, keyringId, version: shard.writeVersion });
  if (key.ok) return { companyKey: key.value };
  return key.error.type === 'gone' ? 'gone' : { refusal: refusedBy(key.error.failure) };
}

function refusalOf(input: {
  readonly change: RowChange;
  readonly shard: Shard;
  readonly key: WrappingKey;
  readonly isFull: boolean;
}): Refusal | undefined {
  const { change, shard, key, isFull } = input;
  if (change.kind === 'changed') return shard.closed && change.makesLive ? CLOSING : undefined;
  if (shard.closed) return CLOSING;
  if (isFull) return FULL;
  return key && 'refusal' in key ? key.refusal : undefined;
}

function transaction(input: {
  readonly shard: LoadedShard;
  readonly kept: readonly PendingChange[];
  readonly key: WrappingKey;
  readonly writtenBy: string;
}): ShardPlan {
  const { shard, kept, key, writtenBy } = input;
  const version = shard.value.writeVersion;
  const rows: RowWrite[] = [];
  const moves: RowMove[] = [];
  for (const { change } of kept) {
    if (change.kind === 'changed') {
      moves.push(change);
      rows.push({ kind: 'merge', rowKey: change.keyId, cells: change.cells, etag: change.etag });
    } else if (key && 'companyKey' in key) {
      moves.push({ after: { state: 'live', companyKeyVersion: version, previous: NO_BLOB } });
      rows.push({ kind: 'insert', rowKey: change.keyId, cells: change.wrap(key.companyKey, version) });
    }
  }
  // `touchedAt` stays: it tells the timer whether a switch's passes move on, which callers' writes do not show.
  const next = counted(shard.value, moves);
  return { change: { from: shard, next, writtenBy, rows }, pending: kept };
}
