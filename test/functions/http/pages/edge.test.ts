import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_FORM_BYTES } from '../../../../functions/http/kernel/body.ts';
import { SIGN_IN_COOKIE } from '../../../../functions/http/pages/shell/browser.ts';
import { routes } from '../../../../functions/http/routes.ts';
import type { ApiAnswer } from '../api-answer.ts';
import { Api } from '../api.ts';
import { COOKIE_VALUE, pageRoutes, SIGN_IN_URL, STATE } from './page-routes.ts';
import { pages } from './page-views.ts';

let api: Api;
beforeAll(async () => {
  api = await Api.start({ routes: [...routes, ...pageRoutes] });
});
afterAll(() => api.close());

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const post = (fields: string, headers: Record<string, string> = {}): Promise<ApiAnswer> =>
  api.call('POST', '/consent/pages/form', { rawBody: fields, headers: { ...FORM, ...headers } });
const codeOf = (answer: ApiAnswer): string | null => answer.headers.get('x-ms-error-code');

function expectStrictHeaders({ headers }: ApiAnswer): void {
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
  );
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toBe('same-origin');
  expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-ms-request-id')).toMatch(/^[0-9a-f-]{36}$/);
}

describe('a page', () => {
  test.each(Object.keys(pages))(
    '%s is HTML that may load nothing, run nothing and be framed by nobody',
    async (page) => {
      const answer = await api.call('GET', `/consent/pages/${page}`);
      expect(answer.status).toBe(200);
      expectStrictHeaders(answer);
      expect(answer.html).toMatch(/^<!doctype html>\s*<html lang="en">/);
      expect(answer.html?.match(/<h1[ >]/g)).toHaveLength(1);
      expect(answer.html).toContain('Tailspin Backup');
      expect(answer.cookies).toEqual([]);
    },
  );

  test('of a refusal has the code, the status and the headers that a program would get, and names what it is about', async () => {
    const answer = await post('state=other&answer=confirm');
    expect(answer.status).toBe(503);
    expect(codeOf(answer)).toBe('entra-unreachable');
    expect(answer.headers.get('retry-after')).toBe('15');
    expectStrictHeaders(answer);
    expect(answer.html).toContain('Contoso Steel &amp; Sons');
    expect(answer.html).toContain(answer.headers.get('x-ms-request-id'));
    expect(answer.html).toContain('Try again');
  });

  test('of a request that is not valid names every fault, and repeats no value', async () => {
    const answer = await post('answer=perhaps-not&colour=secret-text');
    expect(answer.status).toBe(400);
    expectStrictHeaders(answer);
    expect(answer.html).toContain('body.state: This field is required.');
    expect(answer.html).toContain('body.colour: There is no such field.');
    expect(answer.html).toContain('body.answer');
    expect(answer.html).not.toMatch(/secret-text|perhaps-not/);
  });
});

describe('a form', () => {
  test('with each field once is taken', async () => {
    const answer = await post(`state=${encodeURIComponent(STATE)}&answer=confirm`);
    expect(answer.status).toBe(200);
    expect(answer.html).toContain('Consent is granted');
  });

  test.each([
    ['a field twice', 'answer=confirm&answer=decline&state=a', FORM, 400, 'invalid-request'],
    ['bytes that are no UTF-8', Uint8Array.of(0x61, 0x3d, 0xff), FORM, 400, 'invalid-request'],
    ['another type', '{}', { 'content-type': 'application/json' }, 415, 'unsupported-media-type'],
    [
      'a form with files',
      '--x--',
      { 'content-type': 'multipart/form-data; boundary=x' },
      415,
      'unsupported-media-type',
    ],
    ['too much', `state=${'a'.repeat(MAX_FORM_BYTES)}`, FORM, 413, 'body-too-large'],
  ])('that is %s is refused on a page', async (_what, rawBody, headers, status, code) => {
    const answer = await api.call('POST', '/consent/pages/form', { rawBody, headers });
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expectStrictHeaders(answer);
  });

  test('may be empty where nothing is asked', async () => {
    expect((await api.call('POST', '/consent/pages/start-consent')).status).toBe(200);
    expect((await api.call('POST', '/consent/pages/start-consent', { rawBody: 'a=b', headers: FORM })).status).toBe(
      400,
    );
  });
});

