import { ClientAssertionCredential, ClientSecretCredential, type TokenCredential } from '@azure/identity';
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { apiClaims, federationClaims, withOverrides } from '../../../local/entra/claims.ts';
import {
  API_APP_ID,
  CONNECTOR_APP_ID,
  issuerV1,
  issuerV2,
  MANAGED_IDENTITY_CLIENT_ID,
  MANAGED_IDENTITY_PRINCIPAL_ID,
  VENDOR_TENANT_ID,
} from '../../../local/identities.ts';
import { control, startLocalAzure, type LocalAzure } from '../real-names.ts';

const SCOPE = 'https://vault.azure.net/.default';
const HELP =
  'Check your federated identity credential Subject, Audience and Issuer against the presented assertion. ' +
  'https://learn.microsoft.com/entra/workload-id/workload-identity-federation';

let azure: LocalAzure;
let count = 0;
let tenant: string;
let app: string;

beforeAll(async () => {
  azure = await startLocalAzure();
});
afterAll(() => azure.close());

const entra = <T>(method: string, path: string, body?: unknown): Promise<T> =>
  control<T>(azure.entra.controlUrl, method, path, body);
const consent = (appId: string): Promise<{ objectId: string }> =>
  entra('PUT', `/tenants/${tenant}/service-principals/${appId}`);

/** A tenant and a multitenant app of its own for every test, since credentials and MSAL cache by these. */
beforeEach(async () => {
  count += 1;
  tenant = `00000000-0000-4000-9000-${String(count).padStart(12, '0')}`;
  app = `00000000-0000-4000-a000-${String(count).padStart(12, '0')}`;
  await entra('POST', '/tenants', { tenantId: tenant, displayName: 'Acme', domains: [`acme${count}.example`] });
  await entra('PUT', `/apps/${app}`, { displayName: 'reader', multiTenant: true });
});

const assertion = (overrides: Record<string, unknown> = {}): string => {
  const claims = federationClaims({
    tenantId: VENDOR_TENANT_ID,
    clientId: MANAGED_IDENTITY_CLIENT_ID,
    principalId: MANAGED_IDENTITY_PRINCIPAL_ID,
    tokenId: 'id',
    lifetime: { nowMs: Date.now(), seconds: 600 },
  });
  return azure.entra.signer.sign(withOverrides(claims, overrides));
};
const federated = (text = assertion(), appId = CONNECTOR_APP_ID): TokenCredential =>
  new ClientAssertionCredential(tenant, appId, () => Promise.resolve(text));
const secret = (value: string, tenantId = tenant): TokenCredential => new ClientSecretCredential(tenantId, app, value);

async function refusal(credential: TokenCredential, scope = SCOPE): Promise<{ status: number; text: string }> {
  const error: unknown = await credential.getToken(scope).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'AuthenticationRequiredError' });
  const { message, cause } = error as Error & { cause?: { status?: number } };
  const [, text = ''] = /Description: (AADSTS.*?) Trace ID: [0-9a-f-]{36} Correlation ID: /.exec(message) ?? [];
  return { status: cause?.status ?? 0, text };
}

