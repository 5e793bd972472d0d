// API3: broken object property level authorization. Fields that nobody may set are refused and named; fields that somebody may not
// see are not there.
import { afterAll, beforeAll, expect } from 'vitest';
import { dataKeysPartition } from '../../shared/store/rows/row-keys.ts';
import { attack } from './attacks.ts';
import type { RawAnswer } from './raw-request.ts';
import { Scene, type RoleName } from './scene.ts';

const FORBIDDEN = [403, 'forbidden'] as const;
const RING = '/companies/contoso/keyrings/default';

let scene: Scene;
let keyId: string;
let plaintext: string;
beforeAll(async () => {
  scene = await Scene.open({ switched: true });
  [[keyId, plaintext] = ['', '']] = scene.victim.keys;
});
afterAll(() => scene.close());

const targetsOf = ({ text }: RawAnswer): readonly string[] => {
  const { error } = JSON.parse(text) as { error: { details: readonly { code: string; target: string }[] } };
  return error.details.filter(({ code }) => code === 'unknown-field').map(({ target }) => target);
};

/** Each of the fields, beside what may be sent, is refused by name; so are all of them at once. */
async function refusesFields(
  call: { readonly method: 'PUT' | 'POST'; readonly path: string; readonly role: RoleName; readonly body: object },
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { method, path, role, body } = call;
  const token = scene.token(role, 'contoso');
  await scene.changesNothing(async () => {
    for (const [name, value] of Object.entries(fields)) {
      const attempt = { token, body: { ...body, [name]: value } };
      const answer = await scene.refused(method, path, attempt, [400, 'invalid-request']);
      expect(targetsOf(answer)).toEqual([`body.${name}`]);
    }
    const all = await scene.refused(method, path, { token, body: { ...body, ...fields } }, [400, 'invalid-request']);
    expect([...targetsOf(all)].sort()).toEqual(
      Object.keys(fields)
        .map((name) => `body.${name}`)
        .sort(),
    );
  });
}

attack('A34', () =>
  refusesFields(
    { method: 'PUT', path: '/companies/contoso', role: 'VendorAdmin', body: { displayName: 'Changed' } },
    {
      companyId: 'other',
      state: 'closing',
      createdAt: '2020-01-01T00:00:00Z',
      writtenBy: 'me',
      format: 2,
      partitionKey: 'other',
    },
  ),
);

attack('A35', async () => {
  const fields = {
    inForceProvider: 'managed',
    companyKeyVersion: 1,
    activeVersion: 1,
    generation: 0,
    shardCount: 1,
    switchId: '',
  };
  await refusesFields({ method: 'PUT', path: RING, role: 'CompanyAdmin', body: { isDefault: true } }, fields);
  // A new keyring may name the key that it begins under; one that is there may not.
  const provider = { isDefault: true, provider: { provider: 'managed' } };
  const token = scene.token('CompanyAdmin', 'contoso');
  await scene.changesNothing(async () => {
    await scene.refused('PUT', RING, { token, body: provider }, [409, 'keyring-exists']);
  });
  await refusesFields(
    { method: 'PUT', path: '/companies/contoso/keyrings/new', role: 'CompanyAdmin', body: {} },
    fields,
  );
});

attack('A36', async () => {
  const { vaultUri } = scene.run.environment.customers.contoso;
  const body = { vaultUri, keyName: 'contoso-key', credential: { kind: 'federated' } };
  const call = { method: 'PUT', path: '/companies/contoso/connections/azure', role: 'CompanyAdmin', body } as const;
  await refusesFields(call, {
    seal: { keyVersion: 'x', signature: 'y' },
    usedBy: [],
    consentedAt: '2026-01-01T00:00:00Z',
    roleAssignedAt: '2026-01-01T00:00:00Z',
    keySeen: true,
    clientId: '99999999-0000-4000-8000-000000000009',
  });
  await scene.changesNothing(async () => {
    const token = scene.token('CompanyAdmin', 'contoso');
    for (const extra of [{ clientId: 'x' }, { secret: 'x' }, { authority: 'https://evil.example' }]) {
      const credential = { kind: 'federated', ...extra };
      const attempt = { token, body: { ...body, credential } };
      const answer = await scene.refused('PUT', call.path, attempt, [400, 'invalid-request']);
      expect(targetsOf(answer)).toEqual([`body.credential.${Object.keys(extra).join('')}`]);
    }
  });
});

