import { randomBytes } from 'node:crypto';
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys';
import type { TokenCredential } from '@azure/identity';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CONNECTOR_APP_ID, issuerV1, SUBSCRIPTION_ID, VAULT_AUDIENCE } from '../../../local/identities.ts';
import { findDeleted } from '../../../local/key-vault/key-call.ts';
import { Vaults } from '../../../local/key-vault/vaults.ts';
import { TokenSigner } from '../../../local/entra/token-signer.ts';
import { connectorCredential, NO_RETRIES, OTHER_TENANT, startAcme, TENANT, type Acme } from './acme.ts';

let acme: Acme;
let caller: string;
let count = 0;

beforeAll(async () => {
  acme = await startAcme();
  caller = `appid=${CONNECTOR_APP_ID};oid=${acme.connectorOid};iss=https://sts.windows.net/${TENANT}/`;
});
afterAll(() => acme.azure.close());

let name: string;
let host: string;
let key: string;

/** Every test has a vault of its own, in which the connector may read and unwrap with the one key. */
beforeEach(async () => {
  count += 1;
  name = `vault-${count}`;
  host = `${name}.vault.azure.net`;
  await acme.vaultCall('POST', '/vaults', { host, tenantId: TENANT });
  const made = await acme.vaultCall<{ kid: string }>('POST', `/vaults/${host}/keys`, { name: 'main' });
  key = made.kid;
  await grant(['keys/read', 'keys/wrap', 'keys/unwrap']);
  acme.azure.keyVault.control.clearRequests();
  acme.azure.keyVault.control.clearFaults();
});

const grant = (dataActions: string[], more: object = {}): Promise<unknown> =>
  acme.vaultCall('PUT', `/vaults/${host}/role-assignments/connector`, {
    principalId: acme.connectorOid,
    dataActions,
    ...more,
  });
const revoke = (more: object = {}): Promise<unknown> =>
  acme.vaultCall('DELETE', `/vaults/${host}/role-assignments/connector`, more);
const patchVault = (body: object): Promise<unknown> => acme.vaultCall('PATCH', `/vaults/${host}`, body);
const patchKey = (body: object): Promise<unknown> => acme.vaultCall('PATCH', `/vaults/${host}/keys/main`, body);
const plant = (effect: object, more: object = {}): Promise<unknown> =>
  acme.vaultCall('POST', '/faults', { ...more, effect });
const keys = (credential: TokenCredential = connectorCredential()): KeyClient =>
  new KeyClient(`https://${host}`, credential, NO_RETRIES);
const crypto = (): CryptographyClient => new CryptographyClient(key, connectorCredential(), NO_RETRIES);
const refusal = (inner: string, message: string): object => ({
  statusCode: 403,
  code: 'Forbidden',
  message,
  details: { error: { code: 'Forbidden', message, innerError: { code: inner } } },
});
const rbacRefusal = (action: string): object =>
  refusal(
    'ForbiddenByRbac',
    'Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role ' +
      'definitions were changed recently, please observe propagation time.\r\n' +
      `Caller: ${caller}\r\nAction: 'Microsoft.KeyVault/vaults/${action}'\r\n` +
      `Resource: '/subscriptions/${SUBSCRIPTION_ID}/resourcegroups/rg-keys/providers/microsoft.keyvault/vaults/` +
      `${name}/keys/main'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\n` +
      `DecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: ${name};location=westeurope\r\n`,
  );

