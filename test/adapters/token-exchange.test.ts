// For whom the app asks the identity endpoint for the token that it shows Entra, seen at the endpoint.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Credentials } from '../../shared/adapters/credentials.ts';
import { systemClock } from '../../shared/adapters/system.ts';

const asked: (string | null)[] = [];
const endpoint = createServer((request, response) => {
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

it.each([
  ['https://login.microsoftonline.com', undefined, 'api://AzureADTokenExchange'],
  ['https://login.microsoftonline.us', undefined, 'api://AzureADTokenExchangeUSGov'],
  ['https://login.microsoftonline.us', 'api://AzureADTokenExchangeCustom', 'api://AzureADTokenExchangeCustom'],
])('at %s with the setting %s it is %s', async (authorityHost, tokenExchangeAudience, resource) => {
  const credentials = new Credentials({
    tenantTokenMaxAgeMs: 300_000,
    identityClientId: '7e5d0000-0000-4000-8000-0000000000d1',
    connectorClientId: '7e5d0000-0000-4000-8000-0000000000c1',
    authorityHost,
    tokenExchangeAudience,
    timeoutMs: 30_000,
    clock: systemClock,
  });
  expect(await credentials.assertion()).toEqual({ ok: true, value: 'token' });
  expect(asked.at(-1)).toBe(resource);
});
