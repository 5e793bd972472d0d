// The jobs of a timer, one after the other, each by itself: one that throws, or does not come back, is logged and keeps no other from its
// turn (invariant A26). What a job leaves undone is on the agenda and in the tables for the next turn.
import type { Log } from '../../shared/domain/ports.ts';

export interface TimerJob {
  /** For the log. */
  readonly name: string;
  /** Answers how much it did. */
  readonly run: () => Promise<number>;
}

/** Twice what a slice of the agenda may take: a job that takes longer waits for something that never answers. */
export const JOB_LIMIT_MS = 60_000;

/** Never throws. Answers what each job did; nothing for one that failed. */
export async function runJobs(
  log: Log,
  jobs: readonly TimerJob[],
  limitMs = JOB_LIMIT_MS,
): Promise<Readonly<Record<string, number>>> {
  const done: Record<string, number> = {};
  for (const { name, run } of jobs) {
    try {
      const result = await withinLimit(run(), limitMs);
      if (result === 'overdue')
        log.write({ level: 'error', event: 'timer.job-overdue', detail: { job: name, limitMs } });
      else done[name] = result;
    } catch (error) {
      const detail = { job: name, error: error instanceof Error ? error.name : 'unknown' };
      log.write({ level: 'error', event: 'timer.job-failed', detail });
    }
  }
  return done;
}

async function withinLimit(job: Promise<number>, limitMs: number): Promise<number | 'overdue'> {
  const { promise, resolve } = Promise.withResolvers<'overdue'>();
  const timer = setTimeout(() => resolve('overdue'), limitMs);
  // A rejection after that has no listener left, and without this it would end the process.
  job.catch(() => undefined);
  try {
    return await Promise.race([job, promise]);
  } finally {
    clearTimeout(timer);
  }
}
