// One shard, its pages of one row, and how much may happen to it.
import { namedOnce } from '../names.ts';
import { isAtTarget, KEPT, liveRow, OLD, textOfRow, type Direction, type Row } from './rows.ts';

/** How often each may still happen. */
export interface Budget {
  /** Lists that are answered as if nothing more were there. */
  readonly lies: number;
  readonly cancels: number;
  readonly forwards: number;
  readonly inserts: number;
  readonly deletes: number;
  readonly breaks: number;
  /** New blobs that open to other bytes. */
  readonly wrongWraps: number;
}

export interface CountsOptions extends Budget {
  /**
   * What is asked of the counts. `phase-only`: nothing but that the shard is done and nothing is quarantined. `movable`: that as many rows
   * count as done as there are. `exact`: that every live and deleted row is at its version and none is uncompared, as the product does.
   */
  readonly rule: 'phase-only' | 'movable' | 'exact';
  /** One row is at a kept version from the beginning. */
  readonly isTorn: boolean;
  readonly rows: number;
}

export const COUNTS: CountsOptions = {
  rule: 'exact',
  isTorn: false,
  rows: 2,
  lies: 2,
  cancels: 1,
  forwards: 1,
  inserts: 1,
  deletes: 1,
  breaks: 1,
  wrongWraps: 1,
};

export interface State {
  readonly direction: Direction;
  readonly phase: 'rewrap' | 'verify' | 'done';
  /** Place of the next row in the list. */
  readonly cursor: number;
  readonly rows: readonly Row[];
  /** Kept one by one, as rows are written: how many are at the version that the shard writes. */
  readonly done: number;
  readonly left: Budget;
  readonly hasEnded: boolean;
}

export function initialState(options: CountsOptions): State {
  const { lies, cancels, forwards, inserts, deletes, breaks, wrongWraps } = options;
  const rows = Array.from({ length: options.rows }, (_, at) => liveRow(options.isTorn && at === 0 ? KEPT : OLD));
  return {
    direction: 'idle',
    phase: 'done',
    cursor: 0,
    rows,
    done: rows.filter((row) => isAtTarget(row, 'idle')).length,
    left: { lies, cancels, forwards, inserts, deletes, breaks, wrongWraps },
    hasEnded: false,
  };
}

const textOfRows = namedOnce<readonly Row[]>((rows) => rows.map(textOfRow).join());
const textOfBudget = namedOnce<Budget>((left) => Object.values(left).join());

export const nameOf = ({ direction, phase, cursor, rows, done, left, hasEnded }: State): string =>
  `${direction} ${phase} ${cursor} ${done} ${Number(hasEnded)} ${textOfBudget(left)} ${textOfRows(rows)}`;
