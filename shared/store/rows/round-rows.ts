// How far the rounds of vault checks are: a row for each lane of each bucket of the agenda. Pure.
import type { Lane } from '../../domain/check-pace.ts';
import { count, need } from './cells.ts';
import type { Row } from './row.ts';

/** Slots, see check-pace.ts. */
export interface Round {
  /** The last that was begun. */
  readonly begun: number;
  /** Whatever was due up to it has been checked. */
  readonly done: number;
}

export const roundRow: Row<{ readonly bucket: string; readonly lane: Lane }, Round> = {
  table: 'agenda',
  partition: () => 'rounds',
  key: ({ bucket, lane }) => `${lane}|${bucket}`,
  cells: ({ begun, done }) => ({ format: 1, begun, done }),
  read: (cells) => ({
    begun: need(count(cells, 'begun'), 'round', 'begun'),
    done: need(count(cells, 'done'), 'round', 'done'),
  }),
};
