// The same grants as Bicep files. Pure. The one parameter is the service principal's object id, which no template can look
// up; the command that deploys the file fills it in.
import { vaultNameOf } from '../words/vault-commands.ts';
import {
  BUILT_IN_ROLE_ID,
  LEAST_DATA_ACTIONS,
  LEAST_ROLE_DESCRIPTION,
  leastRoleName,
  type InstructionPlace,
} from './place.ts';

/** One Bicep string literal. */
const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('${', '\\${')}'`;

const vaultAndKey = ({
  host,
  keyName,
}: InstructionPlace): string => `@description('Object id of the service principal in this tenant')
param principalId string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: ${quoted(vaultNameOf(host))}

  resource key 'keys' existing = {
    name: ${quoted(keyName)}
  }
}
`;

const assignment = (role: { readonly id: string; readonly seed: string }): string => `
resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault::key.id, principalId, ${role.seed})
  scope: vault::key
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: ${role.id}
  }
}
`;

export const assignWithBicep = (place: InstructionPlace): string =>
  vaultAndKey(place) +
  assignment({
    id: `subscriptionResourceId('Microsoft.Authorization/roleDefinitions', ${quoted(BUILT_IN_ROLE_ID)})`,
    seed: quoted(BUILT_IN_ROLE_ID),
  });

export const assignLeastWithBicep = (place: InstructionPlace): string => `${vaultAndKey(place)}
resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, ${quoted(leastRoleName(place))})
  properties: {
    roleName: ${quoted(leastRoleName(place))}
    description: ${quoted(LEAST_ROLE_DESCRIPTION)}
    type: 'CustomRole'
    permissions: [
      {
        actions: []
        dataActions: [
${LEAST_DATA_ACTIONS.map((action) => `          ${quoted(action)}`).join('\n')}
        ]
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}
${assignment({ id: 'role.id', seed: quoted(leastRoleName(place)) })}`;

export const setPolicyWithBicep = ({
  host,
}: InstructionPlace): string => `@description('Object id of the service principal in this tenant')
param principalId string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: ${quoted(vaultNameOf(host))}
}

resource policy 'Microsoft.KeyVault/vaults/accessPolicies@2023-07-01' = {
  parent: vault
  name: 'add'
  properties: {
    accessPolicies: [
      {
        tenantId: vault.properties.tenantId
        objectId: principalId
        permissions: {
          keys: [
            'get'
            'unwrapKey'
          ]
        }
      }
    ]
  }
}
`;
