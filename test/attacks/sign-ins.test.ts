// Whoever comes back from a sign-in can bring anything: states, codes and redirects are forged, copied, sent twice and shown by others.
// Each is refused by name, on a page, with its record in the chain of the company; nothing that counts is changed.
import { afterAll, beforeAll, expect } from 'vitest';
import { Browser } from '../../local/browser/browser.ts';
import { signInAt } from '../../local/browser/sign-in-pages.ts';
import { CONNECTOR_APP_ID } from '../../local/identities.ts';
import { challengeOf } from '../../local/oidc/pkce.ts';
import { MAX_CALLS_PER_MINUTE } from '../../shared/store/call-limit.ts';
import type { Company } from '../end-to-end/company.ts';
import type { RawAnswer } from './raw-request.ts';
import { attack } from './sign-in-attacks.ts';
import { SignInScene, type Departed } from './sign-in-scene.ts';

const LONG_AGO = '2020-01-01T00:00:00.000Z';
const CODE_LIFETIME_SECONDS = 600;
const NO_FIELDS = { form: new URLSearchParams() };

let signIns: SignInScene;
beforeAll(async () => {
  signIns = await SignInScene.open({ switched: false });
});
afterAll(() => signIns.close());

const accepted = (customer: 'contoso' | 'fabrikam' = 'contoso'): { admin_consent: string; tenant: string } => ({
  admin_consent: 'True',
  tenant: signIns.scene.run.environment.customers[customer].tenantId,
});

async function departed(): Promise<{ readonly company: Company; readonly left: Departed; readonly link: string }> {
  const company = await signIns.target();
  const link = await signIns.link(company);
  return { company, link, left: await signIns.depart(link) };
}

/** The consent that a connection has, as the API shows it. */
async function consentOf(company: Company): Promise<string | undefined> {
  const path = `${company.path}/connections/azure`;
  return (await company.must<{ consentedAt?: string }>('GET', path)).consentedAt;
}

attack('T01', async () => {
  const { company, left } = await departed();
  await signIns.changesNothing(async () => {
    for (const state of [
      `${company.companyId}~${'A'.repeat(43)}`,
      left.state.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
    ]) {
      const page = await left.comeBack({ ...accepted(), state });
      await signIns.refusedUnrecorded(page, company, [400, 'sign-in-unknown']);
    }
    for (const state of ['x', '~', `${company.companyId}~`, `nobody-at-all~${'A'.repeat(43)}`]) {
      const page = await left.comeBack({ ...accepted(), state });
      await signIns.refusedUnrecorded(page, company, [400, 'sign-in-unknown']);
    }
  });
  // The genuine one is none the worse.
  expect((await left.comeBack(accepted())).host).toBe('login.microsoftonline.com');
});

attack('T02', async () => {
  const company = await signIns.target();
  const question = await signIns.toQuestion(await signIns.link(company));
  const { callbacks } = question;
  expect(callbacks).toHaveLength(2);
  const [consentBack = '', signInBack = ''] = callbacks;
  await signIns.changesNothing(async () => {
    for (const [url, step] of [
      [consentBack, 'admin-consent'],
      [signInBack, 'sign-in'],
    ] as const) {
      const page = await question.browser.open(url);
      await signIns.refused(page, company, [400, 'sign-in-used', step]);
      await signIns.refused(await new Browser().open(url), company, [400, 'sign-in-used', step]);
    }
  });
  expect(await consentOf(company)).toBeUndefined();
});

attack('T03', async () => {
  const { company, left } = await departed();
  const { rows } = signIns.scene;
  for (const { rowKey = '' } of await rows.list('companies', company.companyId, 'consent|state|')) {
    await rows.overwrite('companies', { partitionKey: company.companyId, rowKey }, { expiresAt: LONG_AGO });
  }
  await signIns.changesNothing(async () => {
    await signIns.refused(await left.comeBack(accepted()), company, [400, 'sign-in-expired', 'admin-consent']);
  });
  const { entra } = signIns.scene.run.environment;
  await entra.call('PATCH', '/settings', { codeLifetimeSeconds: 0 });
  try {
    const again = await signIns.departToSignIn(await signIns.link(company));
    const page = await signIns.changesNothing(() => again.signIn(signIns.person('contoso-global-admin')));
    await signIns.refused(page, company, [400, 'sign-in-expired', 'sign-in']);
  } finally {
    await entra.call('PATCH', '/settings', { codeLifetimeSeconds: CODE_LIFETIME_SECONDS });
  }
});