describe('requests to a vault', () => {
  const get = async (apiVersion: string, path = 'keys/main'): Promise<{ status: number; text: string }> => {
    const { token } = await connectorCredential().getToken('https://vault.azure.net/.default');
    const url = `https://${host}/${path}?api-version=${apiVersion}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, text: await answer.text() };
  };

  it.each(['bogus', '1.0', '2031-01-01'])(
    'of version %s are refused with the newest that is known',
    async (version) => {
      const { status, text } = await get(version);
      expect(status).toBe(400);
      expect(JSON.parse(text)).toEqual({
        error: {
          code: 'BadParameter',
          message: `The specified version (${version}) is not recognized. Consider using the latest supported version (2025-07-01).`,
        },
      });
    },
  );

  it.each(['7.0', '7.4', '7.6', '2025-07-01'])('of version %s are answered', async (version) => {
    expect((await get(version)).status).toBe(200);
  });
});

describe('tokens at a vault', () => {
  const raw = (token?: string): Promise<Response> =>
    fetch(`${key.replace(/\/[0-9a-f]{32}$/, '')}?api-version=7.6`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  const minted = async (change: object): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    const good = { iss: issuerV1(TENANT), aud: VAULT_AUDIENCE, exp: now + 600, appid: CONNECTOR_APP_ID, tid: TENANT };
    const claims = { ...good, oid: acme.connectorOid, ...change };
    return (await acme.entraCall<{ token: string }>('POST', '/tokens', { claims })).token;
  };
  const refused = async (response: Response): Promise<{ status: number; message: string }> => {
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe('Unauthorized');
    return { status: response.status, message: error.message };
  };

  it('are asked for with a challenge that names tenant and resource', async () => {
    const response = await raw();
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer authorization="https://login.windows.net/${TENANT}", resource="https://vault.azure.net"`,
    );
    expect(response.headers.get('x-ms-keyvault-network-info')).toBe(
      'conn_type=Ipv4;addr=192.0.2.10;act_addr_fam=InterNetwork;',
    );
    expect(await refused(response)).toEqual({
      status: 401,
      message: 'AKV10000: Request is missing a Bearer or PoP token.',
    });
    expect(acme.azure.keyVault.control.requests().map((record) => record.operation)).toEqual(['challenge']);
  });

  it('are taken when everything about them is right', async () => {
    expect((await raw(await minted({}))).status).toBe(200);
  });

  it.each([
    [
      'another tenant',
      { iss: issuerV1(OTHER_TENANT) },
      /^AKV10032: Invalid issuer. Expected one of .*1111\/, .*found https:\/\/sts.windows.net\/3{8}-.*\/\.$/,
    ],
    [
      'another audience',
      { aud: 'https://management.azure.com' },
      'AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://management.azure.com.',
    ],
    ['a past life', { exp: 1_700_000_000 }, "[TokenExpired] Error validating token: 'S2S12086'."],
  ])('are refused when they come from %s', async (_, change, message) => {
    const answer = await refused(await raw(await minted(change)));
    expect(answer.status).toBe(401);
    if (typeof message === 'string') expect(answer.message).toBe(message);
    else expect(answer.message).toMatch(message);
  });

  it('are refused when forged', async () => {
    const token = await minted({});
    const [head = '', , tail = ''] = token.split('.');
    const [, body = ''] = (await minted({ oid: acme.officerOid })).split('.');
    expect((await refused(await raw(`${head}.${body}.${tail}`))).message).toContain('BearerReadAccessTokenFailed');
    expect((await refused(await raw('no-token'))).status).toBe(401);
  });

  it('of a key that Entra does not publish are refused, those of its next key are taken', async () => {
    const stranger = await TokenSigner.create();
    expect((await refused(await raw(stranger.sign(decodeJwt(await minted({})))))).message).toBe(
      'AKV10046: Unable to resolve the key used for signature validation.',
    );
    await acme.entraCall('POST', '/signing-keys/rotate');
    expect((await raw(await minted({}))).status).toBe(200);
  });

  it('are asked of the tenant that the vault names, which may be another than its own', async () => {
    await patchVault({ challengeTenantId: OTHER_TENANT });
    await expect(keys(acme.officer).getKey('main')).rejects.toMatchObject({
      statusCode: 401,
      message: expect.stringContaining('AKV10032') as string,
    });
    await expect(keys().getKey('main')).rejects.toMatchObject({ name: 'CredentialUnavailableError' });
  });
});

