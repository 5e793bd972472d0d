// The way of a browser to somebody else's sign-in page and back: the cookie, the redirects, and the names of the internet.
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SIGN_IN_COOKIE } from '../../functions/http/pages/shell/browser.ts';
import { createCertificateAuthority } from '../../local/tls/certificates.ts';
import { COOKIE_VALUE } from '../functions/http/pages/page-routes.ts';
import { describeInBrowser, openChromium } from './chromium.ts';
import { startPageHost, type PageHost } from './page-host.ts';

const MICROSOFT = 'login.microsoftonline.com';
const COMPANY = 'sso.contoso.example';

describeInBrowser('a sign-in in Chromium', () => {
  let host: PageHost;
  let signIns: Server;
  let browser: Browser;
  let visits: string[] = [];

  /** Microsoft sends on to the company's own provider, as it may; that one back to us. The second time, Microsoft asks. */
  beforeAll(async () => {
    host = await startPageHost();
    const authority = await createCertificateAuthority();
    const { certPem, keyPem } = await authority.issue([MICROSOFT, COMPANY]);
    signIns = createServer({ cert: certPem, key: keyPem }, (request, response) => {
      if (request.url === '/favicon.ico') {
        response.writeHead(204).end();
        return;
      }
      const name = request.headers.host ?? '';
      visits.push(`${name} ${request.headers.referer ?? 'no referrer'}`);
      const location = name === COMPANY ? `${host.url}/consent/page-callback?state=a` : `https://${COMPANY}/`;
      if (visits.length === 3) response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Once more</title>');
      else response.writeHead(302, { location }).end();
    });
    await new Promise<void>((resolve) => signIns.listen(0, '127.0.0.1', resolve));
    const { port } = signIns.address() as AddressInfo;
    browser = await openChromium({ ports: { [MICROSOFT]: port, [COMPANY]: port }, caPem: authority.caPem });
  });
  afterAll(async () => {
    await browser.close();
    signIns.closeAllConnections();
    await new Promise((resolve) => signIns.close(resolve));
    await host.close();
  });

  test('goes by the button, past redirects to whomever the company signs in with, and comes back with its cookie', async () => {
    visits = [];
    const context = await browser.newContext();
    const page = await context.newPage();
    const told: string[] = [];
    page.on('console', (message) => told.push(message.text()));
    await page.goto(`${host.url}/consent/pages/start-consent`);
    const back = page.waitForRequest('**/consent/page-callback?state=a');
    await page.getByRole('button', { name: 'Continue to Microsoft' }).click();
    expect((await (await back).allHeaders())['cookie']).toBe(`${SIGN_IN_COOKIE}=${COOKIE_VALUE}`);
    await page.waitForURL(`https://${MICROSOFT}/**`);
    await expect.poll(() => page.title()).toBe('Once more');
    expect(visits).toEqual([MICROSOFT, COMPANY, MICROSOFT].map((name) => `${name} no referrer`));
    expect(await context.cookies()).toEqual([]);
    expect(told).toEqual([]);
    await context.close();
  });

  test('has a cookie that no script, no other host and no other site’s form gets, and none before the button', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route(`https://${MICROSOFT}/**`, (route) => route.fulfill({ body: 'sign in' }));
    await page.goto(`${host.url}/consent/pages/start-consent`);
    expect(await context.cookies()).toEqual([]);
    await page.getByRole('button', { name: 'Continue to Microsoft' }).click();
    await page.waitForURL(`https://${MICROSOFT}/**`);
    const [cookie, ...others] = await context.cookies();
    expect(others).toEqual([]);
    const strict = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' };
    expect(cookie).toMatchObject({ name: SIGN_IN_COOKIE, value: COOKIE_VALUE, domain: '127.0.0.1', ...strict });
    await context.close();
  });

  test('that another site’s form starts is refused, and sets no cookie', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const form = `<form method="post" action="${host.url}/consent/pages/start-consent"><button>Win</button></form>`;
    await page.route(`https://${COMPANY}/**`, (route) => route.fulfill({ contentType: 'text/html', body: form }));
    await page.goto(`https://${COMPANY}/`);
    await page.getByRole('button').click();
    await page.waitForURL(`${host.url}/**`);
    expect(await page.locator('main').innerText()).toContain('cross-site');
    expect(await context.cookies()).toEqual([]);
    await context.close();
  });

  test('whose cookie another browser holds does not go on', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${host.url}/consent/page-callback?state=a`);
    expect(await page.locator('main').innerText()).toContain('cookie absent');
    await context.close();
  });
});
