// What it takes to host a company's key in the vendor's tenant, filled in with the real names: the vendor's Azure admin makes the vault and gives the company's key manager
// that vault alone; the key manager makes the key; then the app's own identity may use it. Pure.
import { ENCRYPTION_USER_ROLE, ENCRYPTION_USER_ROLE_ID } from '../../identity/entra/words/commands.ts';
import type { Instruction } from '../provider.ts';
import { assignWithCli, deployWithCli } from './instructions/azure-cli-instructions.ts';
import { assignWithBicep } from './instructions/bicep-instructions.ts';
import {
  assignManagerWithBicep,
  assignManagerWithCli,
  assignManagerWithPowerShell,
  createVaultWithBicep,
  createVaultWithCli,
  createVaultWithPowerShell,
  deployManagerWithCli,
  deployVaultWithCli,
  disableWithCli,
  disableWithPowerShell,
  OFFICER_ROLE,
  OFFICER_ROLE_ID,
} from './instructions/hosted-vault-commands.ts';
import type { InstructionPlace } from './instructions/place.ts';
import { assignInPortal } from './instructions/portal-instructions.ts';
import { assignWithPowerShell } from './instructions/power-shell-instructions.ts';
import { vaultNameOf } from './words/vault-commands.ts';

export function hostedInstructions(place: InstructionPlace): readonly Instruction[] {
  const vault = vaultNameOf(place.host);
  return [
    {
      id: 'vault',
      title: 'Vendor: make a vault for this company alone',
      explanation:
        'In the vendor’s own tenant, with Azure role-based access control and purge protection, and never the vault of the vendor’s own key or of the seal key: ' +
        'whoever manages the keys of a vault can delete each of them.',
      azureCli: createVaultWithCli(place),
      powerShell: createVaultWithPowerShell(place),
      portal: [
        'In the Azure portal of the vendor’s tenant, open Key vaults > Create.',
        `Name it ${vault}; choose the pricing tier Premium, and Enable purge protection.`,
        'On Access configuration, choose Azure role-based access control; then create it.',
      ],
      bicep: {
        fileName: 'keyswitch-hosted-vault.bicep',
        template: createVaultWithBicep(place),
        deploy: deployVaultWithCli('keyswitch-hosted-vault.bicep'),
      },
    },
    {
      id: 'key-manager',
      title: 'Vendor: let the company’s key manager into that vault, and nowhere else',
      explanation:
        `${OFFICER_ROLE} (${OFFICER_ROLE_ID}) on the vault alone, for the application as which the company’s key manager (Thales CCKM, for example) signs in. ` +
        `It then makes or imports the key ${place.keyName} of the type RSA or RSA-HSM. The role lets it assign no roles.`,
      azureCli: assignManagerWithCli(place),
      powerShell: assignManagerWithPowerShell(place),
      portal: [
        `In the Azure portal of the vendor’s tenant, open Key vaults > ${vault} > Access control (IAM) > Add > Add role assignment.`,
        `On Role, search for "${OFFICER_ROLE}" and select it.`,
        'On Members, choose "User, group, or service principal" and select the application of the company’s key manager. A display name can be copied: compare the application id with the one that the company gave you.',
        'Choose Review + assign twice.',
      ],
      bicep: {
        fileName: 'keyswitch-key-manager.bicep',
        template: assignManagerWithBicep(place),
        deploy: deployManagerWithCli(place, 'keyswitch-key-manager.bicep'),
      },
    },
    {
      id: 'role',
      title: 'Vendor: let the app use the key',
      explanation:
        `${ENCRYPTION_USER_ROLE} (${ENCRYPTION_USER_ROLE_ID}) on the key ${place.keyName} alone, for the app's own managed identity, whose client id is ` +
        `${place.appId}. The key must be there first. No consent is asked for.`,
      azureCli: assignWithCli(place),
      powerShell: assignWithPowerShell(place),
      portal: assignInPortal(place),
      bicep: {
        fileName: 'keyswitch-role.bicep',
        template: assignWithBicep(place),
        deploy: deployWithCli(place, 'keyswitch-role.bicep'),
      },
    },
    {
      id: 'take-away',
      title: 'Company: to take the access away again',
      explanation:
        'In its key manager the company disables every version of the key. From then on no company key can be unwrapped with it, and data stays unreadable until ' +
        'the versions are enabled again. Taking the role away is for the vendor, and counts as a fault of its vault, not as a revocation.',
      azureCli: disableWithCli(place),
      powerShell: disableWithPowerShell(place),
      portal: [
        `In the company’s key manager, or in the Azure portal under Key vaults > ${vault} > Objects > Keys > ${place.keyName}, open each version and set Enabled to No.`,
      ],
    },
  ];
}
