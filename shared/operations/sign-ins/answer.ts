// The browser that signed in answers the page's question. A yes is carried out completely or not at all; after a failure that may pass, the question
// stays open and the same button can be pressed again.
import type { Actor } from '../../domain/audit.ts';
import { failure } from '../../identity/failures.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { parseTicket } from '../../domain/ticket.ts';
import { act } from '../../store/act.ts';
import type { Answering } from './answering.ts';
import { loadAsked, shownOf, type Asked } from './asked.ts';
import { approve, type Approved } from './approve.ts';
import { grantConsent, type Granted } from './grant-consent.ts';
import {
  refuse,
  refuseBy,
  refuseMadeUp,
  type FromBrowser,
  type SignInDependencies,
  type SignInRefusal,
} from './step.ts';
import { findState, findStateAgain, markUsed, whoSignedIn } from './states.ts';
import { targetOfSubject } from './subject-now.ts';

export type Answered =
  | ({ readonly type: 'granted' } & Granted)
  | ({ readonly type: 'verified' } & Approved)
  | { readonly type: 'declined'; readonly asked: Asked };

export async function answer(
  deps: SignInDependencies,
  given: FromBrowser & { readonly state: string; readonly answer: 'confirm' | 'decline' },
  actor: Actor,
): Promise<Result<Answered, SignInRefusal>> {
  const ticket = parseTicket(given.state);
  if (!ticket) return err({ refusal: refusedBy(failure('sign-in-unknown')) });
  const { companyId } = ticket;
  const at = { companyId, step: 'confirm' } as const;
  const found = await findState(deps, { ticket, cookie: given.cookie, legs: ['confirm'] });
  if (!found.ok) {
    if (!found.error.found) return refuseMadeUp(found.error.failure);
    return refuse(deps, actor, { ...at, failure: found.error.failure });
  }
  const state = found.value;
  const asked = await loadAsked(deps, { companyId, linkHash: state.value.link });
  if (!asked.ok) {
    // The same answer given twice at once: the first may have ended the link after this one read that the question is open.
    const open = await findStateAgain(deps, state);
    return refuseBy(deps, actor, { ...at, refusal: open.ok ? asked.error : open.error });
  }
  if (given.isCrossSite) {
    return refuse(deps, actor, { ...at, failure: failure('cross-site-request'), asked: asked.value });
  }
  const person = await whoSignedIn(deps, state, shownOf(asked.value));
  if (!person.ok) return refuse(deps, actor, { ...at, failure: person.error, asked: asked.value });
  const answering = { asked: asked.value, state, person: person.value };
  const by = { ...actor, by: person.value.id };
  if (given.answer === 'decline') return decline(deps, answering, by);
  const done = await carryOut(deps, answering, by);
  if (done.ok) return done;
  return refuseBy(deps, by, { ...at, refusal: done.error, asked: asked.value });
}

async function carryOut(
  deps: SignInDependencies,
  { asked, ...rest }: Answering,
  by: Actor,
): Promise<Result<Answered, Refusal>> {
  const { subject } = asked;
  if (subject.purpose === 'consent') {
    const granted = await grantConsent(deps, { ...rest, asked: { ...asked, subject } }, by);
    return granted.ok ? ok({ type: 'granted', ...granted.value }) : granted;
  }
  const approved = await approve(deps, { ...rest, asked: { ...asked, subject } }, by);
  return approved.ok ? ok({ type: 'verified', ...approved.value }) : approved;
}

/** Nothing changes but that this question is answered; the link can be opened again. */
async function decline(
  deps: SignInDependencies,
  { asked, state }: Answering,
  by: Actor,
): Promise<Result<Answered, SignInRefusal>> {
  const { companyId } = asked.company;
  const { subject } = asked;
  const action = subject.purpose === 'consent' ? 'consent.decline' : 'tenant.decline';
  const about = { actor: by, action, companyId, target: targetOfSubject(companyId, subject) };
  const declined = await act<undefined>(deps, about, async (tx) => {
    const open = await findStateAgain(deps, state);
    if (!open.ok) return open;
    markUsed(tx, open.value, { at: deps.clock.now(), by });
    return ok(undefined);
  });
  if (declined.ok) return ok({ type: 'declined', asked });
  return refuseBy(deps, by, { companyId, step: 'confirm', refusal: declined.error, asked });
}
