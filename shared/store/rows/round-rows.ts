// How far the rounds of vault checks are: a row for each lane of each bucket of the agenda. Pure. A damaged one is read as one of long ago: it must not end
// the checks of its vaults.
import type { Lane } from '../../domain/check-pace.ts';
import { present } from '../../domain/plain-object.ts';
import type { Progress, Round } from '../../domain/round-progress.ts';
import { count, flag, text, type Cells } from './cells.ts';
import type { Row } from './row.ts';

export const roundRow: Row<{ readonly bucket: string; readonly lane: Lane }, Round> = {
  table: 'agenda',
  partition: () => 'rounds',
  key: ({ bucket, lane }) => `${lane}|${bucket}`,
  cells: ({ begun, isRunning, done, part = NO_PART }) => ({
    format: 1,
    begun,
    isRunning,
    done,
    partSlot: part.slot,
    partFrom: part.from,
    partTo: part.to,
  }),
  read: (cells) => ({
    begun: count(cells, 'begun') ?? 0,
    isRunning: flag(cells, 'isRunning') ?? false,
    done: count(cells, 'done') ?? 0,
    ...present({ part: partIn(cells) }),
  }),
};

const NO_PART = { slot: 0, from: '', to: '' };

function partIn(cells: Cells): Progress['part'] {
  const slot = count(cells, 'partSlot') ?? 0;
  return slot === 0 ? undefined : { slot, from: text(cells, 'partFrom') ?? '', to: text(cells, 'partTo') ?? '' };
}
