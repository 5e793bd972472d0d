// How far sealing rows anew has come. Pure.
import { count, optionalText, text, type Cells } from './cells.ts';
import type { Row } from './row.ts';
import { SYSTEM_PARTITION } from './row-keys.ts';
import { present } from '../../domain/plain-object.ts';

export const RESEALING_ROW_KEY = 'resealing';
const FORMAT = 1;

export interface ResealingState {
  /** The version of the seal key that rows are sealed under anew. */
  readonly version: string;
  /** When the timer first met that version; earlier where it met no other before. */
  readonly since: string;
  /** When the round that is under way, or the last whole one, began. */
  readonly began: string;
  /** Row key of the last company of the index that was looked at; empty between two rounds. */
  readonly after: string;
  /** Seals met in this round that still name another version. */
  readonly met: number;
  /** The same of the last whole round. */
  readonly left: number;
  /** When that ended; absent before the first. */
  readonly wholeAt?: string;
}

const resealingCells = ({ wholeAt, ...state }: ResealingState): Cells => ({
  format: FORMAT,
  ...state,
  wholeAt: wholeAt ?? '',
});

/** Undefined if it cannot be read: the next round begins at the beginning. */
export function readResealing(cells: Cells): ResealingState | undefined {
  const version = text(cells, 'version');
  const since = text(cells, 'since');
  const began = text(cells, 'began');
  const after = text(cells, 'after');
  const met = count(cells, 'met');
  const left = count(cells, 'left');
  if (version === undefined || since === undefined || began === undefined) return undefined;
  if (after === undefined || met === undefined || left === undefined) return undefined;
  return { version, since, began, after, met, left, ...present({ wholeAt: optionalText(cells, 'wholeAt') }) };
}

/** Longer than any process takes to know that there is a newer version, and to write what it had sealed by an older one before (sealer.ts). */
export const SETTLED_AFTER_MS = 10 * 60_000;

/** Whether the round began when no process sealed by an older version any more: only such a one says what is left. */
export const isSettled = ({ since, began }: ResealingState): boolean =>
  Date.parse(began) - Date.parse(since) >= SETTLED_AFTER_MS;

export const resealingRow: Row<object, ResealingState, ResealingState | undefined> = {
  table: 'companies',
  partition: () => SYSTEM_PARTITION,
  key: () => RESEALING_ROW_KEY,
  cells: resealingCells,
  read: readResealing,
};
