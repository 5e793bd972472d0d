// The commands that make a vault for one company and let its key manager in, in Azure CLI, PowerShell and Bicep. Pure. The resource group is the vendor's choice, and who the
// key manager is only the company knows: the commands stop with a sentence while those two are not set.
import { vaultNameOf } from '../words/vault-commands.ts';
import { posixQuoted, powerShellQuoted } from '../../../domain/shell-text.ts';
import type { InstructionPlace } from './place.ts';

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security */
export const OFFICER_ROLE = 'Key Vault Crypto Officer';
export const OFFICER_ROLE_ID = '14b46e9e-c2b7-41b4-b07b-48a6ebf60603';

const GROUP = '"${RESOURCE_GROUP:?set it to the resource group for vaults of companies}"';
const MANAGER = '"${KEY_MANAGER_APP_ID:?set it to the application id of the key manager of the company}"';

const vaultWord = ({ host }: InstructionPlace): string => posixQuoted(vaultNameOf(host));
const vaultText = ({ host }: InstructionPlace): string => powerShellQuoted(vaultNameOf(host));

export const createVaultWithCli = (place: InstructionPlace): string =>
  `az keyvault create --name ${vaultWord(place)} --resource-group ${GROUP} --sku premium --enable-rbac-authorization true ` +
  '--enable-purge-protection true --retention-days 90';

/** Of an application of another tenant the principal may have to be made first. */
const MANAGER_PRINCIPAL = [
  `az ad sp show --id ${MANAGER} --query id --output tsv > /dev/null 2>&1 || az ad sp create --id ${MANAGER}`,
  `manager="$(az ad sp show --id ${MANAGER} --query id --output tsv)"`,
];

export const assignManagerWithCli = (place: InstructionPlace): string =>
  [
    ...MANAGER_PRINCIPAL,
    `az role assignment create --assignee-object-id "$manager" --assignee-principal-type ServicePrincipal --role ${OFFICER_ROLE_ID} ` +
      `--scope "$(az keyvault show --name ${vaultWord(place)} --query id --output tsv)"`,
  ].join('\n');

/** Each version: what an older one has wrapped, it alone opens. */
export const disableWithCli = (place: InstructionPlace): string =>
  [
    `for id in $(az keyvault key list-versions --vault-name ${vaultWord(place)} --name ${posixQuoted(place.keyName)} --query "[].kid" --output tsv); do`,
    '  az keyvault key set-attributes --id "$id" --enabled false',
    'done',
  ].join('\n');

export const deployVaultWithCli = (file: string): string =>
  `az deployment group create --resource-group ${GROUP} --template-file ${posixQuoted(file)}`;

export const deployManagerWithCli = (place: InstructionPlace, file: string): string =>
  [
    ...MANAGER_PRINCIPAL,
    `az deployment group create --resource-group "$(az keyvault show --name ${vaultWord(place)} --query resourceGroup --output tsv)" ` +
      `--template-file ${posixQuoted(file)} --parameters principalId="$manager"`,
  ].join('\n');

const needed = (variable: string, what: string): string =>
  `if (-not $env:${variable}) { throw ${powerShellQuoted(`Set the environment variable ${variable} to ${what}`)} }`;

export const createVaultWithPowerShell = (place: InstructionPlace): string =>
  [
    needed('RESOURCE_GROUP', 'the resource group for vaults of companies'),
    '$group = Get-AzResourceGroup -Name $env:RESOURCE_GROUP',
    `New-AzKeyVault -Name ${vaultText(place)} -ResourceGroupName $group.ResourceGroupName -Location $group.Location -Sku Premium -EnablePurgeProtection ` +
      '-SoftDeleteRetentionInDays 90',
  ].join('\n');

export const assignManagerWithPowerShell = (place: InstructionPlace): string =>
  [
    needed('KEY_MANAGER_APP_ID', 'the application id of the key manager of the company'),
    '$manager = Get-AzADServicePrincipal -ApplicationId $env:KEY_MANAGER_APP_ID',
    'if (-not $manager) { $manager = New-AzADServicePrincipal -ApplicationId $env:KEY_MANAGER_APP_ID }',
    `$vault = Get-AzKeyVault -VaultName ${vaultText(place)}`,
    `New-AzRoleAssignment -ObjectId $manager.Id -ObjectType ServicePrincipal -RoleDefinitionId ${powerShellQuoted(OFFICER_ROLE_ID)} -Scope $vault.ResourceId`,
  ].join('\n');

export const disableWithPowerShell = (place: InstructionPlace): string =>
  `Get-AzKeyVaultKey -VaultName ${vaultText(place)} -Name ${powerShellQuoted(place.keyName)} -IncludeVersions | ForEach-Object { ` +
  `Update-AzKeyVaultKey -VaultName ${vaultText(place)} -Name ${powerShellQuoted(place.keyName)} -Version $_.Version -Enable $false }`;

export const createVaultWithBicep = (
  place: InstructionPlace,
): string => `resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: ${bicepQuoted(vaultNameOf(place.host))}
  location: resourceGroup().location
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'premium'
    }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: 90
  }
}
`;

export const assignManagerWithBicep = (
  place: InstructionPlace,
): string => `@description('Object id of the service principal of the key manager in this tenant')
param principalId string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: ${bicepQuoted(vaultNameOf(place.host))}
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, '${OFFICER_ROLE_ID}')
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '${OFFICER_ROLE_ID}')
  }
}
`;

/** A vault's name: letters, digits and dashes. */
const bicepQuoted = (name: string): string => `'${name}'`;
