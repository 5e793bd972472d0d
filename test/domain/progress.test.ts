import { describe, expect, it } from 'vitest';
import { progressOf } from '../../shared/domain/progress.ts';
import { newShard, type Shard } from '../../shared/domain/shard.ts';
import type { Switch } from '../../shared/domain/switch.ts';

const TURNED_AT = '2026-01-01T00:00:00.000Z';
const after = (seconds: number): Date => new Date(Date.parse(TURNED_AT) + seconds * 1_000);

const sw: Switch = {
  switchId: 's1',
  keyringId: 'default',
  kind: 'switch',
  state: 're-protecting',
  source: { provider: 'managed' },
  target: { provider: 'azure-key-vault', connectionId: 'contoso' },
  fromVersion: 1,
  toVersion: 2,
  generation: 1,
  paused: false,
  denialAccepted: false,
  seal: { keyVersion: '1', signature: 'c2VhbA' },
  requestedBy: 'admin',
  createdAt: TURNED_AT,
  turnedAt: TURNED_AT,
  doneAtTurn: 0,
};
/** Nine rows to be moved, five of them moved and three compared; one lost. */
const turned: Shard = {
  ...newShard({ writeVersion: 2, now: TURNED_AT }),
  generation: 1,
  fromVersion: 1,
  live: 6,
  deleted: 2,
  quarantined: 1,
  lost: 1,
  at: { 1: 4, 2: 4 },
  aside: { 2: 1 },
  checked: 3,
};
const notTurned: Shard = { ...newShard({ writeVersion: 1, now: TURNED_AT }), live: 4, at: { 1: 4 }, checked: 4 };

describe('the progress of a switch', () => {
  it('adds up every shard, also those that were not turned yet', () => {
    expect(progressOf(sw, [turned, notTurned], after(10))).toEqual({
      total: 14,
      done: 5,
      checked: 3,
      quarantined: 1,
      lost: 1,
      ratePerSecond: 0.8,
      // Eight of thirteen are still to be moved, and ten to be compared.
      secondsLeft: 22.5,
    });
  });

  it('counts on the way back what was never moved', () => {
    const back = { ...sw, state: 'rolling-back', generation: 2 } as const;
    expect(progressOf(back, [turned, notTurned], after(0))).toMatchObject({ done: 4 + 4, checked: 0 });
  });

  it('counts nothing as done in a shard that knows neither of the two versions', () => {
    expect(progressOf({ ...sw, toVersion: 9 }, [turned], after(0)).done).toBe(0);
  });

  it('counts no row as compared that has been purged since', () => {
    expect(progressOf(sw, [{ ...turned, checked: 12 }], after(0)).checked).toBe(9);
  });

  it('counts towards the rate only what moved since the turn', () => {
    expect(progressOf({ ...sw, doneAtTurn: 2 }, [turned], after(10)).ratePerSecond).toBe(0.6);
  });

  it.each([
    ['the switch was never turned', { turnedAt: undefined }, 10],
    ['no time has passed', {}, 0],
    ['the clock went back', {}, -1],
    ['nothing has moved', { doneAtTurn: 8 }, 10],
    ['less is done than there was at the turn', { doneAtTurn: 9 }, 10],
  ])('has no rate and no time left while %s', (_, change, seconds) => {
    const { turnedAt, ...rest } = { ...sw, ...change };
    const shown = progressOf(turnedAt === undefined ? rest : { ...rest, turnedAt }, [turned], after(seconds));
    expect(Object.keys(shown)).toEqual(['total', 'done', 'checked', 'quarantined', 'lost']);
  });

  it('has no time left, and not less, where more is counted as done than there is', () => {
    expect(progressOf(sw, [{ ...turned, at: { 2: 19 }, checked: 9 }], after(10)).secondsLeft).toBe(0);
  });

  it('stays what it was at the end, whatever the shards do afterwards', () => {
    const ended = { ...sw, state: 'completed', finalCounts: { total: 10, quarantined: 1, lost: 2 } } as const;
    const counts = { total: 10, done: 8, checked: 8, quarantined: 1, lost: 2 };
    expect(progressOf(ended, [turned], after(10))).toEqual(counts);
  });

  it('is none of a switch that ended before it began', () => {
    const none = { total: 0, done: 0, checked: 0, quarantined: 0, lost: 0 };
    expect(progressOf({ ...sw, state: 'cancelled' }, [turned], after(10))).toEqual(none);
  });
});
