// Things kept for a short time under a random name: requests that wait for a person, and authorization codes. A name
// that was taken stays known until it expires, so that a second use is told from a forgery.
import { randomBytes } from 'node:crypto';

type Found<T> =
  | { readonly state: 'valid'; readonly value: T }
  | { readonly state: 'used' }
  | { readonly state: 'expired' }
  | { readonly state: 'unknown' };

const NAME_BYTES = 32;
const MAX_ENTRIES = 10_000;

export class ShortLived<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly expiresAtMs: number; used: boolean }>();

  put(value: T, expiresAtMs: number): string {
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
    const name = randomBytes(NAME_BYTES).toString('base64url');
    this.#entries.set(name, { value, expiresAtMs, used: false });
    return name;
  }

  find(name: string, nowMs: number): Found<T> {
    const entry = this.#entries.get(name);
    if (!entry) return { state: 'unknown' };
    if (entry.used) return { state: 'used' };
    return entry.expiresAtMs > nowMs ? { state: 'valid', value: entry.value } : { state: 'expired' };
  }

  /** Finds it, and nobody will again. */
  take(name: string, nowMs: number): Found<T> {
    const found = this.find(name, nowMs);
    const entry = this.#entries.get(name);
    if (entry && found.state === 'valid') entry.used = true;
    return found;
  }
}
