// The jobs of a timer, one after the other, each by itself: one that throws, or does not come back, is logged and keeps no other from its
// turn (invariant A26). What a job leaves undone is on the agenda and in the tables for the next turn.
import type { Log } from '../../domain/ports.ts';

export interface TimerJob {
  /** For the log. */
  readonly name: string;
  /** Answers how much it did. */
  readonly run: () => Promise<number>;
}

/** What came of each. */
export interface JobsDone {
  readonly done: Readonly<Record<string, number>>;
  /** Those that threw or did not come back. */
  readonly failed: readonly string[];
}

/** Twice what a slice of the agenda may take: a job that takes longer waits for something that never answers. */
export const JOB_LIMIT_MS = 60_000;

/** Never throws. `before` is awaited before each job, and must not throw. */
export async function runJobs(
  log: Log,
  jobs: readonly TimerJob[],
  { limitMs = JOB_LIMIT_MS, before }: { readonly limitMs?: number; readonly before?: () => Promise<void> } = {},
): Promise<JobsDone> {
  const done: Record<string, number> = {};
  const failed: string[] = [];
  for (const { name, run } of jobs) {
    await before?.();
    try {
      const result = await withinLimit(run(), limitMs);
      if (result !== 'overdue') {
        done[name] = result;
        continue;
      }
      log.write({ level: 'error', event: 'timer.job-overdue', detail: { job: name, limitMs } });
    } catch (error) {
      const detail = { job: name, error: error instanceof Error ? error.name : 'unknown' };
      log.write({ level: 'error', event: 'timer.job-failed', detail });
    }
    failed.push(name);
  }
  return { done, failed };
}

/** Leaves the work to itself once the time is over. */
export async function withinLimit<T>(work: Promise<T>, limitMs: number): Promise<T | 'overdue'> {
  const { promise, resolve } = Promise.withResolvers<'overdue'>();
  const timer = setTimeout(() => resolve('overdue'), limitMs);
  // A rejection after that has no listener left, and without this it would end the process.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
