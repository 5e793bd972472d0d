// A client assertion shown in place of a secret: is it genuine, in its lifetime, and does a federated credential of the
// app name its issuer, subject and audience? Decides only; issuers other than this run's own tenants are unknown.
import { issuerV2 } from '../identities.ts';
import * as aadsts from './aadsts.ts';
import type { Directory } from './directory.ts';
import { parseToken, type ParsedToken } from './jwt.ts';
import type { AppRegistration } from './model.ts';
import type { TokenSigner } from './token-signer.ts';

/** Azure allows for clocks that differ by this much. */
const CLOCK_SKEW_SECONDS = 300;

interface Assertion {
  readonly token: ParsedToken;
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  readonly notBefore: number;
  readonly expires: number;
}

/** Why the assertion is refused, or undefined when it stands for the app. */
export function refuseAssertion(options: {
  readonly text: string;
  readonly app: AppRegistration;
  readonly directory: Directory;
  readonly signer: TokenSigner;
  readonly nowMs: number;
}): aadsts.EntraError | undefined {
  const { app, nowMs } = options;
  const assertion = parse(options.text);
  if (!assertion) return aadsts.assertionMalformed();
  if (app.federatedCredentials.size === 0) return aadsts.federationNone(app.appId, app.displayName);
  const { issuer, subject, audience } = assertion;
  const all = [...app.federatedCredentials.values()];
  const credentials = all.filter((credential) => credential.effectiveAtMs <= nowMs);
  if (credentials.length === 0) return aadsts.federationNotSpread(issuer, subject, audience);

  const sameIssuer = credentials.filter((credential) => credential.issuer === issuer);
  if (sameIssuer.length === 0) return aadsts.federationMismatch('issuer', issuer);
  const forged = refuseSignature(assertion, options) ?? refuseLifetime(assertion, nowMs);
  if (forged) return forged;
  const sameSubject = sameIssuer.filter((credential) => credential.subject === subject);
  if (sameSubject.length === 0) {
    const alike = sameIssuer.some((credential) => credential.subject.toLowerCase() === subject.toLowerCase());
    return alike ? aadsts.federationSubjectCase(subject) : aadsts.federationMismatch('subject', subject);
  }
  const matches = sameSubject.some((credential) => credential.audience === audience);
  return matches ? undefined : aadsts.federationMismatch('audience', audience);
}

function refuseSignature(
  { token, issuer }: Assertion,
  { directory, signer }: { readonly directory: Directory; readonly signer: TokenSigner },
): aadsts.EntraError | undefined {
  const [, tenantId = ''] = /^https:\/\/login\.microsoftonline\.com\/([^/]+)\/v2\.0$/.exec(issuer) ?? [];
  const tenant = directory.findTenant(tenantId);
  const key = tenant && issuerV2(tenant.tenantId) === issuer ? signer.publicKey(token.kid) : undefined;
  if (!key) return aadsts.assertionSignature('The key was not found.', token.kid);
  if (token.isSignedBy(key)) return undefined;
  return aadsts.assertionSignature(
    'The provided signature value did not match the expected signature value.',
    token.kid,
  );
}

function refuseLifetime({ notBefore, expires }: Assertion, nowMs: number): aadsts.EntraError | undefined {
  const now = nowMs / 1000;
  const valid = now >= notBefore - CLOCK_SKEW_SECONDS && now <= expires + CLOCK_SKEW_SECONDS;
  return valid ? undefined : aadsts.assertionLifetime(nowMs, notBefore, expires);
}

function parse(text: string): Assertion | undefined {
  const token = parseToken(text);
  if (!token) return undefined;
  const { iss, sub, aud, nbf, exp } = token.claims;
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof aud !== 'string') return undefined;
  if (typeof exp !== 'number') return undefined;
  const notBefore = typeof nbf === 'number' ? nbf : 0;
  return { token, issuer: iss, subject: sub, audience: aud, notBefore, expires: exp };
}
