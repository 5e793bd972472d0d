// Every failure that is met on the way to a key in Azure Key Vault: its codes, and what makes them.
import { catalogue } from '../../../domain/failure-catalogue.ts';
import { STORE_FAILURES } from '../../../domain/failures.ts';
import { ENTRA_FAILURES } from '../../../identity/entra/words/failures.ts';
import { withHostedVault } from './hosted-vault.ts';
import { withOwnVault } from './own-vault.ts';
import { VAULT_ACCESS_FAILURES } from './vault-access-failures.ts';
import { VAULT_DELETED_FAILURES } from './vault-deleted-failures.ts';
import { VAULT_INPUT_FAILURES } from './vault-input-failures.ts';
import { VAULT_KEY_FAILURES } from './vault-key-failures.ts';
import { VAULT_LIFE_FAILURES } from './vault-life-failures.ts';
import { VAULT_NETWORK_FAILURES } from './vault-network-failures.ts';
import { VAULT_TENANT_FAILURES } from './vault-tenant-failures.ts';

export { VAULT_INPUT_FAILURES };
export const VAULT_FAILURES = {
  ...VAULT_NETWORK_FAILURES,
  ...VAULT_ACCESS_FAILURES,
  ...VAULT_KEY_FAILURES,
  ...VAULT_DELETED_FAILURES,
  ...VAULT_LIFE_FAILURES,
  ...VAULT_TENANT_FAILURES,
};

declare module '../../../domain/failure.ts' {
  interface FailureAreas {
    readonly 'azure-key-vault': typeof VAULT_INPUT_FAILURES & typeof VAULT_FAILURES;
  }
  interface FailureFacts {
    /** Of the deny assignment that refused us although a role may be there. */
    readonly denyAssignmentId?: string;
    /** Azure resource id of the vault or key, from the 403's Resource line. */
    readonly resourceId?: string;
    /** A deleted key can be recovered until then. */
    readonly recoverableUntil?: string;
    /** The vault keeps no deleted key of this name either: it was purged, or Azure is at it just now. */
    readonly notAmongDeleted?: boolean;
    /** And that was so before, longer ago than Azure takes to delete or recover a key. */
    readonly goneForLong?: boolean;
    /** The vault was seen to be gone since it was well last. */
    readonly vaultWasDeleted?: boolean;
    /** There is a version newer than the one in use. */
    readonly newerVersion?: string;
    /** The key serves to bring other keys into the vault (`import`), and to nothing else: Azure lets it do no more. */
    readonly onlyImports?: boolean;
    /** The vault is the vendor's, and the key a company's own: who gives access to it is not who keeps the key. */
    readonly hostedByVendor?: boolean;
  }
}

/** What is stored and what Entra says are met on the way too: they are told with the names of the vault and its key. */
const ALL = {
  ...STORE_FAILURES,
  ...ENTRA_FAILURES,
  ...VAULT_INPUT_FAILURES,
  ...VAULT_FAILURES,
};
export type VaultFailureCode = keyof typeof ALL;

export const MET_AT_VAULTS = withHostedVault(withOwnVault(ALL), new Set<string>(Object.keys(VAULT_FAILURES)));
export const { failure, withFacts } = catalogue(MET_AT_VAULTS);
