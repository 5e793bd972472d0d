// The pages of a sign-in: a link, its button, the way back from the sign-in service, and the second question. Browsers have no token here:
// one-time states and the browser's own cookie decide who may go on.
import * as z from 'zod';
import { mayPass } from '../../../../shared/domain/failure.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import { err, ok, type Result } from '../../../../shared/domain/result.ts';
import { TICKET } from '../../../../shared/domain/ticket.ts';
import { answer, type Answered } from '../../../../shared/operations/sign-ins/answer.ts';
import { begin, openLink } from '../../../../shared/operations/sign-ins/begin.ts';
import { comeBack, type CameBack } from '../../../../shared/operations/sign-ins/come-back.ts';
import type { SignInDependencies, SignInRefusal } from '../../../../shared/operations/sign-ins/step.ts';
import type { PageContext } from '../shell/layout.ts';
import { definePageRoute } from '../shell/page-route.ts';
import type { AgainForm, CookieChange, PageAnswer, PageRefusal } from '../shell/page-answer.ts';
import { callbackUrl, CALLBACK, LINKS } from '../../kernel/links.ts';
import { pageFor } from './render.ts';
import { subjectFacts } from './subject.ts';
import { consentSubject, subjectOf, verificationSubject } from './subjects.ts';
import type { PageView } from './views.ts';

export type SignInServices = SignInDependencies;

const ANSWER = '/consent/answer';

/** Takes any text: the operation says in words for people that it is no link of ours. The pattern describes our links. */
const linkPath = z.strictObject({
  link: z.string().meta({ override: { pattern: TICKET.source } }),
});
const answerForm = z.strictObject({
  state: z.string().meta({ override: { pattern: TICKET.source } }),
  answer: z.enum(['confirm', 'decline']),
});
/** Microsoft and Google add parameters as they like, and mailers to links. */
const anything = z.object({ state: z.string().optional() }).catchall(z.string());

const cookieFor = ({ signInTimes }: SignInServices, value: string): CookieChange => ({
  value,
  maxAgeSeconds: Math.ceil(signInTimes.stepMs / 1000),
});

function onPage(
  { refusal, asked }: SignInRefusal,
  again?: AgainForm,
): { readonly ok: false; readonly error: PageRefusal } {
  const about = asked && ((context: PageContext) => subjectFacts(subjectOf(asked), context));
  return err({ type: 'on-page', refused: refusal, ...present({ about, again }) });
}

/** What a link asked for may no longer be there, or be possible. */
const OF_WHAT_IS_ASKED = [
  'company-not-found',
  'connection-not-found',
  'tenant-not-found',
  'keyring-not-found',
  'switch-not-found',
  'nothing-to-verify',
  'switch-ended',
  'destination-changed',
  'company-closing',
] as const;

/** A link and its button. Either place opens either link: the ticket says what it asks for. */
const linkRoutes = (asksFor: keyof typeof LINKS) =>
  [
    definePageRoute({
      operationId: `open-${asksFor}-link`,
      method: 'GET',
      path: `${LINKS[asksFor]}/{link}`,
      tag: 'sign-ins',
      summary: 'What a link asks for',
      description: 'Consumes nothing: scanners of mail open links too.',
      pathSchema: linkPath,
      querySchema: anything,
      refuses: OF_WHAT_IS_ASKED,
      fails: ['vault', 'sign-in'],
      answers: { 200: 'The question, with a button to the sign-in.' },
      run: async (deps: SignInServices, call) => {
        const opened = await openLink(deps, call.path);
        if (!opened.ok) return onPage(opened.error);
        const action = `${LINKS[asksFor]}/${call.path.link}`;
        return ok({ page: pageFor({ page: 'start', subject: subjectOf(opened.value), action }) });
      },
    }),
    definePageRoute({
      operationId: `begin-${asksFor}`,
      method: 'POST',
      path: `${LINKS[asksFor]}/{link}`,
      tag: 'sign-ins',
      summary: 'The button of that page: on to Microsoft or Google',
      isLimited: true,
      pathSchema: linkPath,
      refuses: OF_WHAT_IS_ASKED,
      fails: ['vault', 'sign-in'],
      answers: { 200: 'The browser goes on to the sign-in.' },
      run: async (deps: SignInServices, call) => {
        const request = { ...call.path, isCrossSite: call.isCrossSite, callbackUrl: callbackUrl(call.origin) };
        const begun = await begin(deps, request, call.actor);
        if (!begun.ok) return onPage(begun.error);
        const { goTo, service, cookie } = begun.value;
        return ok({ goTo, service, cookie: cookieFor(deps, cookie) });
      },
    }),
  ] as const;

