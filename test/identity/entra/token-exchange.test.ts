import { expect, it } from 'vitest';
import { tokenExchangeAudience } from '../../../shared/identity/entra/token-exchange.ts';

it.each([
  ['https://login.microsoftonline.com', 'api://AzureADTokenExchange'],
  ['https://login.windows.net/', 'api://AzureADTokenExchange'],
  ['https://login.microsoftonline.us', 'api://AzureADTokenExchangeUSGov'],
  ['https://LOGIN.microsoftonline.us/', 'api://AzureADTokenExchangeUSGov'],
  ['https://login.usgovcloudapi.net', 'api://AzureADTokenExchangeUSGov'],
  ['https://login.chinacloudapi.cn', 'api://AzureADTokenExchangeChina'],
  ['https://login.partner.microsoftonline.cn:443', 'api://AzureADTokenExchangeChina'],
  ['https://login.sovcloud-identity.fr', 'api://AzureADTokenExchangeFrance'],
  ['https://login.sovcloud-identity.de', 'api://AzureADTokenExchangeGermany'],
  ['https://login.cloud.example', 'api://AzureADTokenExchange'],
])('the authority %s takes identity tokens made for %s', (authorityHost, audience) => {
  expect(tokenExchangeAudience(authorityHost)).toBe(audience);
});
