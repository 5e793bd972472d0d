// Records events that have no transaction of their own: refusals, detections, counted calls. Each is always logged. How many are recorded is
// bounded, and failing to record changes nothing for the caller.
import type { Act, Actor, Outcome } from '../domain/audit.ts';
import type { Failure } from '../domain/failure.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import type { Auditing } from './append.ts';
import { RecordedWrite } from './recorded-write.ts';
import { MAX_REFUSALS_PER_DAY, type EventLimits } from './event-limits.ts';

export interface Recording extends Auditing {
  readonly eventLimits: EventLimits;
}

/**
 * False if nothing was written: too many, or the store is away. Tries once; if the answer is lost, the timer looks for the event, so that it is
 * never written twice.
 */
export async function recordEvent(
  deps: Recording,
  actor: Actor,
  event: Act & { readonly outcome: Outcome },
): Promise<boolean> {
  const { outcome, ...act } = event;
  const { companyId, action, target } = act;
  const about = { companyId, action, target, outcome, requestId: actor.requestId };
  const level = outcome === 'done' || outcome === 'counted' ? 'info' : 'warning';
  deps.log.write({ level, event: 'audit.event', detail: about });
  const budget = budgetOf(event);
  const suppressed =
    budget === undefined
      ? 0
      : deps.eventLimits.admit(budget, outcome === 'refused' ? { perDay: MAX_REFUSALS_PER_DAY } : {});
  if (suppressed === undefined) return false;
  const detail = { ...act.detail, ...(suppressed > 0 ? { notRecordedBefore: suppressed } : {}) };
  const attempt = new RecordedWrite(deps, { actor, act: { ...act, detail }, outcome });
  try {
    await attempt.write('companies', companyId, []);
    await attempt.settle();
    return true;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    deps.log.write({ level: 'error', event: 'audit.event-lost', detail: about });
    return false;
  }
}

/**
 * Which limit an event counts towards: a refusal towards its action's, so that those of strangers use up no other's; a detection towards
 * its action's on its target. Acts have no limit.
 */
function budgetOf({ outcome, companyId, action, target }: Act & { readonly outcome: Outcome }): string | undefined {
  if (outcome === 'refused') return `${companyId}|${action}`;
  return outcome === 'detected' ? `${companyId}|${action}|${target}` : undefined;
}

/** Records a failure that only tampering explains. */
export async function recordFailure(
  deps: Recording,
  actor: Actor,
  met: { readonly companyId: string; readonly target: string; readonly failure: Failure },
): Promise<void> {
  const { companyId, failure } = met;
  if (failure.isTampering !== true) return;
  const target = failure.facts.detail ?? met.target;
  await recordEvent(deps, actor, { action: `security.${failure.code}`, companyId, target, outcome: 'detected' });
}