export const signInRoutes = [
  ...linkRoutes('consent'),
  ...linkRoutes('verification'),
  definePageRoute({
    operationId: 'come-back-from-sign-in',
    method: 'GET',
    path: CALLBACK,
    tag: 'sign-ins',
    summary: 'Back from Microsoft or Google',
    querySchema: anything,
    refuses: OF_WHAT_IS_ASKED,
    fails: ['vault', 'sign-in'],
    answers: { 200: 'The second question.', 303: 'On to the next sign-in page.' },
    run: async (deps: SignInServices, call) => {
      const { cookie, isCrossSite } = call;
      const query = call.search.replace(/^\?/, '');
      const callback = { cookie, isCrossSite, query, callbackUrl: callbackUrl(call.origin) };
      const back = await comeBack(deps, callback, call.actor);
      return back.ok ? ok(pageOf(deps, back.value)) : onPage(back.error);
    },
  }),
  definePageRoute({
    operationId: 'answer-sign-in',
    method: 'POST',
    path: ANSWER,
    tag: 'sign-ins',
    summary: 'The second question answered',
    bodySchema: answerForm,
    refuses: OF_WHAT_IS_ASKED,
    fails: ['vault', 'sign-in'],
    answers: { 200: 'Done, or declined.' },
    run: async (deps: SignInServices, call) => {
      const { cookie, isCrossSite } = call;
      const answered = await answer(deps, { ...call.body, cookie, isCrossSite }, call.actor);
      if (!answered.ok) return onPage(answered.error, againOf(answered, call.body));
      return ok({ page: pageFor(viewOf(deps, answered.value)), cookie: 'remove' });
    },
  }),
] as const;

function pageOf(deps: SignInServices, back: CameBack): PageAnswer {
  const cookie = cookieFor(deps, back.cookie);
  if (back.type === 'departure') return { goTo: back.goTo, service: back.service, cookie };
  return {
    cookie,
    page: pageFor({
      page: 'confirmation',
      subject: subjectOf(back.asked),
      action: ANSWER,
      person: back.person,
      field: { name: 'state', value: back.state },
    }),
  };
}

/** What may pass leaves the question open. */
function againOf(
  refused: Extract<Result<Answered, SignInRefusal>, { ok: false }>,
  fields: z.output<typeof answerForm>,
): AgainForm | undefined {
  const { refusal } = refused.error;
  const passes = refusal.type === 'busy' || (refusal.type === 'failure' && mayPass(refusal.failure));
  return passes && fields.answer === 'confirm' ? { action: ANSWER, fields } : undefined;
}

function viewOf({ providers }: SignInServices, answered: Answered): PageView {
  if (answered.type === 'declined') return { page: 'declined', subject: subjectOf(answered.asked) };
  if (answered.type === 'verified') {
    const { asked, tenantsLeft } = answered;
    return { page: 'tenant-verified', subject: verificationSubject(asked), tenantsLeft };
  }
  const subject = consentSubject(answered.asked);
  const { principalId } = answered;
  const { target } = answered.asked.subject;
  const azureCli = providers.of(target.ref).grant?.(target, { appId: subject.applicationId, principalId });
  return { page: 'consent-granted', subject, principalId, ...present({ azureCli }) };
}
