// The kinds of tenants that can be found in a company's data: one line each.
import { consentAtMicrosoft, MICROSOFT_365, signInAtMicrosoft, type MicrosoftClient } from '../entra/tenant-kind.ts';
import type { GooglePerson } from '../google/admin.ts';
import { GOOGLE_WORKSPACE, signInAtGoogle } from '../google/tenant-kind.ts';
import type { SignInClient, SignIns, TenantKind, TenantSignIn } from '../identity.ts';

/** The clients of the services at which people sign in. */
export interface SignInClients {
  readonly microsoft: MicrosoftClient;
  readonly google: SignInClient<GooglePerson>;
}

const KINDS: readonly (readonly [TenantKind, (clients: SignInClients) => TenantSignIn])[] = [
  [MICROSOFT_365, ({ microsoft }) => signInAtMicrosoft(microsoft)],
  [GOOGLE_WORKSPACE, ({ google }) => signInAtGoogle(google)],
];

export const TENANT_KINDS: readonly TenantKind[] = KINDS.map(([kind]) => kind);
export const TENANT_KIND_NAMES: readonly string[] = TENANT_KINDS.map(({ name }) => name);

/** The kind whose tenants own key vaults: an administrator of the owner consents to the use of a key. */
export const OWNER_OF_VAULTS = MICROSOFT_365;
/** What such a consent takes. */
export { lackOfClaimedKey, lackOfConsent, lackOfRecentConsent } from '../entra/consent.ts';
export { expiryOf } from '../entra/client-secret.ts';
export { isClaimedByTest, isHostedByVendor, takesConsent } from '../entra/credential-kinds.ts';

/** Throws for a kind that is not registered: it is in no row of ours. */
export const tenantKind = (name: string): TenantKind => registered(name)[0];

export const signInsOver = (clients: SignInClients): SignIns => ({
  of: (name) => registered(name)[1](clients),
  consent: consentAtMicrosoft(clients.microsoft),
});

function registered(name: string): (typeof KINDS)[number] {
  const found = KINDS.find(([kind]) => kind.name === name);
  if (!found) throw new Error('a kind of tenants that is not registered');
  return found;
}
