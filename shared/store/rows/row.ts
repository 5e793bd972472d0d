// What a row is: its table, partition, key and cells, and how to read them. One object in this folder describes each kind of row, and all code
// that reads, lists or writes rows of that kind uses it. Pure.
import type { Seal } from '../../domain/company-key.ts';
import type { Refusal } from '../../domain/refusal.ts';
import type { SealedSecret, SecretPlace } from '../../domain/sealed-secret.ts';
import type { Cells, TableName } from './cells.ts';

/** A row as it was, and as it is written. An inserted one has no `before`, a deleted one no `after`. */
export interface RowChange<R, V = R> {
  readonly before?: R;
  readonly after?: V;
}

interface RowOf<P, V, R> {
  readonly table: TableName;
  partition(place: P): string;
  key(place: P): string;
  /** Every cell of it. */
  cells(value: V): Cells;
  /** Throws MalformedRow unless `R` allows undefined. Ids come from `place`, not from cells, so a copied row fails its seal. */
  read(cells: Cells, place: P): R;
  /** True if the row is there but reads as absent. */
  isGone?(value: R): boolean;
  /** The refusal for an absent row, for kinds that a caller asks for by name. */
  missing?(place: P): Refusal;
  /** Why nothing beside this row may be changed; undefined if it may. */
  closedTo?(value: R): Refusal | undefined;
  /** Keys of rows that a transaction must write too if it changes rows of this kind so: asked once, for all of them. */
  demands?(changes: readonly RowChange<R, V>[]): readonly string[];
  readonly sealed?: Sealing<P, V, R>;
  /** Small secrets in it, which follow new versions of the vendor's key; undefined for a row that cannot be read. */
  secrets?(value: R, place: P): HeldSecrets<V> | undefined;
}

export interface HeldSecrets<V> {
  readonly secrets: readonly { readonly place: SecretPlace; readonly secret: SealedSecret }[];
  /** The row with these secrets in place of its own, in the same order. The caller makes its seal anew. */
  with(secrets: readonly SealedSecret[]): V;
}

/** What is sealed in a row: over which bytes, and by which seal. */
export interface SealedPart {
  readonly bytes: Buffer;
  readonly seal: Seal;
}

export interface SealedParts<V> {
  readonly parts: readonly SealedPart[];
  /** The row with other seals over the same bytes, in the order of the parts. */
  with(seals: readonly Seal[]): V;
  /** The cells that hold the seals. */
  readonly cells: readonly string[];
}

/** Undefined for a row that cannot be read or whose seal is no longer checked. `over-in-a-day`: the row is gone before its seal's key is. */
type Sealing<P, V, R> = ((value: R, place: P) => SealedParts<V> | undefined) | 'over-in-a-day';

type HoldsSeal<T> = T extends { readonly seal: Seal } | readonly { readonly seal: Seal }[] ? true : false;
type IsSealed<V> = [V] extends [never]
  ? false
  : true extends HoldsSeal<V> | { [K in keyof V]-?: HoldsSeal<NonNullable<V[K]>> }[keyof V]
    ? true
    : false;

/**
 * `P` names one row of the kind, `V` is what is written, `R` is what is read: the same, or also `undefined` where a row that cannot be read
 * counts as forged. A kind that holds a seal must say how it is re-sealed; the compiler checks that.
 */
export type Row<P, V, R = V> = RowOf<P, V, R> &
  (IsSealed<V> extends true ? { readonly sealed: Sealing<P, V, R> } : unknown);

/** All rows of a kind within a place: those whose keys share a prefix or lie in one range. */
export interface Rows<W, P, V, R = V> {
  readonly row: Row<P, V, R>;
  partition(within: W): string;
  /** Ends in `|`, or is empty where there is a range. */
  prefix(within: W): string;
  readonly range?: { readonly after: string; readonly before?: string };
  /** `rest` is the row key without the prefix. */
  place(within: W, rest: string): P;
}
