// Rows of the `datakeys` table. Pure. On the hot path: no JSON but for two small cells of `!shard`, no intermediate objects.
import type { DataKey, DataKeyState, QuarantineReason } from '../../domain/data-key.ts';
import { SHARD_ROW_KEY, type Shard, type ShardPlace } from '../../domain/shard.ts';
import { OTHER_VERSIONS, type VersionCounts } from '../../domain/shard-counts.ts';
import { bytes, count, flag, json, need, oneOf, optionalText, signed, text, type Cells } from './cells.ts';
import type { Row, Rows } from './row.ts';
import { dataKeysPartition } from './row-keys.ts';
import { isRecord } from '../../domain/plain-object.ts';

const FORMAT = 1;
const EMPTY = new Uint8Array(0);
const STATES: readonly DataKeyState[] = ['live', 'deleted', 'quarantined', 'lost', 'tombstone'];
const STATES_BEFORE = ['live', 'deleted'] as const;
const REASONS: readonly QuarantineReason[] = ['does-not-open', 'unknown-version', 'differs-after-rewrap'];

/** `writtenBy` is the request or worker turn that writes this version of the row. */
export const shardCells = ({ at, aside, ...shard }: Shard, writtenBy: string): Cells => ({
  format: FORMAT,
  ...shard,
  at: JSON.stringify(at),
  aside: JSON.stringify(aside),
  writtenBy,
});

export function readShard(cells: Cells): Shard {
  const row = SHARD_ROW_KEY;
  need(count(cells, 'format') === FORMAT ? FORMAT : undefined, row, 'format');
  const number = (name: string): number => need(count(cells, name), row, name);
  const counted = (name: string): number => need(signed(cells, name), row, name);
  const perVersion = (name: string): VersionCounts => need(versionCounts(json(cells, name)), row, name);
  return {
    generation: number('generation'),
    direction: need(oneOf(cells, 'direction', ['forward', 'back']), row, 'direction'),
    phase: need(oneOf(cells, 'phase', ['rewrap', 'verify', 'done']), row, 'phase'),
    fromVersion: number('fromVersion'),
    writeVersion: number('writeVersion'),
    cursor: need(text(cells, 'cursor'), row, 'cursor'),
    live: counted('live'),
    deleted: counted('deleted'),
    quarantined: counted('quarantined'),
    lost: counted('lost'),
    at: perVersion('at'),
    aside: perVersion('aside'),
    uncompared: counted('uncompared'),
    checked: number('checked'),
    vain: number('vain'),
    closed: need(flag(cells, 'closed'), row, 'closed'),
    touchedAt: need(text(cells, 'touchedAt'), row, 'touchedAt'),
  };
}

const VERSION = /^(0|[1-9]\d{0,15})$/;

/** Undefined unless it maps versions to whole numbers. Zero counts have no entry, but for that of other versions. */
function versionCounts(value: unknown): VersionCounts | undefined {
  if (!isRecord(value)) return undefined;
  const isCount = (entry: [string, unknown]): entry is [string, number] =>
    Number.isSafeInteger(entry[1]) &&
    (entry[0] === String(OTHER_VERSIONS) || (VERSION.test(entry[0]) && entry[1] !== 0));
  const entries = Object.entries(value);
  return entries.every(isCount) ? Object.fromEntries(entries) : undefined;
}

/** Who wrote the shard row last. */
export const shardWrittenBy = (cells: Cells): string => text(cells, 'writtenBy') ?? '';

/** Every cell, so that a merge leaves no old one behind. */
export const dataKeyCells = (key: DataKey): Cells => ({
  format: FORMAT,
  state: key.state,
  origin: key.origin,
  blob: key.blob,
  companyKeyVersion: key.companyKeyVersion,
  previous: key.previous,
  previousVersion: key.previousVersion,
  stateBefore: key.stateBefore ?? '',
  quarantineReason: key.quarantineReason ?? '',
  createdBy: key.createdBy,
  writtenBy: key.writtenBy,
  createdAt: key.createdAt,
  deletedAt: key.deletedAt ?? '',
  purgeAfter: key.purgeAfter ?? '',
});

/** The cells that a change writes; a text that is removed is written empty. */
export const dataKeyChangeCells = (change: Partial<DataKey>, writtenBy: string): Cells => ({
  ...change,
  ...('stateBefore' in change ? { stateBefore: change.stateBefore ?? '' } : {}),
  ...('quarantineReason' in change ? { quarantineReason: change.quarantineReason ?? '' } : {}),
  writtenBy,
});