attack('T04', async () => {
  const theirs = await departed();
  const own = await departed();
  await signIns.changesNothing(async () => {
    const foreign = await own.left.comeBack({ ...accepted(), state: theirs.left.state });
    await signIns.refused(foreign, theirs.company, [409, 'sign-in-other-browser', 'admin-consent']);
    const renamed = theirs.left.state.replace(/^[^~]+/, own.company.companyId);
    const page = await own.left.comeBack({ ...accepted(), state: renamed });
    await signIns.refusedUnrecorded(page, own.company, [400, 'sign-in-unknown']);
  });
  expect((await theirs.left.comeBack(accepted())).host).toBe('login.microsoftonline.com');
});

attack('T05', async () => {
  const { company, left } = await departed();
  const cookie = await left.cookie();
  const both = await signIns.changesNothing(() =>
    Promise.all([1, 2].map(() => signIns.send('GET', left.callback(accepted()), { cookie }))),
  );
  expect(both.map(({ status }) => status).sort()).toEqual([303, 400]);
  const late = both.find(({ status }) => status === 400);
  if (!late) throw new Error('both went on');
  await signIns.refused(late, company, [400, 'sign-in-used', 'admin-consent']);
});

attack('T06', async () => {
  const company = await signIns.target();
  const question = await signIns.toQuestion(await signIns.link(company));
  const cookie = await question.cookie();
  const { url, fields: form } = question.yes;
  const headers = { origin: new URL(url).origin };
  const both = await Promise.all([1, 2].map(() => signIns.send('POST', url, { cookie, form, headers })));
  expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
  const late = both.find(({ status }) => status === 400);
  if (!late) throw new Error('both were granted');
  await signIns.refused(late, company, [400, 'sign-in-used', 'confirm']);
  const third = await signIns.changesNothing(() => signIns.send('POST', url, { cookie, form, headers }));
  await signIns.refused(third, company, [400, 'sign-in-used', 'confirm']);
  const granted = (await signIns.scene.events(company.companyId)).filter(({ action }) => action === 'consent.grant');
  expect(granted.map(({ outcome }) => outcome)).toEqual(['done']);
});

attack('T07', async () => {
  const company = await signIns.target();
  await signIns.changesNothing(async () => {
    for (const error of ['access_denied', 'consent_required']) {
      const left = await signIns.depart(await signIns.link(company));
      const code = error === 'access_denied' ? 'consent-declined' : 'consent-required';
      const page = await left.comeBack({ ...accepted(), error, error_description: 'nothing to see here' });
      await signIns.refused(page, company, [code === 'consent-declined' ? 400 : 409, code, 'admin-consent']);
    }
    // As Microsoft itself writes it when somebody presses Cancel.
    const browser = new Browser();
    const admin = signIns.person('contoso-global-admin');
    const declined = await signInAt(browser, await signIns.link(company), admin, { declines: true });
    const back = browser.history.find(({ url }) => url.includes('/consent/callback?'));
    expect(back?.url).toContain('admin_consent=True');
    expect(back?.url).toContain('error=access_denied');
    await signIns.refused(declined, company, [400, 'consent-declined', 'admin-consent']);
  });
  expect(await consentOf(company)).toBeUndefined();
});

attack('T08', async () => {
  const { fabrikam } = signIns.scene.run.environment.customers;
  const company = await signIns.target('fabrikam');
  const left = await signIns.departToSignIn(await signIns.link(company), 'fabrikam');
  // Their own administrator even signs in, and then takes the app out again, which the forged redirect said was accepted.
  await fabrikam.consent();
  const page = await left.signIn(signIns.person('fabrikam-global-admin'));
  await fabrikam.withdrawConsent();
  expect(page.buttons).toContain('Grant');
  const answered = await signIns.changesNothing(() => left.browser.press('Grant'));
  await signIns.refused(answered, company, [409, 'consent-required', 'confirm']);
  expect(await consentOf(company)).toBeUndefined();
  const claim = `/vault-claims/${fabrikam.vaultHost}/${company.companyId}-key`;
  expect((await signIns.scene.run.call('GET', claim)).status).toBe(404);
});

