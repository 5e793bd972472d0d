// What every step of a sign-in takes, and how it refuses. A refusal is recorded in the chain of the company that the sign-in claims, and changes
// nothing. Of a link or state without a row nothing is recorded: the sender must not learn by the time that takes whether its company exists.
import type { Actor } from '../../domain/audit.ts';
import type { Failure } from '../../domain/failure.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err } from '../../domain/result.ts';
import type { SignIns } from '../../identity/identity.ts';
import type { Providers } from '../../providers/provider.ts';
import { recordEvent, recordFailure, type Recording } from '../../store/record-event.ts';
import { loadCompany } from '../../store/control-state.ts';
import type { Verifying } from '../switches/verify-tenant.ts';
import type { Asked } from './asked.ts';
import { targetOfSubject } from './subject-now.ts';

export interface SignInDependencies extends Recording, Verifying {
  readonly tables: Recording['tables'];
  readonly signIns: SignIns;
  readonly providers: Providers;
  readonly signInTimes: {
    /** How long a link can be opened. */
    readonly linkMs: number;
    /** How long each step of a sign-in may take. */
    readonly stepMs: number;
  };
}

/** Why a step is refused, and what the link asks for, if that is known. */
export interface SignInRefusal {
  readonly refusal: Refusal;
  readonly asked?: Asked;
}

/** What a browser sends with a step. */
export interface FromBrowser {
  /** What its sign-in cookie carries. */
  readonly cookie: string | undefined;
  /** The browser says that another site's page sent this. */
  readonly isCrossSite: boolean;
}

/** Which step was refused: the button of a link, a leg, or the answer to the second question. */
type Step = 'begin' | 'admin-consent' | 'sign-in' | 'confirm' | 'callback';

/** A company that does not exist gets no chain: the sender made its name up, or it is gone. */
export async function refuse(
  deps: Recording,
  actor: Actor,
  met: { readonly companyId: string; readonly step: Step; readonly failure: Failure; readonly asked?: Asked },
): Promise<{ readonly ok: false; readonly error: SignInRefusal }> {
  const { companyId, step, failure, asked } = met;
  const error: SignInRefusal = { refusal: refusedBy(failure), ...(asked === undefined ? {} : { asked }) };
  if (!asked && !(await loadCompany(deps.tables, companyId))) return err(error);
  const target = asked ? targetOfSubject(companyId, asked.subject) : 'sign-in';
  const detail = { code: failure.code, step };
  await recordEvent(deps, actor, { action: 'sign-in.refused', companyId, target, detail, outcome: 'refused' });
  await recordFailure(deps, actor, { companyId, target, failure });
  return err(error);
}

/** Of a state without a row: reads no more and writes nothing, whatever company it names. */
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
