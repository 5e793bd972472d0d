import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LATEST_MS, nextAttempt } from '../../shared/domain/webhook-schedule.ts';

const NOW = new Date('2026-01-01T00:00:00.000Z');
const HOUR_S = 3_600;
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const secondsUntil = (attempt: Partial<Parameters<typeof nextAttempt>[0]>): number | undefined => {
  const at = NOW.toISOString();
  const next = nextAttempt({ attempts: 1, at, hash: '', failingSince: at, now: NOW, ...attempt });
  return next && (next.getTime() - NOW.getTime()) / 1000;
};
const ago = (hours: number): string => new Date(NOW.getTime() - hours * HOUR_S * 1000).toISOString();

describe('the next attempt', () => {
  it.each([
    [1, 5],
    [2, 300],
    [3, 1_800],
    [4, 2 * HOUR_S],
    [5, 5 * HOUR_S],
    [6, 10 * HOUR_S],
    [7, 10 * HOUR_S],
    [40, 10 * HOUR_S],
  ])('after %i in vain is %i seconds later, and up to a fifth of that more', (attempts, seconds) => {
    expect(secondsUntil({ attempts })).toBe(seconds);
    const spread = Array.from({ length: 200 }, (_, event) =>
      secondsUntil({ attempts, hash: hashOf(`event ${event}`) })!,
    );
    expect(Math.min(...spread)).toBeGreaterThanOrEqual(seconds);
    expect(Math.max(...spread)).toBeLessThan(1.2 * seconds);
    // Spread over all of it.
    expect(Math.max(...spread) - Math.min(...spread)).toBeGreaterThan(0.19 * seconds);
    expect(Math.max(...spread) * 1000).toBeLessThanOrEqual(LATEST_MS);
  });

  it('is spread anew each time, and the same for all who ask', () => {
    const shares = [6, 7, 8, 9].map((attempts) => secondsUntil({ attempts, hash: hashOf('event') }));
    expect(new Set(shares).size).toBe(shares.length);
    expect(secondsUntil({ attempts: 6, hash: hashOf('event') })).toBe(shares[0]);
  });

  it.each([
    ['sooner than the schedule', 1, 1_800],
    ['later', 7_200, 7_200],
    ['as late as may be asked', 10 * HOUR_S, 10 * HOUR_S],
  ])('is never before what the receiver asks, or the schedule: %s', (_, asked, seconds) => {
    const attempt = { attempts: 3, retryAfterMs: asked * 1000 };
    expect(secondsUntil(attempt)).toBe(seconds);
    expect(secondsUntil({ ...attempt, hash: hashOf('event') })).toBeGreaterThanOrEqual(seconds);
  });

  it.each([
    ['the last is made when the three days are over', 70, 70, 2 * HOUR_S],
    ['they count from the event, if that is the later one', 1, 70, 12 * HOUR_S],
    ['they count from the first failure, if that is the later one', 70, 1, 12 * HOUR_S],
    ['there is none after them', 72, 72, undefined],
  ])('%s', (_, at, failingSince, atMost) => {
    const seconds = secondsUntil({ attempts: 6, at: ago(at), failingSince: ago(failingSince), hash: hashOf('x') });
    if (atMost === undefined) expect(seconds).toBeUndefined();
    else expect(seconds).toBeLessThanOrEqual(atMost);
    if (atMost === 2 * HOUR_S) expect(seconds).toBe(atMost);
  });

  it('of an event without a hash that can be read is as the schedule says', () => {
    expect(secondsUntil({ attempts: 2, hash: 'rubbish' })).toBe(300);
  });
});
