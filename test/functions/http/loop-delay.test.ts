// How far a process is behind, by a clock and timers that a test moves.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LoopDelay } from '../../../functions/http/kernel/loop-delay.ts';

const EVERY_MS = 100;

let nowMs: number;
let loop: LoopDelay;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  nowMs = 0;
  loop = new LoopDelay(() => nowMs).start();
});
afterEach(() => void vi.useRealTimers());

/** So many rounds of the event loop, each by so much too late for what was due. */
function rounds(count: number, lateMs: number): void {
  for (let n = 0; n < count; n += 1) {
    nowMs += EVERY_MS + lateMs;
    vi.advanceTimersByTime(EVERY_MS);
  }
}

it('a process that is in time is not behind', () => {
  rounds(100, 0);
  expect(loop.lastingMs).toBe(0);
});

it('one pause is no load, however long', () => {
  rounds(10, 0);
  rounds(1, 60_000);
  expect(loop.lastingMs).toBe(0);
  rounds(3, 0);
  expect(loop.lastingMs).toBe(0);
});

it('nor is how long a process takes to start', () => {
  rounds(2, 1_000);
  expect(loop.lastingMs).toBe(0);
});

it('what lasts is load, also if a round between is quick, and it is over as soon as it is', () => {
  rounds(3, 0);
  rounds(2, 600);
  expect(loop.lastingMs).toBe(600);
  rounds(1, 0);
  expect(loop.lastingMs).toBe(600);
  rounds(1, 700);
  expect(loop.lastingMs).toBe(600);
  rounds(2, 0);
  expect(loop.lastingMs).toBe(0);
});

it('its timer keeps no process alive', () => {
  vi.useRealTimers();
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  new LoopDelay().start();
  expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before);
});
