// One way in which this app proves to a customer's directory who it is. A kind is a file of this folder and a line in credentials.ts.
import type { Failure } from '../../../domain/failure.ts';
import type { Credential } from '../../../domain/provider.ts';
import type { Result } from '../../../domain/result.ts';
import type { AppInTenant, ClientSecret } from '../../../domain/client-secret.ts';
import type { FetchToken, TokenCache } from '../../client/token-cache.ts';

export interface CredentialKind {
  /** As connections name it. */
  readonly kind: string;
  /** Whether a tenant lets it in, and may withdraw that: its tokens are then used for a bounded time, and a denial is worth a new one. */
  readonly isLetInByTenant: boolean;
  /** How tokens of one tenant are asked for. What is refused is a failure with this kind's facts: nothing throws. */
  tokensIn(tenantId: string, credential: Credential): FetchToken;
}

export type OpenSecret = (secret: ClientSecret, of: AppInTenant) => Promise<Result<string, Failure>>;

/** What kinds are made of. */
export interface CredentialParts {
  /** The app's own: its tokens as they are kept, and one asked for anew. */
  readonly identity: { readonly tokens: Pick<TokenCache, 'token'>; readonly ask: FetchToken };
  /** Application id of the multitenant connector app. */
  readonly connectorClientId: string;
  /** To whose vaults alone the app's own tokens go. */
  readonly vendorTenantId: string;
  readonly authorityHost: string;
  /** Whom the identity's token is made for, to be shown in place of a secret. If not given, that of the authority's cloud. */
  readonly tokenExchangeAudience?: string | undefined;
  /** A stored client secret in clear: the vendor's own key opens it. */
  readonly openSecret: OpenSecret;
  /** What a call with a token has as a whole: no token takes longer, whatever it is made of. */
  readonly timeoutMs: number;
}

export const MAX_ANSWER_BYTES = 64 * 1024;
export const TOO_LATE = 'no token in time';
export const NO_RETRIES = { retryOptions: { maxRetries: 0 }, redirectOptions: { maxRetries: 0 } };
/**
 * How much of a call's time a token may take: the identity's first, since Entra waits for it. So who was slow is told before the
 * whole call is too late, and something is left for the call itself.
 */
export const OWN_SHARE = 0.5;
export const TENANT_SHARE = 0.75;
