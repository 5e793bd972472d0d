// What a row is: where it lies, under which key, in which cells, and how it is read. Each kind is said once, by one object of this folder, and
// whoever reads, lists or writes rows of that kind goes by it. Pure.
import type { Refusal } from '../../domain/refusal.ts';
import type { Cells, TableName } from './cells.ts';

/**
 * `P` names one row of the kind, `V` is what is written there, and `R` what is read: the same, or also `undefined` where a row that cannot be read
 * counts as forged.
 */
export interface Row<P, V, R = V> {
  readonly table: TableName;
  partition(place: P): string;
  key(place: P): string;
  /** Every cell of it. */
  cells(value: V): Cells;
  /** Throws MalformedRow, unless `R` has `undefined` for it. What names the row is taken from its place: a copied row then fails its seal. */
  read(cells: Cells, place: P): R;
  /** There, and yet as if it were not. */
  isGone?(value: R): boolean;
  /** Of kinds that a caller can ask for by name: there is none. */
  missing?(place: P): Refusal;
  /** Why nothing may be changed beside it; undefined if it may. */
  closedTo?(value: R): Refusal | undefined;
}

/** All rows of a kind within a place: those whose keys begin in one way, or lie in one range. */
export interface Rows<W, P, V, R = V> {
  readonly row: Row<P, V, R>;
  partition(within: W): string;
  /** Ends in `|`, or is empty where there is a range. */
  prefix(within: W): string;
  readonly range?: { readonly after: string; readonly before?: string };
  /** `rest` is what stands behind the prefix. */
  place(within: W, rest: string): P;
}