attack('T09', async () => {
  const { company, left, link } = await departed();
  const other = await signIns.depart(link);
  const question = await signIns.toQuestion(await signIns.link(company));
  const { url, fields: form } = question.yes;
  const headers = { origin: new URL(url).origin };
  const elsewhere = [409, 'sign-in-other-browser'] as const;
  const cookie = await other.cookie();
  await signIns.changesNothing(async () => {
    const withNone = await signIns.send('GET', left.callback(accepted()));
    await signIns.refused(withNone, company, [...elsewhere, 'admin-consent']);
    const withOther = await signIns.send('GET', left.callback(accepted()), { cookie });
    await signIns.refused(withOther, company, [...elsewhere, 'admin-consent']);
    const twice = await signIns.send('GET', left.callback(accepted()), { cookie: `${await left.cookie()}; ${cookie}` });
    await signIns.refused(twice, company, [...elsewhere, 'admin-consent']);
    await signIns.refused(await signIns.send('POST', url, { form, headers }), company, [...elsewhere, 'confirm']);
    const confirmed = await signIns.send('POST', url, { form, headers, cookie });
    await signIns.refused(confirmed, company, [...elsewhere, 'confirm']);
  });
  expect((await left.comeBack(accepted())).host).toBe('login.microsoftonline.com');
  expect((await question.press()).heading).toBe('Consent is granted');
});

attack('T10', async () => {
  const { company, left } = await departed();
  const page = await signIns.changesNothing(() => left.comeBack(accepted('fabrikam')));
  await signIns.refused(page, company, [400, 'sign-in-wrong-tenant', 'admin-consent']);
});

attack('T11', async () => {
  const company = await signIns.target();
  await signIns.changesNothing(async () => {
    const asked = await signIns.walk(await signIns.link(company), 'fabrikam-global-admin');
    await signIns.refused(asked, company, [400, 'sign-in-wrong-tenant', 'admin-consent']);
    const left = await signIns.departToSignIn(await signIns.link(company));
    const page = await left.signIn(signIns.person('fabrikam-global-admin'));
    await signIns.refused(page, company, [400, 'sign-in-wrong-tenant', 'sign-in']);
  });
});

attack('T12', async () => {
  const company = await signIns.target();
  await signIns.changesNothing(async () => {
    const returned = await signIns.walk(await signIns.link(company), 'contoso-user');
    await signIns.refused(returned, company, [400, 'consent-declined', 'admin-consent']);
    const left = await signIns.departToSignIn(await signIns.link(company));
    const page = await left.signIn(signIns.person('contoso-user'));
    await signIns.refused(page, company, [400, 'admin-role-missing', 'sign-in']);
  });
});

attack('T13', async () => {
  const company = await signIns.target();
  const { entra } = signIns.scene.run.environment;
  const manifest = `/apps/${CONNECTOR_APP_ID}/manifest`;
  await entra.call('PATCH', manifest, { groupMembershipClaims: 'None' });
  try {
    const left = await signIns.departToSignIn(await signIns.link(company));
    const page = await signIns.changesNothing(() => left.signIn(signIns.person('contoso-global-admin')));
    await signIns.refused(page, company, [400, 'wids-not-emitted', 'sign-in']);
  } finally {
    await entra.call('PATCH', manifest, { groupMembershipClaims: 'DirectoryRole' });
  }
});

attack('T45', async () => {
  const company = await signIns.target();
  const { entra } = signIns.scene.run.environment;
  const admin = signIns.person('contoso-global-admin');
  const browser = new Browser();
  await signInAt(browser, await signIns.link(company), admin, { declines: true });
  await entra.call('POST', '/sessions/age', { seconds: 3_600 });
  const refuse = async (code: string): Promise<void> => {
    const left = await signIns.departToSignIn(await signIns.link(company), 'contoso', browser);
    expect(left.asked.get('prompt')).toBe('login');
    // Whoever sits there can take out of the address that Microsoft is to ask anew.
    const page = await signIns.changesNothing(() => browser.open(left.addressWith({}, { without: 'prompt' })));
    await signIns.refused(page, company, [400, code, 'sign-in']);
  };
  await refuse('sign-in-not-fresh');
  // Nor is anybody believed where the app is not told.
  const manifest = `/apps/${CONNECTOR_APP_ID}/manifest`;
  await entra.call('PATCH', manifest, { optionalIdTokenClaims: [] });
  try {
    await refuse('auth-time-not-emitted');
  } finally {
    await entra.call('PATCH', manifest, { optionalIdTokenClaims: ['auth_time'] });
  }
});