describe('a token of Entra', () => {
  it('for a secret is a v1.0 token of the service principal in that tenant, signed by a published key', async () => {
    const { objectId } = await consent(app);
    const { value } = await entra<{ value: string }>('POST', `/apps/${app}/secrets`);
    const answer = await secret(value).getToken(SCOPE);
    const jwks = (await (
      await fetch(`https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys`)
    ).json()) as JSONWebKeySet;
    const { payload } = await jwtVerify(answer!.token, createLocalJWKSet(jwks));
    expect(payload).toMatchObject({
      aud: 'https://vault.azure.net',
      iss: issuerV1(tenant),
      appid: app,
      oid: objectId,
      tid: tenant,
      ver: '1.0',
    });
    expect(payload.exp! - payload.iat!).toBe(3_599);
  });

  it('for the managed identity of the federated credential is one of the connector, in any tenant with consent', async () => {
    const { objectId } = await consent(CONNECTOR_APP_ID);
    const answer = await federated().getToken('https://storage.azure.com/.default');
    expect(decodeJwt(answer!.token)).toMatchObject({
      aud: 'https://storage.azure.com',
      iss: issuerV1(tenant),
      appid: CONNECTOR_APP_ID,
      oid: objectId,
    });
  });

  it('may be asked for with the scopes of people beside, as MSAL for Go asks, but not with those of another resource', async () => {
    await consent(app);
    const { value } = await entra<{ value: string }>('POST', `/apps/${app}/secrets`);
    const ask = async (scope: string): Promise<{ access_token?: string; error_codes?: number[] }> => {
      const form = { grant_type: 'client_credentials', client_id: app, client_secret: value, scope };
      const url = `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`;
      const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
      return (await answer.json()) as { access_token?: string; error_codes?: number[] };
    };
    const { access_token: token } = await ask(`${SCOPE} openid offline_access profile`);
    expect(decodeJwt(token!)).toMatchObject({ aud: 'https://vault.azure.net', appid: app });
    expect(await ask(`${SCOPE} https://storage.azure.com/.default`)).toMatchObject({ error_codes: [1002012] });
    expect(await ask('openid offline_access profile')).toMatchObject({ error_codes: [1002012] });
  });

  it('may be asked for under a domain of the tenant', async () => {
    await consent(app);
    const { value } = await entra<{ value: string }>('POST', `/apps/${app}/secrets`);
    const answer = await secret(value, `acme${count}.example`).getToken(SCOPE);
    expect(decodeJwt(answer!.token)['tid']).toBe(tenant);
  });

  it('is logged with who asked, how and for what, and never with a secret', async () => {
    azure.entra.control.clearRequests();
    await refusal(secret('wrong-value'));
    const [record] = azure.entra.control.requests();
    expect(record).toMatchObject({
      operation: 'token',
      target: tenant,
      status: 401,
      detail: { appId: app, scope: SCOPE, proof: 'secret', code: 7000229 },
    });
    expect(JSON.stringify(azure.entra.control.requests())).not.toContain('wrong-value');
  });

  it('names another principal after consent was withdrawn and given again', async () => {
    const { objectId } = await consent(app);
    await entra('DELETE', `/tenants/${tenant}/service-principals/${app}`);
    expect((await consent(app)).objectId).not.toBe(objectId);
  });
});

