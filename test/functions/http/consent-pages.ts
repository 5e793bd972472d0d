// The pages of a consent as a browser goes through them, against the API in process and a Microsoft in memory.
import type { HttpResponseInit } from '@azure/functions';
import { parse } from 'node-html-parser';
import { expect } from 'vitest';
import { globalAdminOf } from '../../operations/sign-ins/walk.ts';
import type { ApiAnswer } from './api-answer.ts';
import type { Api, CallOptions } from './api.ts';

type Cookies = NonNullable<HttpResponseInit['cookies']>;

class PageBrowser {
  readonly #api: Api;
  #cookie: string | undefined;

  constructor(api: Api) {
    this.#api = api;
  }

  async open(path: string): Promise<ApiAnswer> {
    return this.#keep(await this.#api.call('GET', path, { headers: this.#headers() }));
  }

  async send(path: string, fields: Readonly<Record<string, string>> = {}): Promise<ApiAnswer> {
    const form: CallOptions = {
      rawBody: new URLSearchParams(fields).toString(),
      headers: { ...this.#headers(), 'content-type': 'application/x-www-form-urlencoded' },
    };
    return this.#keep(await this.#api.call('POST', path, form));
  }

  #headers(): Record<string, string> {
    return this.#cookie === undefined ? {} : { cookie: this.#cookie };
  }

  #keep(answer: ApiAnswer): ApiAnswer {
    for (const { name, value, maxAge } of answer.cookies as Cookies) {
      this.#cookie = maxAge === 0 ? undefined : `${name}=${value}`;
    }
    return answer;
  }
}

/** Where a page leads by itself. */
const onwards = (answer: ApiAnswer): string =>
  answer.headers.get('location') ?? answer.headers.get('refresh')?.replace(/^0; url=/, '') ?? '';

const pathOf = (url: string): string => new URL(url).pathname;

/** From the link to the second question; answers the browser and the state that the question carries. */
async function signInByPages(
  api: Api,
  { link, tenantId }: { readonly link: string; readonly tenantId: string },
): Promise<{ readonly browser: PageBrowser; readonly question: ApiAnswer; readonly state: string }> {
  const browser = new PageBrowser(api);
  expect((await browser.open(pathOf(link))).status).toBe(200);
  const left = await browser.send(pathOf(link));
  const hinted = await browser.open(`/consent/callback?${api.signIns.accept(onwards(left))}`);
  expect(hinted.status).toBe(303);
  const person = { service: 'microsoft', person: globalAdminOf(tenantId) } as const;
  const question = await browser.open(`/consent/callback?${api.signIns.signIn(onwards(hinted), person)}`);
  expect(question.status).toBe(200);
  const field = parse(question.html ?? '').querySelector('input[name=state]');
  return { browser, question, state: field?.getAttribute('value') ?? '' };
}

/** An administrator of the vault's tenant goes through it to its end. */
export async function consentByPages(
  api: Api,
  asked: { readonly path: string; readonly as: CallOptions['as']; readonly tenantId: string },
): Promise<ApiAnswer> {
  const made = await api.call('POST', `${asked.path}/consent`, asked.as ? { as: asked.as } : {});
  expect(made.status).toBe(200);
  const { browser, state } = await signInByPages(api, {
    link: made.body['link'] as unknown as string,
    tenantId: asked.tenantId,
  });
  return browser.send('/consent/answer', { state, answer: 'confirm' });
}
