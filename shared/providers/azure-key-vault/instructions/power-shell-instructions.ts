// The same grants in Azure PowerShell. Pure.
import { vaultNameOf } from '../words/vault-commands.ts';
import { powerShellQuoted } from '../../../domain/shell-text.ts';
import {
  BUILT_IN_ROLE_ID,
  LEAST_DATA_ACTIONS,
  LEAST_ROLE_DESCRIPTION,
  leastRoleName,
  type InstructionPlace,
} from './place.ts';

const vaultVariable = ({ host }: InstructionPlace): string =>
  `$vault = Get-AzKeyVault -VaultName ${powerShellQuoted(vaultNameOf(host))}`;

const principalVariable = ({ appId, principalId }: InstructionPlace): string =>
  principalId === undefined
    ? `$principal = (Get-AzADServicePrincipal -ApplicationId ${powerShellQuoted(appId)}).Id`
    : `$principal = ${powerShellQuoted(principalId)}`;

const keyScopeExpression = ({ keyName }: InstructionPlace): string =>
  `($vault.ResourceId + ${powerShellQuoted(`/keys/${keyName}`)})`;

const lines = (...commands: readonly string[]): string => commands.join('\n');

export const installWithPowerShell = ({ appId, tenantId }: InstructionPlace): string =>
  lines(
    ...(tenantId === undefined ? [] : [`Connect-AzAccount -Tenant ${powerShellQuoted(tenantId)}`]),
    `New-AzADServicePrincipal -ApplicationId ${powerShellQuoted(appId)}`,
  );

const assignment = (place: InstructionPlace, role: string): string =>
  `New-AzRoleAssignment -ObjectId $principal -ObjectType ServicePrincipal ${role} -Scope ${keyScopeExpression(place)}`;

export const assignWithPowerShell = (place: InstructionPlace): string =>
  lines(
    vaultVariable(place),
    principalVariable(place),
    assignment(place, `-RoleDefinitionId ${powerShellQuoted(BUILT_IN_ROLE_ID)}`),
  );

export function assignLeastWithPowerShell(place: InstructionPlace): string {
  const name = powerShellQuoted(leastRoleName(place));
  return lines(
    vaultVariable(place),
    principalVariable(place),
    '$group = Get-AzResourceGroup -Name $vault.ResourceGroupName',
    `$role = Get-AzRoleDefinition -Id ${powerShellQuoted(BUILT_IN_ROLE_ID)}`,
    '$role.Id = $null',
    '$role.IsCustom = $true',
    `$role.Name = ${name}`,
    `$role.Description = ${powerShellQuoted(LEAST_ROLE_DESCRIPTION)}`,
    '$role.Actions.Clear()',
    '$role.DataActions.Clear()',
    ...LEAST_DATA_ACTIONS.map((action) => `$role.DataActions.Add(${powerShellQuoted(action)})`),
    '$role.AssignableScopes.Clear()',
    '$role.AssignableScopes.Add($group.ResourceId)',
    'New-AzRoleDefinition -Role $role',
    assignment(place, `-RoleDefinitionName ${name}`),
  );
}

export const setPolicyWithPowerShell = (place: InstructionPlace): string =>
  lines(
    principalVariable(place),
    `Set-AzKeyVaultAccessPolicy -VaultName ${powerShellQuoted(vaultNameOf(place.host))} -ObjectId $principal ` +
      '-PermissionsToKeys get,unwrapKey',
  );

export const takeAwayWithPowerShell = (place: InstructionPlace): string =>
  lines(
    vaultVariable(place),
    principalVariable(place),
    '# a vault with role-based access control',
    `$scope = ${keyScopeExpression(place)}`,
    // Asked for a scope, Azure lists what is inherited too; that is not ours to remove.
    'Get-AzRoleAssignment -ObjectId $principal -Scope $scope | Where-Object Scope -eq $scope | Remove-AzRoleAssignment',
    '# a vault with access policies',
    `Remove-AzKeyVaultAccessPolicy -VaultName ${powerShellQuoted(vaultNameOf(place.host))} -ObjectId $principal`,
  );
