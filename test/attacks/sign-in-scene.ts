// The running app with companies that are about to be consented to, and browsers that stop wherever an attacker would: at Microsoft's
// page with the state in hand, or before the second question. Everything else is as in scene.ts.
import { expect } from 'vitest';
import { Browser } from '../../local/browser/browser.ts';
import { signInAt } from '../../local/browser/sign-in-pages.ts';
import type { CustomerName } from '../../local/environment/customers.ts';
import type { EnvironmentPerson } from '../../local/environment/persons.ts';
import { GOOGLE_SETTINGS } from '../../local/identities.ts';
import { azure, Company, type TenantRef } from '../end-to-end/company.ts';
import { send, type RawAnswer } from './raw-request.ts';
import { Scene, type RecordedEvent } from './scene.ts';
import { unchanged } from './unchanged.ts';

/** What a page and a raw answer have in common. */
type Refused = Pick<RawAnswer, 'status' | 'headers' | 'text'>;

const MICROSOFT = 'login.microsoftonline.com';
const GOOGLE = 'accounts.google.com';
const COOKIE = '__Host-keyswitch-sign-in';
const GRANT = 'Grant';

/** Steps of a sign-in come and go; the record and the counts of limited calls are meant to grow; timers work the agenda. */
const MAY_CHANGE = /^(events|agenda|health) |^companies \S+ (outbox|limit|consent)\|/;

export class SignInScene {
  readonly scene: Scene;
  #companies = 0;

  private constructor(scene: Scene) {
    this.scene = scene;
  }

  static async open(options: { readonly switched: boolean }): Promise<SignInScene> {
    const scene = await Scene.open({ ...options, settings: GOOGLE_SETTINGS });
    // What somebody's consent, to whatever link, left behind: the app is known in the tenant.
    await scene.run.environment.customers.contoso.consent();
    return new SignInScene(scene);
  }

  close(): Promise<void> {
    return this.scene.close();
  }

  person(name: string): EnvironmentPerson {
    const person = this.scene.run.environment.persons[name];
    if (!person) throw new Error(`nobody is called '${name}'`);
    return person;
  }

  /** A company of its own for each attack: limits and records are per company. */
  async company(): Promise<Company> {
    this.#companies += 1;
    return Company.create(this.scene.run, `target-${this.#companies}-${Date.now()}`);
  }

  /** A company with a connection `azure` that nobody has consented to. */
  async target(customer: CustomerName = 'contoso'): Promise<Company> {
    const company = await this.company();
    await this.enter(company, { customer, keyName: `${company.companyId}-key` });
    // The first link has the vault asked for its tenant, which is then kept.
    await this.link(company);
    return company;
  }

  async enter(company: Company, key: { readonly customer: CustomerName; readonly keyName: string }): Promise<void> {
    const { vaultUri } = this.scene.run.environment.customers[key.customer];
    await company.enter({ id: 'azure', vaultUri, keyName: key.keyName });
  }

  link(company: Company): Promise<string> {
    return company.consentLink('azure');
  }

  /** A pending switch of a company with keys, which waits for these tenants. */
  async pendingSwitch(...tenants: readonly TenantRef[]): Promise<Company> {
    const company = await this.company();
    await company.generate(3);
    const { contoso } = this.scene.run.environment.customers;
    await company.connect(contoso, { id: 'azure', keyName: `${company.companyId}-key` });
    for (const tenant of tenants) await company.register(tenant);
    const ordered = await company.order('s1', azure('azure'));
    expect([ordered.status, ordered.body.state]).toEqual([202, 'pending-verification']);
    return company;
  }

  verifyLink(company: Company, tenant: TenantRef, switchId = 's1'): Promise<string> {
    return company.verifyLink(tenant, switchId);
  }

  /** As far as the first page at Microsoft or Google, with the state in hand. */
  async depart(link: string, browser = new Browser()): Promise<Departed> {
    const admin = this.person('contoso-global-admin');
    await signInAt(browser, link, admin, { until: ({ host }) => host === MICROSOFT || host === GOOGLE });
    return new Departed(browser);
  }

  /** As far as the sign-in itself: the hint of the redirect before it proves nothing, so it may as well be made up. */
  async departToSignIn(link: string, customer: CustomerName = 'contoso', browser = new Browser()): Promise<Departed> {
    const left = await this.depart(link, browser);
    const { tenantId } = this.scene.run.environment.customers[customer];
    await left.comeBack({ admin_consent: 'True', tenant: tenantId });
    return new Departed(browser);
  }

  /** Through the pages to the second question, its button not pressed. */
  async toQuestion(link: string, personName = 'contoso-global-admin'): Promise<Question> {
    const browser = new Browser();
    const isQuestion = (buttons: readonly string[]): boolean => buttons.includes(GRANT) || buttons.includes('Confirm');
    const page = await signInAt(browser, link, this.person(personName), {
      until: ({ buttons }) => isQuestion(buttons),
    });
    if (!isQuestion(page.buttons)) throw new Error(`no question, but ${page.status}: ${page.text}`);
    return new Question(browser);
  }

  /** The whole way, to the last page. */
  walk(link: string, personName: string): Promise<Refused & { readonly heading: string }> {
    return signInAt(new Browser(), link, this.person(personName));
  }

