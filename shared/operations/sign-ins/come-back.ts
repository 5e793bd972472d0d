// The browser comes back from a sign-in service. Whatever it brings can be copied, forged or sent twice: what counts is the one-time state, the
// cookie of the browser that began, and in the end an ID token. Each step is used up before anything is done with it.
import type { Actor } from '../../domain/audit.ts';
import { failure } from '../../identity/failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { stateOf } from '../../identity/oauth-answer.ts';
import { refusedBy } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { SignedIn, SignInLeg } from '../../domain/sign-in-link.ts';
import { parseTicket } from '../../domain/ticket.ts';
import { find } from '../../store/found.ts';
import { tenantRow } from '../../store/rows/tenant-rows.ts';
import { judgeSpeaker } from '../tenants/pin.ts';
import { loadAsked, shownOf, type Asked } from './asked.ts';
import { departToSignIn, signInTenant, type Departure } from './depart.ts';
import {
  refuse,
  refuseBy,
  refuseMadeUp,
  type FromBrowser,
  type SignInDependencies,
  type SignInRefusal,
} from './step.ts';
import { beginQuestion, begunAt, findState, openCookie, useUp, type FoundState } from './states.ts';

/** On to the next sign-in page, or the second question to a person who may answer it. */
export type CameBack =
  | ({ readonly type: 'departure' } & Departure)
  | {
      readonly type: 'question';
      readonly asked: Asked;
      readonly person: SignedIn;
      /** For the hidden field of the question's form. */
      readonly state: string;
      readonly cookie: string;
    };

interface Callback extends FromBrowser {
  /** What stood behind the `?`, as it came. */
  readonly query: string;
  readonly callbackUrl: string;
}

/** The steps that lead back by an address; the third is a form of our own. */
const LEGS: readonly SignInLeg[] = ['admin-consent', 'sign-in'];

export async function comeBack(
  deps: SignInDependencies,
  callback: Callback,
  actor: Actor,
): Promise<Result<CameBack, SignInRefusal>> {
  const ticket = parseTicket(stateOf(callback.query) ?? '');
  // It names no company, so there is no chain that it could be recorded in.
  if (!ticket) return err({ refusal: refusedBy(failure('sign-in-unknown')) });
  const { companyId } = ticket;
  const { cookie } = callback;
  const found = await findState(deps, { ticket, cookie, legs: LEGS });
  if (!found.ok) {
    const { failure: refused, found: state } = found.error;
    if (!state) return refuseMadeUp(refused);
    const step = LEGS.includes(state.leg) ? state.leg : 'callback';
    return refuse(deps, actor, { companyId, step, failure: refused });
  }
  const state = found.value;
  const asked = await loadAsked(deps, { companyId, linkHash: state.value.link });
  const at = { companyId, step: state.value.leg } as const;
  if (!asked.ok) return refuseBy(deps, actor, { ...at, refusal: asked.error });
  const used = await useUp(deps, state, actor);
  if (!used.ok) return refuseBy(deps, actor, { ...at, refusal: used.error, asked: asked.value });
  const arrival = { callback, state, cookie: cookie ?? '', asked: asked.value };
  return state.value.leg === 'admin-consent' ? afterConsent(deps, arrival, actor) : afterSignIn(deps, arrival, actor);
}

interface Arrival {
  readonly callback: Callback;
  readonly state: FoundState;
  readonly cookie: string;
  readonly asked: Asked;
}

/** What comes back can only refuse. Who accepted the app, the sign-in shows. */
async function afterConsent(
  deps: SignInDependencies,
  { callback, asked }: Arrival,
  actor: Actor,
): Promise<Result<CameBack, SignInRefusal>> {
  const { companyId } = asked.company;
  const at = { companyId, step: 'admin-consent', asked } as const;
  const refused = deps.signIns.consent.refusalIn(callback.query, asked.subject.target.tenantId);
  if (refused) return refuse(deps, actor, { ...at, failure: refused });
  const left = await departToSignIn(deps, asked, callback.callbackUrl);
  if (!left.ok) return refuse(deps, actor, { ...at, failure: left.error });
  return ok({ type: 'departure', ...left.value });
}

async function afterSignIn(
  deps: SignInDependencies,
  { callback, state, cookie, asked }: Arrival,
  actor: Actor,
): Promise<Result<CameBack, SignInRefusal>> {
  const { companyId } = asked.company;
  const { kind, tenantId } = signInTenant(asked);
  const person = await deps.signIns.of(kind).identify({
    tenantId,
    query: callback.query,
    redirectUri: callback.callbackUrl,
    state: state.ticket.text,
    since: begunAt(deps, state.value),
    ...openCookie(cookie),
  });
  if (!person.ok) {
    // Who asks for consent has accepted the app a moment ago.
    const failure = asked.subject.purpose === 'consent' ? deps.signIns.consent.excuseFresh(person.error) : person.error;
    return refuse(deps, actor, { companyId, step: 'sign-in', failure, asked });
  }
  const speaks = await maySpeak(deps, asked, person.value);
  if (!speaks.ok) return refuse(deps, actor, { companyId, step: 'sign-in', failure: speaks.error, asked });
  const step = { companyId, link: asked.linkHash, person: person.value, shown: shownOf(asked) };
  const question = await beginQuestion(deps, step);
  if (!question.ok) return refuse(deps, actor, { companyId, step: 'sign-in', failure: question.error, asked });
  const { state: next, cookie: nextCookie } = question.value;
  return ok({ type: 'question', asked, person: person.value, state: next.text, cookie: nextCookie });
}

/** Once more when it is written: here it is told at once. */
async function maySpeak(deps: SignInDependencies, asked: Asked, speaker: SignedIn): Promise<Result<void, Failure>> {
  const { kind, tenantId } = signInTenant(asked);
  const place = { companyId: asked.company.companyId, kind, tenantId };
  const tenant = await find(deps.tables, tenantRow, place);
  return tenant ? judgeSpeaker(deps, place, { tenant: tenant.value, speaker }) : ok(undefined);
}