attack('T14', async () => {
  const company = await signIns.target();
  const victim = await signIns.departToSignIn(await signIns.link(company));
  // A sign-in with a proof key of their own, whose code the app never redeems: its browser has no cookie.
  const verifier = 'v'.repeat(43);
  const attacker = new Browser();
  await attacker.open(victim.addressWith({ code_challenge: challengeOf(verifier) }));
  attacker.fill('loginfmt', signIns.person('contoso-privileged-role-admin').userName);
  const stopped = await signIns.changesNothing(() => attacker.press('Sign in'));
  await signIns.refused(stopped, company, [409, 'sign-in-other-browser', 'sign-in']);
  const code = new URL(stopped.url).searchParams.get('code') ?? '';
  expect(code).not.toBe('');
  const page = await signIns.changesNothing(() => victim.comeBack({ code }));
  await signIns.refused(page, company, [409, 'sign-in-other-browser', 'sign-in']);
});

attack('T15', async () => {
  const company = await signIns.target();
  const question = await signIns.toQuestion(await signIns.link(company));
  const { url, fields } = question.yes;
  const left = await signIns.departToSignIn(await signIns.link(company));
  await signIns.changesNothing(async () => {
    const cookie = await question.cookie();
    const state = fields.get('state') ?? '';
    const asCallback = await signIns.send('GET', left.callback({ state, code: 'x' }), { cookie });
    await signIns.refused(asCallback, company, [400, 'sign-in-unknown', 'callback']);
    const form = new URLSearchParams({ state: left.state, answer: 'confirm' });
    const headers = { origin: new URL(url).origin };
    const asAnswer = await signIns.send('POST', url, { cookie: await left.cookie(), form, headers });
    await signIns.refused(asAnswer, company, [400, 'sign-in-unknown', 'confirm']);
  });
  expect((await question.press()).heading).toBe('Consent is granted');
});

