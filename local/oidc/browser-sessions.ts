// Who is signed in to an identity provider in which browser, and since when: what single sign-on lives on, and what `auth_time` tells.
// A session is known by its cookie. Shared by Entra and Google; when a session counts is their business.
import { randomBytes } from 'node:crypto';
import type { EmulatorReply, EmulatorRequest } from '../http/emulator-http.ts';

const NAME_BYTES = 32;
const MAX_SESSIONS = 10_000;

export class BrowserSessions {
  readonly #cookie: string;
  /** Session by session, when each of its accounts was signed in. */
  readonly #sessions = new Map<string, Map<string, number>>();

  constructor(cookie: string) {
    this.#cookie = cookie;
  }

  /** When this account was signed in here, in milliseconds; undefined if it is not. */
  signedInAt(request: EmulatorRequest, account: string): number | undefined {
    return this.#find(request)?.accounts.get(account);
  }

  /** The accounts that are signed in here. */
  accounts(request: EmulatorRequest): readonly string[] {
    return [...(this.#find(request)?.accounts.keys() ?? [])];
  }

  /** Signs the account in anew, or for the first time; answers the reply with the cookie. */
  signIn(
    request: EmulatorRequest,
    account: string,
    { nowMs, reply }: { nowMs: number; reply: EmulatorReply },
  ): EmulatorReply {
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    const found = this.#find(request);
    const name = found?.name ?? randomBytes(NAME_BYTES).toString('base64url');
    this.#sessions.set(name, new Map(found?.accounts).set(account, nowMs));
    const cookie = `${this.#cookie}=${name}; Path=/; Secure; HttpOnly; SameSite=None`;
    return { ...reply, headers: { ...reply.headers, 'Set-Cookie': cookie } };
  }

  /** Makes every session so much older. */
  age(seconds: number): void {
    for (const accounts of this.#sessions.values()) {
      for (const [account, atMs] of accounts) accounts.set(account, atMs - seconds * 1000);
    }
  }

  #find({
    headers,
  }: EmulatorRequest): { readonly name: string; readonly accounts: ReadonlyMap<string, number> } | undefined {
    const cookies = (headers.cookie ?? '').split('; ').map((text) => text.split('='));
    const name = cookies.find(([key]) => key === this.#cookie)?.[1] ?? '';
    const accounts = this.#sessions.get(name);
    return accounts && { name, accounts };
  }
}
