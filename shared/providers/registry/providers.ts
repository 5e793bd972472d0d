// Every place where a key-encryption key can live, a line each. Pure: who calls one of them is wired where the world is made.
import type { KeyTarget } from '../../domain/provider.ts';
import { AZURE_KEY_VAULT, azureKeyVault, type AzureKeyVaultWorld } from '../azure-key-vault/azure-key-vault.ts';
import { CLIENT_SECRET } from '../azure-key-vault/input/client-secret.ts';
import { KEY_NAME } from '../azure-key-vault/input/key-name.ts';
import { vaultUriPattern } from '../azure-key-vault/input/vault-host.ts';
import { MANAGED, managed } from '../managed/managed.ts';
import { Providers, type KeyProvider } from '../provider.ts';

/** What providers are made of: the clients and the policy of each. */
export type ProviderWorld = AzureKeyVaultWorld;

interface Registered {
  readonly name: string;
  readonly isVendors: boolean;
  readonly make: (world: ProviderWorld) => KeyProvider;
}

export const PROVIDERS: readonly [Registered, ...Registered[]] = [
  { name: MANAGED, isVendors: true, make: (world) => managed(azureKeyVault(world)) },
  { name: AZURE_KEY_VAULT, isVendors: false, make: azureKeyVault },
];

/** The forms of what is typed of a connection, as the API describes them. What has another is judged by the provider, with words of its own. */
export const TYPED_FORMS = { keyName: KEY_NAME, vaultUri: vaultUriPattern, clientSecret: CLIENT_SECRET } as const;

/** How rows name the vendor's own key. */
export const VENDORS_REF = { provider: MANAGED } as const;

/** `vendor`: the key that the settings name. `others`: of a registry that knows more. */
export const createProviders = (
  world: ProviderWorld,
  vendor: KeyTarget,
  others: readonly KeyProvider[] = [],
): Providers => new Providers([...PROVIDERS.map(({ make }) => make(world)), ...others], vendor);
