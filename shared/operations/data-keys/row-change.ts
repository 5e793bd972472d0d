// What the shard writer is asked to write for one data key, and what it answers. Types only.
import type { KeyObject } from 'node:crypto';
import type { Refusal } from '../../domain/refusal.ts';
import type { CountedRow } from '../../domain/shard-counts.ts';
import type { Cells } from '../../store/tables.ts';
import type { ShardPlace } from '../../store/shard-rows.ts';

/** A shard, and of how many: the limit of a keyring is kept shard by shard. */
export interface WritePlace extends ShardPlace {
  readonly shardCount: number;
}

/** A data key that is not there yet. */
export interface NewRow {
  readonly kind: 'new';
  readonly keyId: string;
  /** The row wrapped under this version. Asked again when the shard has turned before the row was written. */
  wrap(companyKey: KeyObject, version: number): Cells;
}

/** A change to a row as it was read: it is written only if the row is still the same. */
export interface ChangedRow {
  readonly kind: 'changed';
  readonly keyId: string;
  readonly etag: string;
  /** Merged into the row. `writtenBy` is in them, and names this one change: after a lost answer it tells whose write it was. */
  readonly cells: Cells & { readonly writtenBy: string };
  /** What counts of the row as it was read, and as it is once the cells are merged. */
  readonly before: CountedRow;
  readonly after: CountedRow;
  /** A closed shard takes no new live key, restored ones neither. */
  readonly makesLive: boolean;
}

export type RowChange = NewRow | ChangedRow;

export type RowOutcome =
  /** `etag` is empty if the answer was lost and the row only found written. */
  | { readonly outcome: 'written'; readonly etag: string }
  /** There is such a row, perhaps our own whose answer was lost: its `createdBy` says. */
  | { readonly outcome: 'exists' }
  /** The row is no longer as it was read. */
  | { readonly outcome: 'changed' }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };
