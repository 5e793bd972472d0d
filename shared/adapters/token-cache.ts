// One credential's access tokens, kept until shortly before they expire. The SDKs keep tokens too, and are not trusted with
// it: two minutes before expiry they refresh one in the background, in a promise that nobody awaits, and when a customer has
// withdrawn consent that rejection ends the process. So they get tokens that look expired, and ask here every time.
import type { AccessToken, TokenCredential } from '@azure/identity';
import type { Failure } from '../domain/failure.ts';
import { ok, type Result } from '../domain/result.ts';
import type { Clock } from '../operations/ports.ts';
import { AccessRefused } from './access-refused.ts';

/** Asks for a new token. `claims` are what a service's challenge demands to be in it. */
export type FetchToken = (scope: string, claims?: string) => Promise<Result<AccessToken, Failure>>;

const REFRESH_BEFORE_EXPIRY_MS = 5 * 60_000;
/** A refresh that failed is not tried again at once while the old token lasts. */
const REFRESH_AGAIN_AFTER_MS = 30_000;
const MIN_LEFT_MS = 5_000;

interface Held {
  readonly token: AccessToken;
  refreshFromMs: number;
}

export class TokenCache {
  readonly #fetch: FetchToken;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  readonly #asking = new Map<string, Promise<Result<AccessToken, Failure>>>();

  constructor(fetch: FetchToken, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** However many ask at once, one request is made. A scope's old token serves while a new one cannot be had. */
  async token(scope: string, claims?: string): Promise<Result<AccessToken, Failure>> {
    const nowMs = this.#clock.now().getTime();
    const held = claims === undefined ? this.#held.get(scope) : undefined;
    if (held && nowMs < held.refreshFromMs) return ok(held.token);
    const asked = `${scope} ${claims ?? ''}`;
    const asking = this.#asking.get(asked) ?? this.#ask(scope, claims).finally(() => this.#asking.delete(asked));
    this.#asking.set(asked, asking);
    const answer = await asking;
    if (answer.ok || !held || held.token.expiresOnTimestamp - nowMs < MIN_LEFT_MS) return answer;
    held.refreshFromMs = nowMs + REFRESH_AGAIN_AFTER_MS;
    return ok(held.token);
  }

  async #ask(scope: string, claims: string | undefined): Promise<Result<AccessToken, Failure>> {
    const answer = await this.#fetch(scope, claims);
    if (!answer.ok) return answer;
    const { expiresOnTimestamp } = answer.value;
    const leftMs = expiresOnTimestamp - this.#clock.now().getTime();
    const refreshFromMs = expiresOnTimestamp - Math.min(REFRESH_BEFORE_EXPIRY_MS, leftMs / 2);
    this.#held.set(scope, { token: answer.value, refreshFromMs });
    return answer;
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