describe('Entra refuses', () => {
  it('an app without consent in the tenant: 7000229', async () => {
    expect(await refusal(federated())).toEqual({
      status: 401,
      text:
        `AADSTS7000229: The client application ${CONNECTOR_APP_ID} is missing service principal in the tenant ` +
        `${tenant}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119`,
    });
  });

  it('an app that nobody registered, and a single-tenant app elsewhere: 700016', async () => {
    const unknown = '99999999-9999-4999-8999-999999999999';
    for (const appId of [unknown, API_APP_ID]) {
      expect(await refusal(federated(assertion(), appId))).toEqual({
        status: 400,
        text:
          `AADSTS700016: Application with identifier '${appId}' was not found in the directory 'Acme'. This can ` +
          'happen if the application has not been installed by the administrator of the tenant or consented to by ' +
          'any user in the tenant. You may have sent your authentication request to the wrong tenant.',
      });
    }
  });

  it('a wrong secret (7000215), an expired one (7000222), and none at all (7000218)', async () => {
    await consent(app);
    const { secretId } = await entra<{ secretId: string }>('POST', `/apps/${app}/secrets`);
    expect(await refusal(secret(secretId))).toEqual({
      status: 401,
      text:
        'AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client ' +
        `secret value, not the client secret ID, for a secret added to app '${app}'.`,
    });
    const expired = await entra<{ value: string }>('POST', `/apps/${app}/secrets`, { expiresInSeconds: -1 });
    expect((await refusal(secret(expired.value))).text).toContain(
      `AADSTS7000222: The provided client secret keys for app '${app}' are expired.`,
    );
    const form = { grant_type: 'client_credentials', client_id: app, scope: SCOPE };
    expect(await post(form)).toMatchObject({ status: 401, body: { error: 'invalid_client', error_codes: [7000218] } });
  });

  it.each([
    [
      'issuer',
      { iss: issuerV2('12121212-1212-4212-8212-121212121212') },
      700211,
      issuerV2('12121212-1212-4212-8212-121212121212'),
    ],
    ['audience', { aud: 'api://Other' }, 700212, 'api://Other'],
    ['subject', { sub: 'another-principal' }, 700213, 'another-principal'],
  ])('an assertion of another %s', async (part, overrides, code, value) => {
    await consent(CONNECTOR_APP_ID);
    expect(await refusal(federated(assertion(overrides)))).toEqual({
      status: 401,
      text: `AADSTS${code}: No matching federated identity record found for presented assertion ${part} '${value}'. ${HELP}`,
    });
  });

  it('an assertion whose subject differs in case only: 7002138', async () => {
    await consent(CONNECTOR_APP_ID);
    const subject = MANAGED_IDENTITY_PRINCIPAL_ID.toUpperCase();
    expect((await refusal(federated(assertion({ sub: subject })))).text).toContain(
      `AADSTS7002138: No matching federated identity record found for presented assertion subject '${subject}'. The ` +
        'subject matches with case-insensitive comparison, but not with case-sensitive comparison.',
    );
  });

  it('an assertion that is forged (50013), too old (700024) or no token at all (50027)', async () => {
    await consent(CONNECTOR_APP_ID);
    const genuine = assertion();
    const forged = `${genuine.slice(0, -8)}AAAAAAAA`;
    expect((await refusal(federated(forged))).text).toMatch(
      /^AADSTS50013: Assertion failed signature validation\. \[Reason - The provided signature value did not match/,
    );
    const [, body = '', tail = ''] = genuine.split('.');
    const otherKey = Buffer.from('{"alg":"RS256","kid":"nobody"}').toString('base64url');
    expect((await refusal(federated(`${otherKey}.${body}.${tail}`))).text).toContain('The key was not found.');
    const old = Math.floor(Date.now() / 1000) - 3_600;
    expect((await refusal(federated(assertion({ nbf: old - 60, exp: old })))).text).toContain(
      'AADSTS700024: Client assertion is not within its valid time range.',
    );
    expect((await refusal(federated('not-a-token'))).text).toBe('AADSTS50027: JWT token is invalid or malformed.');
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    expect((await refusal(federated(`${unsigned}.${body}.`))).text).toContain('AADSTS50027');
  });

  it('an app without federated credentials (70025), and with one that has not spread yet (70021)', async () => {
    await consent(app);
    expect((await refusal(federated(assertion(), app))).text).toBe(
      `AADSTS70025: The client '${app}'(reader) has no configured federated identity credentials.`,
    );
    const credential = { issuer: issuerV2(VENDOR_TENANT_ID), subject: MANAGED_IDENTITY_PRINCIPAL_ID };
    const audience = 'api://AzureADTokenExchange';
    const put = (effectiveAfterMs: number): Promise<unknown> =>
      entra('PUT', `/apps/${app}/federated-credentials/fic`, { ...credential, audience, effectiveAfterMs });
    await put(3_600_000);
    expect((await refusal(federated(assertion(), app))).text).toContain('AADSTS70021: No matching federated identity');
    await put(0);
    await federated(assertion(), app).getToken(SCOPE);
  });

  it('what Conditional Access blocks (53003) and a disabled enterprise application (7000112)', async () => {
    await consent(CONNECTOR_APP_ID);
    await entra('PUT', `/tenants/${tenant}/conditional-access/${CONNECTOR_APP_ID}`);
    expect(await refusal(federated())).toMatchObject({
      text:
        'AADSTS53003: Access has been blocked by Conditional Access policies. The access policy does not allow token ' +
        'issuance.',
    });
    await entra('DELETE', `/tenants/${tenant}/conditional-access/${CONNECTOR_APP_ID}`);
    await federated().getToken(SCOPE);
    await entra('PUT', `/tenants/${tenant}/service-principals/${CONNECTOR_APP_ID}`, { enabled: false });
    expect((await refusal(federated())).text).toBe(
      `AADSTS7000112: Application '${CONNECTOR_APP_ID}'(Tailspin Backup) is disabled.`,
    );
  });

  it('a tenant that does not exist: 90002 at the token endpoint and in its discovery document', async () => {
    tenant = '56565656-5656-4656-8656-565656565656';
    const text =
      `AADSTS90002: Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing ` +
      'into the correct cloud. Check with your subscription administrator, this may happen if there are no active ' +
      'subscriptions for the tenant.';
    expect(await refusal(federated())).toEqual({ status: 400, text });
    const url = `https://login.microsoftonline.com/${tenant}/v2.0/.well-known/openid-configuration`;
    const response = await fetch(url);
    expect(response.status).toBe(400);
    const body = (await response.json()) as { error_description: string };
    expect(body).toMatchObject({ error: 'invalid_tenant', error_codes: [90002] });
    expect(body.error_description).toContain(`${text} Trace ID: `);
  });

  it('a resource that the tenant does not have (500011) and a scope without /.default (1002012)', async () => {
    await entra('DELETE', `/tenants/${tenant}`);
    await entra('POST', '/tenants', {
      tenantId: tenant,
      displayName: 'Acme',
      missingResources: ['https://vault.azure.net'],
    });
    await consent(CONNECTOR_APP_ID);
    expect((await refusal(federated())).text).toContain(
      'AADSTS500011: The resource principal named https://vault.azure.net was not found in the tenant named Acme.',
    );
    expect((await refusal(federated(), 'https://vault.azure.net/read')).text).toContain('AADSTS1002012');
  });

  it('in the body of an error, all the fields a client may read', async () => {
    const answer = await post({ grant_type: 'password' });
    expect(answer).toMatchObject({
      status: 400,
      body: {
        error: 'unsupported_grant_type',
        error_codes: [70003],
        error_uri: 'https://login.microsoftonline.com/error?code=70003',
        correlation_id: 'c0ffee00-0000-4000-8000-000000000000',
      },
    });
    const { timestamp, error_description: text, trace_id: trace } = answer.body as Record<string, string>;
    expect(timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
    expect(text).toBe(
      "AADSTS70003: The app requested an unsupported grant type 'password'. " +
        `Trace ID: ${trace} Correlation ID: c0ffee00-0000-4000-8000-000000000000 Timestamp: ${timestamp}`,
    );
  });
});

describe('Entra for those who check tokens', () => {
  it('publishes the same documents under both its names', async () => {
    for (const host of ['login.microsoftonline.com', 'login.windows.net']) {
      const response = await fetch(`https://${host}/${tenant}/v2.0/.well-known/openid-configuration`);
      expect(await response.json()).toMatchObject({
        issuer: issuerV2(tenant),
        jwks_uri: `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys`,
        token_endpoint: `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`,
      });
    }
    const common = await fetch('https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration');
    expect(await common.json()).toMatchObject({ issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' });
  });

  it('mints tokens for the API, right in every claim unless one is overridden', async () => {
    const { token } = await entra<{ token: string }>('POST', '/api-tokens', {
      roles: ['Keyswitch.CompanyAdmin'],
      company: 'acme',
      overrides: { ver: '1.0', azp: null },
    });
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [...azure.entra.signer.jwks.keys] }), {
      issuer: issuerV2(VENDOR_TENANT_ID),
      audience: API_APP_ID,
    });
    const lifetime = { nowMs: payload.iat! * 1000, seconds: 3_600 };
    const expected = apiClaims({
      tenantId: VENDOR_TENANT_ID,
      objectId: payload['oid'] as string,
      callerAppId: '',
      roles: ['Keyswitch.CompanyAdmin'],
      company: 'acme',
      tokenId: payload['uti'] as string,
      lifetime,
    });
    expect(payload).toEqual(withOverrides(expected, { ver: '1.0', azp: null }));
    expect(payload['extension_company']).toBe('acme');
  });

  it('keeps publishing the keys before a rotation, unless told to forget them', async () => {
    const before = azure.entra.mintApiToken({ roles: [] });
    const check = async (token: string): Promise<string> => {
      const jwks = await entra<JSONWebKeySet>('GET', '/jwks');
      return jwtVerify(token, createLocalJWKSet(jwks)).then(
        () => 'good',
        (error: unknown) => (error as { code: string }).code,
      );
    };
    await entra('POST', '/signing-keys/rotate');
    const after = azure.entra.mintApiToken({ roles: [] });
    expect([await check(before), await check(after)]).toEqual(['good', 'good']);
    await entra('POST', '/signing-keys/rotate', { forget: true });
    expect([await check(before), await check(after)]).toEqual(['ERR_JWKS_NO_MATCHING_KEY', 'ERR_JWKS_NO_MATCHING_KEY']);
  });

  it('refuses a misspelt control call instead of ignoring it', async () => {
    await expect(entra('POST', '/tenants', { tenantid: tenant })).rejects.toThrow('tenantid');
    await expect(entra('PUT', '/tenants/x')).rejects.toThrow('no such call');
    await expect(entra('PUT', `/tenants/${tenant}/service-principals/nobody`)).rejects.toThrow('no app nobody');
  });
});

async function post(form: Record<string, string>): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { 'client-request-id': 'c0ffee00-0000-4000-8000-000000000000' },
  });
  return { status: response.status, body: await response.json() };
}
