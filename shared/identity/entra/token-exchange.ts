// For whom a managed identity's token has to be made so that Entra ID takes it in place of a secret: each cloud has its own. Pure.

const PUBLIC_AUDIENCE = 'api://AzureADTokenExchange';

/**
 * By the host of Entra ID. https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
 * names those of the public cloud, of US Government and of China; MSAL.NET's table of clouds (KnownCloudData) the others.
 */
const AUDIENCES: ReadonlyMap<string, string> = new Map([
  ['login.microsoftonline.us', `${PUBLIC_AUDIENCE}USGov`],
  ['login.usgovcloudapi.net', `${PUBLIC_AUDIENCE}USGov`],
  ['login.chinacloudapi.cn', `${PUBLIC_AUDIENCE}China`],
  ['login.partner.microsoftonline.cn', `${PUBLIC_AUDIENCE}China`],
  ['login.sovcloud-identity.fr', `${PUBLIC_AUDIENCE}France`],
  ['login.sovcloud-identity.de', `${PUBLIC_AUDIENCE}Germany`],
]);

/** The audience in the cloud of `authorityHost`; that of the public cloud for a host that is not known. */
export function tokenExchangeAudience(authorityHost: string): string {
  const host = /^https:\/\/([^/:?#]+)/i.exec(authorityHost)?.[1]?.toLowerCase() ?? '';
  return AUDIENCES.get(host) ?? PUBLIC_AUDIENCE;
}
