// What a row is: where it lies, under which key, in which cells, and how it is read. Each kind is said once, by one object of this folder, and
// whoever reads, lists or writes rows of that kind goes by it. Pure.
import type { Seal } from '../../domain/company-key.ts';
import type { Refusal } from '../../domain/refusal.ts';
import type { Cells, TableName } from './cells.ts';

interface RowOf<P, V, R> {
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
  readonly sealed?: Sealing<P, V, R>;
}

/** What is sealed in a row: over which bytes, and by which seal. */
export interface SealedPart {
  readonly bytes: Buffer;
  readonly seal: Seal;
}

export interface SealedParts<V> {
  readonly parts: readonly SealedPart[];
  /** The row with other seals over the same, in the order of the parts. */
  with(seals: readonly Seal[]): V;
  /** The cells that hold them. */
  readonly cells: readonly string[];
}

/** Undefined of a row that cannot be read, or whose seal nobody looks at any more. `over-in-a-day`: the row goes before its seal's key does. */
type Sealing<P, V, R> = ((value: R, place: P) => SealedParts<V> | undefined) | 'over-in-a-day';

type HoldsSeal<T> = T extends { readonly seal: Seal } | readonly { readonly seal: Seal }[] ? true : false;
type IsSealed<V> = [V] extends [never]
  ? false
  : true extends HoldsSeal<V> | { [K in keyof V]-?: HoldsSeal<NonNullable<V[K]>> }[keyof V]
    ? true
    : false;

/**
 * `P` names one row of the kind, `V` is what is written there, and `R` what is read: the same, or also `undefined` where a row that cannot be read
 * counts as forged. A kind that holds a seal says how it is sealed anew: the compiler asks for it.
 */
export type Row<P, V, R = V> = RowOf<P, V, R> &
  (IsSealed<V> extends true ? { readonly sealed: Sealing<P, V, R> } : unknown);

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
