// Consent to a vault key and the approval of a tenant as their administrators give them: in Chromium, through the running app's own pages
// and those of the emulated Microsoft and Google, by what a person sees and presses.
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { DATA_TENANTS } from '../../local/environment/persons.ts';
import { GOOGLE_SETTINGS } from '../../local/identities.ts';
import { azure, Company, type TenantRef } from '../end-to-end/company.ts';
import { startRun } from '../end-to-end/harness.ts';
import type { Run } from '../end-to-end/run.ts';
import { describeInBrowser, openChromium } from './chromium.ts';

const NAME_FIELDS = 'input[name=loginfmt], input[name=identifier]';
const HTTPS_PORT = 443;
const WORKSPACE: TenantRef = { kind: 'google-workspace', tenantId: DATA_TENANTS.workspace.tenant };

describeInBrowser('the pages of the running app in Chromium', () => {
  let run: Run;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What the browser found fault with on pages of ours: a policy that was broken, an address that was not there. */
  let complaints: string[];

  beforeAll(async () => {
    run = await startRun({ settings: GOOGLE_SETTINGS });
    const { hosts, caPem } = run.environment.redirect;
    const ports = hosts
      .filter(({ name }) => name === 'login.microsoftonline.com' || name === 'accounts.google.com')
      .map(({ name, ports: byPort }) => [name, byPort[HTTPS_PORT] ?? 0] as const);
    browser = await openChromium({ ports: Object.fromEntries(ports), caPem });
  });
  afterAll(async () => {
    await browser.close();
    await run.close();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
    complaints = [];
    page.on('console', (message) => {
      if (message.location().url.startsWith(ours())) complaints.push(message.text());
    });
  });
  afterEach(() => context.close());

  const ours = (): string => run.environment.hosts[0]?.url ?? '';
  const cookiesOfOurs = (): ReturnType<BrowserContext['cookies']> => context.cookies(ours());
  const heading = (): Promise<string> => page.locator('h1').innerText();

  async function press(name: string): Promise<void> {
    await page.getByRole('button', { name, exact: true }).click();
  }

  /** The provider's first button leads on, on each of its pages. */
  async function signIn(personName: string): Promise<void> {
    await page.locator(NAME_FIELDS).fill(run.environment.persons[personName]?.userName ?? '');
    await page.getByRole('button').first().click();
  }

  test('consent is given: link, Microsoft twice, the second question, and the role that is left to assign', async () => {
    const company = await Company.create(run, 'contoso');
    const { contoso } = run.environment.customers;
    await run.environment.keyVault.call('POST', `/vaults/${contoso.vaultHost}/keys`, { name: 'contoso-key' });
    await company.enter({ id: 'azure', vaultUri: contoso.vaultUri, keyName: 'contoso-key' });
    const link = await company.consentLink('azure');

    await page.goto(link);
    await press('Continue to Microsoft');
    await signIn('contoso-global-admin');
    await press('Accept');
    await signIn('contoso-global-admin');
    await press('Grant');
    await expect.poll(heading).toBe('Consent is granted');
    expect(await page.locator('pre').innerText()).toContain('az role assignment create');
    expect([await cookiesOfOurs(), complaints]).toEqual([[], []]);
    const { consentedBy } = await company.must<{ consentedBy: string }>('GET', `${company.path}/connections/azure`);
    expect(consentedBy).toContain(contoso.tenantId);

    await page.goto(link);
    expect(await heading()).toBe('This link has been used');
  });

  test('a switch is approved for a Google Workspace: by its Super Admin, once, and then it goes on', async () => {
    const company = await Company.create(run, 'globex', 3);
    await company.connect(run.environment.customers.contoso, { id: 'azure', keyName: 'globex-key' });
    await company.register(WORKSPACE);
    expect((await company.order('s1', azure('azure'))).body.state).toBe('pending-verification');
    const link = await company.verifyLink(WORKSPACE, 's1');

    await page.goto(link);
    await press('Continue to Google');
    await signIn('contoso-google-delegated-admin');
    await press('Continue');
    await expect.poll(heading).toBe('This did not work');
    expect(await page.locator('main').innerText()).toContain('google-not-super-admin');

    await page.goto(link);
    await press('Continue to Google');
    await signIn('contoso-google-super-admin');
    await press('Continue');
    await press('Confirm');
    await expect.poll(heading).toBe('The tenant is verified');
    expect(await cookiesOfOurs()).toEqual([]);
    expect((await company.ends('s1')).state).toBe('completed');
  });
});
