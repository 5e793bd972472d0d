import { describe, expect, it } from 'vitest';
import { mayBegin, timerState, type StartedBy, type TimerBeat, type Turn } from '../../shared/domain/timer-beat.ts';

const NOW = new Date('2026-01-01T12:00:00.000Z');
const after = (seconds: number): string => new Date(NOW.getTime() + seconds * 1_000).toISOString();

const turn = (also: Partial<Turn>): Turn => ({
  id: 't1',
  startedAt: after(-60),
  startedBy: 'schedule',
  instance: 'i1',
  version: '1.0.0',
  done: {},
  failed: [],
  ...also,
});
const ended: Partial<Turn> = { endedAt: after(-59) };
const under = (until: number, startedBy: StartedBy = 'schedule'): Partial<Turn> => ({ until: after(until), startedBy });

interface Case {
  readonly what: string;
  readonly beat: TimerBeat | undefined;
  readonly state: ReturnType<typeof timerState>;
  /** Who may begin a turn. */
  readonly may: readonly StartedBy[];
}

const OF_HOST_AND_REQUEST = ['schedule', 'request'] as const;
const ALL = ['schedule', 'request', 'traffic'] as const;

const CASES: readonly Case[] = [
  { what: 'expected, not due yet', beat: { nextAt: after(1) }, state: 'on-time', may: OF_HOST_AND_REQUEST },
  { what: 'expected, due for a minute', beat: { nextAt: after(-60) }, state: 'on-time', may: OF_HOST_AND_REQUEST },
  { what: 'expected, due for longer', beat: { nextAt: after(-61) }, state: 'overdue', may: ALL },
  { what: 'due for five minutes', beat: { nextAt: after(-300), turn: turn(ended) }, state: 'overdue', may: ALL },
  { what: 'due for longer than that', beat: { nextAt: after(-301), turn: turn(ended) }, state: 'late', may: ALL },
  {
    what: 'under way by the schedule, which begins no two',
    beat: { nextAt: after(-301), turn: turn(under(1)) },
    state: 'running',
    may: ['schedule'],
  },
  {
    what: 'under way by a request',
    beat: { nextAt: after(0), turn: turn(under(1, 'request')) },
    state: 'running',
    may: [],
  },
  {
    what: 'under way by traffic',
    beat: { nextAt: after(0), turn: turn(under(1, 'traffic')) },
    state: 'running',
    may: [],
  },
  {
    what: 'dead in its turn, next one not due',
    beat: { nextAt: after(10), turn: turn(under(0, 'traffic')) },
    state: 'on-time',
    may: OF_HOST_AND_REQUEST,
  },
  { what: 'dead in its turn for long', beat: { nextAt: after(-400), turn: turn(under(0)) }, state: 'late', may: ALL },
  {
    what: 'under way for longer than any turn says',
    beat: { nextAt: after(-70), turn: turn(under(901, 'request')) },
    state: 'overdue',
    may: ALL,
  },
  {
    what: 'begun after now by a clock that was ahead',
    beat: { nextAt: after(86_400), turn: turn({ startedAt: after(86_000) }) },
    state: 'late',
    may: ALL,
  },
  {
    what: 'begun a little after now',
    beat: { nextAt: after(300), turn: turn({ startedAt: after(240) }) },
    state: 'on-time',
    may: OF_HOST_AND_REQUEST,
  },
  { what: 'that cannot be read', beat: undefined, state: 'late', may: ALL },
];

describe.each(CASES)('a timer $what', ({ beat, state, may }) => {
  it(`is ${state}, and may be begun by ${may.join(', ') || 'nothing'}`, () => {
    expect(timerState(beat, NOW)).toBe(state);
    expect(ALL.filter((by) => mayBegin(beat, by, NOW))).toEqual(may);
  });
});
