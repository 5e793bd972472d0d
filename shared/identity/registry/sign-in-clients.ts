// The clients of the services at which people sign in, as the settings have them.
import type { Failure } from '../../domain/failure.ts';
import type { Clock } from '../../domain/ports.ts';
import type { Result } from '../../domain/result.ts';
import { OpenIdClient } from '../client/open-id-client.ts';
import { MicrosoftSignIn } from '../entra/client/microsoft-sign-in.ts';
import { GoogleSignIn, type GoogleOptions } from '../google/client/google-sign-in.ts';
import type { SignInClients } from './tenant-kinds.ts';

interface SignInOptions {
  readonly authorityHost: string;
  readonly connectorClientId: string;
  /** What the connector app shows Entra in place of a secret. */
  readonly credentials: { assertion(): Promise<Result<string, Failure>> };
  readonly googleClient: GoogleOptions['client'];
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const MAX_ANSWER_BYTES = 64 * 1024;

export function createSignInClients(options: SignInOptions): SignInClients {
  const { authorityHost, connectorClientId, credentials, googleClient, timeoutMs, clock } = options;
  const limits = { maxBytes: MAX_ANSWER_BYTES, timeoutMs };
  const openId = new OpenIdClient(clock);
  const assertion = (): Promise<Result<string, Failure>> => credentials.assertion();
  return {
    microsoft: new MicrosoftSignIn({ authorityHost, connectorClientId, assertion, limits }, openId),
    google: new GoogleSignIn({ client: googleClient, limits }, openId),
  };
}
