// Events without a transaction of their own: somebody was refused, something was found that must not be, calls were added up. Each is logged in any case; the record
// of it is bounded, and its failing changes nothing for whoever is being answered.
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
 * False if nothing was written, because it was too many or the store is away. A single attempt: one whose answer is lost is looked for by the timer, so that it is never
 * written twice.
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
 * What an event is counted with. What strangers are refused takes from no other refusal's minute; acts are never left out; of what was
 * detected only the same of the same target.
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