attack('T26', async () => {
  const company = await signIns.target();
  const link = await signIns.link(company);
  const evil = new Browser();
  evil.show('https://evil.example/', `<form method="post" action="${link}"><button>Win a prize</button></form>`);
  await signIns.changesNothing(async () => {
    await signIns.refused(await evil.press('Win a prize'), company, [409, 'cross-site-request', 'begin']);
    expect(await evil.cookies.at(link)).toEqual([]);
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'null' },
      { origin: 'https://evil.example' },
    ]) {
      const begun = await signIns.send('POST', link, { form: new URLSearchParams(), headers });
      await signIns.refused(begun, company, [409, 'cross-site-request', 'begin']);
      expect(begun.headers).not.toHaveProperty('set-cookie');
    }
    const question = await signIns.toQuestion(link);
    const { url, fields: form } = question.yes;
    const cookie = await question.cookie();
    const lent = await signIns.send('POST', url, { form, cookie, headers: { 'sec-fetch-site': 'cross-site' } });
    await signIns.refused(lent, company, [409, 'cross-site-request', 'confirm']);
    // A browser does not even send the cookie.
    const { browser } = question;
    const fields = [...form].map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`).join('');
    browser.show(
      'https://evil.example/',
      `<form method="post" action="${url}">${fields}<button>Win a prize</button></form>`,
    );
    const pressed = await browser.press('Win a prize');
    await signIns.refused(pressed, company, [409, 'sign-in-other-browser', 'confirm']);
  });
});

attack('T27', async () => {
  const company = await signIns.target();
  const link = await signIns.link(company);
  const changed = [
    link.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
    link.replace(/~./, (first) => (first === '~A' ? '~B' : '~A')),
    link.slice(0, -1),
    `${link}A`,
    `${link}${'A'.repeat(300)}`,
    `${link.slice(0, -10)}%E2%80%A6`,
    link.replace(company.companyId, (await signIns.target()).companyId),
  ];
  await signIns.changesNothing(async () => {
    for (const url of changed) {
      for (const method of ['GET', 'POST'] as const) {
        const page = await signIns.send(method, url, method === 'POST' ? { form: new URLSearchParams() } : {});
        expect([page.status, page.code]).toEqual([400, 'link-unknown']);
        expect(page.headers).not.toHaveProperty('set-cookie');
        await signIns.scene.logged(page, 'http.refused');
      }
    }
  });
  expect((await new Browser().open(link)).buttons).toEqual(['Continue to Microsoft']);
});

attack('T28', async () => {
  const company = await signIns.target();
  const link = await signIns.link(company);
  const left = await signIns.depart(link);
  const question = await signIns.toQuestion(link);
  await signIns.enter(company, { customer: 'contoso', keyName: `${company.companyId}-other` });
  await signIns.changesNothing(async () => {
    for (const page of [
      await new Browser().open(link),
      await signIns.send('POST', link, { form: new URLSearchParams() }),
      await left.comeBack(accepted()),
      await question.press(),
    ]) {
      expect([page.status, page.headers['x-ms-error-code']]).toEqual([400, 'link-expired']);
    }
  });
  expect(await consentOf(company)).toBeUndefined();
});

attack('T40', async () => {
  const company = await signIns.target();
  const [hammered, other] = [await signIns.link(company), await signIns.link(company)];
  const press = (link: string): ReturnType<typeof signIns.send> =>
    signIns.send('POST', link, { form: new URLSearchParams() });
  // A minute may end between the calls, and then a new one is counted.
  let limited = await press(hammered);
  for (let presses = 1; limited.status === 200 && presses < 2 * MAX_CALLS_PER_MINUTE; presses += 1) {
    limited = await press(hammered);
  }
  expect([limited.status, limited.code]).toEqual([429, 'too-many-requests']);
  expect(limited.headers).not.toHaveProperty('set-cookie');
  expect((await press(other)).status).toBe(200);
});

attack('T43', async () => {
  const company = await signIns.target();
  const link = new URL(await signIns.link(company));
  const left = await signIns.departToSignIn(link.href);
  const cookie = await left.cookie();
  const madeUp = (companyId: string): string => `${companyId}~${'A'.repeat(43)}`;
  const attempts: readonly ((companyId: string) => Promise<RawAnswer>)[] = [
    (companyId) => signIns.send('GET', `${link.origin}/consent/links/${madeUp(companyId)}`),
    (companyId) => signIns.send('POST', `${link.origin}/verify/links/${madeUp(companyId)}`, NO_FIELDS),
    (companyId) => signIns.send('GET', left.callback({ ...accepted(), state: madeUp(companyId) }), { cookie }),
    (companyId) => {
      const form = new URLSearchParams({ state: madeUp(companyId), answer: 'confirm' });
      return signIns.send('POST', `${link.origin}/consent/answer`, { cookie, form, headers: { origin: link.origin } });
    },
  ];
  await signIns.changesNothing(async () => {
    for (const attempt of attempts) {
      const told = new Set<string>();
      const asked = new Set<string>();
      for (const companyId of [company.companyId, 'nobody-at-all']) {
        const { result: page, calls } = await signIns.tableCallsOf(() => attempt(companyId));
        await signIns.refusedUnrecorded(page, company, [400, page.code]);
        told.add(page.text.replaceAll(page.requestId, '').replaceAll(companyId, ''));
        asked.add(calls.join());
        expect([...new Set(calls)]).toEqual(['get companies']);
      }
      expect([told.size, asked.size]).toEqual([1, 1]);
    }
  });
});

attack('T54', async () => {
  const company = await signIns.target();
  const { companyId } = company;
  const link = await signIns.link(company);
  const press = (headers: object): Promise<RawAnswer> => signIns.send('POST', link, { ...NO_FIELDS, headers });
  const evil = { 'sec-fetch-site': 'cross-site' };
  for (let count = 0; count < 40; count += 1) expect((await press(evil)).code).toBe('cross-site-request');
  const { rows } = signIns.scene;
  const place = { partitionKey: companyId, rowKey: 'connection|azure' };
  const { clientId } = await rows.read('companies', companyId, place.rowKey);
  await rows.overwrite('companies', place, { clientId: 'somebody' });
  const forged = await press({});
  await rows.overwrite('companies', place, { clientId });
  await company.must('PUT', company.path, { body: { displayName: 'Renamed' } });
  const events = await signIns.scene.events(companyId);
  const actions = events.map(({ action }) => action);
  const refusals = actions.filter((action) => action === 'sign-in.refused').length;
  // A minute may have ended in between.
  expect([refusals >= 30, refusals <= 60]).toEqual([true, true]);
  expect(events.find(({ action }) => action === 'security.row-forged')?.requestId).toBe(forged.requestId);
  expect(actions.at(-1)).toBe('company.put');
});
