// The az command lines of remedies and instructions. Pure. Every value is quoted; a command whose names are not known is
// undefined. Nothing is left to fill in: ids that only Azure knows are asked for inside the command.
import type { FailureFacts } from '../../../domain/failure.ts';
import { isFirewallAddress } from '../network-address.ts';
import { posixQuoted } from '../../../domain/shell-text.ts';

/** The built-in role with the least that serves: read the key's metadata, wrap, unwrap. */
export const ENCRYPTION_USER_ROLE = 'Key Vault Crypto Service Encryption User';
export const ENCRYPTION_USER_ROLE_ID = 'e147488a-f6f5-4113-8e2d-b22465e65bf6';
/** And for the vendor's seal key: read it, sign. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security */
export const CRYPTO_USER_ROLE = 'Key Vault Crypto User';
export const CRYPTO_USER_ROLE_ID = '12338af0-0e69-4776-bea7-57ae8d297424';

/** A vault's name is the first label of its host. */
export const vaultNameOf = (host: string): string => host.split('.')[0] ?? host;

const quotedVault = (facts: FailureFacts): string | undefined =>
  facts.vaultHost === undefined ? undefined : posixQuoted(vaultNameOf(facts.vaultHost));

/** `--vault-name v --name k`, for commands on the key. */
const quotedKey = (facts: FailureFacts): string | undefined => {
  const vault = quotedVault(facts);
  return vault === undefined || facts.keyName === undefined
    ? undefined
    : `--vault-name ${vault} --name ${posixQuoted(facts.keyName)}`;
};

/** The same of one version, if it is known: `--name` alone means the newest, which may be another than the one in use. */
const quotedVersion = (facts: FailureFacts): string | undefined => {
  const { vaultHost, keyName, keyVersion } = facts;
  if (vaultHost === undefined || keyName === undefined || keyVersion === undefined) return quotedKey(facts);
  return `--id ${posixQuoted(`https://${vaultHost}/keys/${keyName}/${keyVersion}`)}`;
};

const onVault = (facts: FailureFacts, command: (vault: string) => string): string | undefined => {
  const vault = quotedVault(facts);
  return vault === undefined ? undefined : command(vault);
};

const onKey = (facts: FailureFacts, command: (key: string) => string): string | undefined => {
  const key = quotedKey(facts);
  return key === undefined ? undefined : command(key);
};

const onVersion = (facts: FailureFacts, command: (key: string) => string): string | undefined => {
  const key = quotedVersion(facts);
  return key === undefined ? undefined : command(key);
};

/** Scope of a role assignment on the key alone, as one shell word. */
export function keyScope(facts: FailureFacts): string | undefined {
  if (facts.keyName === undefined) return undefined;
  const keyPath = `/keys/${facts.keyName}`;
  if (facts.resourceId !== undefined) {
    const vaultId = /^(.*\/vaults\/[^/]+)/i.exec(facts.resourceId)?.[1] ?? facts.resourceId;
    return posixQuoted(`${vaultId}${keyPath}`);
  }
  return onVault(
    facts,
    (vault) => `"$(az keyvault show --name ${vault} --query id --output tsv)"${posixQuoted(keyPath)}`,
  );
}

/** Object id of the service principal as one shell word. By application id or oid, never by display name. */
export function principalWord(facts: FailureFacts): string | undefined {
  if (facts.principalId !== undefined) return posixQuoted(facts.principalId);
  return facts.appId === undefined
    ? undefined
    : `"$(az ad sp show --id ${posixQuoted(facts.appId)} --query id --output tsv)"`;
}

export function assignRole(facts: FailureFacts, role: string = ENCRYPTION_USER_ROLE_ID): string | undefined {
  const scope = keyScope(facts);
  const principal = principalWord(facts);
  if (scope === undefined || principal === undefined) return undefined;
  return (
    `az role assignment create --assignee-object-id ${principal} --assignee-principal-type ServicePrincipal ` +
    `--role ${posixQuoted(role)} --scope ${scope}`
  );
}

export function setAccessPolicy(facts: FailureFacts, permissions = 'get unwrapKey'): string | undefined {
  const principal = principalWord(facts);
  if (principal === undefined) return undefined;
  return onVault(
    facts,
    (vault) => `az keyvault set-policy --name ${vault} --object-id ${principal} --key-permissions ${permissions}`,
  );
}

export const switchVaultToRbac = (facts: FailureFacts): string | undefined =>
  onVault(facts, (vault) => `az keyvault update --name ${vault} --enable-rbac-authorization true`);

export const createServicePrincipal = (facts: FailureFacts): string | undefined =>
  facts.appId === undefined ? undefined : `az ad sp create --id ${posixQuoted(facts.appId)}`;

