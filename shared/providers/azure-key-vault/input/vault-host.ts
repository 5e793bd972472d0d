// The host of a vault: one name before a suffix that is allowed, and nothing more. Pure.
import type { VaultFailureCode } from '../words/failures.ts';

export interface VaultUriPolicy {
  /** `vault.azure.net`; sovereign clouds have others. Lower case, no leading dot. */
  readonly allowedSuffixes: readonly string[];
}

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/**
 * Azure's own rule: 3 to 24 letters, digits and dashes, beginning with a letter, no two dashes in a row.
 * https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftkeyvault
 */
const VAULT_NAME = /^[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]$/;

const MANAGED_HSM = /\.managedhsm\.(azure\.net|azure\.cn|usgovcloudapi\.net)$/;
const OTHER_CLOUD = /\.vault\.(azure\.net|azure\.cn|usgovcloudapi\.net|microsoftazure\.de)$/;
const PRIVATE_LINK = /^([^.]+)\.(?:privatelink\.)?vaultcore\.(azure\.net|azure\.cn|usgovcloudapi\.net)$/;

/** The URIs of vaults that may be called, as callers may write them. */
export function vaultUriPattern({ allowedSuffixes }: VaultUriPolicy): RegExp {
  const suffixes = allowedSuffixes.map((suffix) => suffix.replaceAll('.', String.raw`\.`)).join('|');
  return new RegExp(String.raw`^https://[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]\.(?:${suffixes})/?$`);
}

export const MALFORMED_HOST = 'its host name is malformed';

/** What stands between `https://` and the path must be a host name and nothing more. In lower case. */
export function authorityProblem(host: string): string | undefined {
  if (host.includes('@')) return 'it holds a user name';
  if (host.includes('[') || /^[\d.]+(:\d*)?$/.test(host) || /^0x[0-9a-f.x]+(:\d*)?$/.test(host)) {
    return 'it holds an IP address in place of a name';
  }
  if (host.includes(':')) return 'it holds a port';
  if (host === '') return 'it holds no host name';
  if (host.endsWith('.')) return 'its host name ends in a dot';
  if (host.length > 253 || !host.split('.').every((label) => LABEL.test(label))) return MALFORMED_HOST;
  if (host.split('.').some((label) => label.startsWith('xn--'))) return 'its host name is internationalised';
  return undefined;
}

/** Why a well-formed host is no vault that may be called. */
export function hostProblem(
  host: string,
  policy: VaultUriPolicy,
): { readonly code: VaultFailureCode; readonly detail: string } | undefined {
  const suffix = policy.allowedSuffixes.find((allowed) => host.endsWith(`.${allowed}`));
  if (suffix === undefined) return { code: 'vault-host-not-allowed', detail: foreignHost(host, policy) };
  const name = host.slice(0, -suffix.length - 1);
  if (name.includes('.')) {
    return { code: 'vault-host-not-allowed', detail: `there is more than the vault's name before .${suffix}` };
  }
  if (VAULT_NAME.test(name)) return undefined;
  const detail =
    "the vault's name is not 3 to 24 letters, digits and single dashes, beginning with a letter and ending with a letter or digit";
  return { code: 'vault-uri-invalid', detail };
}

function foreignHost(host: string, policy: VaultUriPolicy): string {
  if (MANAGED_HSM.test(host)) return 'it is a Managed HSM, which is not supported yet';
  if (PRIVATE_LINK.test(host)) return "it is the name of a private link; enter the vault's own URI";
  const suffixes = policy.allowedSuffixes.map((suffix) => `.${suffix}`).join(' or ');
  if (OTHER_CLOUD.test(host)) return `it is a vault of another cloud; here it must end in ${suffixes}`;
  return `it does not end in ${suffixes}`;
}

/** Why a host is a vault, or like one, that is not called from here whatever is typed around it. In lower case. */
export function elsewhere(host: string, policy: VaultUriPolicy): string | undefined {
  const isHere = policy.allowedSuffixes.some((suffix) => host.endsWith(`.${suffix}`));
  if (isHere || !(MANAGED_HSM.test(host) || OTHER_CLOUD.test(host))) return undefined;
  return authorityProblem(host) === undefined ? hostProblem(host, policy)?.detail : undefined;
}

export const isVaultHost = (host: string, policy: VaultUriPolicy): boolean =>
  authorityProblem(host) === undefined && hostProblem(host, policy) === undefined;

/** The vault whose private link this is the name of; any other host as it is. */
export function ownHost(host: string): string {
  const [, name, cloud] = PRIVATE_LINK.exec(host) ?? [];
  return name === undefined || cloud === undefined ? host : `${name}.vault.${cloud}`;
}
