// The same grants in Azure CLI, for a POSIX shell. Pure.
import { commandLines } from '../../../domain/failure-words.ts';
import { createServicePrincipal, principalWord, signInTo } from '../../../identity/entra/words/commands.ts';
import { assignRole, keyScope, setAccessPolicy, vaultNameOf } from '../words/vault-commands.ts';
import { posixQuoted } from '../../../domain/shell-text.ts';
import {
  factsOfPlace,
  LEAST_DATA_ACTIONS,
  LEAST_ROLE_DESCRIPTION,
  leastRoleName,
  type InstructionPlace,
} from './place.ts';

const vaultWord = ({ host }: InstructionPlace): string => posixQuoted(vaultNameOf(host));

export const installWithCli = (place: InstructionPlace): string =>
  commandLines(signInTo(factsOfPlace(place)), createServicePrincipal(factsOfPlace(place))) ?? '';

export const assignWithCli = (place: InstructionPlace): string => assignRole(factsOfPlace(place)) ?? '';

export function assignLeastWithCli(place: InstructionPlace): string {
  const name = leastRoleName(place);
  const [before = '', after = ''] = JSON.stringify({
    Name: name,
    Description: LEAST_ROLE_DESCRIPTION,
    Actions: [],
    DataActions: LEAST_DATA_ACTIONS,
    AssignableScopes: ['|'],
  }).split('|');
  const group = `az keyvault show --name ${vaultWord(place)} --query resourceGroup --output tsv`;
  return [
    `group="$(az group show --name "$(${group})" --query id --output tsv)"`,
    `az role definition create --role-definition ${posixQuoted(before)}"$group"${posixQuoted(after)}`,
    assignRole(factsOfPlace(place), name) ?? '',
  ].join('\n');
}

export const setPolicyWithCli = (place: InstructionPlace): string => setAccessPolicy(factsOfPlace(place)) ?? '';

export function takeAwayWithCli(place: InstructionPlace): string {
  const facts = factsOfPlace(place);
  const principal = principalWord(facts) ?? '';
  return [
    '# a vault with role-based access control',
    `az role assignment delete --assignee ${principal} --scope ${keyScope(facts) ?? ''}`,
    '# a vault with access policies',
    `az keyvault delete-policy --name ${vaultWord(place)} --object-id ${principal}`,
  ].join('\n');
}

/** How each Bicep file is deployed, with every parameter filled in. */
export const deployWithCli = (place: InstructionPlace, file: string): string =>
  `az deployment group create --resource-group "$(az keyvault show --name ${vaultWord(place)} --query resourceGroup ` +
  `--output tsv)" --template-file ${posixQuoted(file)} --parameters principalId=${principalWord(factsOfPlace(place)) ?? ''}`;
