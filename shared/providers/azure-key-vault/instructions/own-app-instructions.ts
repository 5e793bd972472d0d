// What the company does for an app of its own that shows a client secret: the app with its service principal, and the secret. Pure. No template makes a
// secret, since a deployment keeps what it returns: Bicep has none.
import type { Instruction } from '../../provider.ts';
import { commandLines } from '../../../domain/failure-words.ts';
import { posixQuoted, powerShellQuoted } from '../../../domain/shell-text.ts';
import { createServicePrincipal, signInTo } from '../../../identity/entra/words/commands.ts';
import { factsOfPlace, type InstructionPlace } from './place.ts';

/** So many months, then a new one: Microsoft recommends six. */
const MONTHS = 6;
const SECRET_NAME = 'keyswitch';

export const ownAppInstructions = (place: InstructionPlace): readonly Instruction[] => [
  registration(place),
  secret(place),
];

function registration(place: InstructionPlace): Instruction {
  const { appId, tenantId } = place;
  const inTenant = tenantId === undefined ? 'your Entra tenant' : `the Entra tenant ${tenantId}`;
  return {
    id: 'app-registration',
    title: 'Register an app of your own',
    explanation:
      `The app with the application id ${appId} must be registered in ${inTenant}, for accounts in this directory alone, and have its service ` +
      'principal there. It needs no API permission and no redirect URI. An app that was made with the portal has its service principal already.',
    azureCli:
      commandLines(
        signInTo(factsOfPlace(place)),
        `az ad app show --id ${posixQuoted(appId)} --query "{name:displayName, audience:signInAudience}"`,
        createServicePrincipal(factsOfPlace(place)),
      ) ?? '',
    powerShell: [
      ...(tenantId === undefined ? [] : [`Connect-AzAccount -Tenant ${powerShellQuoted(tenantId)}`]),
      `Get-AzADApplication -ApplicationId ${powerShellQuoted(appId)} | Select-Object DisplayName, SignInAudience`,
      `New-AzADServicePrincipal -ApplicationId ${powerShellQuoted(appId)}`,
    ].join('\n'),
    portal: [
      `In the Microsoft Entra admin center, open App registrations > All applications and search for ${appId}. If it is not there, choose New registration, give it a name, keep "Accounts in this organizational directory only", and register it.`,
      'On its Overview, compare the Application (client) ID and the Directory (tenant) ID with those of the connection.',
    ],
  };
}

function secret({ appId }: InstructionPlace): Instruction {
  return {
    id: 'client-secret',
    title: 'Make a client secret, and enter its Value',
    explanation:
      'The Value is shown once. Enter it with the date at which it expires; it is encrypted at once and never shown again. To replace it later, make a second ' +
      'secret beside it and enter that one: the old one serves until the new one has worked. Delete it here once the connection shows the new one alone, some ten minutes later. Bicep cannot make a client secret.',
    azureCli: [
      `az ad app credential reset --id ${posixQuoted(appId)} --append --display-name ${SECRET_NAME} ` +
        `--end-date "$(date -u -d '+${MONTHS} months' +%Y-%m-%d)" --query password --output tsv`,
      '# when it expires; the keyId is the Secret ID, and no secret',
      `az ad app credential list --id ${posixQuoted(appId)} --query "[].{name:displayName, secretId:keyId, expires:endDateTime}" --output table`,
    ].join('\n'),
    powerShell: [
      `$secret = New-AzADAppCredential -ApplicationId ${powerShellQuoted(appId)} -EndDate (Get-Date).AddMonths(${MONTHS})`,
      '$secret | Select-Object SecretText, EndDateTime',
    ].join('\n'),
    portal: [
      `In the Microsoft Entra admin center, open App registrations > the app ${appId} > Certificates & secrets > Client secrets > New client secret.`,
      `Describe it as "${SECRET_NAME}", choose when it expires, and choose Add.`,
      'Copy the column Value now: it is not shown again. The column Secret ID is no secret.',
    ],
  };
}
