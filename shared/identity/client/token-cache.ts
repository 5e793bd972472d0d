// One credential's access tokens, kept until shortly before they expire, or for as long as they may be used. The SDKs keep tokens too, and are not trusted with
// it: two minutes before expiry they refresh one in the background, in a promise that no code awaits, and when a customer has
// withdrawn consent that rejection ends the process. So they get tokens that look expired, and ask here every time.
import type { AccessToken, TokenCredential } from '@azure/identity';
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

interface Held {
  readonly token: AccessToken;
  /** Never after this, whatever the token itself says. */
  readonly usableUntilMs: number;
  refreshFromMs: number;
}

export class TokenCache {
  readonly #fetch: FetchToken;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #held = new Map<string, Held>();
  readonly #asking = new Map<string, Promise<Result<AccessToken, Failure>>>();

  /** `maxAgeMs`: no token is used longer than that after it was asked for, though it may be good for hours. */
  constructor(fetch: FetchToken, clock: Clock, { maxAgeMs = Infinity }: { readonly maxAgeMs?: number } = {}) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
  }

  /**
   * However many ask at once, one request is made. A scope's old token serves while there is no answer to be had; once a new one is refused, the
   * old one is used no more.
   */
  async token(scope: string, claims?: string): Promise<Result<AccessToken, Failure>> {
    const held = claims === undefined ? this.#held.get(scope) : undefined;
    if (held && this.#nowMs() < Math.min(held.refreshFromMs, held.usableUntilMs)) return ok(held.token);
    const asked = `${scope} ${claims ?? ''}`;
    const asking = this.#asking.get(asked) ?? this.#ask(scope, claims).finally(() => this.#asking.delete(asked));
    this.#asking.set(asked, asking);
    const answer = await asking;
    if (answer.ok || !held) return answer;
    const nowMs = this.#nowMs();
    if (!mayPass(answer.error) || nowMs >= held.usableUntilMs) {
      if (this.#held.get(scope) === held) this.#held.delete(scope);
      return answer;
    }
    held.refreshFromMs = nowMs + REFRESH_AGAIN_AFTER_MS;
    return ok(held.token);
  }

  /** Its age is counted from before it was asked for: what is withdrawn meanwhile must not be used the longer for it. */
  async #ask(scope: string, claims: string | undefined): Promise<Result<AccessToken, Failure>> {
    const askedAtMs = this.#nowMs();
    const answer = await this.#fetch(scope, claims);
    if (!answer.ok) return answer;
    const { expiresOnTimestamp } = answer.value;
    const leftMs = expiresOnTimestamp - this.#nowMs();
    const dueMs = expiresOnTimestamp - Math.min(REFRESH_BEFORE_EXPIRY_MS, leftMs / 2);
    this.#held.set(scope, {
      token: answer.value,
      usableUntilMs: Math.min(expiresOnTimestamp - MIN_LEFT_MS, askedAtMs + this.#maxAgeMs),
      refreshFromMs: Math.min(dueMs, askedAtMs + this.#maxAgeMs / 2),
    });
    return answer;
  }

  #nowMs(): number {
    return this.#clock.now().getTime();
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
