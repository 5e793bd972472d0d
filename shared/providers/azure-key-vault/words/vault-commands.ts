// The az command lines that have to do with a vault and its keys. Pure. Every value is quoted; a command whose names are not known is
// undefined. Nothing is left to fill in: ids that only Azure knows are asked for inside the command.
import type { FailureFacts } from '../../../domain/failure.ts';
import { ENCRYPTION_USER_ROLE_ID, principalWord } from '../../../identity/entra/words/commands.ts';
import { isFirewallAddress } from './network-address.ts';
import { posixQuoted } from '../../../domain/shell-text.ts';

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

/** Its retention's end; an error where there is none to recover. */
export const showDeletedVault = (facts: FailureFacts): string | undefined =>
  onVault(
    facts,
    (vault) => `az keyvault show-deleted --name ${vault} --query "properties.scheduledPurgeDate" --output tsv`,
  );

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
