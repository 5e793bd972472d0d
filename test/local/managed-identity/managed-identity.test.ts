import { randomUUID } from 'node:crypto';
import { ManagedIdentityCredential } from '@azure/identity';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  FEDERATION_AUDIENCE,
  issuerV1,
  issuerV2,
  MANAGED_IDENTITY_CLIENT_ID,
  MANAGED_IDENTITY_HEADER,
  MANAGED_IDENTITY_PRINCIPAL_ID,
  VENDOR_TENANT_ID,
} from '../../../local/identities.ts';
import { resourceIdOf } from '../../../local/managed-identity/managed-identity.ts';
import { control, startLocalAzure, type LocalAzure } from '../real-names.ts';

let azure: LocalAzure;
beforeAll(async () => {
  azure = await startLocalAzure();
});
afterAll(() => azure.close());

/** MSAL keeps tokens for the whole process by client id, so every test has an identity of its own. */
let clientId: string;
let principalId: string;
beforeEach(async () => {
  clientId = randomUUID();
  principalId = randomUUID();
  await control(azure.managedIdentity.controlUrl, 'PUT', `/identities/${clientId}`, { principalId });
  azure.managedIdentity.control.clearRequests();
  azure.managedIdentity.control.clearFaults();
});

const identity = (id = clientId): ManagedIdentityCredential =>
  new ManagedIdentityCredential({ clientId: id, retryOptions: { maxRetries: 0 } });
const raw = (query: Record<string, string>, header?: string): Promise<Response> =>
  fetch(`${azure.managedIdentity.environment.IDENTITY_ENDPOINT}?${new URLSearchParams(query).toString()}`, {
    headers: header === undefined ? {} : { 'X-IDENTITY-HEADER': header },
  });
const good = (): Record<string, string> => ({
  'api-version': '2019-08-01',
  resource: 'https://storage.azure.com',
  client_id: clientId,
});

describe('the managed identity', () => {
  it('is found by its object id and its resource id too, and by no other name', async () => {
    const byName = (name: Record<string, string>): Promise<Response> => {
      const common = { 'api-version': '2019-08-01', resource: 'https://storage.azure.com' };
      return raw({ ...common, ...name }, MANAGED_IDENTITY_HEADER);
    };
    for (const name of [{ object_id: principalId }, { mi_res_id: resourceIdOf(clientId) }]) {
      const { access_token: token } = (await (await byName(name)).json()) as { access_token: string };
      expect(decodeJwt(token)).toMatchObject({ appid: clientId, oid: principalId });
    }
    expect((await byName({ object_id: clientId })).status).toBe(400);
    expect((await byName({ object_id: principalId, client_id: clientId })).status).toBe(400);
  });

  it.each([
    ['https://storage.azure.com/.default', 'https://storage.azure.com'],
    ['https://vault.azure.net/.default', 'https://vault.azure.net'],
    ['https://servicebus.azure.net//.default', 'https://servicebus.azure.net'],
  ])('gets a v1.0 token of its principal for %s', async (scope, audience) => {
    const { token } = await identity().getToken(scope);
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [...azure.entra.signer.jwks.keys] }));
    expect(payload).toMatchObject({
      aud: audience,
      iss: issuerV1(VENDOR_TENANT_ID),
      appid: clientId,
      oid: principalId,
      ver: '1.0',
    });
  });

  it('gets the assertion that a federated credential names, for a day, and asks once', async () => {
    const credential = identity();
    const { token, expiresOnTimestamp } = await credential.getToken(`${FEDERATION_AUDIENCE}/.default`);
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({
      aud: FEDERATION_AUDIENCE,
      iss: issuerV2(VENDOR_TENANT_ID),
      sub: principalId,
      oid: principalId,
    });
    expect(claims.exp! - claims.iat!).toBe(86_400);
    expect(expiresOnTimestamp).toBe(claims.exp! * 1000);
    await credential.getToken(`${FEDERATION_AUDIENCE}/.default`);
    expect(azure.managedIdentity.control.requests()).toHaveLength(1);
    expect(azure.managedIdentity.control.requests()[0]).toMatchObject({
      operation: 'token',
      target: clientId,
      status: 200,
      detail: { resource: FEDERATION_AUDIENCE },
    });
  });

  it('that the run starts with is the vendor connector federation subject', async () => {
    const { token } = await identity(MANAGED_IDENTITY_CLIENT_ID).getToken(`${FEDERATION_AUDIENCE}/.default`);
    expect(decodeJwt(token).sub).toBe(MANAGED_IDENTITY_PRINCIPAL_ID);
  });

  it('that nobody assigned is refused in the words of App Service', async () => {
    const response = await raw(
      { ...good(), client_id: randomUUID() },
      azure.managedIdentity.environment.IDENTITY_HEADER,
    );
    expect(response.status).toBe(400);
    const message = 'Unable to load the proper Managed Identity.';
    expect(await response.json()).toEqual({ statusCode: 400, message });
    await expect(identity(randomUUID()).getToken('https://storage.azure.com/.default')).rejects.toMatchObject({
      name: 'CredentialUnavailableError',
      message: expect.stringContaining(message) as string,
    });
  });

  it('is refused without the header, with another header, protocol version, path or resource', async () => {
    const { IDENTITY_HEADER } = azure.managedIdentity.environment;
    expect((await raw(good())).status).toBe(401);
    expect((await raw(good(), randomUUID())).status).toBe(401);
    expect((await raw({ ...good(), 'api-version': '2017-09-01' }, IDENTITY_HEADER)).status).toBe(400);
    expect((await raw({ ...good(), resource: 'https://graph.microsoft.com' }, IDENTITY_HEADER)).status).toBe(400);
    const { client_id: _, ...withoutIdentity } = good();
    expect((await raw(withoutIdentity, IDENTITY_HEADER)).status).toBe(400);
    expect((await raw(good(), IDENTITY_HEADER)).status).toBe(200);
  });

  it('fails while a fault is planted, and works after', async () => {
    await control(azure.managedIdentity.controlUrl, 'POST', '/faults', {
      operation: 'token',
      target: clientId,
      times: 1,
      effect: { status: 400, body: { statusCode: 400, message: 'Identity not found' } },
    });
    await expect(identity().getToken('https://storage.azure.com/.default')).rejects.toMatchObject({
      name: 'CredentialUnavailableError',
    });
    await identity().getToken('https://storage.azure.com/.default');
  });

  it('gives tokens of another lifetime when told so', async () => {
    const settings = (tokenLifetimeSeconds: number): Promise<unknown> =>
      control(azure.managedIdentity.controlUrl, 'PATCH', '/settings', { tokenLifetimeSeconds });
    await settings(900);
    const claims = decodeJwt((await identity().getToken('https://storage.azure.com/.default')).token);
    await settings(86_400);
    expect(claims.exp! - claims.iat!).toBe(900);
  });
});