describe('permission at a vault', () => {
  it('by roles is refused with the action, the caller and the key, once taken away', async () => {
    await keys().getKey('main');
    await revoke();
    await expect(keys().getKey('main')).rejects.toMatchObject(rbacRefusal('keys/read'));
    await expect(crypto().unwrapKey('RSA-OAEP-256', randomBytes(256))).rejects.toMatchObject(
      rbacRefusal('keys/unwrap/action'),
    );
  });

  it('by roles covers exactly the actions of the role', async () => {
    await grant(['Microsoft.KeyVault/vaults/keys/read', 'keys/unwrap']);
    const { result } = await wrapWithOfficer();
    await crypto().unwrapKey('RSA-OAEP-256', result);
    await expect(crypto().wrapKey('RSA-OAEP-256', randomBytes(8))).rejects.toMatchObject(
      rbacRefusal('keys/wrap/action'),
    );
  });

  it('by roles may be scoped to one key', async () => {
    await acme.vaultCall('POST', `/vaults/${host}/keys`, { name: 'other', kty: 'EC' });
    await grant(['keys/read'], { keyName: 'OTHER' });
    await keys().getKey('other');
    await expect(keys().getKey('main')).rejects.toMatchObject({ statusCode: 403 });
  });

  it('by roles takes its time to arrive and to go, when told so', async () => {
    await revoke({ effectiveAfterMs: 3_600_000 });
    await keys().getKey('main');
    await grant(['keys/read'], { effectiveAfterMs: 3_600_000 });
    await expect(keys().getKey('main')).rejects.toMatchObject(rbacRefusal('keys/read'));
  });

  it('by access policies is refused with the permission that is missing', async () => {
    await patchVault({ permissionModel: 'access-policy' });
    const missing = (permission: string, inner: string): object =>
      refusal(
        inner,
        `The user, group or application '${caller}' does not have keys ${permission} permission on key vault ` +
          `'${name};location=westeurope'. For help resolving this issue, please see ` +
          'https://go.microsoft.com/fwlink/?linkid=2125287',
      );
    await expect(keys().getKey('main')).rejects.toMatchObject(missing('get', 'ForbiddenByPolicy'));
    const policy = `/vaults/${host}/access-policies/${acme.connectorOid}`;
    await acme.vaultCall('PUT', policy, { keys: ['Get'] });
    await keys().getKey('main');
    await patchVault({ policyInnerCode: 'AccessDenied' });
    await expect(crypto().unwrapKey('RSA-OAEP-256', randomBytes(256))).rejects.toMatchObject(
      missing('unwrapKey', 'AccessDenied'),
    );
    await acme.vaultCall('DELETE', policy);
    await expect(keys().getKey('main')).rejects.toMatchObject(missing('get', 'AccessDenied'));
  });

  it('comes after the firewall, which names the address it refused', async () => {
    await patchVault({ clientAddress: '203.0.113.7', firewall: ['198.51.100.0/24'] });
    await expect(keys().getKey('main')).rejects.toMatchObject(
      refusal(
        'ForbiddenByFirewall',
        'Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\r\n' +
          `Caller: ${caller}\r\nVault: ${name};location=westeurope`,
      ),
    );
    await patchVault({ firewall: ['203.0.113.0/24'] });
    await keys().getKey('main');
  });

  it('is not even asked for when the vault is private', async () => {
    await patchVault({ privateOnly: true });
    await expect(keys().getKey('main')).rejects.toMatchObject(
      refusal(
        'ForbiddenByConnection',
        'Public network access is disabled and request is not from a trusted service nor via an approved private ' +
          `link.\r\nCaller: ${caller}\r\nVault: ${name};location=westeurope`,
      ),
    );
  });
});

describe('a deleted key', () => {
  const remove = (): Promise<unknown> => acme.vaultCall('DELETE', `/vaults/${host}/keys/main`);

  it('is shown to those who may read keys, who may neither recover nor purge it by that', async () => {
    await remove();
    expect((await keys().getDeletedKey('main')).properties.scheduledPurgeDate).toBeInstanceOf(Date);
    await expect(keys().beginRecoverDeletedKey('main')).rejects.toMatchObject(rbacRefusal('keys/recover/action'));
    await expect(keys().purgeDeletedKey('main')).rejects.toMatchObject(rbacRefusal('keys/purge/action'));
    await grant(['keys/unwrap']);
    await expect(keys().getDeletedKey('main')).rejects.toMatchObject(rbacRefusal('keys/read'));
  });

  it('is shown, or not, to those who may read this key alone: which, is not known of Azure', async () => {
    await grant(['keys/read'], { keyName: 'main' });
    await remove();
    expect((await keys().getDeletedKey('main')).name).toBe('main');
    await patchVault({ deletedByRoleOnKey: 'refused' });
    await expect(keys().getDeletedKey('main')).rejects.toMatchObject(rbacRefusal('keys/read'));
  });

  it('is shown by an access policy with get', async () => {
    await patchVault({ permissionModel: 'access-policy' });
    const policy = (permissions: string[]): Promise<unknown> =>
      acme.vaultCall('PUT', `/vaults/${host}/access-policies/${acme.connectorOid}`, { keys: permissions });
    await remove();
    await policy(['unwrapKey']);
    await expect(keys().getDeletedKey('main')).rejects.toThrow('does not have keys get permission');
    await policy(['get']);
    expect((await keys().getDeletedKey('main')).name).toBe('main');
  });

  it('is gone where its retention is over', async () => {
    const vaults = new Vaults();
    const place = { location: 'westeurope', resourceGroup: 'rg', settings: { softDeleteDays: 7 } };
    const vault = vaults.add({ host: 'short.vault.azure.net', tenantId: TENANT, ...place });
    const made = await vaults.putKeyVersion(vault, 'main', { kind: 'EC', sizeBits: 256 });
    vault.deletedKeys.set('main', { key: made.key, deletedAt: 0, visibleAtMs: 0 });
    const path = { operation: 'get-deleted', keyName: 'main', version: '' } as const;
    const at = (days: number): object =>
      findDeleted({ vaults, vault, path, query: new URLSearchParams(), body: '', nowMs: days * 86_400_000 });
    expect(at(6)).toMatchObject({ deletedAt: 0 });
    expect(() => at(7)).toThrow('Deleted Key not found: main');
  });
});

describe('the state of a key', () => {
  it('disabled: nothing but reading it is answered, and that may be refused too', async () => {
    await patchKey({ enabled: false });
    expect((await keys().getKey('main')).properties.enabled).toBe(false);
    const message = 'Operation unwrapKey is not allowed on a disabled key.';
    await expect(crypto().unwrapKey('RSA-OAEP-256', randomBytes(256))).rejects.toMatchObject(
      refusal('KeyDisabled', message),
    );
    await patchVault({ getOfDisabled: 'refused' });
    await expect(keys().getKey('main')).rejects.toMatchObject(
      refusal('KeyDisabled', 'Operation get is not allowed on a disabled key.'),
    );
  });

  it('expired or not valid yet: it unwraps and does nothing else', async () => {
    const { result } = await wrapWithOfficer();
    const past = Math.floor(Date.now() / 1000) - 60;
    for (const [attributes, inner] of [
      [{ expires: past }, 'KeyExpired'],
      [{ expires: null, notBefore: past + 3_600 }, 'KeyNotYetValid'],
    ] as const) {
      await patchKey(attributes);
      const { token } = await connectorCredential().getToken('https://vault.azure.net/.default');
      const post = (verb: string, value: Uint8Array): Promise<Response> =>
        fetch(`${key}/${verb}?api-version=7.6`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify({ alg: 'RSA-OAEP-256', value: Buffer.from(value).toString('base64url') }),
        });
      expect((await post('unwrapkey', result)).status).toBe(200);
      const response = await post('WrapKey', randomBytes(8));
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ error: { code: 'Forbidden', innererror: { code: inner } } });
    }
  });

  it('without the operation in key_ops: refused by name', async () => {
    await patchKey({ keyOps: ['unwrapKey'] });
    const client = new CryptographyClient(`https://${host}/keys/main`, connectorCredential(), NO_RETRIES);
    await grant(['keys/unwrap', 'keys/wrap']);
    await expect(client.wrapKey('RSA-OAEP-256', randomBytes(8))).rejects.toMatchObject(
      refusal('KeyOperationForbidden', 'Operation wrapKey is not permitted on this key.'),
    );
  });

  it('updated by its owner through the client: attributes change, updated moves', async () => {
    await grant(['keys/*']);
    const expiresOn = new Date('2031-01-01T00:00:00Z');
    const updated = await keys().updateKeyProperties('main', key.slice(-32), { enabled: false, expiresOn });
    expect(updated.properties).toMatchObject({ enabled: false, expiresOn });
  });

  it('an unknown version is not found by name and version', async () => {
    await expect(keys().getKey('main', { version: '0'.repeat(32) })).rejects.toMatchObject({
      statusCode: 404,
      message: expect.stringContaining(`(name/id) main/${'0'.repeat(32)} was not found`) as string,
    });
  });

  it('a ciphertext that does not open is a bad parameter', async () => {
    await expect(crypto().unwrapKey('RSA-OAEP-256', randomBytes(256))).rejects.toMatchObject({
      statusCode: 400,
      code: 'BadParameter',
    });
  });

  it('a path that means nothing, or a missing api-version, is refused', async () => {
    const { token } = await connectorCredential().getToken('https://vault.azure.net/.default');
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`https://${host}/secrets/x?api-version=7.6`, { headers })).status).toBe(405);
    expect((await fetch(`https://${host}/keys/main`, { headers })).status).toBe(400);
  });
});