/** Names a quarantined row, so that it is found without a scan of the partition. */
export const QUARANTINE_PREFIX = '!quarantine|';
export const quarantineRowKey = (keyId: string): string => `${QUARANTINE_PREFIX}${keyId}`;

/** Sorts behind every row of ours (`!…`) and before every data key. */
export const BEFORE_DATA_KEYS = '!~';

/**
 * The data key in a row. Never undefined: a row that was tampered with keeps what can be read of it and an empty blob
 * for the rest, so that it fails to open and is quarantined by name.
 */
export const readDataKey = (keyId: string, cells: Cells): DataKey => ({
  keyId,
  state: oneOf(cells, 'state', STATES) ?? 'live',
  origin: oneOf(cells, 'origin', ['generated', 'imported']) ?? 'generated',
  blob: bytes(cells, 'blob') ?? EMPTY,
  companyKeyVersion: count(cells, 'companyKeyVersion') ?? 0,
  previous: bytes(cells, 'previous') ?? EMPTY,
  previousVersion: count(cells, 'previousVersion') ?? 0,
  createdBy: text(cells, 'createdBy') ?? '',
  writtenBy: text(cells, 'writtenBy') ?? '',
  createdAt: text(cells, 'createdAt') ?? '',
  stateBefore: oneOf(cells, 'stateBefore', STATES_BEFORE),
  quarantineReason: oneOf(cells, 'quarantineReason', REASONS),
  deletedAt: optionalText(cells, 'deletedAt'),
  purgeAfter: optionalText(cells, 'purgeAfter'),
});

/** What it takes to open a data key: callers' unwraps read no more of the row. */
export type WrappedKey = Pick<DataKey, 'state' | 'companyKeyVersion' | 'blob'>;

export const readWrappedKey = (cells: Cells): WrappedKey => ({
  state: oneOf(cells, 'state', STATES) ?? 'live',
  companyKeyVersion: count(cells, 'companyKeyVersion') ?? 0,
  blob: bytes(cells, 'blob') ?? EMPTY,
});

/** `writtenBy` is the request or worker turn that wrote it last. */
export interface WrittenShard {
  readonly shard: Shard;
  readonly writtenBy: string;
}

export const shardRow: Row<ShardPlace, WrittenShard> = {
  table: 'datakeys',
  partition: dataKeysPartition,
  key: () => SHARD_ROW_KEY,
  cells: ({ shard, writtenBy }) => shardCells(shard, writtenBy),
  read: (cells) => ({ shard: readShard(cells), writtenBy: shardWrittenBy(cells) }),
};

export type DataKeyPlace = ShardPlace & { readonly keyId: string };

export const dataKeyRow: Row<DataKeyPlace, DataKey> = {
  table: 'datakeys',
  partition: dataKeysPartition,
  key: ({ keyId }) => keyId,
  cells: dataKeyCells,
  read: (cells, { keyId }) => readDataKey(keyId, cells),
};

/** Every data key of a shard, whatever its state. */
export const dataKeysOf: Rows<ShardPlace, DataKeyPlace, DataKey> = {
  row: dataKeyRow,
  partition: dataKeysPartition,
  prefix: () => '',
  range: { after: BEFORE_DATA_KEYS },
  place: (shard, keyId) => ({ ...shard, keyId }),
};

/** Other rows in the partition begin with `!`: the shard's own, the list of quarantined rows, events on their way. */
export const isDataKey = (rowKey: string): boolean => !rowKey.startsWith('!');

/** An entry of the list that names quarantined rows. */
export const quarantineRow: Row<DataKeyPlace, QuarantineReason, string> = {
  table: 'datakeys',
  partition: dataKeysPartition,
  key: ({ keyId }) => quarantineRowKey(keyId),
  cells: (reason) => ({ format: FORMAT, reason }),
  read: (cells) => text(cells, 'reason') ?? '',
};

export const quarantineOf: Rows<ShardPlace, DataKeyPlace, QuarantineReason, string> = {
  row: quarantineRow,
  partition: dataKeysPartition,
  prefix: () => QUARANTINE_PREFIX,
  place: (shard, keyId) => ({ ...shard, keyId }),
};