  /** What somebody would send who has taken the cookie out of a browser, or has none. */
  async send(
    method: 'GET' | 'POST',
    url: string,
    request: { readonly cookie?: string | undefined; readonly form?: URLSearchParams; readonly headers?: object } = {},
  ): Promise<RawAnswer> {
    const { origin, pathname, search } = new URL(url);
    const { cookie, form, headers } = request;
    return send(origin, method, pathname + search, {
      ...(form === undefined ? {} : { rawBody: form.toString() }),
      headers: {
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(cookie === undefined ? {} : { cookie }),
        ...headers,
      },
    });
  }

  /** On a page with its code, and in the chain of the company with its step. */
  async refused(
    page: Refused,
    company: Company,
    [status, code, step]: readonly [number, string, string],
  ): Promise<RecordedEvent> {
    expect([page.status, page.headers['x-ms-error-code']]).toEqual([status, code]);
    expect(page.text).toContain(code);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    const requestId = page.headers['x-ms-request-id'];
    const events = (await this.scene.events(company.companyId)).filter((one) => one.requestId === requestId);
    const event = events.find(({ action }) => action === 'sign-in.refused');
    if (!event) throw new Error(`the refusal ${code} is not recorded`);
    expect([event.outcome, event.detail]).toEqual(['refused', { code, step }]);
    return event;
  }

  /** On a page with its code, and in the log alone: of what anybody can make up no company has a record. */
  async refusedUnrecorded(page: Refused, company: Company, [status, code]: readonly [number, string]): Promise<void> {
    expect([page.status, page.headers['x-ms-error-code']]).toEqual([status, code]);
    const requestId = page.headers['x-ms-request-id'];
    const events = await this.scene.events(company.companyId);
    expect(events.filter((one) => one.requestId === requestId)).toEqual([]);
  }

  /** What the tables are asked while a caller waits for an answer, each as operation and table. The agenda and what is counted each minute are the timers'. */
  async tableCallsOf<T>(attempt: () => Promise<T>): Promise<{ readonly result: T; readonly calls: readonly string[] }> {
    const { tables } = this.scene.run.environment;
    const last = (await tables.requests()).at(-1)?.sequence ?? 0;
    const result = await attempt();
    const asked = (await tables.requests(last)).filter(({ target }) => target !== 'agenda' && target !== 'health');
    return { result, calls: asked.map(({ operation, target }) => `${operation} ${target}`).sort() };
  }

  /** No consent, no claim, no verification, nothing else: what is stored is the same afterwards. */
  changesNothing<T>(attempts: () => Promise<T>): Promise<T> {
    return unchanged(this.scene.run.credential, MAY_CHANGE, attempts);
  }
}

/** The one cookie of a sign-in, as a header. */
async function cookieOf(browser: Browser, url: string): Promise<string> {
  const found = (await browser.cookies.at(url)).find(({ key }) => key === COOKIE);
  if (!found) throw new Error('there is no cookie');
  return `${COOKIE}=${found.value}`;
}

/** A browser at somebody's sign-in page. */
export class Departed {
  readonly browser: Browser;
  /** What the app asked for in the address. */
  readonly asked: URLSearchParams;
  readonly #url: string;

  constructor(browser: Browser) {
    this.browser = browser;
    this.#url = browser.page.url;
    this.asked = new URL(this.#url).searchParams;
  }

  get state(): string {
    return this.asked.get('state') ?? '';
  }

  /** The address that the browser is sent back to, with whatever an attacker writes there. */
  callback(parameters: Readonly<Record<string, string>>): string {
    const query = new URLSearchParams({ state: this.state, ...parameters });
    return `${this.asked.get('redirect_uri') ?? ''}?${query.toString()}`;
  }

  cookie(): Promise<string> {
    return cookieOf(this.browser, this.callback({}));
  }

  comeBack(parameters: Readonly<Record<string, string>>): ReturnType<Browser['open']> {
    return this.browser.open(this.callback(parameters));
  }

  /** The address of that page, as a page of somebody else's would ask it. */
  addressWith(change: Readonly<Record<string, string>>, { without = '' } = {}): string {
    const url = new URL(this.#url);
    for (const [name, value] of Object.entries(change)) url.searchParams.set(name, value);
    url.searchParams.delete(without);
    return url.href;
  }

  /** Enters a name and presses on until the browser is back here. */
  async signIn({ provider, userName }: EnvironmentPerson): ReturnType<Browser['open']> {
    this.browser.fill(provider === 'google' ? 'identifier' : 'loginfmt', userName);
    const page = await this.browser.press(provider === 'google' ? 'Next' : 'Sign in');
    return page.host === GOOGLE ? this.browser.press('Continue') : page;
  }
}

/** A browser before the second question. */
class Question {
  readonly browser: Browser;

  constructor(browser: Browser) {
    this.browser = browser;
  }

  get yes(): { readonly url: string; readonly fields: URLSearchParams } {
    const [first = GRANT] = this.browser.page.buttons;
    return this.browser.page.press(first);
  }

  cookie(): Promise<string> {
    return cookieOf(this.browser, this.browser.page.url);
  }

  press(): ReturnType<Browser['open']> {
    const [first = GRANT] = this.browser.page.buttons;
    return this.browser.press(first);
  }

  /** The addresses by which this browser came back, oldest first. */
  get callbacks(): readonly string[] {
    return this.browser.history.map(({ url }) => url).filter((url) => url.includes('/consent/callback?'));
  }
}
