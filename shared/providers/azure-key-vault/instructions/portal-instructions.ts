// The same grants by hand in the portals, one step a line. Pure.
import { ENCRYPTION_USER_ROLE } from '../../../identity/entra/words/commands.ts';
import { vaultNameOf } from '../words/vault-commands.ts';
import { LEAST_DATA_ACTIONS, leastRoleName, type InstructionPlace } from './place.ts';

const findPrincipal = ({ appId, principalId }: InstructionPlace): string =>
  `In Microsoft Entra ID > Enterprise applications, search for the application id ${appId}, open it and note its object id` +
  (principalId === undefined ? '.' : `: it must be ${principalId}.`);

const chooseMember = ({ principalId }: InstructionPlace): string =>
  'On Members, choose "User, group, or service principal" and select that app. A display name can be copied: compare the ' +
  (principalId === undefined ? 'object id.' : `object id with ${principalId}.`);

const openKey = ({ host, keyName }: InstructionPlace): string =>
  `In the Azure portal, open Key vaults > ${vaultNameOf(host)} > Objects > Keys > ${keyName}.`;

const openVault = ({ host }: InstructionPlace): string =>
  `In the Azure portal, open Key vaults > ${vaultNameOf(host)}.`;

export const installInPortal = ({ appId, tenantId }: InstructionPlace): readonly string[] => [
  `The portal has no page for this. Open its Cloud Shell as Application Administrator, Cloud Application Administrator or Global Administrator${
    tenantId === undefined ? '' : ` of the tenant ${tenantId}`
  }, and run the commands given here.`,
  `Check in Microsoft Entra ID > Enterprise applications that an app with the application id ${appId} is listed.`,
];

const assign = (place: InstructionPlace, role: string): readonly string[] => [
  findPrincipal(place),
  openKey(place),
  'Open Access control (IAM) > Add > Add role assignment. (If this page is not offered for the key, the vault may use access policies.)',
  `On Role, search for "${role}" and select it.`,
  chooseMember(place),
  'Choose Review + assign twice. It takes effect after 1 to 5 minutes, sometimes 10.',
];

export const assignInPortal = (place: InstructionPlace): readonly string[] => assign(place, ENCRYPTION_USER_ROLE);

export const assignLeastInPortal = (place: InstructionPlace): readonly string[] => [
  openVault(place),
  'From Overview, open its resource group, then Access control (IAM) > Add > Add custom role.',
  `Name it "${leastRoleName(place)}" and start from scratch.`,
  `On Permissions, add the data actions ${LEAST_DATA_ACTIONS.join(' and ')}, and nothing else; then create it.`,
  ...assign(place, leastRoleName(place)),
];

export const setPolicyInPortal = (place: InstructionPlace): readonly string[] => [
  findPrincipal(place),
  openVault(place),
  'Open Access policies > Create.',
  'Under Key permissions, tick Get and Unwrap Key, and nothing else.',
  'On Principal, search for the object id that you noted, and select the app.',
  'Choose Create.',
];

export const takeAwayInPortal = (place: InstructionPlace): readonly string[] => [
  `${openKey(place)} Under Access control (IAM) > Role assignments, remove the app.`,
  `If the vault uses access policies: Key vaults > ${vaultNameOf(place.host)} > Access policies, delete the app's policy.`,
];
