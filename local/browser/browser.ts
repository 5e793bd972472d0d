// A small browser for scripts and tests, driven like a person would: open an address, read, fill, press. It keeps
// cookies, goes where redirects and `Refresh: 0` lead and sends what a real one sends (Origin, Referer, Sec-Fetch-*), and runs no script.
import { Cookies } from './cookies.ts';
import { exchange } from './exchange.ts';
import { isTrustworthy, originHeader, referrerOf, relationOf, worse, type Relation } from './origins.ts';
import { Page, type PageResponse, type Submission } from './page.ts';
import { refreshTarget } from './refresh.ts';

/** One request and its answer; a redirect is one too, and so is a page that leads on by itself. */
interface Visit {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface Navigation {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly body: string | undefined;
  readonly relation: Relation;
  readonly policy: string;
  /** The page that leads there; undefined for an address that was typed. */
  readonly initiator: string | undefined;
  /** An Origin header that a redirect to another origin made opaque. */
  readonly opaque: boolean;
  /** Somebody typed, pressed or followed something; a page that leads on by itself has nobody. */
  readonly byPerson: boolean;
}

/** Redirects and pages that lead on by themselves, together. */
const MAX_HOPS = 20;
const DEFAULT_POLICY = 'strict-origin-when-cross-origin';
const KEEPS_METHOD: readonly number[] = [307, 308];
const REDIRECTS: readonly number[] = [301, 302, 303, ...KEEPS_METHOD];

export class Browser {
  readonly cookies = new Cookies();
  readonly #visits: Visit[] = [];
  readonly #pages: Page[] = [];

  /** The page that is shown. */
  get page(): Page {
    const page = this.#pages.at(-1);
    if (!page) throw new Error('no page was opened yet');
    return page;
  }

  /** Everything that was asked, oldest first. */
  get history(): readonly Visit[] {
    return this.#visits;
  }

  /** An address that the person types, or opens from a mail program. */
  async open(url: string): Promise<Page> {
    return await this.#go({ method: 'GET', url, body: undefined, initiator: undefined });
  }

  fill(nameOrLabel: string, value: string): void {
    this.page.fill(nameOrLabel, value);
  }

  /** Presses the button with these words. */
  async press(words: string): Promise<Page> {
    const { url } = this.page;
    return await this.submit(this.page.press(words), url);
  }

  /** Follows the link with these words. */
  async follow(words: string): Promise<Page> {
    return await this.#go({ method: 'GET', url: this.page.link(words), body: undefined, initiator: this.page.url });
  }

  /** Back to the page before, as it was: its form can be sent a second time. */
  back(): Page {
    this.#pages.pop();
    return this.page;
  }

  /** Shows a page as if it had come from that address: a page of somebody else, say, that posts to ours. */
  show(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Page {
    return this.#shown({ url, status: 200, headers: { 'content-type': 'text/html', ...headers }, body });
  }

  /** Sends a form that a page at `initiator` has. */
  async submit({ method, url, fields }: Submission, initiator: string): Promise<Page> {
    if (method === 'POST') return await this.#go({ method, url, body: fields.toString(), initiator });
    const target = new URL(url);
    target.search = fields.toString();
    return await this.#go({ method, url: target.href, body: undefined, initiator });
  }

  async #go(start: Pick<Navigation, 'method' | 'url' | 'body' | 'initiator'>): Promise<Page> {
    const policy = start.initiator === undefined ? DEFAULT_POLICY : policyOf(this.page.headers, DEFAULT_POLICY);
    let navigation: Navigation = {
      ...start,
      policy,
      relation: relationOf(start.initiator, start.url),
      opaque: false,
      byPerson: true,
    };
    for (let hops = 0; hops <= MAX_HOPS; hops += 1) {
      const response = await this.#ask(navigation);
      const next = redirected(navigation, response) ?? refreshed(response);
      if (!next) return this.#shown(response);
      navigation = next;
    }
    throw new Error(`${start.url} leads on more than ${MAX_HOPS} times`);
  }

  async #ask(navigation: Navigation): Promise<PageResponse> {
    const { method, url, body } = navigation;
    const safe = method === 'GET';
    // As browsers do: whose page led here counts, not by which redirects.
    const crossSite = relationOf(navigation.initiator, url) === 'cross-site';
    const cookie = await this.cookies.header(url, { crossSite, safe });
    const headers = { ...headersOf(navigation), ...(cookie === '' ? {} : { cookie }) };
    const { response, setCookies } = await exchange({ method, url, headers, body });
    await this.cookies.keep(url, setCookies);
    this.#visits.push({ method, url, requestHeaders: headers, status: response.status, headers: response.headers });
    return response;
  }

  #shown(response: PageResponse): Page {
    const page = new Page(response);
    this.#pages.push(page);
    return page;
  }
}

function headersOf(navigation: Navigation): Record<string, string> {
  const { method, url, body, relation, policy, initiator, opaque, byPerson } = navigation;
  const headers: Record<string, string> = { accept: 'text/html,application/xhtml+xml', 'accept-language': 'en' };
  if (body !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded';
  if (initiator !== undefined) {
    const referer = referrerOf(initiator, url, policy);
    if (referer !== undefined) headers['referer'] = referer;
    if (method === 'POST') headers['origin'] = opaque ? 'null' : originHeader(initiator, url, policy);
  }
  if (isTrustworthy(new URL(url))) {
    Object.assign(headers, {
      'sec-fetch-site': relation,
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      ...(byPerson ? { 'sec-fetch-user': '?1' } : {}),
    });
  }
  return headers;
}

function redirected(navigation: Navigation, { status, headers, url }: PageResponse): Navigation | undefined {
  const location = headers['location'];
  if (!REDIRECTS.includes(status) || location === undefined) return undefined;
  const target = new URL(location, url).href;
  const keeps = KEEPS_METHOD.includes(status);
  const { initiator } = navigation;
  const foreign = initiator !== undefined && relationOf(initiator, url) !== 'same-origin';
  const tainted = foreign && relationOf(url, target) !== 'same-origin';
  const relation = initiator === undefined ? 'none' : worse(navigation.relation, relationOf(initiator, target));
  return {
    ...navigation,
    method: keeps ? navigation.method : 'GET',
    body: keeps ? navigation.body : undefined,
    url: target,
    relation,
    policy: policyOf(headers, navigation.policy),
    opaque: navigation.opaque || tainted,
  };
}

/** A page that leads on is where the next request comes from, and is replaced in what one can go back to. */
function refreshed(response: PageResponse): Navigation | undefined {
  const url = refreshTarget(response);
  if (url === undefined) return undefined;
  return {
    method: 'GET',
    url,
    body: undefined,
    initiator: response.url,
    relation: relationOf(response.url, url),
    policy: policyOf(response.headers, DEFAULT_POLICY),
    opaque: false,
    byPerson: false,
  };
}

function policyOf(headers: Readonly<Record<string, string>>, otherwise: string): string {
  return headers['referrer-policy']?.split(',').at(-1)?.trim() ?? otherwise;
}
