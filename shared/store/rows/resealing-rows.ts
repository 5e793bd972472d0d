// How far re-sealing of rows has come. Pure.
import { count, optionalText, text, type Cells } from './cells.ts';
import type { Row } from './row.ts';
import { SYSTEM_PARTITION } from './row-keys.ts';
import { present } from '../../domain/plain-object.ts';

export const RESEALING_ROW_KEY = 'resealing';
const FORMAT = 1;

export interface ResealingState {
  /** The version of the seal key that rows are being re-sealed with. */
  readonly version: string;
  /** When the timer first met that version, or earlier if it was the first one. */
  readonly since: string;
  /** When the current round, or the last complete one, began. */
  readonly began: string;
  /** Row key of the last company that was looked at; empty between two rounds. */
  readonly after: string;
  /** Seals of other versions met so far in this round. */
  readonly met: number;
  /** Seals of other versions met in the last complete round. */
  readonly left: number;
  /** When the last complete round ended; absent before the first. */
  readonly wholeAt?: string;
}

const resealingCells = ({ wholeAt, ...state }: ResealingState): Cells => ({
  format: FORMAT,
  ...state,
  wholeAt: wholeAt ?? '',
});

/** Undefined if the row cannot be read: the next round starts at the beginning. */
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

/** Longer than a process takes to learn of a newer version and to write what it had sealed with the older one (sealer.ts). */
export const SETTLED_AFTER_MS = 10 * 60_000;

/** Whether the round began after all processes had stopped sealing with an older version: only such a round can count what is left. */
export const isSettled = ({ since, began }: ResealingState): boolean =>
  Date.parse(began) - Date.parse(since) >= SETTLED_AFTER_MS;

export const resealingRow: Row<object, ResealingState, ResealingState | undefined> = {
  table: 'companies',
  partition: () => SYSTEM_PARTITION,
  key: () => RESEALING_ROW_KEY,
  cells: resealingCells,
  read: readResealing,
};
