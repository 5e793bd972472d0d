// The jobs of a timer, each by itself.
import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { runJobs } from '../../shared/operations/watch/jobs.ts';
import { timersOf, type TimerServices } from '../../functions/timer/register.ts';
import { FakeLog } from '../fakes/fake-system.ts';
import { SCHEDULES } from '../fixtures/schedules.ts';

const doing = (name: string, count: number) => ({ name, run: () => Promise.resolve(count) });

test('a job that throws keeps no other from its turn', async () => {
  const log = new FakeLog();
  const sick = { name: 'sick', run: () => Promise.reject(new TypeError('a bug')) };
  expect(await runJobs(log, [doing('first', 1), sick, doing('last', 2)])).toEqual({
    done: { first: 1, last: 2 },
    failed: ['sick'],
  });
  expect(log.entries).toEqual([
    { level: 'error', event: 'timer.job-failed', detail: { job: 'sick', error: 'TypeError' } },
  ]);
});

test('a job that throws before it has begun to wait keeps no other from its turn', async () => {
  const sick = {
    name: 'sick',
    run: () => {
      throw new Error('a bug');
    },
  };
  expect(await runJobs(new FakeLog(), [sick, doing('last', 2)])).toEqual({ done: { last: 2 }, failed: ['sick'] });
});

test('a job that never comes back keeps no other from its turn', async () => {
  vi.useFakeTimers();
  try {
    const log = new FakeLog();
    const stuck = { name: 'stuck', run: () => new Promise<number>(() => undefined) };
    const done = runJobs(log, [stuck, doing('last', 2)]);
    await vi.runAllTimersAsync();
    expect(await done).toEqual({ done: { last: 2 }, failed: ['stuck'] });
    expect(log.events()).toEqual(['timer.job-overdue']);
  } finally {
    vi.useRealTimers();
  }
});

test('no timer can last as long as the host lets a function run', () => {
  const { functionTimeout } = JSON.parse(readFileSync('host.json', 'utf8')) as { readonly functionTimeout: string };
  const [hours = 0, minutes = 0, seconds = 0] = functionTimeout.split(':').map(Number);
  const longestMs = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  // Nothing is run: only what they may take is added up.
  for (const { jobs, limitMs } of Object.values(timersOf({} as TimerServices, SCHEDULES))) {
    expect(jobs.length * limitMs).toBeLessThan(0.75 * longestMs);
  }
});
