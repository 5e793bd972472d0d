// Answers for people: HTML with headers that allow it nothing but its own style and forms to ourselves. Pure.
import type { Cookie } from '@azure/functions';
import { refusalToResponse } from '../../kernel/errors.ts';
import type { Answering, Outcome, Refused } from '../../kernel/route.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import { isCookieValue, SIGN_IN_COOKIE } from './browser.ts';
import type { CookieChange, PageAnswer, PageRefusal } from './page-answer.ts';
import { failurePage } from './failure-page.ts';
import { document, type Page, type PageOf } from './layout.ts';
import { leavingPage } from './leaving-page.ts';
import { STYLE_SOURCE } from './stylesheet.ts';
import type { PlainAnswer } from '../../kernel/whole-answer.ts';

/**
 * Chromium applies `form-action` to redirects too. To answer a form by a redirect to a sign-in page we would have to list every address
 * that may redirect onwards, and cannot know the company's own identity provider. So `answerWithPage` never does, and `self` is enough.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src ${STYLE_SOURCE}`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `same-origin`: with `no-referrer` browsers would send our own forms with `Origin: null`. */
const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Referrer-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

export function answerWithPage(answer: PageAnswer, about: Answering & { readonly method: string }): PlainAnswer {
  if ('page' in answer) return page(200, answer.page, { ...about, ...present({ cookie: answer.cookie }) });
  const { goTo, service, cookie } = answer;
  const sent = { ...about, ...present({ cookie }) };
  const leaving = (): Page => leavingPage({ service, to: goTo });
  if (about.method === 'GET') return page(303, leaving, { ...sent, headers: { Location: goTo } });
  return page(200, leaving, { ...sent, headers: { Refresh: `0; url=${goTo}` } });
}

/** The code, status and headers that a program would get, on a page that names what is known. */
export function refuseWithPage(refusal: PageRefusal | Refused, about: Answering): Outcome {
  const onPage: Partial<PageRefusal> = refusal.type === 'on-page' ? refusal : {};
  const refused = refusal.type === 'on-page' ? refusal.refused : refusal;
  // A page carries no token, so it cannot tell the vendor's operator from anyone else.
  const { status, headers, body } = refusalToResponse(refused, { isVendorAdmin: false });
  const { code, message, kind, cause, details } = body.error;
  // Of what may pass, the remedy tells what Keyswitch does by itself; it presses no buttons.
  const remedy = kind === 'transient' ? undefined : body.error.remedy;
  const faults = details?.map((detail) => `${detail.target}: ${detail.message}`);
  const failed = failurePage({
    code,
    message,
    requestId: about.requestId,
    mayPass: 'Retry-After' in headers,
    ...present({ cause, remedy, faults, about: onPage.about, again: onPage.again }),
  });
  return { refused, answer: page(status, failed, { ...about, headers, ...present({ cookie: onPage.cookie }) }) };
}

function page(
  status: number,
  shown: PageOf,
  about: Answering & { readonly headers?: Readonly<Record<string, string>>; readonly cookie?: CookieChange },
): PlainAnswer {
  const context = { vendorName: about.vendorName };
  return {
    status,
    headers: { ...PAGE_HEADERS, 'x-ms-request-id': about.requestId, ...about.headers },
    body: document(shown(context), context),
    ...(about.cookie === undefined ? {} : { cookies: [cookieOf(about.cookie)] }),
  };
}

/** Lax, not Strict: the redirect back from a sign-in page comes from another site, and must carry it. */
function cookieOf(change: CookieChange): Cookie {
  const { value, maxAgeSeconds } = change === 'remove' ? { value: '', maxAgeSeconds: 0 } : change;
  if (change !== 'remove' && !isCookieValue(value)) throw new TypeError('a cookie value that would not be read back');
  return {
    name: SIGN_IN_COOKIE,
    value,
    maxAge: maxAgeSeconds,
    path: '/',
    secure: true,
    httpOnly: true,
    sameSite: 'Lax',
  };
}