export const enableServicePrincipal = (facts: FailureFacts): string | undefined =>
  facts.appId === undefined ? undefined : `az ad sp update --id ${posixQuoted(facts.appId)} --set accountEnabled=true`;

/** Of Microsoft's own application Azure Key Vault, the same in every tenant of the public cloud. */
const KEY_VAULT_APP_ID = 'cfa8b339-82a2-471a-a3c9-0fc0be7a4093';
export const enableKeyVaultPrincipal = `az ad sp update --id ${KEY_VAULT_APP_ID} --set accountEnabled=true`;
export const createKeyVaultPrincipal = `az ad sp create --id ${KEY_VAULT_APP_ID}`;

export const signInTo = (facts: FailureFacts): string | undefined =>
  facts.tenantId === undefined ? undefined : `az login --tenant ${posixQuoted(facts.tenantId)}`;

/** A vault's firewall takes public addresses of IPv4 alone. */
export const allowAddress = (facts: FailureFacts): string | undefined => {
  const address = facts.clientAddress;
  if (address === undefined || !isFirewallAddress(address)) return undefined;
  return onVault(facts, (vault) => `az keyvault network-rule add --name ${vault} --ip-address ${posixQuoted(address)}`);
};

export const openPublicEndpoint = (facts: FailureFacts): string | undefined =>
  onVault(facts, (vault) => `az keyvault update --name ${vault} --public-network-access Enabled --default-action Deny`);

export const recoverVault = (facts: FailureFacts): string | undefined =>
  onVault(facts, (vault) => `az keyvault recover --name ${vault}`);

export const showVaultTenant = (facts: FailureFacts): string | undefined =>
  onVault(facts, (vault) => `az keyvault show --name ${vault} --query properties.tenantId --output tsv`);

export const showVault = (facts: FailureFacts): string | undefined =>
  onVault(facts, (vault) => `az keyvault show --name ${vault}`);

export const protectFromPurge = (facts: FailureFacts): string | undefined =>
  onVault(facts, (vault) => `az keyvault update --name ${vault} --enable-purge-protection true`);

export const listKeys = (facts: FailureFacts): string | undefined =>
  onVault(facts, (vault) => `az keyvault key list --vault-name ${vault} --query "[].name" --output tsv`);

export const recoverKey = (facts: FailureFacts): string | undefined =>
  onKey(facts, (key) => `az keyvault key recover ${key}`);

export const enableKey = (facts: FailureFacts): string | undefined =>
  onVersion(facts, (key) => `az keyvault key set-attributes ${key} --enabled true`);

export const rotateKey = (facts: FailureFacts): string | undefined =>
  onKey(facts, (key) => `az keyvault key rotate ${key}`);

export const makeKeyValidNow = (facts: FailureFacts): string | undefined =>
  onVersion(facts, (key) => `az keyvault key set-attributes ${key} --not-before "$(date -u +%Y-%m-%dT%H:%M:%SZ)"`);

/** `--ops` replaces the list, so the operations allowed until now are asked for and kept. */
export const allowUnwrap = (facts: FailureFacts): string | undefined =>
  onVersion(
    facts,
    (key) =>
      `az keyvault key set-attributes ${key} ` +
      `--ops $(az keyvault key show ${key} --query "key.keyOps" --output tsv) unwrapKey`,
  );

/** A new RSA key, or a new version if the name is taken by one. 4096 bits meet every policy. */
export const createRsaKey = (facts: FailureFacts): string | undefined =>
  onKey(facts, (key) => `az keyvault key create ${key} --kty ${rsaType(facts)} --size 4096 --ops wrapKey unwrapKey`);

/** The key that seals are signed by, or a new version of it. */
export const createSealKey = (facts: FailureFacts): string | undefined =>
  onKey(facts, (key) => `az keyvault key create ${key} --kty EC --curve P-256 --ops sign verify`);

export const allowSigning = (facts: FailureFacts): string | undefined =>
  onKey(facts, (key) => `az keyvault key set-attributes ${key} --ops sign verify`);

/** `--kty RSA` makes a key that is protected by software: the place of one in an HSM takes another of that kind. */
export const rsaType = ({ isHsm }: FailureFacts): 'RSA' | 'RSA-HSM' => (isHsm === true ? 'RSA-HSM' : 'RSA');

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

/** A command under a comment, where not every command of a remedy is for everybody; nothing without the command. */
export const explained = (comment: string, command: string | undefined): (string | undefined)[] =>
  command === undefined ? [] : [comment, command];

/** The commands that are known, one a line; undefined if none is. */
export function commandLines(...commands: readonly (string | undefined)[]): string | undefined {
  const known = commands.filter((command) => command !== undefined);
  return known.length === 0 ? undefined : known.join('\n');
}
