// People who sign in to vouch for their tenants: at Microsoft or at Google. Puts the two together behind one port.
import type { Failure } from '../domain/failure.ts';
import type { Result } from '../domain/result.ts';
import type { Clock } from '../domain/ports.ts';
import type { SignIns } from './identity.ts';
import { GoogleSignIn, type GoogleOptions } from './google/client/google-sign-in.ts';
import { MicrosoftSignIn } from './entra/client/microsoft-sign-in.ts';
import { OpenIdClient } from './client/open-id-client.ts';

interface SignInsOptions {
  readonly authorityHost: string;
  readonly connectorClientId: string;
  /** What the connector app shows Entra in place of a secret. */
  readonly credentials: { assertion(): Promise<Result<string, Failure>> };
  readonly googleClient: GoogleOptions['client'];
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const MAX_ANSWER_BYTES = 64 * 1024;

export function createSignIns(options: SignInsOptions): SignIns {
  const { authorityHost, connectorClientId, credentials, googleClient, timeoutMs, clock } = options;
  const limits = { maxBytes: MAX_ANSWER_BYTES, timeoutMs };
  const openId = new OpenIdClient(clock);
  const assertion = (): Promise<Result<string, Failure>> => credentials.assertion();
  const microsoft = new MicrosoftSignIn({ authorityHost, connectorClientId, assertion, limits }, openId);
  const google = new GoogleSignIn({ client: googleClient, limits }, openId);
  return {
    adminConsentUrl: (request) => microsoft.adminConsentUrl(request),
    microsoftUrl: (request) => microsoft.url(request),
    redeemMicrosoft: (callback) => microsoft.redeem(callback),
    googleUrl: (request) => google.url(request),
    redeemGoogle: (callback) => google.redeem(callback),
  };
}
