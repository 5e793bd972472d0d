// Every place where a key-encryption key can live, a line each. Pure: who calls one of them is wired where the world is made.
import { azureKeyVault } from './azure-key-vault/azure-key-vault.ts';
import { managed } from './managed/managed.ts';

export const PROVIDERS = [managed, azureKeyVault] as const;

/** What new keyrings are protected by. */
export const VENDORS_REF = { provider: managed.name } as const;
