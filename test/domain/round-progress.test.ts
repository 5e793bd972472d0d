// Rounds over a list that is longer than one of them has time for: where each goes on, and that none claims what it has not done.
import { describe, expect, it } from 'vitest';
import { lastDue, MAX_INTERVAL } from '../../shared/domain/check-pace.ts';
import { legsOf, stoppedAt, turnOf, type Progress, type Round } from '../../shared/domain/round-progress.ts';

const NOW = 29_000_000;
const ENDED: Round = { begun: NOW - 1, isRunning: false, done: NOW - 1 };
const PART = { slot: NOW - 1, from: 'd', to: 'k' };

describe('a round', () => {
  it.each<[string, Round | undefined, number, Progress | undefined]>([
    ['goes back as far as any interval, where there was none', undefined, NOW, { done: NOW - MAX_INTERVAL }],
    ['goes on from the last', ENDED, NOW, { done: NOW - 1 }],
    ['goes on from a part', { ...ENDED, part: PART }, NOW, { done: NOW - 1, part: PART }],
    ['that has ended leaves nothing to one that comes twice', ENDED, NOW - 1, undefined],
    ['that is late leaves nothing that a later one has not done', ENDED, NOW - 3, undefined],
    ['that comes twice at once runs once', { ...ENDED, begun: NOW, isRunning: true }, NOW, undefined],
    ['waits for the one before it', { ...ENDED, isRunning: true, done: NOW - 2 }, NOW, undefined],
    ['makes up for one that died', { begun: NOW - 2, isRunning: true, done: NOW - 7 }, NOW, { done: NOW - 7 }],
    ['begun by a clock that is a little ahead counts', { begun: NOW + 1, isRunning: true, done: NOW }, NOW, undefined],
    [
      'begun by a clock that was far ahead keeps no other from its turn',
      { begun: NOW + 60, isRunning: true, done: NOW + 59 },
      NOW,
      { done: NOW - MAX_INTERVAL },
    ],
    [
      'done by such a clock is not believed either',
      { begun: NOW - 1, isRunning: false, done: NOW + 60 },
      NOW,
      { done: NOW - MAX_INTERVAL },
    ],
  ])('%s', (_what, round, slot, turn) => {
    expect(turnOf(round, { slot, now: NOW })).toEqual(turn);
  });

  const all = { after: NOW - 5, upTo: NOW };
  const ofPart = { after: NOW - 2, upTo: NOW };
  it.each<[string, Progress['part'], ReturnType<typeof legsOf>]>([
    ['no part', undefined, [{ after: '', due: all }]],
    [
      'one from the beginning',
      { slot: NOW - 2, from: '', to: 'k' },
      [
        { after: 'k', due: all },
        { after: '', upTo: 'k', due: ofPart },
      ],
    ],
    [
      'one from within',
      { slot: NOW - 2, from: 'd', to: 'k' },
      [
        { after: 'k', due: all },
        { after: '', upTo: 'd', due: all },
        { after: 'd', upTo: 'k', due: ofPart },
      ],
    ],
    [
      'one around the end',
      { slot: NOW - 2, from: 'k', to: 'd' },
      [
        { after: 'd', upTo: 'k', due: all },
        { after: 'k', due: ofPart },
        { after: '', upTo: 'd', due: ofPart },
      ],
    ],
  ])('behind %s takes what is left first, and once around', (_what, part, legs) => {
    expect(legsOf({ done: NOW - 5, ...(part ? { part } : {}) }, NOW)).toEqual(legs);
  });
});

const KEYS = 'a b c d e f g h i j k l m'.split(' ');

/** What a round visits, in order. */
function visited(progress: Progress, slot: number): { key: string; isDue: boolean }[] {
  return legsOf(progress, slot).flatMap(({ after, upTo, due }) =>
    KEYS.filter((key) => key > after && (upTo === undefined || key <= upTo)).map((key) => ({
      key,
      isDue: lastDue({ kind: 'ill' }, 0, due) !== undefined,
    })),
  );
}

it.each(KEYS.map((_, index) => index + 1))(
  'of thirteen vaults that are due all the time, with %i for each round, each has its turn, and no more is said to be done than is',
  (each) => {
    const checked = new Map(KEYS.map((key) => [key, NOW]));
    const gaps: number[] = [];
    let progress: Progress = { done: NOW };
    for (let slot = NOW + 1; slot <= NOW + 100; slot += 1) {
      const order = visited(progress, slot);
      expect(order.map(({ key }) => key).toSorted()).toEqual(KEYS);
      const due = order.filter(({ isDue }) => isDue);
      // Now and then one is cut shorter, as a slow store would have it.
      const now = due.slice(0, slot % 7 === 0 ? Math.ceil(each / 2) : each);
      for (const { key } of now) {
        gaps.push(slot - checked.get(key)!);
        checked.set(key, slot);
      }
      const last = now.at(-1)!.key;
      progress = now.length === due.length ? { done: slot } : stoppedAt(progress, slot, last);
      for (const at of checked.values()) expect(at).toBeGreaterThanOrEqual(progress.done);
      const { part } = progress;
      const isPart = (key: string): boolean =>
        part !== undefined &&
        (part.from <= part.to ? key > part.from && key <= part.to : key > part.from || key <= part.to);
      for (const key of KEYS.filter(isPart)) expect(checked.get(key)).toBeGreaterThanOrEqual(part!.slot);
    }
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * Math.ceil(KEYS.length / each) + 1);
  },
);
