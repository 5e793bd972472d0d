// This process as one that runs in Azure: from now on it meets the embedded run under the real names, with the vendor's managed
// identity, so that the real SDKs can be used. Once per process; the redirect cannot be taken back.
import { ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import type { Environment } from '../environment.ts';
import { MANAGED_IDENTITY_CLIENT_ID } from '../identities.ts';
import { installRedirect } from '../redirect/install-redirect.ts';

export function enterAzure({ redirect, settings }: Pick<Environment, 'redirect' | 'settings'>): TokenCredential {
  for (const name of ['IDENTITY_ENDPOINT', 'IDENTITY_HEADER']) process.env[name] = settings[name];
  installRedirect(redirect);
  return new ManagedIdentityCredential({ clientId: MANAGED_IDENTITY_CLIENT_ID });
}
