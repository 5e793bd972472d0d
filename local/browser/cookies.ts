// The cookies of one browser, by the rules of real ones: prefixes, Secure (allowed on this machine), HttpOnly, and
// SameSite with Lax for cookies that say nothing.
import { Cookie, CookieJar } from 'tough-cookie';

export class Cookies {
  readonly #jar = new CookieJar(undefined, { prefixSecurity: 'strict', allowSpecialUseDomain: true });

  /** Keeps what an answer sets; what a browser would not take is left out in silence, as there. */
  async keep(url: string, setCookies: readonly string[]): Promise<void> {
    for (const text of setCookies) {
      const cookie = Cookie.parse(text);
      if (!cookie) continue;
      cookie.sameSite ??= 'lax';
      // A page that a person goes to may set its cookies, wherever the person came from.
      await this.#jar.setCookie(cookie, url, { ignoreError: true });
    }
  }

  /** The Cookie header of a navigation. */
  async header(url: string, navigation: { readonly crossSite: boolean; readonly safe: boolean }): Promise<string> {
    const sameSiteContext = !navigation.crossSite ? 'strict' : navigation.safe ? 'lax' : 'none';
    return await this.#jar.getCookieString(url, { sameSiteContext });
  }

  /** Everything that is kept for an address, HttpOnly or not. */
  async at(url: string): Promise<readonly Cookie[]> {
    return await this.#jar.getCookies(url);
  }

  /** Puts a cookie there as its owner can, in the developer tools. */
  async put(url: string, text: string): Promise<void> {
    await this.#jar.setCookie(text, url);
  }

  async clear(): Promise<void> {
    await this.#jar.removeAllCookies();
  }
}