describe('a browser that goes on to a sign-in', () => {
  test('after a form goes by itself, without a redirect that form-action would forbid', async () => {
    const answer = await api.call('POST', '/consent/pages/start-consent');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('refresh')).toBe(`0; url=${SIGN_IN_URL}`);
    expect(answer.html).toContain(`href="${SIGN_IN_URL.replace('&', '&amp;')}"`);
    expectStrictHeaders(answer);
    expect(answer.cookies).toEqual([
      {
        name: '__Host-keyswitch-sign-in',
        value: COOKIE_VALUE,
        maxAge: 600,
        path: '/',
        secure: true,
        httpOnly: true,
        sameSite: 'Lax',
      },
    ]);
  });

  test('after another sign-in is redirected, and its cookie taken away', async () => {
    const answer = await api.call('GET', '/consent/page-callback?state=a', {
      headers: { cookie: `other=1; ${SIGN_IN_COOKIE}=${COOKIE_VALUE}` },
    });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(SIGN_IN_URL);
    expectStrictHeaders(answer);
    expect(answer.cookies).toMatchObject([{ name: SIGN_IN_COOKIE, value: '', maxAge: 0, path: '/', secure: true }]);
  });
});

describe('the sign-in cookie', () => {
  test.each([
    ['is not there', undefined],
    ['is there twice', `${SIGN_IN_COOKIE}=${COOKIE_VALUE}; ${SIGN_IN_COOKIE}=other`],
    ['has another prefix', `__host-keyswitch-sign-in=${COOKIE_VALUE}; keyswitch-sign-in=${COOKIE_VALUE}`],
    ['is empty', `${SIGN_IN_COOKIE}=`],
    ['is quoted', `${SIGN_IN_COOKIE}="${COOKIE_VALUE}"`],
    ['is encoded', `${SIGN_IN_COOKIE}=a%2eb`],
    ['is too long', `${SIGN_IN_COOKIE}=${'a'.repeat(1_025)}`],
  ])('counts as absent if it %s', async (_why, cookie) => {
    const answer = await api.call('GET', '/consent/page-callback?state=a&code=c', {
      headers: cookie ? { cookie } : {},
    });
    expect(answer.status).toBe(409);
    expect(answer.html).toContain('cookie absent, query ?state=a&amp;code=c');
  });
});

describe('a form from another site', () => {
  const OWN = 'https://keyswitch.example';
  test.each([
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 409],
    [{ 'sec-fetch-site': 'same-site' }, 409],
    [{ 'sec-fetch-site': 'none' }, 409],
    [{ origin: 'null' }, 409],
    [{ origin: `${OWN}.evil.example` }, 409],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' }, 409],
    [{ 'sec-fetch-site': 'same-origin', origin: OWN }, 200],
    [{}, 200],
  ])('is told apart by what the browser says: %j', async (headers: Record<string, string>, status) => {
    expect((await api.call('POST', '/consent/pages/start-consent', { headers })).status).toBe(status);
  });
});

test('a form whose sender forged the host that it was sent to is still from another site', async () => {
  const headers = { origin: 'https://evil.example', host: 'evil.example' };
  const answer = await api.call('POST', 'https://evil.example/consent/pages/start-consent', { headers });
  expect(answer.status).toBe(409);
});

test('a page that is asked with a wrong method or path is refused like every other path', async () => {
  const answer = await api.call('DELETE', '/consent/pages/start-consent');
  expect(answer.status).toBe(405);
  expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
});

test('what is refused on a page is in the log, by its request id', async () => {
  const answer = await post('state=other&answer=confirm');
  const logged = api.log.entries.filter(({ event }) => event === 'http.refused').at(-1);
  expect(logged?.detail).toMatchObject({
    requestId: answer.headers.get('x-ms-request-id'),
    operation: 'answer-page',
    code: 'entra-unreachable',
  });
});
