/** A list of which only so much was looked at. */
export interface Bounded<T> {
  readonly value: readonly T[];
  readonly isWhole: boolean;
}
