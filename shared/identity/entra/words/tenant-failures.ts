// Of an Entra tenant as a whole: it is not there, or Microsoft itself keeps tokens back. The company acts, and no key was refused. Pure.
import type { FailureEntry, FailureFacts, FailureWords } from '../../../domain/failure.ts';
import { capital, commandLines, remedyOf } from '../../../domain/failure-words.ts';
import { createKeyVaultPrincipal, enableKeyVaultPrincipal, showVaultTenant, signInTo } from './commands.ts';
import { theTenant } from './names.ts';

/** `detail` of entra-resource-disabled when the service principal of Key Vault is not there at all. */
export const NO_KEY_VAULT_PRINCIPAL = 'Azure Key Vault has no service principal there';

export const TENANT_FAILURES = {
  'entra-tenant-not-found': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) =>
      tenantGone(facts) ?? {
        message: 'This Entra tenant does not exist.',
        cause: `Microsoft knows no tenant by this id in this cloud${facts.tenantId === undefined ? '' : ` (${facts.tenantId})`}.`,
        remedy: remedyOf({
          text: "Copy the tenant id from Entra's overview, or leave it out: the vault names its own.",
          azureCli: showVaultTenant(facts) ?? 'az account show --query tenantId --output tsv',
          portal: 'Microsoft Entra admin center > Overview > Tenant ID',
        }),
      },
  },
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

/** Of a key in use the tenant was there: nothing was mistyped, and nothing can be left out. */
const tenantGone = (facts: FailureFacts): FailureWords | undefined =>
  facts.inUse === true
    ? {
        message: `${capital(theTenant(facts))} does not exist any more.`,
        cause:
          'Microsoft knew it when the key was put in use. It was deleted since, by its administrators or because it had no active ' +
          'subscription left.',
        remedy: remedyOf({
          text:
            'An administrator of the company calls Microsoft support at once: a vault is deleted with its tenant, and a tenant ' +
            'can be given back for a short time only.',
        }),
      }
    : undefined;
