// Callers' bearer tokens, checked with jose: signature (RS256 only), issuer, audience, lifetime and, for Entra, tenant and
// version; that it is an access token at all. Says who the token was issued to; decides nothing about what they may do.
import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  jwtVerify,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { err, ok, type Result } from '../../domain/result.ts';
import type { TokenProblem, TokenVerifier, VerifiedToken } from '../identity.ts';

export interface TokenIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUri: string;
}

export interface TokenVerifierOptions {
  /** `https://login.microsoftonline.com`, without a trailing slash; sovereign clouds have others. */
  readonly authorityHost: string;
  /** The tenant of the API's app registration, which is single-tenant. */
  readonly tenantId: string;
  readonly audience: string;
  /** Any other OpenID provider whose access tokens are taken too. */
  readonly secondIssuer?: TokenIssuer;
  /** Where Entra's keys are; only tests name another place. */
  readonly jwksUri?: string;
  readonly now?: () => Date;
}

interface Trusted extends TokenIssuer {
  readonly keys: JWTVerifyGetKey;
  /** Never throws. */
  readonly fetchKeys: () => Promise<void>;
  /** One fixed text if the claims are not those of an access token of this issuer. */
  readonly refuse: (claims: JWTPayload, type: string | undefined) => string | undefined;
  readonly subjectOf: (claims: JWTPayload) => string | undefined;
}

/** Clocks differ a little between Entra and here. */
const LEEWAY_SECONDS = 60;
/** From looking the name up to the last byte. */
const JWKS_TIMEOUT_MS = 5_000;
/** Entra's have some 15 KiB. */
const MAX_JWKS_BYTES = 512 * 1024;
/** An unknown `kid` makes us ask for the keys again at most this often, however many such tokens are sent. */
const JWKS_COOLDOWN_MS = 30_000;
/** From then on we ask for them again, and no caller waits for the answer. */
const JWKS_REFRESH_MS = 600_000;
/** So long they serve while their issuer does not answer. */
const JWKS_MAX_AGE_MS = 3_600_000;

/** `fetchKeys`: asks every issuer for its keys, so that the first caller need not wait for them. A failure is met again by who needs them. */
export function createTokenVerifier(
  options: TokenVerifierOptions,
): TokenVerifier & { readonly fetchKeys: () => Promise<void> } {
  const authority = options.authorityHost.replace(/\/+$/, '');
  const entra = trusted(
    {
      issuer: `${authority}/${options.tenantId}/v2.0`,
      audience: options.audience,
      jwksUri: options.jwksUri ?? `${authority}/${options.tenantId}/discovery/v2.0/keys`,
    },
    {
      refuse: (claims) => refuseEntraClaims(claims, options.tenantId),
      subjectOf: ({ oid }) => (typeof oid === 'string' ? `entra:${oid}` : undefined),
    },
  );
  const second =
    options.secondIssuer && trusted(options.secondIssuer, { refuse: refuseForeignClaims, subjectOf: foreignSubject });
  const issuers = second ? [entra, second] : [entra];
  return {
    fetchKeys: async () => {
      await Promise.all(issuers.map((each) => each.fetchKeys()));
    },
    verify: async (token) => {
      const issuer = issuers.find((candidate) => candidate.issuer === claimedIssuer(token));
      return issuer ? verify(token, issuer, options.now?.()) : refused('it is not from an issuer that is trusted here');
    },
  };
}

function trusted(issuer: TokenIssuer, rules: Pick<Trusted, 'refuse' | 'subjectOf'>): Trusted {
  const keySet = createRemoteJWKSet(new URL(issuer.jwksUri), {
    [customFetch]: boundedFetch,
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    cacheMaxAge: JWKS_MAX_AGE_MS,
  });
  let againAtMs = 0;
  const fetchKeys = async (): Promise<void> => {
    const nowMs = Date.now();
    againAtMs = nowMs + JWKS_REFRESH_MS;
    try {
      await keySet.reload();
    } catch {
      // A caller for whom there are no keys yet asks again, and is told.
      againAtMs = nowMs + JWKS_COOLDOWN_MS;
    }
  };
  const keys: JWTVerifyGetKey = (header, token) => {
    if (Date.now() >= againAtMs) void fetchKeys();
    return keySet(header, token);
  };
  return { ...issuer, ...rules, keys, fetchKeys };
}

