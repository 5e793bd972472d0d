// What is recorded of a sign-in that is refused, in the chain of the company whose it claims to be. Nothing is changed by it. Of a link or state
// that has no row nothing is recorded: who made it up must not learn by a record's time whether the company that it names exists.
import type { Actor } from '../../domain/audit.ts';
import type { Failure } from '../../domain/failure.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err } from '../../domain/result.ts';
import { recordEvent, recordFailure, type Recording } from '../../store/record-event.ts';
import { loadCompany } from '../../store/control-state.ts';
import type { Asked } from './asked.ts';
import type { SignInRefusal } from './sign-in-dependencies.ts';
import { targetOfSubject } from './subject-now.ts';

/** Which step it was that was refused: the button of a link, a leg, or the answer to the second question. */
type Step = 'begin' | 'admin-consent' | 'sign-in' | 'confirm' | 'callback';

/** A company that does not exist gets no chain: its name is made up, or it is gone. */
export async function refuse(
  deps: Recording,
  actor: Actor,
  met: { readonly companyId: string; readonly step: Step; readonly failure: Failure; readonly asked?: Asked },
): Promise<{ readonly ok: false; readonly error: SignInRefusal }> {
  const { companyId, step, failure, asked } = met;
  const error: SignInRefusal = { refusal: refusedBy(failure), ...(asked === undefined ? {} : { asked }) };
  if (!asked && !(await loadCompany(deps.tables, companyId))) return err(error);
  const target = asked ? targetOfSubject(asked.subject) : 'sign-in';
  const detail = { code: failure.code, step };
  await recordEvent(deps, actor, { action: 'sign-in.refused', companyId, target, detail, outcome: 'refused' });
  await recordFailure(deps, actor, { companyId, target, failure });
  return err(error);
}

/** Of a state without a row: no more is read, and nothing written, whatever company it names. */
export const refuseMadeUp = (failure: Failure): { readonly ok: false; readonly error: SignInRefusal } =>
  err({ refusal: refusedBy(failure) });

/** The same of a refusal that may be none of a failure. Only failures are recorded. */
export async function refuseBy(
  deps: Recording,
  actor: Actor,
  met: { readonly companyId: string; readonly step: Step; readonly refusal: Refusal; readonly asked?: Asked },
): Promise<{ readonly ok: false; readonly error: SignInRefusal }> {
  const { refusal, ...at } = met;
  if (refusal.type === 'failure') return refuse(deps, actor, { ...at, failure: refusal.failure });
  return err({ refusal, ...(at.asked === undefined ? {} : { asked: at.asked }) });
}
