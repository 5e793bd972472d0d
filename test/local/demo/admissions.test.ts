import { randomBytes } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { Page } from '../../../local/browser/page.ts';
import { CanaryScan } from '../../../local/canary-scan.ts';
import { ADMISSION_KINDS, Admissions } from '../../../local/demo/admissions.ts';

const ORIGIN = 'http://127.0.0.1:7071';
const random = (): string => randomBytes(32).toString('base64url');

let admissions: Admissions;
beforeEach(() => {
  admissions = new Admissions();
});

type Visit = Parameters<Admissions['keepHistory']>[0]['history'][number];
const visit = (url: string, requestHeaders: Record<string, string> = {}): Visit => ({
  method: 'GET',
  url,
  requestHeaders,
  status: 200,
  headers: {},
});
const keep = (...history: readonly Visit[]): void => admissions.keepHistory({ history }, ORIGIN);

const formWith = (state: string): Page =>
  new Page({
    url: `${ORIGIN}/consent/callback`,
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: `<form method="post"><input type="hidden" name="state" value="${state}"><button>Yes</button></form>`,
  });

test('link, states, both halves of the cookie and the code of a sign-in are found again in a log', () => {
  const [ticket, state, verifier, nonce, inForm, code] = [random(), random(), random(), random(), random(), random()];
  keep(
    visit(`${ORIGIN}/consent/links/contoso~${ticket}`),
    visit(`${ORIGIN}/consent/callback?code=0.${code}&state=contoso~${state}`, {
      cookie: `__Host-sign-in=${verifier}.${nonce}`,
    }),
  );
  admissions.keepPage(formWith(`contoso~${inForm}`));
  const { secrets } = admissions;
  expect(new Set(secrets.map(({ name }) => name))).toEqual(new Set(ADMISSION_KINDS));
  expect(secrets).toHaveLength(6);
  const scan = new CanaryScan(secrets);
  for (const leaked of [ticket, state, verifier, nonce, inForm, `0.${code}`]) {
    expect(scan.findIn({ where: 'log', bytes: Buffer.from(`{"message":"${leaked}"}`) })).toHaveLength(1);
  }
});

test('what is seen twice is kept once, and what goes elsewhere admits nobody here', () => {
  const ticket = random();
  const link = visit(`${ORIGIN}/consent/links/contoso~${ticket}`);
  keep(link, link, visit(`https://login.microsoftonline.com/?state=contoso~${random()}`));
  expect(admissions.secrets).toEqual([{ name: 'the ticket of a link', bytes: Buffer.from(ticket, 'base64url') }]);
});

test('a page without a form, or with a state that is none, adds nothing', () => {
  admissions.keepPage(new Page({ url: ORIGIN, status: 200, headers: {}, body: '' }));
  admissions.keepPage(formWith('short'));
  keep(visit(`${ORIGIN}/consent/callback?error=access_denied&code=short`));
  expect(admissions.secrets).toEqual([]);
});