/** jose's own reads a body however long it is. */
const boundedFetch: FetchImplementation = async (url, options) => {
  const response = await fetch(url, options);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_JWKS_BYTES) throw new Error('the key set is too long');
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: response.status });
};

/** Not verified yet: it only says whose keys to verify with. */
function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

async function verify(
  token: string,
  issuer: Trusted,
  currentDate: Date | undefined,
): Promise<Result<VerifiedToken, TokenProblem>> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, issuer.keys, {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: ['RS256'],
      clockTolerance: LEEWAY_SECONDS,
      requiredClaims: ['exp', 'iat', 'sub'],
      ...(currentDate ? { currentDate } : {}),
    });
    const reason = issuer.refuse(payload, protectedHeader.typ);
    const subject = issuer.subjectOf(payload);
    if (reason !== undefined) return refused(reason);
    return subject === undefined ? refused('it does not say who it was issued to') : ok({ subject, claims: payload });
  } catch (thrown) {
    return problemOf(thrown);
  }
}

/**
 * Entra v2.0 access tokens and ID tokens of one app have the same issuer, audience, version and even `roles`. What sets them
 * apart: an access token says which app asked for it (`azp`, `azpacr`) and either carries delegated scopes (`scp`) or is the
 * app's own (`sub` is its `oid`); an ID token never has `azp` or `scp`, its `sub` is pairwise, and it binds itself to a
 * sign-in by `nonce`, `at_hash` or `c_hash`. (Microsoft identity platform, access-token and ID-token claims references.)
 */
function refuseEntraClaims(claims: JWTPayload, tenantId: string): string | undefined {
  if (claims['ver'] !== '2.0') return 'it is not a version 2.0 token';
  if (claims['tid'] !== tenantId) return 'it is from another tenant';
  if (bindsToSignIn(claims) || typeof claims['azp'] !== 'string') return 'it is an ID token; send an access token';
  if (typeof claims['scp'] !== 'string' && claims.sub !== claims['oid'])
    return 'it is an ID token; send an access token';
  return undefined;
}

/** Of other issuers we know less: RFC 9068's type, or a claim that only access tokens carry, must be there. */
function refuseForeignClaims(claims: JWTPayload, type: string | undefined): string | undefined {
  const isTyped = type?.toLowerCase().replace(/^application\//, '') === 'at+jwt';
  const looksIt = ['client_id', 'scope', 'scp'].some((name) => claims[name] !== undefined);
  return bindsToSignIn(claims) || !(isTyped || looksIt) ? 'it is an ID token; send an access token' : undefined;
}

const foreignSubject = ({ iss, sub }: JWTPayload): string | undefined =>
  iss === undefined || sub === undefined || sub === '' ? undefined : `${iss}#${sub}`;

const bindsToSignIn = (claims: JWTPayload): boolean =>
  ['nonce', 'at_hash', 'c_hash'].some((name) => claims[name] !== undefined);

const refused = (reason: string): Result<never, TokenProblem> => err({ type: 'invalid', reason });

/** jose's own messages are not repeated: some name claims' values. */
function problemOf(thrown: unknown): Result<never, TokenProblem> {
  if (thrown instanceof errors.JWTExpired) return refused('it has expired');
  if (thrown instanceof errors.JWTClaimValidationFailed) return refused(`its claim ${thrown.claim} is not acceptable`);
  if (thrown instanceof errors.JOSEAlgNotAllowed) return refused('it is not signed with RS256');
  if (
    thrown instanceof errors.JWSInvalid ||
    thrown instanceof errors.JWTInvalid ||
    thrown instanceof errors.JOSENotSupported
  ) {
    return refused('it is malformed');
  }
  if (thrown instanceof errors.JWSSignatureVerificationFailed || thrown instanceof errors.JWKSNoMatchingKey) {
    return refused('its signature does not verify');
  }
  if (thrown instanceof errors.JWKSMultipleMatchingKeys) return refused('it does not say which key signed it');
  // What is left is the key set itself: not reached, not in time, not a key set.
  return err({ type: 'unavailable' });
}
