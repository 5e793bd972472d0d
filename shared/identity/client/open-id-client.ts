// Signing a person in by OpenID Connect, the same for Microsoft and Google: discovery, authorization code, PKCE, nonce, and
// an ID token whose signature is always verified. openid-client does the protocol; it is loaded by the first sign-in, so that
// nothing else pays for it. Keeps metadata for some minutes, and no token, code or person.
import { createHttpHeaders, createPipelineRequest, type HttpClient } from '@azure/core-rest-pipeline';
import { LRUCache } from 'lru-cache';
import type { ClientAuth, CustomFetch, IDToken, ServerMetadata } from 'openid-client';
import { failure } from '../failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { callbackErrorOf, stateOf, type SignInError } from '../oauth-answer.ts';
import type { Clock } from '../../domain/ports.ts';
import type { SignInCallback, SignInRequest } from '../identity.ts';
import { idTokenFault } from './id-token-fault.ts';

/** One service for the length of one call. */
export interface OpenIdService {
  readonly issuer: string;
  readonly clientId: string;
  /** Of this call alone: `explain` looks at what it heard last. */
  readonly http: HttpClient;
  readonly authenticate: () => Promise<Result<ClientAuth, Failure>>;
  /** An error in the redirect back. */
  readonly refused: (told: SignInError) => Failure;
  readonly explain: (error: unknown) => Failure;
}

/** What a code was worth. The access token is for the caller's next request, and then gone. */
interface Redeemed {
  readonly claims: IDToken;
  readonly accessToken: string;
  /** As granted; absent where the service does not say. */
  readonly scope?: string;
  /** OpenID Connect's `auth_time`, where the service tells it. */
  readonly authenticatedAt?: Date;
}

/** How far the clocks of Microsoft, Google and this app may be apart. */
const CLOCK_TOLERANCE_SECONDS = 60;
const MAX_ISSUERS = 1_000;
const METADATA_MAX_AGE_MS = 600_000;
const ALGORITHM = 'RS256';

const library = (): Promise<typeof import('openid-client')> => import('openid-client');

export class OpenIdClient {
  readonly #clock: Clock;
  readonly #metadata = new LRUCache<string, ServerMetadata>({ max: MAX_ISSUERS, ttl: METADATA_MAX_AGE_MS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Where to send the browser. */
  async authorizationUrl(
    service: OpenIdService,
    { redirectUri, state, nonce, codeVerifier }: SignInRequest,
    parameters: Readonly<Record<string, string>>,
  ): Promise<Result<string, Failure>> {
    try {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge, Configuration } = await library();
      const config = new Configuration(await this.#discover(service), service.clientId);
      const url = buildAuthorizationUrl(config, {
        response_type: 'code',
        redirect_uri: redirectUri,
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...parameters,
      });
      return ok(url.href);
    } catch (error) {
      return err(service.explain(error));
    }
  }

  /** Redeems the code of a redirect back. */
  async redeem(service: OpenIdService, callback: SignInCallback): Promise<Result<Redeemed, Failure>> {
    if (stateOf(callback.query) !== callback.state) return err(failure('sign-in-unknown'));
    const told = callbackErrorOf(callback.query);
    if (told) return err(service.refused(told));
    const [code, ...more] = new URLSearchParams(callback.query).getAll('code');
    if (code === undefined || code === '' || more.length > 0) return err(failure('sign-in-unknown'));
    const authentication = await service.authenticate();
    if (!authentication.ok) return authentication;
    try {
      return await this.#exchange(service, callback, authentication.value);
    } catch (error) {
      const fault = idTokenFault(error);
      return err(fault === undefined ? service.explain(error) : failure(fault, {}, { message: wordsOf(error) }));
    }
  }

  async #exchange(
    service: OpenIdService,
    { query, redirectUri, state, nonce, codeVerifier }: SignInCallback,
    authentication: ClientAuth,
  ): Promise<Result<Redeemed, Failure>> {
    const openid = await library();
    const client = {
      id_token_signed_response_alg: ALGORITHM,
      [openid.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
    };
    // A configuration of its own: the issuer's keys are asked for anew, so one that was withdrawn is not trusted for long.
    const config = new openid.Configuration(await this.#discover(service), service.clientId, client, authentication);
    config[openid.customFetch] = fetchThrough(service.http);
    openid.enableNonRepudiationChecks(config);
    const address = new URL(redirectUri);
    address.search = query;
    const tokens = await openid.authorizationCodeGrant(config, address, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: codeVerifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) return err(failure('id-token-invalid'));
    // Its own check of times does not look at these.
    const { auth_time: authTime } = claims;
    if (!(authTime === undefined || Number.isFinite(authTime))) return err(failure('id-token-invalid'));
    const latestSeconds = this.#clock.now().getTime() / 1000 + CLOCK_TOLERANCE_SECONDS;
    if (claims.iat > latestSeconds || (authTime ?? 0) > latestSeconds) return err(failure('id-token-from-future'));
    const { access_token: accessToken, scope } = tokens;
    return ok({
      claims,
      accessToken,
      ...(scope === undefined ? {} : { scope }),
      ...(authTime === undefined ? {} : { authenticatedAt: new Date(authTime * 1000) }),
    });
  }

  async #discover({ issuer, clientId, http }: OpenIdService): Promise<ServerMetadata> {
    const held = this.#metadata.get(issuer);
    if (held) return held;
    const openid = await library();
    const options = { [openid.customFetch]: fetchThrough(http) };
    const found = await openid.discovery(new URL(issuer), clientId, undefined, undefined, options);
    const metadata = found.serverMetadata();
    // openid-client lets Microsoft's shared authorities name any issuer, and would then believe a token's own `tid`.
    if (metadata.issuer !== issuer) throw new Error('the metadata names another issuer');
    this.#metadata.set(issuer, metadata);
    return metadata;
  }
}

/** openid-client's requests within our limits: no redirect is followed, and an answer has a size and a time. */
function fetchThrough(http: HttpClient): CustomFetch {
  return async (url, { method, headers, body }) => {
    const request = createPipelineRequest({ url, method: method === 'POST' ? 'POST' : 'GET' });
    request.headers = createHttpHeaders(headers);
    if (body instanceof URLSearchParams) request.body = body.toString();
    else if (body !== undefined && body !== null) throw new Error('a body that is no form');
    const answer = await http.sendRequest(request);
    const isEmpty = answer.bodyAsText === null || answer.bodyAsText === undefined || answer.bodyAsText === '';
    return new Response(isEmpty ? null : answer.bodyAsText, {
      status: answer.status,
      headers: answer.headers.toJSON(),
    });
  };
}

/** Of openid-client's own: fixed texts that name claims, never their values. */
const wordsOf = (error: unknown): string =>
  error instanceof Error
    ? [error.message, ...(error.cause instanceof Error ? [error.cause.message] : [])].join(': ')
    : '';
