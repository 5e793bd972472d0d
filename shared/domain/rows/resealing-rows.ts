// How far sealing rows anew has come. Pure.
import { count, optionalText, present, text, type CellRecord } from './cells.ts';

export const RESEALING_ROW_KEY = 'resealing';
const FORMAT = 1;

export interface ResealingState {
  /** The version of the seal key that rows are sealed under anew. */
  readonly version: string;
  /** Row key of the last company of the index that was looked at; empty between two rounds. */
  readonly after: string;
  /** Seals met in this round that still name another version. */
  readonly met: number;
  /** The same of the last whole round. */
  readonly left: number;
  /** When that ended; absent before the first. */
  readonly wholeAt?: string;
}

export const resealingCells = ({ wholeAt, ...state }: ResealingState): CellRecord => ({
  format: FORMAT,
  ...state,
  wholeAt: wholeAt ?? '',
});

/** Undefined if it cannot be read: the next round begins at the beginning. */
export function readResealing(cells: CellRecord): ResealingState | undefined {
  const version = text(cells, 'version');
  const after = text(cells, 'after');
  const met = count(cells, 'met');
  const left = count(cells, 'left');
  if (version === undefined || after === undefined || met === undefined || left === undefined) return undefined;
  return { version, after, met, left, ...present({ wholeAt: optionalText(cells, 'wholeAt') }) };
}
