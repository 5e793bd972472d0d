// Failures of reaching a vault: its name, its network, ours. Pure.
import type { FailureEntry, FailureFacts, FailureWords } from '../../../domain/failure.ts';
import { because, capital, commandLines, explained, remedyOf, theVault } from '../../../domain/failure-words.ts';
import { inVaultPortal } from './portal.ts';
import { allowAddress, openPublicEndpoint, recoverVault, showVault } from './vault-commands.ts';
import { isFirewallAddress } from './network-address.ts';

/** `detail` of vault-unreachable when the vault's name led to the private endpoint of another one. */
export const MISROUTED = "the name leads to another vault's private endpoint";
/** And when a private DNS zone of the vendor's network answers for its name, and does not know it. */
export const PRIVATE_NAME = "a private DNS zone of the vendor's network hides its name";

/** And when the name of a vault in use has no address, which may be our own resolver's fault. */
export const NAME_UNSURE =
  "its name has no address in the vendor's network, and a resolver that works did not say that it is gone";

export const VAULT_NETWORK_FAILURES = {
  'vault-not-found': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'once-seen-gone',
    words: (facts) => ({
      message: 'The vault does not exist, or has been deleted.',
      cause:
        `No address is known for ${theVault(facts)}` +
        `${facts.nameGone === true ? ', and its name has no alias either' : ", or the vendor's network resolves the name privately"}.`,
      remedy: remedyOf({
        text:
          'Check the spelling of the vault URI, and see whether the vault is there. If it was deleted, recover it, and then assign the role ' +
          'again: Azure does not restore role assignments with a vault. If it is there, the vendor has to look at its own network: a private ' +
          "DNS zone can hide the vault, or the vendor's network resolves the name privately in another way.",
        azureCli: commandLines(
          ...explained('# is it there?', showVault(facts)),
          ...explained('# if it was deleted', recoverVault(facts)),
        ),
        portal: 'Azure portal > Key vaults > Manage deleted vaults',
      }),
    }),
  },
  'vault-unreachable': {
    kind: 'transient',
    owner: 'vendor',
    words: (facts) => ({
      message: 'The vault cannot be reached at the moment.',
      cause: `There was no usable answer from ${theVault(facts)}${because(facts)}.`,
      remedy:
        facts.detail === MISROUTED || facts.detail === PRIVATE_NAME
          ? remedyOf({ text: VENDOR_RESOLVES })
          : facts.detail === NAME_UNSURE
            ? remedyOf({ text: VENDOR_LOOKS, azureCli: showVault(facts) })
            : remedyOf({
                text: 'Nothing has been revoked, and we try again by ourselves. If it lasts, look at the health of Azure and of the vault.',
                azureCli: showVault(facts),
                portal: inVaultPortal(facts, 'Help > Resource health'),
              }),
    }),
  },
  throttled: {
    kind: 'transient',
    owner: 'azure-admin',
    words: (facts) => ({
      message: 'The vault is busy: it answered that it received too many requests.',
      cause: `The limits of ${theVault(facts)} are used up. All applications that use one vault share them.`,
      remedy: remedyOf({
        text: 'We try again by ourselves, more slowly. If it lasts, find out what else uses the vault, or give this key a vault of its own.',
        portal: inVaultPortal(facts, 'Monitoring > Metrics > Service API hits'),
      }),
    }),
  },
  'vault-firewall': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) =>
      ofPrivateNetwork(facts) ?? {
        message:
          facts.clientAddress === undefined
            ? "The vault's firewall refuses our address."
            : `The vault's firewall refuses our address ${facts.clientAddress}.`,
        cause: `${capital(theVault(facts))} accepts only chosen networks. We are not one of Azure's trusted services, so our address must be allowed.`,
        remedy: remedyOf({
          text:
            facts.clientAddress === undefined
              ? "Allow our outgoing address in the vault's firewall."
              : `Allow ${facts.clientAddress} in the vault's firewall.`,
          azureCli: allowAddress(facts),
          portal: inVaultPortal(facts, 'Settings > Networking > Firewalls and virtual networks > IP address'),
        }),
      },
  },
  'vault-private-only': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) => ({
      message: 'The vault accepts private endpoints only.',
      cause: `Public network access to ${theVault(facts)} is disabled, and we do not come through one of its private endpoints.`,
      remedy: remedyOf({
        text: 'Allow public access from selected networks, and our outgoing address among them; or agree a private endpoint with the vendor.',
        azureCli: commandLines(openPublicEndpoint(facts), allowAddress(facts)),
        portal: inVaultPortal(
          facts,
          'Settings > Networking > Allow public access from specific virtual networks and IP addresses',
        ),
      }),
    }),
  },
  'vault-perimeter': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) => ({
      message: 'A network security perimeter around the vault does not let us in.',
      cause: `${capital(theVault(facts))} is secured by a perimeter, whose inbound rules decide in place of the vault's firewall; no rule names us.`,
      remedy: remedyOf({
        text: 'Add an inbound access rule for our outgoing address to the profile of the perimeter that the vault is associated with; or take the vault out of the perimeter.',
        portal:
          'Azure portal > Network security perimeters > the perimeter > Profiles > the profile > Inbound access rules > Add',
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

const VENDOR_LOOKS =
  'The vendor looks at the DNS of its own network: is the vault there, as its Azure admin sees by the command, that network does not find it. ' +
  'Nothing has been revoked, and we try again by ourselves.';

const VENDOR_RESOLVES =
  'The vendor looks at how its own network resolves the name: a private DNS zone privatelink.vaultcore.azure.net that is linked to it ' +
  'has to hold the right address for this vault, or to fall back to the public one; a zone vault.azure.net should not be linked at all. ' +
  'Nothing has been revoked.';

/** Azure refuses such an address in a vault's firewall, so nothing that the company does can help. */
function ofPrivateNetwork(facts: FailureFacts): FailureWords | undefined {
  const address = facts.clientAddress;
  if (address === undefined || isFirewallAddress(address)) return undefined;
  return {
    owner: 'vendor',
    message: `The vault's firewall refuses our address ${address}, which no firewall of a vault can allow.`,
    cause: `Our app reached ${theVault(facts)} from inside a virtual network. A vault's firewall takes public IPv4 addresses only.`,
    remedy: remedyOf({
      text:
        'The vendor lets its app leave by a public IPv4 address: no service endpoint Microsoft.KeyVault on its subnet, and a NAT gateway; ' +
        "or agrees a private endpoint with the company. Then the company's Azure admin allows that public address.",
      portal:
        'Azure portal (of the vendor) > Virtual networks > the network > Subnets > the subnet > Service endpoints',
    }),
  };
}