describe('a vault that misbehaves', () => {
  it('refuses what is over its limits, without saying for how long', async () => {
    // A hundredth of 4,000 operations in 10 s are 40.
    await patchVault({ throttleScale: 0.01 });
    const client = keys();
    for (let index = 0; index < 40; index += 1) await client.getKey('main');
    const message =
      'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached';
    await expect(client.getKey('main')).rejects.toMatchObject({ statusCode: 429, code: 'Throttled', message });
    await patchVault({ throttleScale: null });
    await client.getKey('main');
  });

  it('hangs, and the client gives up by itself', async () => {
    const client = keys();
    await client.getKey('main');
    await plant({ hang: true }, { operation: 'get', times: 1 });
    const stop = AbortSignal.timeout(50);
    await expect(client.getKey('main', { abortSignal: stop })).rejects.toMatchObject({ name: 'AbortError' });
    await client.getKey('main');
  });

  it('cuts the connection before or after it acted', async () => {
    await grant(['keys/*']);
    const client = keys();
    await client.getKey('main');
    await plant({ drop: 'before-acting' }, { operation: 'create', times: 1 });
    await expect(client.createKey('lost', 'EC')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(client.getKey('lost')).rejects.toMatchObject({ statusCode: 404 });
    await plant({ drop: 'after-acting' }, { operation: 'create', times: 1 });
    await expect(client.createKey('lost', 'EC')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await client.getKey('lost')).name).toBe('lost');
  });

  it('answers garbage, a redirect, or a body without end', async () => {
    const client = keys();
    await client.getKey('main');
    const fault = (effect: object): Promise<unknown> => plant(effect, { target: `${host}/main`, times: 1 });
    await fault({ body: '<html>not json' });
    await expect(client.getKey('main')).rejects.toThrow('is not valid JSON');
    await fault({ status: 503, body: { error: { code: 'ServiceUnavailable', message: 'down' } } });
    await expect(client.getKey('main')).rejects.toMatchObject({ statusCode: 503, message: 'down' });
    const { token } = await connectorCredential().getToken('https://vault.azure.net/.default');
    const get = (): Promise<Response> =>
      fetch(`${key}?api-version=7.6`, { redirect: 'manual', headers: { authorization: `Bearer ${token}` } });
    await fault({ status: 302, headers: { location: 'https://evil.example/' } });
    expect((await get()).headers.get('location')).toBe('https://evil.example/');
    await fault({ bodyBytes: 200_000 });
    expect((await (await get()).text()).length).toBe(200_000);
    await fault({ bodyBytes: -1 });
    const reader = (await get()).body!.getReader();
    let bytes = 0;
    while (bytes < 5_000_000) bytes += ((await reader.read()).value as Uint8Array).length;
    await reader.cancel();
  });

  it('names another key in its reply', async () => {
    await plant({ mergeBody: { key: { kid: `https://${host}/keys/other/1` } } }, { operation: 'get', times: 1 });
    const key = await keys().getKey('main');
    expect(key.id).toBe(`https://${host}/keys/other/1`);
    expect(key.key?.n?.length).toBe(256);
  });
});

async function wrapWithOfficer(): Promise<{ result: Uint8Array }> {
  await acme.vaultCall('PUT', `/vaults/${host}/role-assignments/officer`, {
    principalId: acme.officerOid,
    role: 'Key Vault Crypto User',
  });
  return new CryptographyClient(key, acme.officer, NO_RETRIES).wrapKey('RSA-OAEP-256', randomBytes(32));
}
