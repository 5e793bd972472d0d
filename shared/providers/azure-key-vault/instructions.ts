// What the company's Azure admin must do, filled in with the real names: nothing is left to the reader. Pure. Access is
// granted on the key alone, to a principal that is named by its ids, and the last step shows how it is taken away.
import { ENCRYPTION_USER_ROLE, ENCRYPTION_USER_ROLE_ID } from '../../identity/entra/words/commands.ts';
import type { Instruction } from '../provider.ts';
import {
  assignLeastWithCli,
  assignWithCli,
  deployWithCli,
  installWithCli,
  setPolicyWithCli,
  takeAwayWithCli,
} from './instructions/azure-cli-instructions.ts';
import { assignLeastWithBicep, assignWithBicep, setPolicyWithBicep } from './instructions/bicep-instructions.ts';
import { ownAppInstructions } from './instructions/own-app-instructions.ts';
import { LEAST_DATA_ACTIONS, type InstructionPlace } from './instructions/place.ts';
import {
  assignInPortal,
  assignLeastInPortal,
  installInPortal,
  setPolicyInPortal,
  takeAwayInPortal,
} from './instructions/portal-instructions.ts';
import {
  assignLeastWithPowerShell,
  assignWithPowerShell,
  installWithPowerShell,
  setPolicyWithPowerShell,
  takeAwayWithPowerShell,
} from './instructions/power-shell-instructions.ts';

/**
 * First the service principal, or the company's own app and its secret; then one of `role`, `least-role` (vaults with role-based access control) and
 * `access-policy` (vaults with access policies).
 */
export const adminInstructions = (place: InstructionPlace): readonly Instruction[] => [
  ...(place.isOwnApp === true ? ownAppInstructions(place) : [letIn(place)]),
  ...grants(place),
];

const letIn = (place: InstructionPlace): Instruction => ({
  id: 'service-principal',
  title: 'Let the app into your tenant',
  explanation:
    `Creates the service principal of the application ${place.appId} in your Entra tenant. ` +
    'It gives no access to anything by itself.' +
    proofOf(place),
  azureCli: installWithCli(place),
  powerShell: installWithPowerShell(place),
  portal: installInPortal(place),
});

/** For a key keeper who asks by what the app proves itself: no secret of it leaves the vendor's tenant. */
const proofOf = ({ federation }: InstructionPlace): string =>
  federation === undefined
    ? ''
    : ` It has no secret: its federated credential takes tokens of the issuer ${federation.issuer} for the subject ${federation.subject}, ` +
      'the managed identity of the vendor, and of nobody else.';

function grants(place: InstructionPlace): readonly Instruction[] {
  return [
    {
      id: 'role',
      title: 'Assign the role on the key',
      explanation:
        `For a vault with Azure role-based access control. ${ENCRYPTION_USER_ROLE} (${ENCRYPTION_USER_ROLE_ID}) on the key ` +
        `${place.keyName} alone: it may read the key's metadata, wrap and unwrap, and reach no other key.`,
      azureCli: assignWithCli(place),
      powerShell: assignWithPowerShell(place),
      portal: assignInPortal(place),
      bicep: bicep(place, 'keyswitch-role.bicep', assignWithBicep(place)),
    },
    {
      id: 'least-role',
      title: 'Or: assign a role of your own with the least that serves',
      explanation:
        `For a vault with Azure role-based access control. A custom role with ${LEAST_DATA_ACTIONS.join(' and ')}, ` +
        'which is all that is ever asked of your key. A new custom role can take a few minutes to be assignable.',
      azureCli: assignLeastWithCli(place),
      powerShell: assignLeastWithPowerShell(place),
      portal: assignLeastInPortal(place),
      bicep: bicep(place, 'keyswitch-least-role.bicep', assignLeastWithBicep(place)),
    },
    {
      id: 'access-policy',
      title: 'Or: add an access policy',
      explanation:
        'For a vault that still uses access policies. A policy holds for all keys of the vault, so a vault with nothing else ' +
        'in it is best.',
      azureCli: setPolicyWithCli(place),
      powerShell: setPolicyWithPowerShell(place),
      portal: setPolicyInPortal(place),
      bicep: bicep(place, 'keyswitch-access-policy.bicep', setPolicyWithBicep(place)),
    },
    {
      id: 'take-away',
      title: 'To take the access away again',
      explanation:
        'From then on no company key can be unwrapped with your key. Data stays unreadable until access is given back.',
      azureCli: takeAwayWithCli(place),
      powerShell: takeAwayWithPowerShell(place),
      portal: takeAwayInPortal(place),
    },
  ];
}

const bicep = (place: InstructionPlace, fileName: string, template: string): NonNullable<Instruction['bicep']> => ({
  fileName,
  template,
  deploy: deployWithCli(place, fileName),
});
