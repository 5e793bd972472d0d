// The az command lines that have to do with a directory: its service principals, its app registrations. Pure. Every value is quoted; a command
// whose names are not known is undefined. Nothing is left to fill in: ids that only the directory knows are asked for inside the command.
import type { FailureFacts } from '../../../domain/failure.ts';
import { posixQuoted } from '../../../domain/shell-text.ts';

/** The built-in role with the least that serves: read the key's metadata, wrap, unwrap. */
export const ENCRYPTION_USER_ROLE = 'Key Vault Crypto Service Encryption User';
export const ENCRYPTION_USER_ROLE_ID = 'e147488a-f6f5-4113-8e2d-b22465e65bf6';

/** Object id of the service principal as one shell word. By application id or oid, never by display name. */
export function principalWord(facts: FailureFacts): string | undefined {
  if (facts.principalId !== undefined) return posixQuoted(facts.principalId);
  return facts.appId === undefined
    ? undefined
    : `"$(az ad sp show --id ${posixQuoted(facts.appId)} --query id --output tsv)"`;
}

export const signInTo = (facts: FailureFacts): string | undefined =>
  facts.tenantId === undefined ? undefined : `az login --tenant ${posixQuoted(facts.tenantId)}`;

export const createServicePrincipal = (facts: FailureFacts): string | undefined =>
  facts.appId === undefined ? undefined : `az ad sp create --id ${posixQuoted(facts.appId)}`;

export const enableServicePrincipal = (facts: FailureFacts): string | undefined =>
  facts.appId === undefined ? undefined : `az ad sp update --id ${posixQuoted(facts.appId)} --set accountEnabled=true`;

/** Of Microsoft's own application Azure Key Vault, the same in every tenant of the public cloud. */
const KEY_VAULT_APP_ID = 'cfa8b339-82a2-471a-a3c9-0fc0be7a4093';
export const enableKeyVaultPrincipal = `az ad sp update --id ${KEY_VAULT_APP_ID} --set accountEnabled=true`;
export const createKeyVaultPrincipal = `az ad sp create --id ${KEY_VAULT_APP_ID}`;

/** Which tenant a vault belongs to. A vault's name is the first label of its host. */
export const showVaultTenant = ({ vaultHost }: FailureFacts): string | undefined =>
  vaultHost === undefined
    ? undefined
    : `az keyvault show --name ${posixQuoted(vaultHost.split('.')[0] ?? vaultHost)} --query properties.tenantId --output tsv`;

export const resetClientSecret = (facts: FailureFacts): string | undefined =>
  facts.appId === undefined
    ? undefined
    : `az ad app credential reset --id ${posixQuoted(facts.appId)} --append --query password --output tsv`;

export const askForDirectoryRoles = (facts: FailureFacts): string | undefined =>
  facts.appId === undefined
    ? undefined
    : `az ad app update --id ${posixQuoted(facts.appId)} --set groupMembershipClaims=DirectoryRole`;

/** Takes the place of whatever optional claims there are: the connector app needs no other. */
export const askForAuthTime = (facts: FailureFacts): string | undefined =>
  facts.appId === undefined
    ? undefined
    : `az ad app update --id ${posixQuoted(facts.appId)} ` +
      `--optional-claims '{"idToken": [{"name": "auth_time", "essential": false}]}'`;

export const listFederatedCredentials = (facts: FailureFacts): string | undefined =>
  facts.appId === undefined
    ? undefined
    : `az ad app federated-credential list --id ${posixQuoted(facts.appId)} ` +
      `--query "[].{issuer:issuer, subject:subject, audiences:audiences}"`;
