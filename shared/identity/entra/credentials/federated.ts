// Who this app is: its own managed identity, and in each customer's tenant the connector app, which shows Entra a token of
// that identity in place of a secret. One credential for each tenant, so that no token of one can be had through another's.
import {
  ClientAssertionCredential,
  ManagedIdentityCredential,
  type AccessToken,
  type TokenCredential,
} from '@azure/identity';
import { LRUCache } from 'lru-cache';
import { failure } from '../words/failures.ts';
import type { Failure, FailureFacts } from '../../../domain/failure.ts';
import { aadstsOf } from '../answers.ts';
import { NO_SUCH_AUDIENCE } from '../words/app-failures.ts';
import { classifyNoAnswer } from '../no-answer.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { tokenExchangeAudience } from '../token-exchange.ts';
import type { Clock } from '../../../domain/ports.ts';
import { AccessRefused } from '../../../adapters/https/access-refused.ts';
import { boundedHttps } from '../../../adapters/https/bounded-https.ts';
import { Deadline } from '../../../adapters/https/deadline.ts';
import { EntraTraffic } from '../client/entra-traffic.ts';
import { pipelineCredential, TokenCache } from '../../client/token-cache.ts';

interface CredentialsOptions {
  /** Client id of the user-assigned managed identity. */
  readonly identityClientId: string;
  /** Application id of the multitenant connector app. */
  readonly connectorClientId: string;
  readonly authorityHost: string;
  /** Whom the identity's token is made for, to be shown in place of a secret. If not given, that of the authority's cloud. */
  readonly tokenExchangeAudience?: string | undefined;
  /** What a call with a token has as a whole: no token takes longer, whatever it is made of. */
  readonly timeoutMs: number;
  /**
   * For how long a tenant's token may be used: the time within which it is to be felt that the tenant has withdrawn consent or removed the app.
   * Key Vault itself does not see that.
   */
  readonly tenantTokenMaxAgeMs: number;
  readonly clock: Clock;
}

/** AADSTS500011: the resource that a token is asked for is not there. */
const NO_SUCH_RESOURCE = 500011;
const TOO_LATE = 'no token in time';
const MAX_ANSWER_BYTES = 64 * 1024;
/** Some 40 KB each; one that was forgotten costs a token when it is met again. */
const MAX_TENANTS = 500;
/** A token that a vault denies may name a service principal that is gone; how old it must be to be worth another. */
const FORGET_AFTER_MS = 60_000;
/**
 * How much of a call's time a token may take: the identity's first, since Entra waits for it. So who was slow is told before the
 * whole call is too late, and something is left for the call itself.
 */
const OWN_SHARE = 0.5;
const TENANT_SHARE = 0.75;
const NO_RETRIES = { retryOptions: { maxRetries: 0 }, redirectOptions: { maxRetries: 0 } };

interface TenantTokens {
  readonly tokens: TokenCache;
  readonly madeAtMs: number;
}

export class Credentials {
  readonly #options: CredentialsOptions;
  readonly #identity: ManagedIdentityCredential;
  readonly #ownTimeoutMs: number;
  /** Tokens of the app's own identity. */
  readonly own: TokenCache;
  readonly #tenants = new LRUCache<string, TenantTokens>({ max: MAX_TENANTS });

  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.#ownTimeoutMs = options.timeoutMs * OWN_SHARE;
    this.#identity = new ManagedIdentityCredential({
      clientId: options.identityClientId,
      httpClient: boundedHttps({ maxBytes: MAX_ANSWER_BYTES, timeoutMs: this.#ownTimeoutMs }),
      ...NO_RETRIES,
    });
    this.own = new TokenCache((scope) => this.#ownToken(scope), options.clock);
  }

  /** For the clients of our own Table Storage. */
  forTables(): TokenCredential {
    return pipelineCredential(this.own);
  }

  /** For Service Bus, which renews a link's token by the token's true expiry and survives a renewal that fails. */
  forServiceBus(): TokenCredential {
    return {
      getToken: async (scopes) => {
        const answer = await this.own.token(typeof scopes === 'string' ? scopes : scopes.join(' '));
        if (!answer.ok) throw new AccessRefused(answer.error);
        return answer.value;
      },
    };
  }

