// Heartbeats: one row for each timer, one for each instance. Pure. They belong to no company.
import type { StartedBy, TimerBeat, Turn } from '../../domain/timer-beat.ts';
import { isRecord, present } from '../../domain/plain-object.ts';
import { count, json, oneOf, optionalText, text, type Cells } from './cells.ts';
import { isTime } from './failure-cell.ts';
import type { Row, Rows } from './row.ts';
import { instanceRowKey, SYSTEM_PARTITION, timerRowKey } from './row-keys.ts';

const FORMAT = 1;

interface TimerPlace {
  readonly timer: string;
}

const timerCells = ({ nextAt, turn }: TimerBeat): Cells => ({
  format: FORMAT,
  nextAt,
  turnId: turn?.id ?? '',
  startedAt: turn?.startedAt ?? '',
  startedBy: turn?.startedBy ?? '',
  instance: turn?.instance ?? '',
  version: turn?.version ?? '',
  until: turn?.until ?? '',
  endedAt: turn?.endedAt ?? '',
  done: JSON.stringify(turn?.done ?? {}),
  failed: JSON.stringify(turn?.failed ?? []),
});

function readTimer(cells: Cells): TimerBeat | undefined {
  const nextAt = text(cells, 'nextAt');
  if (count(cells, 'format') !== FORMAT || !isTime(nextAt)) return undefined;
  const turn = readTurn(cells);
  return { nextAt, ...present({ turn }) };
}

const STARTED_BY: readonly StartedBy[] = ['schedule', 'request', 'traffic'];

function readTurn(cells: Cells): Turn | undefined {
  const startedAt = text(cells, 'startedAt');
  const startedBy = oneOf(cells, 'startedBy', STARTED_BY);
  if (!isTime(startedAt) || startedBy === undefined) return undefined;
  const [done, failed] = [json(cells, 'done'), json(cells, 'failed')];
  return {
    id: text(cells, 'turnId') ?? '',
    startedAt,
    startedBy,
    instance: text(cells, 'instance') ?? '',
    version: text(cells, 'version') ?? '',
    done: isRecord(done) ? Object.fromEntries(Object.entries(done).filter(isCounted)) : {},
    failed: Array.isArray(failed) ? failed.filter((job): job is string => typeof job === 'string') : [],
    ...present({ until: optionalText(cells, 'until'), endedAt: optionalText(cells, 'endedAt') }),
  };
}

const isCounted = (entry: [string, unknown]): entry is [string, number] =>
  typeof entry[1] === 'number' && Number.isSafeInteger(entry[1]) && entry[1] >= 0;

/** Undefined if it cannot be read. */
export const timerRow: Row<TimerPlace, TimerBeat, TimerBeat | undefined> = {
  table: 'health',
  partition: () => SYSTEM_PARTITION,
  key: ({ timer }) => timerRowKey(timer),
  cells: timerCells,
  read: readTimer,
};

export const timerRows: Rows<object, TimerPlace, TimerBeat, TimerBeat | undefined> = {
  row: timerRow,
  partition: () => SYSTEM_PARTITION,
  prefix: () => timerRowKey(''),
  place: (_all, timer) => ({ timer }),
};

export interface InstanceBeat {
  /** Of Keyswitch. */
  readonly version: string;
  readonly startedAt: string;
  readonly seenAt: string;
}

interface InstancePlace {
  readonly instance: string;
}

/** Undefined if it cannot be read. */
export const instanceRow: Row<InstancePlace, InstanceBeat, InstanceBeat | undefined> = {
  table: 'health',
  partition: () => SYSTEM_PARTITION,
  key: ({ instance }) => instanceRowKey(instance),
  cells: ({ version, startedAt, seenAt }) => ({ format: FORMAT, version, startedAt, seenAt }),
  read: (cells) => {
    const [version, startedAt, seenAt] = [text(cells, 'version'), text(cells, 'startedAt'), text(cells, 'seenAt')];
    if (count(cells, 'format') !== FORMAT || version === undefined) return undefined;
    return isTime(startedAt) && isTime(seenAt) ? { version, startedAt, seenAt } : undefined;
  },
};

export const instanceRows: Rows<object, InstancePlace, InstanceBeat, InstanceBeat | undefined> = {
  row: instanceRow,
  partition: () => SYSTEM_PARTITION,
  prefix: () => instanceRowKey(''),
  place: (_all, instance) => ({ instance }),
};
