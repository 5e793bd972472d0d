// Starts Entra, Google, a Key Vault and the managed identity for a test file and makes the process meet them under their real names.
// Once per file: the redirect cannot be taken back, and vitest gives every file a process of its own.
import { startEntra, type EntraEmulator } from '../../local/entra/entra.ts';
import { startGoogle, type GoogleEmulator } from '../../local/google/google.ts';
import { ENTRA_HOSTS, GOOGLE_HOSTS } from '../../local/identities.ts';
import { startManagedIdentity, type ManagedIdentityEmulator } from '../../local/managed-identity/managed-identity.ts';
import { installRedirect } from '../../local/redirect/install-redirect.ts';
import { startKeyVault, type KeyVaultEmulator } from '../../local/key-vault/key-vault.ts';
import { createCertificateAuthority } from '../../local/tls/certificates.ts';

export interface LocalAzure {
  readonly entra: EntraEmulator;
  readonly google: GoogleEmulator;
  readonly managedIdentity: ManagedIdentityEmulator;
  readonly keyVault: KeyVaultEmulator;
  close(): Promise<void>;
}

export async function startLocalAzure(): Promise<LocalAzure> {
  const authority = await createCertificateAuthority();
  const entra = await startEntra({ tls: await authority.issue(ENTRA_HOSTS) });
  const google = await startGoogle({ tls: await authority.issue(GOOGLE_HOSTS) });
  const managedIdentity = await startManagedIdentity({ signer: entra.signer });
  const tls = await authority.issue(['*.vault.azure.net']);
  const keyVault = await startKeyVault({ tls, tokenKeys: () => entra.signer.jwks });
  Object.assign(process.env, managedIdentity.environment);
  installRedirect({
    caPem: authority.caPem,
    hosts: [
      ...ENTRA_HOSTS.map((name) => ({ name, ports: { '443': entra.port } })),
      ...GOOGLE_HOSTS.map((name) => ({ name, ports: { '443': google.port } })),
      { name: '*.vault.azure.net', ports: { '443': keyVault.port }, existsUrl: `${keyVault.controlUrl}/dns/` },
    ],
  });
  return {
    entra,
    google,
    managedIdentity,
    keyVault,
    close: async () => {
      await Promise.all([entra.close(), google.close(), managedIdentity.close(), keyVault.close()]);
    },
  };
}

/** Calls an emulator's control API as a script would. */
export async function control<T>(url: string, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer as T;
}
