// Failures of an Entra tenant as a whole: what Microsoft itself keeps back. The company acts, and no key was refused. Pure.
import {
  createKeyVaultPrincipal,
  commandLines,
  enableKeyVaultPrincipal,
  signInTo,
} from '../../providers/azure-key-vault/words/azure-commands.ts';
import type { FailureEntry } from '../../domain/failure-entry.ts';
import { capital, remedyOf, theTenant } from '../../domain/remedy.ts';

/** `detail` of entra-resource-disabled when the service principal of Key Vault is not there at all. */
export const NO_KEY_VAULT_PRINCIPAL = 'Azure Key Vault has no service principal there';

export const ENTRA_TENANT_FAILURES = {
  'entra-tenant-blocked': {
    kind: 'denied',
    owner: 'company-admin',
    words: (facts) => ({
      message: 'Microsoft has blocked this Entra tenant.',
      cause: `${capital(theTenant(facts))} was not used for long, or was taken out of service; Microsoft lets nobody sign in and gives no tokens.`,
      remedy: remedyOf({
        text:
          'An administrator of the tenant must contact Microsoft within 20 days of the block (global support phone numbers) and ask for it to be ' +
          'reactivated. After that Microsoft deletes the tenant and everything in it, vaults too, for good. No key was refused to us.',
      }),
    }),
  },
  'entra-resource-disabled': {
    kind: 'denied',
    owner: 'company-admin',
    words: (facts) => ({
      message: 'The Entra tenant gives no tokens for Azure Key Vault.',
      cause:
        facts.detail === NO_KEY_VAULT_PRINCIPAL
          ? `${capital(theTenant(facts))} has no service principal of Azure Key Vault: it has, or had, no subscription that uses it.`
          : `The service principal of Azure Key Vault in ${theTenant(facts)} is disabled: a subscription of the tenant lapsed, or an administrator has switched it off.`,
      remedy: remedyOf({
        text:
          `Check that the subscription of the tenant is active. Then let an administrator of the tenant ${facts.detail === NO_KEY_VAULT_PRINCIPAL ? 'add' : 'enable'} ` +
          'the enterprise application Azure Key Vault (application id cfa8b339-82a2-471a-a3c9-0fc0be7a4093). No key was refused to us.',
        azureCli: commandLines(
          signInTo(facts),
          facts.detail === NO_KEY_VAULT_PRINCIPAL ? createKeyVaultPrincipal : enableKeyVaultPrincipal,
        ),
        portal:
          'Microsoft Entra admin center > Enterprise applications > Application type: Microsoft applications > Azure Key Vault > Properties > ' +
          'Enabled for users to sign in: Yes',
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;
