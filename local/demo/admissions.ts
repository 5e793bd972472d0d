// Everything that has admitted a browser: links, states, cookies, codes. Kept in order to look for it where none of it belongs.
import type { Secret } from '../canary-scan.ts';
import type { Browser } from '../browser/browser.ts';
import type { Page } from '../browser/page.ts';

/** 32 bytes as the product writes them: the random part of a link or state, or half of a cookie. */
const RANDOM = /[A-Za-z0-9_-]{43}/g;
/** Too short to be told from chance, and then no code of anybody's. */
const MIN_CODE_CHARS = 16;

export const ADMISSION_KINDS = [
  'the ticket of a link',
  'the state of a sign-in',
  'the cookie of a sign-in',
  'the code of a sign-in',
  'the state in a form',
] as const;
type Kind = (typeof ADMISSION_KINDS)[number];

export class Admissions {
  readonly #found = new Map<string, Secret>();

  get secrets(): readonly Secret[] {
    return [...this.#found.values()];
  }

  /** A form's hidden state. */
  keepPage(page: Page): void {
    this.#keepRandom('the state in a form', page.valueOf('state') ?? '');
  }

  /** What went to the product at `origin`, in addresses and cookies. */
  keepHistory({ history }: Pick<Browser, 'history'>, origin: string): void {
    for (const { url, requestHeaders } of history) {
      const { origin: asked, pathname, searchParams } = new URL(url);
      if (asked !== origin) continue;
      this.#keepRandom('the ticket of a link', pathname);
      this.#keepRandom('the state of a sign-in', searchParams.get('state') ?? '');
      this.#keepRandom('the cookie of a sign-in', requestHeaders['cookie'] ?? '');
      this.#keepText('the code of a sign-in', searchParams.get('code') ?? '');
    }
  }

  #keepRandom(name: Kind, text: string): void {
    for (const [random] of text.matchAll(RANDOM)) {
      this.#found.set(random, { name, bytes: Buffer.from(random, 'base64url') });
    }
  }

  #keepText(name: Kind, text: string): void {
    if (text.length >= MIN_CODE_CHARS) this.#found.set(text, { name, bytes: Buffer.from(text) });
  }
}
