// One credential's access tokens, kept until shortly before they expire, or for as long as they may be used. The SDKs keep tokens too, and are not trusted with
// it: two minutes before expiry they refresh one in the background, in a promise that no code awaits, and when a customer has
// withdrawn consent that rejection ends the process. So they get tokens that look expired, and ask here every time.
import type { AccessToken, TokenCredential } from '@azure/identity';
import { ExpiringCache, type EndBy } from '../../domain/expiring-cache.ts';
import { mayPass, type Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Clock } from '../../domain/ports.ts';
import { AccessRefused } from '../../adapters/https/access-refused.ts';

/** Asks for a new token. `claims` are what a service's challenge demands to be in it. */
export type FetchToken = (scope: string, claims?: string) => Promise<Result<AccessToken, Failure>>;

const REFRESH_BEFORE_EXPIRY_MS = 5 * 60_000;
/** A refresh that failed is not tried again at once while the old token lasts. */
const REFRESH_AGAIN_AFTER_MS = 30_000;
const MIN_LEFT_MS = 5_000;
/** Of one credential, and the answers to challenges that are on their way. */
const MAX_SCOPES = 100;

export class TokenCache {
  readonly #fetch: FetchToken;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  /** By scope, for as long as no other is asked for. */
  readonly #fresh: ExpiringCache<AccessToken, Failure>;
  /** By scope, for as long as it may be used while no other is to be had. */
  readonly #usable: ExpiringCache<AccessToken>;

  /** `maxAgeMs`: no token is used longer than that after it was asked for, though it may be good for hours. */
  constructor(fetch: FetchToken, clock: Clock, { maxAgeMs = Infinity }: { readonly maxAgeMs?: number } = {}) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
    this.#fresh = new ExpiringCache(clock, { ttlMs: maxAgeMs, maxEntries: MAX_SCOPES });
    this.#usable = new ExpiringCache(clock, { ttlMs: maxAgeMs, maxEntries: MAX_SCOPES });
  }

  /**
   * However many ask at once, one request is made. A scope's old token serves while there is no answer to be had; once a new one is refused, the
   * old one is used no more.
   */
  async token(scope: string, claims?: string): Promise<Result<AccessToken, Failure>> {
    if (claims !== undefined) return await this.#tokenWith(scope, claims);
    const old = this.#usable.peek(scope);
    const answer = await this.#fresh.get(scope, (endBy) => this.#ask(scope, endBy));
    if (answer.ok || !old) return answer;
    const isLast = this.#usable.peek(scope)?.value === old.value;
    if (!mayPass(answer.error)) {
      if (isLast) this.#usable.forget(scope);
      return answer;
    }
    const nowMs = this.#nowMs();
    if (nowMs >= old.endsAtMs) return answer;
    if (isLast) this.#fresh.keep(scope, old.value, Math.min(old.endsAtMs, nowMs + REFRESH_AGAIN_AFTER_MS));
    return ok(old.value);
  }

  /** One that says what a service demands: asked for in any case, and the scope's from then on. */
  async #tokenWith(scope: string, claims: string): Promise<Result<AccessToken, Failure>> {
    return await this.#fresh.get(`${scope} ${claims}`, async (endBy) => {
      endBy(0);
      let freshEndsAtMs = Infinity;
      const answer = await this.#ask(scope, (atMs) => (freshEndsAtMs = atMs), claims);
      if (answer.ok) this.#fresh.keep(scope, answer.value, freshEndsAtMs);
      return answer;
    });
  }

  /** Its age is counted from before it was asked for: what is withdrawn meanwhile must not be used the longer for it. */
  async #ask(scope: string, endBy: EndBy, claims?: string): Promise<Result<AccessToken, Failure>> {
    const askedAtMs = this.#nowMs();
    const answer = await this.#fetch(scope, claims);
    if (!answer.ok) return answer;
    const { expiresOnTimestamp } = answer.value;
    const leftMs = expiresOnTimestamp - this.#clock.now().getTime();
    const overAtMs = this.#nowMs() + leftMs;
    const dueMs = overAtMs - Math.min(REFRESH_BEFORE_EXPIRY_MS, leftMs / 2);
    const usableEndsAtMs = Math.min(overAtMs - MIN_LEFT_MS, askedAtMs + this.#maxAgeMs);
    this.#usable.keep(scope, answer.value, usableEndsAtMs);
    endBy(Math.min(dueMs, askedAtMs + this.#maxAgeMs / 2, usableEndsAtMs));
    return answer;
  }

  #nowMs(): number {
    return this.#clock.steadyMs();
  }
}

/** The form in which an SDK's pipeline takes tokens. */
export function pipelineCredential(tokens: Pick<TokenCache, 'token'>): TokenCredential {
  return {
    getToken: async (scopes, options) => {
      const scope = typeof scopes === 'string' ? scopes : scopes.join(' ');
      const answer = await tokens.token(scope, options?.claims);
      if (!answer.ok) throw new AccessRefused(answer.error);
      return { token: answer.value.token, expiresOnTimestamp: 0 };
    },
  };
}