  /** The connector app's tokens in one customer's tenant. */
  inTenant(tenantId: string): TokenCache {
    const held = this.#tenants.get(tenantId);
    if (held) return held.tokens;
    const tokens = new TokenCache(this.#tenantFetch(tenantId), this.#options.clock, {
      maxAgeMs: this.#options.tenantTokenMaxAgeMs,
    });
    this.#tenants.set(tenantId, { tokens, madeAtMs: this.#nowMs() });
    return tokens;
  }

  /**
   * Lets go of a tenant's token after a vault denied it: an app that was removed and installed again has a new service
   * principal, and the role is assigned to that. Not more than once a minute, so that denials cost no token each.
   */
  forgetTenant(tenantId: string): void {
    const held = this.#tenants.get(tenantId);
    if (held && this.#nowMs() - held.madeAtMs >= FORGET_AFTER_MS) this.#tenants.delete(tenantId);
  }

  /** A new token, whatever is cached: it proves that the app is installed in the tenant now. It serves later calls too. */
  freshToken(tenantId: string, scope: string): Promise<Result<AccessToken, Failure>> {
    this.#tenants.delete(tenantId);
    return this.inTenant(tenantId).token(scope);
  }

  /** What the connector app shows Entra in place of a secret: a token of our identity, for nothing but that. */
  async assertion(): Promise<Result<string, Failure>> {
    const { authorityHost, tokenExchangeAudience: audience = tokenExchangeAudience(authorityHost) } = this.#options;
    const answer = await this.own.token(`${audience}/.default`);
    if (answer.ok) return ok(answer.value.token);
    // The identity endpoint hands on what Entra says of the audience, in the words of its own refusals.
    const { service } = answer.error;
    const isUnknown = aadstsOf(service?.message ?? '') === NO_SUCH_RESOURCE;
    const facts = { appId: this.#options.connectorClientId, detail: NO_SUCH_AUDIENCE };
    return isUnknown ? err(failure('federation-mismatch', facts, service)) : answer;
  }

  /** How a failure of a tenant's token names who is concerned. */
  #facts(tenantId: string): FailureFacts {
    return { tenantId, appId: this.#options.connectorClientId };
  }

  #tenantFetch(tenantId: string): (scope: string, claims?: string) => Promise<Result<AccessToken, Failure>> {
    const traffic = new EntraTraffic({ maxBytes: MAX_ANSWER_BYTES, timeoutMs: this.#options.timeoutMs });
    return async (scope, claims) => {
      const options = { enableCae: true, ...(claims === undefined ? {} : { claims }) };
      try {
        return await new Deadline(this.#options.timeoutMs * TENANT_SHARE).race<Result<AccessToken, Failure>>(
          async () => ok(await this.#tenantCredential(tenantId, traffic).getToken(scope, options)),
          () => err(classifyNoAnswer({ errorCode: 'ETIMEDOUT', message: TOO_LATE }, this.#facts(tenantId))),
        );
      } catch (error) {
        return err(traffic.explain(error, this.#facts(tenantId)));
      }
    };
  }

  /** Made anew for each token: MSAL keeps those that it has got, and would answer an old one for an hour. */
  #tenantCredential(tenantId: string, httpClient: EntraTraffic): ClientAssertionCredential {
    return new ClientAssertionCredential(
      tenantId,
      this.#options.connectorClientId,
      async () => {
        const answer = await this.assertion();
        if (!answer.ok) throw new AccessRefused(answer.error);
        return answer.value;
      },
      {
        authorityHost: this.#options.authorityHost,
        // The authority comes from our settings: MSAL need not check it.
        disableInstanceDiscovery: true,
        httpClient,
        ...NO_RETRIES,
      },
    );
  }

  async #ownToken(scope: string): Promise<Result<AccessToken, Failure>> {
    try {
      return await new Deadline(this.#ownTimeoutMs).race<Result<AccessToken, Failure>>(
        async () => ok(await this.#identity.getToken(scope)),
        () => err(failure('managed-identity-unavailable', {}, { message: TOO_LATE })),
      );
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return err(failure('managed-identity-unavailable', {}, { message }));
    }
  }

  #nowMs(): number {
    return this.#options.clock.now().getTime();
  }
}
