// Routes that answer every page, through the real edge: what tests of the edge and of the browser ask.
import * as z from 'zod';
import { definePageRoute } from '../../../../functions/http/pages/shell/page-route.ts';
import type { PageRefusal } from '../../../../functions/http/pages/shell/page-answer.ts';
import { failure } from '../../../../shared/failures.ts';
import { notFound, refusedBy } from '../../../../shared/domain/refusal.ts';
import { err, ok } from '../../../../shared/domain/result.ts';
import { about, pages } from './page-views.ts';

export const SIGN_IN_URL = 'https://login.microsoftonline.com/tenant/oauth2/v2.0/authorize?client_id=a&state=b';
export const STATE = 'contoso~Zm9yIG9uZSBhbnN3ZXIgb25seSwgYW5kIG5vIG1vcmU';
export const COOKIE_VALUE = 'verifier.nonce~-_';

const form = z.strictObject({ state: z.string().min(1).max(200), answer: z.enum(['confirm', 'decline']) });
const cookie = { value: COOKIE_VALUE, maxAgeSeconds: 600 } as const;

/** Asked for by the browser's own word: what the edge made of it is in the page. */
const told = (text: string): PageRefusal => ({
  type: 'on-page',
  refused: { type: 'state', code: 'switch-ended', message: text },
  about,
});

export const pageRoutes = [
  definePageRoute({
    operationId: 'show-page',
    method: 'GET',
    path: '/consent/pages/{page}',
    tag: 'sign-ins',
    refuses: ['switch-ended', 'connection-not-found'],
    fails: ['vault', 'sign-in'],
    summary: 'A page',
    pathSchema: z.strictObject({ page: z.string().regex(/^[a-z-]{1,40}$/) }),
    answers: { 200: 'The page.' },
    run: (_deps: unknown, call) => {
      const page = Object.hasOwn(pages, call.path.page) ? pages[call.path.page] : undefined;
      return Promise.resolve(page ? ok({ page }) : err(notFound('connection', call.path.page)));
    },
  }),
  definePageRoute({
    operationId: 'start-sign-in',
    method: 'POST',
    path: '/consent/pages/{page}',
    tag: 'sign-ins',
    refuses: ['switch-ended', 'connection-not-found'],
    fails: ['vault', 'sign-in'],
    summary: 'Its button',
    pathSchema: z.strictObject({ page: z.string().regex(/^[a-z-]{1,40}$/) }),
    answers: { 200: 'The browser goes on to the sign-in.' },
    run: (_deps: unknown, call) =>
      Promise.resolve(
        call.isCrossSite ? err(told('cross-site')) : ok({ goTo: SIGN_IN_URL, service: 'Microsoft' as const, cookie }),
      ),
  }),
  definePageRoute({
    operationId: 'come-back',
    method: 'GET',
    path: '/consent/page-callback',
    tag: 'sign-ins',
    refuses: ['switch-ended', 'connection-not-found'],
    fails: ['vault', 'sign-in'],
    summary: 'Back from the sign-in',
    querySchema: z.object({ state: z.string().min(1) }),
    answers: { 303: 'On to the next sign-in.' },
    run: (_deps: unknown, call) =>
      Promise.resolve(
        call.cookie === COOKIE_VALUE
          ? ok({ goTo: SIGN_IN_URL, service: 'Microsoft' as const, cookie: 'remove' as const })
          : err(told(`cookie ${call.cookie ?? 'absent'}, query ${call.search}`)),
      ),
  }),
  definePageRoute({
    operationId: 'answer-page',
    method: 'POST',
    path: '/consent/pages/form',
    tag: 'sign-ins',
    refuses: ['switch-ended', 'connection-not-found'],
    fails: ['vault', 'sign-in'],
    summary: 'The second question answered',
    bodySchema: form,
    answers: { 200: 'Done.' },
    run: (_deps: unknown, call) => {
      if (call.body.state !== STATE) {
        const again = { action: '/consent/pages/form', fields: { ...call.body, state: STATE } };
        const refused = refusedBy(failure('entra-unreachable'));
        return Promise.resolve(err({ type: 'on-page', refused, about, again } as const));
      }
      const page = pages[call.body.answer === 'confirm' ? 'consent-granted' : 'declined-consent'];
      if (!page) throw new Error('there is no such page');
      return Promise.resolve(ok({ page, cookie: 'remove' as const }));
    },
  }),
] as const;
