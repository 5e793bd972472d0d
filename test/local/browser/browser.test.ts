import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../../local/browser/browser.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string;
}

let server: Server;
/** The same server twice: two names of this machine are two sites. */
let site: string;
let otherSite: string;
let asked: Asked[];
let answers: Record<string, Answer>;
let browser: Browser;

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      asked.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
      const { status = 200, headers: given = {}, body = '<title>Page</title>' } = answers[path] ?? {};
      response.writeHead(status, { 'content-type': 'text/html', ...given });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  site = `http://127.0.0.1:${port}`;
  otherSite = `http://localhost:${port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  asked = [];
  answers = {};
  browser = new Browser();
});

const last = (): Asked => asked.at(-1)!;
const redirect = (location: string, status = 302, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { location, ...headers },
});
const form = (action: string): string => `<form method="post" action="${action}"><button>Go</button></form>`;

describe('a page', () => {
  it('is read without its markup, also where a command stands', async () => {
    answers['/'] = { body: '<body><p>Run:</p><pre><code dir="ltr">az role &quot;a&quot;</code></pre></body>' };
    await browser.open(`${site}/`);
    expect(browser.page.lines).toEqual(['Run:', 'az role "a"']);
  });

  it('is read by what a person sees: title, heading, words, buttons, links', async () => {
    answers['/'] = {
      body: `<title>Hello &amp; welcome</title><body><h1>Hello</h1><p>to <b>you</b></p>
        <a href="/next">Next</a><form><button>One</button><input type="submit" value="Two"></form></body>`,
    };
    const page = await browser.open(`${site}/`);
    expect([page.title, page.heading, page.lines]).toEqual(['Hello & welcome', 'Hello', ['Hello', 'to you']]);
    expect([page.buttons, page.links]).toEqual([['One', 'Two'], ['Next']]);
    expect((await browser.follow('Next')).url).toBe(`${site}/next`);
  });

  it('has its form filled by label or name, and sends what a form sends', async () => {
    answers['/'] = {
      body: `<form method="post" action="/send"><input type="hidden" name="ticket" value="a&amp;b">
        <label for="who">Who are you?</label><input id="who" name="user"><input name="more">
        <input type="checkbox" name="off"><input type="checkbox" name="on" value="1" checked>
        <button name="answer" value="yes">Yes</button><button name="answer" value="no">No</button></form>`,
    };
    await browser.open(`${site}/`);
    browser.fill('Who are you?', 'Grace & Co');
    browser.fill('more', 'm');
    await browser.press('No');
    expect([last().method, last().path]).toEqual(['POST', '/send']);
    expect([...new URLSearchParams(last().body)]).toEqual([
      ['ticket', 'a&b'],
      ['user', 'Grace & Co'],
      ['more', 'm'],
      ['on', '1'],
      ['answer', 'no'],
    ]);
  });

  it('without such a button, link or field says what it has', async () => {
    answers['/'] = { body: `<title>T</title>${form('/')}` };
    await browser.open(`${site}/`);
    await expect(browser.press('Stop')).rejects.toThrow("'T' has no button 'Stop', only: Go");
    await expect(browser.follow('Stop')).rejects.toThrow("'T' has no link 'Stop'");
    expect(() => browser.fill('Name', 'x')).toThrow("'T' has no field 'Name'");
  });

  it('can be gone back to, and sent again', async () => {
    answers['/'] = { body: form('/send') };
    await browser.open(`${site}/`);
    await browser.press('Go');
    browser.back();
    await browser.press('Go');
    expect(asked.map(({ path }) => path)).toEqual(['/', '/send', '/send']);
  });
});

describe('redirects', () => {
  it('are followed and kept in the history; a POST becomes a GET, but for 307 and 308', async () => {
    answers['/one'] = redirect('/two', 303);
    answers['/three'] = redirect('/four', 307);
    browser.show(`${site}/`, form('/one'));
    await browser.press('Go');
    browser.show(`${site}/`, form('/three'));
    await browser.press('Go');
    expect(browser.history.map(({ method, url, status }) => [method, new URL(url).pathname, status])).toEqual([
      ['POST', '/one', 303],
      ['GET', '/two', 200],
      ['POST', '/three', 307],
      ['POST', '/four', 200],
    ]);
  });

  it('without end are given up', async () => {
    answers['/'] = redirect('/');
    await expect(browser.open(`${site}/`)).rejects.toThrow('leads on more than 20 times');
  });
});

describe('a page with Refresh: 0', () => {
  const leadsTo = (target: string, headers: Record<string, string> = {}, delay = 0): Answer => ({
    headers: { refresh: `${delay}; url=${target}`, ...headers },
  });
  const paths = (): string[] => asked.map(({ method, path }) => `${method} ${path}`);

  it('that answers a form leads on by a GET, and back goes to the form', async () => {
    answers['/send'] = leadsTo('/next?a=1&b=2');
    browser.show(`${site}/`, form('/send'));
    const page = await browser.press('Go');
    expect(page.url).toBe(`${site}/next?a=1&b=2`);
    expect(paths()).toEqual(['POST /send', 'GET /next?a=1&b=2']);
    expect(last().body).toBe('');
    expect(browser.back().url).toBe(`${site}/`);
  });

  it('sets its cookies before it leads on, and is kept in the history', async () => {
    answers['/'] = leadsTo('/next', { 'set-cookie': 'ours=1; SameSite=Strict' });
    await browser.open(`${site}/`);
    expect(last().headers.cookie).toBe('ours=1');
    expect(browser.history.map(({ url, status }) => [new URL(url).pathname, status])).toEqual([
      ['/', 200],
      ['/next', 200],
    ]);
  });

  it('to another site leads there as a page of its own does: cross-site, by nobody, with its Referrer-Policy', async () => {
    answers['/send'] = leadsTo(`${otherSite}/sign-in`, { 'referrer-policy': 'same-origin' });
    browser.show(`${site}/`, form('/send'));
    await browser.press('Go');
    const { 'sec-fetch-site': relation, 'sec-fetch-user': by, referer, origin } = last().headers;
    expect([last().path, relation, by, referer, origin]).toEqual([
      '/sign-in',
      'cross-site',
      undefined,
      undefined,
      undefined,
    ]);
    answers['/send'] = leadsTo('/next');
    await browser.open(`${site}/send`);
    expect([last().headers['sec-fetch-site'], last().headers.referer]).toEqual(['same-origin', `${site}/send`]);
  });

  it('may be led to by a redirect, and lead to one', async () => {
    answers['/'] = redirect('/two');
    answers['/two'] = leadsTo(`${otherSite}/three`);
    answers['/three'] = redirect(`${site}/four`);
    const page = await browser.open(`${site}/`);
    expect(page.url).toBe(`${site}/four`);
    expect(last().headers['sec-fetch-site']).toBe('cross-site');
  });

  it.each([
    ['0;url=/next', '/next'],
    ['0, URL = "/next"', '/next'],
    ["00.5 ; url='/next' and more", '/next'],
    ['0 /next', '/next'],
  ])('is read as browsers do: %s', async (refresh, path) => {
    answers['/'] = { headers: { refresh } };
    expect((await browser.open(`${site}/`)).url).toBe(site + path);
  });

  it.each([
    '1; url=/next',
    '0; url=javascript:alert(1)',
    '0; url=data:text/html,x',
    '0; url=https://',
    'url=/next',
    '',
  ])('and %j stays', async (refresh) => {
    answers['/'] = { headers: { refresh } };
    expect((await browser.open(`${site}/`)).url).toBe(`${site}/`);
  });

  it('that is a refusal stays', async () => {
    answers['/'] = { status: 409, ...leadsTo('/next') };
    expect((await browser.open(`${site}/`)).status).toBe(409);
  });

  it('without end is given up, redirects counted with it', async () => {
    answers['/'] = leadsTo('/again');
    answers['/again'] = redirect('/');
    await expect(browser.open(`${site}/`)).rejects.toThrow('leads on more than 20 times');
    expect(asked).toHaveLength(21);
  });
});

describe('cookies', () => {
  const setCookie = (...cookies: string[]): Answer => ({ headers: { 'set-cookie': cookies } });
  const sent = (): string => last().headers.cookie ?? '';

  it('with __Host- and Secure are kept on this machine, and a wrong __Host- is not', async () => {
    answers['/'] = setCookie(
      '__Host-good=1; Path=/; Secure; HttpOnly; SameSite=Lax',
      '__Host-insecure=1; Path=/',
      '__Host-deep=1; Path=/deep; Secure',
      '__Host-wide=1; Path=/; Secure; Domain=127.0.0.1',
    );
    await browser.open(`${site}/`);
    await browser.open(`${site}/deep`);
    expect(sent()).toBe('__Host-good=1');
  });

  it('of one host are not sent to another, and expire', async () => {
    answers['/'] = setCookie('here=1', 'gone=1; Max-Age=0');
    await browser.open(`${site}/`);
    await browser.open(`${otherSite}/`);
    expect(sent()).toBe('');
    await browser.open(`${site}/`);
    expect(sent()).toBe('here=1');
  });

  it('come along from another site as SameSite says: Lax with a GET, None always, Strict never', async () => {
    answers['/'] = setCookie(
      'lax=1; SameSite=Lax',
      'strict=1; SameSite=Strict',
      'silent=1',
      'none=1; SameSite=None; Secure',
    );
    await browser.open(`${site}/`);
    browser.show(`${otherSite}/`, `<a href="${site}/">To it</a>${form(`${site}/`)}`);
    await browser.follow('To it');
    expect(sent().split('; ').sort()).toEqual(['lax=1', 'none=1', 'silent=1']);
    browser.back();
    await browser.press('Go');
    expect(sent()).toBe('none=1');
    browser.show(`${site}/`, form('/'));
    await browser.press('Go');
    expect(sent().split('; ')).toHaveLength(4);
  });

  it('of Lax come along when another site answers a POST with a redirect to a GET', async () => {
    answers['/'] = setCookie('lax=1; SameSite=Lax');
    answers['/login'] = redirect(`${site}/callback`);
    await browser.open(`${site}/`);
    browser.show(`${otherSite}/`, form('/login'));
    await browser.press('Go');
    expect([last().path, sent()]).toEqual(['/callback', 'lax=1']);
  });

  it('belong to one browser', async () => {
    answers['/'] = setCookie('mine=1');
    await browser.open(`${site}/`);
    await new Browser().open(`${site}/`);
    expect(sent()).toBe('');
  });
});

describe('the headers of a request', () => {
  const told = (): unknown[] => {
    const { origin, referer, 'sec-fetch-site': relation } = last().headers;
    return [origin, referer, relation];
  };

  it('say nothing of where from when the address was typed', async () => {
    await browser.open(`${site}/`);
    expect(told()).toEqual([undefined, undefined, 'none']);
  });

  it('say which page a form was on, whole to its own origin and by origin to others', async () => {
    browser.show(`${site}/page?q=1`, form('/'));
    await browser.press('Go');
    expect(told()).toEqual([site, `${site}/page?q=1`, 'same-origin']);
    browser.show(`${otherSite}/page?q=1`, form(`${site}/`));
    await browser.press('Go');
    expect(told()).toEqual([otherSite, `${otherSite}/`, 'cross-site']);
  });

  it.each([
    ['no-referrer', ['null', undefined, 'cross-site']],
    ['same-origin', ['null', undefined, 'cross-site']],
    ['strict-origin', [undefined, undefined, 'cross-site']],
    ['unsafe-url', [undefined, undefined, 'cross-site']],
  ])('follow the Referrer-Policy %s of the page', async (policy, expected) => {
    browser.show(`${otherSite}/page`, form(`${site}/`), { 'referrer-policy': policy });
    await browser.press('Go');
    const [origin, referer, relation] = expected;
    const shown = policy === 'unsafe-url' ? `${otherSite}/page` : `${otherSite}/`;
    expect(told()).toEqual(origin === 'null' ? [origin, referer, relation] : [otherSite, shown, relation]);
  });

  it('stay cross-site after a detour over another site, and lose their origin in a second hop', async () => {
    answers['/away'] = redirect(`${site}/there`, 307);
    answers['/there'] = redirect(`${otherSite}/back`, 307);
    browser.show(`${site}/`, form(`${otherSite}/away`));
    await browser.press('Go');
    expect([last().path, ...told()]).toEqual(['/back', 'null', `${site}/`, 'cross-site']);
  });
});
