// For whom the app asks the identity endpoint for the token that it shows Entra, seen at the endpoint.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { VENDOR_TENANT_ID } from '../../local/identities.ts';
import { Credentials } from '../../shared/identity/entra/credentials/credentials.ts';
import { systemClock } from '../../shared/adapters/system.ts';
import { noSecrets } from '../fakes/no-secrets.ts';

const asked: (string | null)[] = [];
/** What the endpoint says instead of a token. */
let refusal: string | undefined;
const endpoint = createServer((request, response) => {
  if (refusal !== undefined) {
    response.writeHead(400, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ statusCode: 400, message: refusal }));
    return;
  }
  asked.push(new URL(request.url ?? '', 'http://127.0.0.1').searchParams.get('resource'));
  response.setHeader('Content-Type', 'application/json');
  const expires = Math.floor(Date.now() / 1000) + 3_600;
  response.end(
    JSON.stringify({ access_token: 'token', expires_on: String(expires), resource: 'r', token_type: 'Bearer' }),
  );
});

beforeAll(async () => {
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const { port } = endpoint.address() as AddressInfo;
  process.env['IDENTITY_ENDPOINT'] = `http://127.0.0.1:${port}/msi/token`;
  process.env['IDENTITY_HEADER'] = 'secret';
});
afterAll(() => new Promise((resolve) => endpoint.close(resolve)));

const credentialsOf = (authorityHost: string, tokenExchangeAudience?: string): Credentials =>
  new Credentials({
    tenantTokenMaxAgeMs: 300_000,
    openSecret: noSecrets,
    identityClientId: '7e5d0000-0000-4000-8000-0000000000d1',
    connectorClientId: '7e5d0000-0000-4000-8000-0000000000c1',
    vendorTenantId: VENDOR_TENANT_ID,
    authorityHost,
    tokenExchangeAudience,
    timeoutMs: 30_000,
    clock: systemClock,
  });

it.each([
  ['https://login.microsoftonline.com', undefined, 'api://AzureADTokenExchange'],
  ['https://login.microsoftonline.us', undefined, 'api://AzureADTokenExchangeUSGov'],
  ['https://login.microsoftonline.us', 'api://AzureADTokenExchangeCustom', 'api://AzureADTokenExchangeCustom'],
])('at %s with the setting %s it is %s', async (authorityHost, tokenExchangeAudience, resource) => {
  const credentials = credentialsOf(authorityHost, tokenExchangeAudience);
  expect(await credentials.assertion()).toEqual({ ok: true, value: 'token' });
  expect(asked.at(-1)).toBe(resource);
});

it('that is an audience of another cloud is said to be that, and not that the identity is not there', async () => {
  refusal =
    'AADSTS500011: The resource principal named api://AzureADTokenExchange was not found in the tenant named Vendor.';
  expect(
    await credentialsOf('https://login.microsoftonline.us', 'api://AzureADTokenExchange').assertion(),
  ).toMatchObject({
    error: {
      code: 'federation-mismatch',
      owner: 'vendor',
      remedy: { text: expect.stringContaining('KEYSWITCH_TOKEN_EXCHANGE_AUDIENCE') as unknown },
    },
  });
  refusal = 'Unable to load the proper Managed Identity.';
  expect(await credentialsOf('https://login.microsoftonline.com').assertion()).toMatchObject({
    error: { code: 'managed-identity-unavailable', kind: 'transient' },
  });
});
