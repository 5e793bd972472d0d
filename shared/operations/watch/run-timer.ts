// A turn of a timer that an operator asks for: the same work as the schedule's, at once.
import type { Actor } from '../../domain/audit.ts';
import { NO_COMPANY } from '../../domain/ids.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { TimerName, Turn } from '../../domain/timer-beat.ts';
import { recordEvent, type Recording } from '../../store/record-event.ts';
import { withinLimit } from './jobs.ts';
import type { TimerTurns } from './timer-turns.ts';

export interface TimerRunning extends Recording {
  readonly timerTurns: Pick<TimerTurns, 'byRequest'>;
}

/** Far below the 230 s after which Azure's load balancer gives a call up. */
const ANSWERED_WITHIN_MS = 20_000;

/** The turn as it ended, or as it was begun where it goes on for longer. */
export async function runTimer(deps: TimerRunning, timer: TimerName, actor: Actor): Promise<Result<Turn, Refusal>> {
  const turn = await deps.timerTurns.byRequest(timer);
  if (!turn.ok) {
    return err({ type: 'state', code: 'timer-running', message: `A turn of the timer '${timer}' is under way.` });
  }
  const { claimed, run } = turn.value;
  await recordEvent(deps, actor, { action: 'timer.run', companyId: NO_COMPANY, target: timer, outcome: 'done' });
  const done = await withinLimit(run(), ANSWERED_WITHIN_MS);
  return ok(done === 'overdue' ? claimed : done);
}
