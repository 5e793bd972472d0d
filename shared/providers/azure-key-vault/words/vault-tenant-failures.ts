// A vault of another tenant than the connection's: mistyped, or moved. Pure.
import type { FailureEntry, FailureFacts } from '../../../domain/failure.ts';
import { because, capital, remedyOf, theVault } from '../../../domain/failure-words.ts';
import { showVaultTenant } from '../../../identity/entra/words/commands.ts';
import { theTenant } from '../../../identity/entra/words/names.ts';

export const VAULT_TENANT_FAILURES = {
  'wrong-entra-tenant': {
    kind: 'denied',
    owner: 'company-admin',
    revokes: 'at-once',
    words: (facts) => ({
      message: 'The vault belongs to another Entra tenant than the one that consented.',
      cause: `${capital(theVault(facts))} accepts tokens of another tenant than ${theTenant(facts)}${because(facts)}.`,
      remedy: remedyOf({
        text: afterMove(facts),
        azureCli: showVaultTenant(facts),
        portal: 'Azure portal > Key vaults > the vault > Overview > Directory ID',
      }),
    }),
  },
  'vault-of-vendor': {
    kind: 'denied',
    owner: 'company-admin',
    words: (facts) => ({
      message: "The vault is in the vendor's own Entra tenant, and is no company's to connect.",
      cause: `${capital(theVault(facts))} belongs to the vendor. A key of a company's own that the vendor hosts there is connected by the vendor alone.`,
      remedy: remedyOf({
        text: "Enter a vault of the company's own tenant; or ask the vendor for a key in a vault that it hosts (a connection of the kind vendor-hosted).",
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

/** Azure keeps host, key and versions of a vault whose subscription goes to another tenant. */
function afterMove(facts: FailureFacts): string {
  if (facts.ownVault !== undefined)
    return 'Move the vault back; or set KEYSWITCH_VENDOR_TENANT_ID to the tenant that it is in now, and assign the roles there anew.';
  if (facts.inUse !== true)
    return "Check the vault URI. If it is right, make the connection anew with the vault's own tenant, and let that tenant consent.";
  if (facts.onlyInSwitch === true)
    return "Cancel the switch, make the connection anew with the vault's own tenant, let that tenant consent, and order the switch again.";
  return (
    `The vault was moved. Nothing is lost while its key is there. Either move the vault back to ${theTenant(facts)}; or an admin of the company ` +
    'asks for a consent link for this connection, a Global Administrator or Privileged Role Administrator of the tenant that the vault is in now ' +
    'goes through it, the role is assigned there, and the connection is tested: everything opens again.'
  );
}