attack('A37', async () => {
  const body = { provider: 'managed' };
  const token = scene.token('CompanyAdmin', 'contoso');
  await scene.changesNothing(async () => {
    for (const extra of [
      { state: 'completed' },
      { generation: 99 },
      { toVersion: 1 },
      { denialAccepted: true },
      { kind: 'rekey' },
    ]) {
      await scene.refused('PUT', `${RING}/switches/s2`, { token, body: { ...body, ...extra } }, [
        400,
        'invalid-request',
      ]);
    }
    for (const verb of ['cancel', 'pause', 'resume']) {
      const forced = { token, body: { force: true } };
      const answer = await scene.refused('POST', `${RING}/switches/s1/${verb}`, forced, [400, 'invalid-request']);
      expect(targetsOf(answer)).toEqual(['body.force']);
    }
  });
});

attack('A38', () => {
  const fields = { blob: 'AAAA', wrapped: 'AAAA', companyKeyVersion: 1, state: 'live', nonce: 'AAAAAAAAAAAAAAAA' };
  const token = scene.token('DataKeys');
  return scene.changesNothing(async () => {
    for (const [name, value] of Object.entries(fields)) {
      const attempt = { token, body: { keys: [{ keyId: 'new', [name]: value }] } };
      const answer = await scene.refused('POST', `${RING}/datakeys`, attempt, [400, 'invalid-request']);
      expect(targetsOf(answer)).toEqual([`body.keys.0.${name}`]);
    }
  });
});

attack('A39', () => {
  const token = scene.token('VendorAdmin');
  const bodies = [
    '{"displayName":"x","__proto__":{"defaultKeyring":"y"}}',
    '{"displayName":"x","constructor":{"prototype":{"roles":["VendorAdmin"]}}}',
    '{"__proto__":{"displayName":"x"}}',
  ];
  return scene.changesNothing(async () => {
    for (const rawBody of bodies)
      await scene.refused('PUT', '/companies/contoso', { token, rawBody }, [400, 'invalid-request']);
    const query = '/companies?__proto__=1&constructor=2';
    await scene.refused('GET', query, { token }, [400, 'invalid-request']);
  });
});

/** Refused where plaintexts are answered, and recorded; where metadata is, there is no key in it, wrapped or not. */
async function getsNoPlaintext(role: RoleName): Promise<void> {
  const token = scene.token(role);
  const answers = await scene.changesNothing(async () => [
    await scene.refused('POST', `${RING}/unwrap`, { token, body: { keyIds: [keyId] } }, FORBIDDEN),
    await scene.refused('POST', `${RING}/datakeys`, { token, body: { keys: [{}] } }, FORBIDDEN),
  ]);
  for (const answer of answers)
    expect((await scene.recordedAsRefused(answer)).detail).toMatchObject({ asked: 'contoso' });
  const shards = Array.from({ length: 4 }, (_, shard) =>
    dataKeysPartition({ companyId: 'contoso', keyringId: 'default', shard }),
  );
  const rows = (await Promise.all(shards.map((shard) => scene.rows.list('datakeys', shard)))).flat();
  const blob = rows.find(({ rowKey }) => rowKey === keyId)?.['blob'] as Uint8Array;
  expect(blob.length).toBeGreaterThan(0);
  for (const path of [
    `${RING}/datakeys`,
    `${RING}/datakeys/${keyId}`,
    RING,
    `${RING}/switches/s1`,
    '/companies/contoso/events',
  ]) {
    const { status, text } = await scene.attempt('GET', path, { token });
    expect(status).toBe(200);
    for (const form of ['base64', 'base64url', 'hex'] as const) {
      expect(text).not.toContain(Buffer.from(blob).toString(form));
      expect(text).not.toContain(Buffer.from(plaintext, 'base64url').toString(form));
    }
  }
}

attack('A40', () => getsNoPlaintext('VendorAdmin'));

attack('A41', () => getsNoPlaintext('Auditor'));

attack('A42', async () => {
  const { keyVault, customers } = scene.run.environment;
  const body = {
    error: {
      code: 'Forbidden',
      message: 'Only for the vendor: caller 0000, policy 42',
      innererror: { code: 'ForbiddenByRbac' },
    },
  };
  const target = `${customers.contoso.vaultHost}/contoso-key`;
  await keyVault.plant({ operation: 'get', target, effect: { status: 403, body } });
  const test = '/companies/contoso/connections/azure/test';
  const seenBy = async (role: RoleName): Promise<string> => {
    const { status, text } = await scene.attempt('POST', test, { token: scene.token(role, 'contoso') });
    expect(status).toBe(200);
    return text;
  };
  expect(await seenBy('VendorAdmin')).toContain('policy 42');
  const text = await seenBy('CompanyAdmin');
  await keyVault.clearFaults();
  expect(text).toContain('"code":"access-denied-rbac"');
  expect(text).not.toMatch(/policy 42|innererror/);
});
