// The product as its users call it, from a company's registration to its removal. Every answer is held against the description.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../../functions/http/routes.ts';
import { failure } from '../../../shared/failures.ts';
import { MAX_CALLS_PER_MINUTE } from '../../../shared/store/call-limit.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/work.ts';
import type { ApiAnswer, Json } from './api-answer.ts';
import {
  adminOf,
  Api,
  auditor,
  backend,
  BASE_URL,
  ORIGIN,
  CUSTOMER_HOST,
  CUSTOMER_KEY,
  CUSTOMER_TENANT,
  vendor,
  registerCompany,
} from './api.ts';
import { consentByPages } from './consent-pages.ts';

let api: Api;
beforeAll(async () => {
  api = await Api.start();
});
afterAll(() => api.close());

const admin = adminOf('acme');
const acme = '/companies/acme';
const ring = `${acme}/keyrings/default`;
const list = (value: Json | undefined): Json[] => value as unknown as Json[];
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const codeOf = (answer: ApiAnswer): unknown => answer.body['error']?.['code'];
const plaintexts = new Map<string, string>();

/** As somebody with access to the tables finds and changes a data key's row. */
const rowOf = (keyId: string): ReturnType<Api['store']['dump']> extends Generator<infer Row> ? Row : never =>
  [...api.store.dump()].find(({ table, rowKey }) => table === 'datakeys' && rowKey === keyId)!;
const cellsOf = (keyId: string): Cells => rowOf(keyId).cells;
const write = (keyId: string, blob: Uint8Array): void =>
  api.store.tamper('datakeys', rowOf(keyId).partitionKey, keyId, { ...cellsOf(keyId), blob });

const unwrap = async (keyIds: readonly string[]): Promise<Json[]> => {
  const answer = await api.call('POST', `${ring}/unwrap`, { as: backend, body: { keyIds } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return list(answer.body['keys']);
};

const expectAllReadable = async (): Promise<void> => {
  const keys = await unwrap([...plaintexts.keys()]);
  expect(keys.map((key) => [key['keyId'], key['plaintext']])).toEqual([...plaintexts]);
};

describe('a company', () => {
  test('is registered with a default keyring, once', async () => {
    const made = await api.call('PUT', acme, {
      as: vendor,
      headers: { 'if-none-match': '*' },
      body: { displayName: 'Acme' },
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ companyId: 'acme', displayName: 'Acme', defaultKeyring: 'default' });
    const again = await api.call('PUT', acme, { as: vendor, body: { displayName: 'Acme' } });
    expect(again.status).toBe(200);
    expect(again.headers.get('etag')).toBe(made.headers.get('etag'));
  });

  test('is read by its own admin, and listed page by page for the vendor', async () => {
    await registerCompany(api, 'globex');
    await registerCompany(api, 'initech');
    expect((await api.call('GET', acme, { as: admin })).body['displayName']).toBe('Acme');
    const seen: unknown[] = [];
    let next: string | undefined = `${BASE_URL}/companies?maxpagesize=2`;
    while (next !== undefined) {
      const page: ApiAnswer = await api.call('GET', next, { as: auditor });
      seen.push(...list(page.body['value']).map((company) => company['companyId']));
      next = page.body['nextLink'] as unknown as string | undefined;
    }
    expect(seen).toEqual(['acme', 'globex', 'initech']);
  });

  test('gets further keyrings, one of them the default', async () => {
    expect((await api.call('PUT', `${acme}/keyrings/archive`, { as: admin, body: {} })).status).toBe(201);
    const back = await api.call('PUT', `${acme}/keyrings/default`, { as: admin, body: { isDefault: true } });
    expect(back.status).toBe(200);
    const page = await api.call('GET', `${acme}/keyrings?maxpagesize=1`, { as: auditor });
    expect(list(page.body['value']).map((keyring) => keyring['keyringId'])).toEqual(['archive']);
    const rest = await api.call('GET', page.body['nextLink'] as unknown as string, { as: auditor });
    expect(list(rest.body['value'])).toMatchObject([{ keyringId: 'default', isDefault: true, state: 'ready' }]);
  });
});

describe('data keys', () => {
  test('are generated and imported, each with an outcome of its own', async () => {
    const imported = randomBytes(32).toString('base64url');
    const body = { keys: [{ keyId: 'k1' }, { keyId: 'k2' }, { keyId: 'k3', plaintext: imported }] };
    const made = await api.call('POST', `${ring}/datakeys`, { as: backend, body });
    expect(made.status).toBe(200);
    expect(made.headers.get('cache-control')).toBe('no-store');
    for (const key of list(made.body['keys'])) {
      expect(key['outcome']).toBe('created');
      plaintexts.set(text(key['keyId']), text(key['plaintext'] ?? imported));
    }
    const [third, fourth] = list(
      (await api.call('POST', `${ring}/datakeys`, { as: backend, body: { keys: [{ keyId: 'k3' }, { keyId: 'k4' }] } }))
        .body['keys'],
    );
    expect(third).toEqual({ outcome: 'id-taken', keyId: 'k3' });
    plaintexts.set('k4', text(fourth?.['plaintext']));
    await expectAllReadable();
  });

  test('asked for twice with one Idempotency-Key are the same keys; with another body it is 409', async () => {
    const headers = { 'idempotency-key': 'request-1' };
    const ask = (keys: object[]): Promise<ApiAnswer> =>
      api.call('POST', `${ring}/datakeys`, { as: backend, headers, body: { keys } });
    const first = await ask([{}]);
    expect((await ask([{}])).body).toEqual(first.body);
    const other = await ask([{}, {}]);
    expect(other.status).toBe(409);
    expect(codeOf(other)).toBe('idempotency-key-reused');
    const [key] = list(first.body['keys']);
    plaintexts.set(text(key?.['keyId']), text(key?.['plaintext']));
  });

  test('are listed as metadata, page by page, without their material', async () => {
    const seen: unknown[] = [];
    let next: string | undefined = `${BASE_URL}${ring}/datakeys?maxpagesize=2`;
    while (next !== undefined) {
      const page: ApiAnswer = await api.call('GET', next, { as: vendor });
      seen.push(...list(page.body['value']).map((key) => key['keyId']));
      next = page.body['nextLink'] as unknown as string | undefined;
    }
    expect(seen.sort()).toEqual([...plaintexts.keys()].sort());
  });

  test('are deleted, said to be, and restored', async () => {
    const before = await api.call('GET', `${ring}/datakeys/k4`, { as: auditor });
    const headers = { 'if-match': before.headers.get('etag')! };
    const deleted = await api.call('DELETE', `${ring}/datakeys/k4`, { as: backend, headers });
    expect(deleted.body).toMatchObject({ state: 'deleted', purgeAfter: '2026-01-31T00:00:00.000Z' });
    expect(await unwrap(['k4', 'nobody'])).toEqual([
      { keyId: 'k4', outcome: 'deleted' },
      { keyId: 'nobody', outcome: 'not-found' },
    ]);
    expect((await api.call('POST', `${ring}/datakeys/k4/restore`, { as: backend, headers })).status).toBe(412);
    expect((await api.call('POST', `${ring}/datakeys/k4/restore`, { as: vendor })).body['state']).toBe('live');
    const again = await api.call('POST', `${ring}/datakeys/k4/restore`, { as: vendor });
    expect([again.status, codeOf(again)]).toEqual([409, 'data-key-not-deleted']);
    expect((await api.call('GET', `${ring}/datakeys/nobody`, { as: vendor })).status).toBe(404);
    const counts = (await api.call('GET', ring, { as: admin })).body['counts'];
    expect(counts).toEqual({ live: plaintexts.size, deleted: 0, quarantined: 0, lost: 0 });
  });
});

describe('a connection', () => {
  const path = `${acme}/connections/main`;
  const input = { vaultUri: `https://${CUSTOMER_HOST}`, keyName: CUSTOMER_KEY, credential: { kind: 'federated' } };

  test('with a whole key URL pasted is refused with the two values, split', async () => {
    const body = { ...input, vaultUri: `https://${CUSTOMER_HOST}/keys/${CUSTOMER_KEY}` };
    const answer = await api.call('PUT', path, { as: admin, body });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'vault-uri-contains-key-path']);
    expect(answer.body['error']).toMatchObject({
      target: 'body.vaultUri',
      kind: 'input',
      owner: 'company-admin',
      suggestion: { vaultUri: `https://${CUSTOMER_HOST}`, keyName: CUSTOMER_KEY },
    });
  });

  test('with the address of an issuer in place of a tenant’s id is refused with the id', async () => {
    const tenantId = `https://login.microsoftonline.com/${CUSTOMER_TENANT}/oauth2/v2.0/token`;
    const answer = await api.call('PUT', path, { as: admin, body: { ...input, tenantId } });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'invalid-request']);
    expect(answer.body['error']).toMatchObject({
      target: 'body.tenantId',
      message: expect.stringContaining(`Probably meant: ${CUSTOMER_TENANT}.`) as string,
    });
  });

  test('before its test cannot be switched to, and a check of it is 409', async () => {
    expect((await api.call('PUT', path, { as: admin, body: input })).status).toBe(201);
    const checked = await api.call('POST', `${path}/check`, { as: admin });
    expect([checked.status, codeOf(checked)]).toEqual([409, 'connection-not-in-force']);
    const early = await api.call('PUT', `${ring}/switches/early`, {
      as: admin,
      body: { provider: 'azure-key-vault', connectionId: 'main' },
    });
    expect([early.status, codeOf(early)]).toEqual([409, 'connection-not-tested']);
  });

  test('without consent fails its test, and no token is asked for', async () => {
    const failed = await api.call('POST', `${path}/test`, { as: admin });
    expect(failed.body['status']).toBe('failed');
    const check = list(failed.body['checks']).find((one) => text(one['outcome']) === 'failed');
    expect(check).toMatchObject({ check: 'consent', failure: { code: 'consent-required', owner: 'company-admin' } });
    expect(api.vaults.countOf('obtainToken')).toBe(0);
  });

  test('has links that open with what a mailer appends to them', async () => {
    const made = await api.call('POST', `${path}/consent`, { as: admin });
    const link = new URL(text(made.body['link'])).pathname;
    expect((await api.call('GET', `${link}?utm_source=mail`)).html).toContain('Let an application use one key');
  });

  test('gets its consent by pages, from an administrator of the tenant', async () => {
    const granted = await consentByPages(api, { path, as: admin, tenantId: CUSTOMER_TENANT });
    expect(granted.status).toBe(200);
    expect(granted.html).toContain('Consent is granted');
    const shown = (await api.call('GET', path, { as: auditor })).body;
    expect(shown).toMatchObject({ consentedAt: '2026-01-01T00:00:00.000Z' });
    expect(text(shown['consentedBy'])).toContain(CUSTOMER_TENANT);
    const claim = await api.call('GET', `/vault-claims/${CUSTOMER_HOST}/${CUSTOMER_KEY}`, { as: vendor });
    expect(claim.body).toMatchObject({ companyId: 'acme', state: 'held' });
  });

  test('whose role is missing fails its test with the remedy: a result, not an error', async () => {
    api.vaults.fail({
      operation: 'readKey',
      host: CUSTOMER_HOST,
      times: 2,
      failure: failure(
        'access-denied-rbac',
        { vaultHost: CUSTOMER_HOST },
        { status: 403, code: 'Forbidden', message: 'inner words', correlationId: 'corr-1' },
      ),
    });
    const waiting = await api.call('POST', `${path}/test`, { as: admin });
    expect(waiting.status).toBe(200);
    expect(waiting.body).toMatchObject({ status: 'waiting', becomesDeniedAt: '2026-01-01T00:10:00.000Z' });
    expect(JSON.stringify(waiting.body)).toContain('corr-1');
    expect(JSON.stringify(waiting.body)).not.toContain('inner words');
    api.clock.advance(11 * 60_000);
    const failed = await api.call('POST', `${path}/test`, { as: vendor });
    expect(failed.body['status']).toBe('failed');
    const check = list(failed.body['checks']).find((one) => text(one['outcome']) === 'failed');
    expect(check?.['failure']).toMatchObject({
      code: 'access-denied-rbac',
      owner: 'azure-admin',
      correlationId: 'corr-1',
      innererror: { message: 'inner words' },
    });
  });

  test('turns green and shows instructions', async () => {
    expect((await api.call('POST', `${path}/test`, { as: admin, body: {} })).body['status']).toBe('green');
    expect((await api.call('GET', path, { as: auditor })).body).toMatchObject({
      vaultUri: `https://${CUSTOMER_HOST}`,
      keySeen: true,
      usedBy: [],
    });
    const { instructions } = (await api.call('GET', `${path}/instructions`, { as: admin })).body as Record<
      string,
      Json
    >;
    expect(list(instructions).map((one) => one['id'])).toContain('role');
    expect((await api.call('GET', `${path}/health`, { as: admin })).body).toEqual({ history: [] });
  });

  test('is listed', async () => {
    const page = await api.call('GET', `${acme}/connections`, { as: auditor });
    expect(list(page.body['value']).map((one) => one['connectionId'])).toEqual(['main']);
  });

  test('is tested at most thirty times a minute for each company', async () => {
    api.clock.advance(60_000);
    const statuses: number[] = [];
    for (let i = 0; i <= MAX_CALLS_PER_MINUTE; i += 1) {
      statuses.push((await api.call('POST', `${path}/test`, { as: admin })).status);
    }
    expect(statuses).toEqual([...Array.from({ length: MAX_CALLS_PER_MINUTE }, () => 200), 429]);
    const refused = await api.call('POST', `${path}/test`, { as: admin });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const other = '/companies/globex/connections/main';
    expect((await api.call('PUT', other, { as: vendor, body: input })).status).toBe(201);
    expect((await api.call('POST', `${other}/test`, { as: vendor })).status).toBe(200);
    api.clock.advance(60_000);
    expect((await api.call('POST', `${path}/test`, { as: admin })).status).toBe(200);
  });
});

describe('a tenant found in the data', () => {
  const tenant = `${acme}/tenants/google-workspace/acme.example`;

  test('is registered by the vendor, and removed when it was a mistake', async () => {
    expect((await api.call('PUT', tenant, { as: vendor })).status).toBe(201);
    expect((await api.call('GET', tenant, { as: admin })).body['tenantId']).toBe('acme.example');
    expect(list((await api.call('GET', `${acme}/tenants`, { as: auditor })).body['value'])).toHaveLength(1);
    expect((await api.call('POST', `${acme}/tenants/refresh`, { as: adminOf('acme') })).status).toBe(204);
    expect((await api.call('DELETE', tenant, { as: vendor })).status).toBe(204);
  });
});

describe('a switch', () => {
  const toVault = { provider: 'azure-key-vault', connectionId: 'main' };
  const sw = (id: string): string => `${ring}/switches/${id}`;

  test('is begun, paused, resumed, turned back and forth, and cancelled; every key is readable throughout', async () => {
    const begun = await api.call('PUT', sw('first'), { as: admin, body: toVault });
    expect(begun.status).toBe(202);
    expect(begun.headers.get('operation-location')).toBe(`${BASE_URL}${sw('first')}`);
    expect(begun.headers.get('retry-after')).toBe('5');
    const other = await api.call('PUT', sw('other'), { as: admin, body: toVault });
    expect([other.status, codeOf(other)]).toEqual([409, 'switch-in-progress']);
    const inUse = await api.call('DELETE', `${acme}/connections/main`, { as: admin });
    expect([inUse.status, codeOf(inUse)]).toEqual([409, 'connection-in-use']);
    expect((await api.call('DELETE', acme, { as: vendor })).status).toBe(409);

    const tenant = `${acme}/tenants/microsoft-365/${CUSTOMER_TENANT}`;
    expect((await api.call('PUT', tenant, { as: vendor })).status).toBe(201);
    const approval = { for: 'switch', keyringId: 'default', switchId: 'first' };
    const asked = await api.call('POST', `${tenant}/verify`, { as: admin, body: approval });
    expect(text(asked.body['link'])).toContain(`${ORIGIN}/verify/links/acme~`);
    const link = new URL(text(asked.body['link'])).pathname;
    const opened = await api.call('GET', link);
    expect([opened.status, opened.html?.includes(`action="${link}"`)]).toEqual([200, true]);
    expect((await api.call('POST', link)).headers.get('refresh')).toMatch(/^0; url=https:/);
    const redirectUri = encodeURIComponent(`${ORIGIN}/consent/callback`);
    expect((await api.call('POST', link)).headers.get('refresh')).toContain(redirectUri);
    expect((await api.call('DELETE', tenant, { as: vendor })).status).toBe(204);

    expect((await api.call('POST', `${sw('first')}/confirm`, { as: admin })).status).toBe(202);
    expect((await api.call('POST', `${sw('first')}/pause`, { as: admin })).status).toBe(409);
    const cancelled = await api.call('POST', `${sw('first')}/cancel`, { as: admin });
    expect(cancelled.body['state']).toBe('cancelled');
    await api.work();
    await expectAllReadable();
  });

  test('goes through, pausing and turning on its way', async () => {
    expect((await api.call('PUT', sw('second'), { as: admin, body: toVault })).status).toBe(202);
    const prepared = api.queue.take();
    expect(prepared?.kind).toBe('advance');
    await handleSwitchWork(api.services, prepared!);
    expect((await api.call('GET', sw('second'), { as: admin })).body['state']).toBe('re-protecting');
    expect((await api.call('POST', `${sw('second')}/pause`, { as: admin })).body['paused']).toBe(true);
    expect((await api.call('POST', `${sw('second')}/resume`, { as: admin })).body['paused']).toBe(false);
    const withoutKeeping = { withoutKeeping: true };
    const early = await api.call('POST', `${sw('second')}/retry`, { as: admin, body: withoutKeeping });
    expect([early.status, codeOf(early)]).toEqual([409, 'switch-not-blocked']);
    const both = { as: admin, body: { ...withoutKeeping, direction: 'forward' } };
    expect((await api.call('POST', `${sw('second')}/retry`, both)).status).toBe(400);
    const back = await api.call('POST', `${sw('second')}/retry`, { as: admin, body: { direction: 'back' } });
    expect(back.body['state']).toBe('rolling-back');
    const forward = await api.call('POST', `${sw('second')}/retry`, { as: admin, body: { direction: 'forward' } });
    expect(forward.body['state']).toBe('re-protecting');
    await expectAllReadable();
    await api.work();
    const done = await api.call('GET', sw('second'), { as: auditor });
    expect(done.body).toMatchObject({
      state: 'completed',
      counts: { total: plaintexts.size, done: plaintexts.size, quarantined: 0, lost: 0 },
    });
    expect((await api.call('GET', ring, { as: admin })).body['provider']).toEqual(toVault);
    const ids = list((await api.call('GET', `${ring}/switches`, { as: auditor })).body['value']);
    expect(ids.map((one) => one['switchId'])).toEqual(['first', 'second']);
    const late = await api.call('POST', `${sw('second')}/cancel`, { as: admin });
    expect([late.status, codeOf(late)]).toEqual([409, 'switch-ended']);
    await expectAllReadable();
  });

  test('allows one export of the company key', async () => {
    const body = { passphrase: 'correct horse battery staple' };
    expect((await api.call('POST', `${ring}/export`, { as: admin, body })).body['versions']).toEqual([2]);
    const again = await api.call('POST', `${ring}/export`, { as: admin, body });
    expect([again.status, codeOf(again)]).toEqual([409, 'tenants-unverified']);
  });

  test('puts the vault in force, which is watched from then on', async () => {
    const path = `${acme}/connections/main`;
    expect((await api.call('POST', `${path}/check`, { as: admin })).body['state']).toBe('healthy');
    const { body: versions } = await api.call('GET', `${path}/key-versions`, { as: admin });
    expect(versions).toMatchObject({ versions: [{ state: 'in-use', keyrings: ['default'] }] });
    expect((await api.call('GET', `${path}/health`, { as: admin })).body['current']).toMatchObject({
      state: 'healthy',
    });
  });

  test('tells what to do when the key in force is disabled, in the answer of the check and for later', async () => {
    const path = `${acme}/connections/main`;
    api.clock.advance(1_000);
    api.vaults.fail({ operation: 'readKey', host: CUSTOMER_HOST, failure: 'key-disabled' });
    const azureCli: unknown = expect.stringMatching(
      /^az keyvault key set-attributes --id \S+\/keys\/\S+\/[0-9a-f]{32} --enabled true$/,
    );
    const revoked = {
      state: 'revoked',
      code: 'key-disabled',
      cause: expect.any(String) as unknown,
      remedy: { azureCli },
    };
    expect((await api.call('POST', `${path}/check`, { as: admin })).body).toMatchObject(revoked);
    expect((await api.call('GET', `${path}/health`, { as: admin })).body['current']).toMatchObject(revoked);
    api.vaults.heal();
    api.clock.advance(1_000);
    expect((await api.call('POST', `${path}/check`, { as: admin })).body).not.toHaveProperty('remedy');
  });

  test('to the key that is in force already is 409', async () => {
    const same = await api.call('PUT', sw('third'), { as: admin, body: toVault });
    expect([same.status, codeOf(same)]).toEqual([409, 'same-vault-key']);
  });

  test('sets a key that does not open aside by name; only the vendor decides on it', async () => {
    const keys = [{ keyId: 'bad' }, { keyId: 'mended' }];
    const made = await api.call('POST', `${ring}/datakeys`, { as: backend, body: { keys } });
    const [, mended] = list(made.body['keys']);
    const original = cellsOf('mended')['blob'] as Uint8Array;
    for (const { keyId } of keys) {
      const { blob } = cellsOf(keyId);
      write(keyId, Buffer.from(blob as Uint8Array).fill(7, 5, 9));
    }
    const headers = { 'idempotency-key': 'rekey-1' };
    const rekey = await api.call('POST', `${ring}/rekey`, { as: admin, headers });
    const repeat = await api.call('POST', `${ring}/rekey`, { as: admin, headers });
    expect(repeat.body['switchId']).toEqual(rekey.body['switchId']);
    await api.work();
    const path = sw(text(rekey.body['switchId']));
    expect((await api.call('GET', path, { as: admin })).body).toMatchObject({
      kind: 'rekey',
      state: 're-protecting',
      counts: { quarantined: 2 },
    });
    const named = list((await api.call('GET', path, { as: admin })).body['quarantine']);
    expect(named.map((one) => one['keyId']).sort()).toEqual(['bad', 'mended']);
    const deleted = await api.call('DELETE', `${ring}/datakeys/bad`, { as: backend });
    expect([deleted.status, codeOf(deleted)]).toEqual([409, 'data-key-quarantined']);
    expect((await api.call('POST', `${path}/quarantine/bad/accept-loss`, { as: admin })).status).toBe(403);
    const recounted = await api.call('POST', `${ring}/recount`, { as: vendor, body: { acceptMissing: [] } });
    expect([recounted.status, recounted.body]).toEqual([200, { shards: [] }]);
    const retried = await api.call('POST', `${path}/quarantine/bad/retry`, { as: vendor });
    expect([retried.status, codeOf(retried)]).toEqual([409, 'data-key-quarantined']);
    write('mended', original);
    expect((await api.call('POST', `${path}/quarantine/mended/retry`, { as: vendor })).status).toBe(200);
    plaintexts.set('mended', text(mended?.['plaintext']));
    const lost = await api.call('POST', `${path}/quarantine/bad/accept-loss`, { as: vendor });
    expect(lost.status).toBe(200);
    await api.work();
    expect((await api.call('GET', path, { as: admin })).body).toMatchObject({
      state: 'completed',
      counts: { lost: 1 },
    });
    await expectAllReadable();
  });
});

describe('when the company takes its key away', () => {
  test('one cause has one shape: unwrap and generate are refused alike, as a whole; inner words are for the vendor only', async () => {
    api.clock.advance(10_000);
    const denied = failure('key-disabled', {}, { status: 403, message: 'inner words', correlationId: 'corr-2' });
    api.vaults.fail({ operation: 'unwrap', host: CUSTOMER_HOST, failure: denied });
    const keyIds = [...plaintexts.keys(), 'none'];
    const unwrapped = await api.call('POST', `${ring}/unwrap`, { as: backend, body: { keyIds } });
    expect([unwrapped.status, unwrapped.body['error']]).toMatchObject([
      409,
      { code: 'key-disabled', correlationId: 'corr-2' },
    ]);
    expect(JSON.stringify(unwrapped.body)).not.toContain('inner words');
    const generated = await api.call('POST', `${ring}/datakeys`, { as: backend, body: { keys: [{}] } });
    expect([generated.status, generated.body]).toEqual([unwrapped.status, unwrapped.body]);
    const absent = await api.call('POST', `${ring}/unwrap`, { as: backend, body: { keyIds: ['none'] } });
    expect([absent.status, list(absent.body['keys'])]).toEqual([200, [{ outcome: 'not-found', keyId: 'none' }]]);
    api.vaults.heal();
    api.vaults.fail({ operation: 'unwrap', host: CUSTOMER_HOST, failure: failure('vault-unreachable', {}) });
    const away = await api.call('POST', `${ring}/unwrap`, { as: backend, body: { keyIds } });
    expect([away.status, codeOf(away), away.headers.get('retry-after')]).toEqual([503, 'vault-unreachable', '15']);
    api.vaults.heal();
    await expectAllReadable();
  });

  test('an outage refuses a generation as a whole with 503 and Retry-After, and makes no key', async () => {
    api.clock.advance(10_000);
    api.vaults.fail({ operation: 'unwrap', host: CUSTOMER_HOST, failure: 'vault-unreachable' });
    const refused = await api.call('POST', `${ring}/datakeys`, { as: backend, body: { keys: [{ keyId: 'later' }] } });
    expect([refused.status, codeOf(refused)]).toEqual([503, 'vault-unreachable']);
    expect(refused.headers.get('retry-after')).toBe('15');
    api.vaults.heal();
    expect(await unwrap(['later'])).toEqual([{ keyId: 'later', outcome: 'not-found' }]);
  });

  test('what the company demands of its keys is its own admin’s word', async () => {
    const policy = { vendorKey: 'allowed', keyringsPerProvider: 'any' };
    expect((await api.call('PUT', `${acme}/policy`, { as: adminOf('acme'), body: policy })).body).toEqual(policy);
    expect((await api.call('GET', `${acme}/policy`, { as: auditor })).body).toEqual(policy);
  });

  test('a call that names no keyring goes to the default one', async () => {
    const made = await api.call('POST', `${acme}/datakeys`, { as: backend, body: { keys: [{ keyId: 'by-default' }] } });
    expect([made.status, made.body['keyringId']]).toEqual([200, 'default']);
    const opened = await api.call('POST', `${acme}/unwrap`, { as: backend, body: { keyIds: ['by-default'] } });
    expect(opened.body['keys']).toEqual(await unwrap(['by-default']));
  });
});

describe('a vault key that nothing depends on any more', () => {
  test('is released by the vendor', async () => {
    const claim = `/vault-claims/spare.vault.azure.net/spare-key`;
    api.store.tamper('vaultkeys', 'spare.vault.azure.net|spare-key', 'claim', {
      format: 1,
      companyId: 'globex',
      state: 'held',
      claimedAt: '2026-01-01T00:00:00.000Z',
    });
    expect((await api.call('DELETE', claim, { as: vendor })).status).toBe(204);
    expect((await api.call('GET', claim, { as: vendor })).status).toBe(404);
  });
});

describe('webhooks', () => {
  test.each([
    { path: `${acme}/webhooks`, by: adminOf('acme') },
    { path: '/webhooks', by: vendor },
  ])('at $path are made, tested, read, and go', async ({ path, by }) => {
    const one = `${path}/siem`;
    expect((await api.call('PUT', one, { as: by, body: { url: 'https://hooks.acme.com/' } })).status).toBe(201);
    expect((await api.call('POST', `${one}/test`, { as: by })).body['status']).toBe('taken');
    expect((await api.call('POST', `${one}/rotate-secret`, { as: by })).body['verifier']).toMatch(/^whsec_/);
    expect((await api.call('POST', `${one}/redeliver`, { as: by })).status).toBe(204);
    for (const read of [path, one, `${one}/deliveries`, `${one}/dead-letters`])
      expect((await api.call('GET', read, { as: auditor })).status).toBe(200);
    const events = path.replace('webhooks', 'events/1');
    expect((await api.call('GET', events, { as: auditor })).body['sequence']).toBe(1);
    expect((await api.call('DELETE', one, { as: by })).status).toBe(204);
  });
});

describe('the end', () => {
  test('a connection that nothing uses is removed', async () => {
    const path = '/companies/globex/connections/main';
    expect((await api.call('DELETE', path, { as: adminOf('globex') })).status).toBe(204);
    expect((await api.call('DELETE', path, { as: adminOf('globex') })).status).toBe(404);
  });

  test('a company with live keys is kept, one without is gone', async () => {
    const kept = await api.call('DELETE', acme, { as: vendor });
    expect([kept.status, codeOf(kept)]).toEqual([409, 'company-has-data-keys']);
    await expectAllReadable();
    expect((await api.call('DELETE', '/companies/initech', { as: vendor })).status).toBe(204);
    expect((await api.call('GET', '/companies/initech', { as: vendor })).status).toBe(410);
    const deletion = await api.call('GET', '/companies/initech/deletion', { as: auditor });
    expect(deletion.body).toEqual({ status: 'Succeeded' });
  });

  test('all of it is recorded, in chains that nobody has touched', async () => {
    for (const chain of [`${acme}/events`, '/companies/initech/events', '/events']) {
      expect((await api.call('GET', chain, { as: vendor })).status).toBe(200);
      expect((await api.call('GET', `${chain}/verify`, { as: vendor })).body['status']).toBe('intact');
    }
  });

  test('operators see how it is, and have the work of a timer done', async () => {
    const run = await api.call('POST', '/operations/timers/sweep/run', { as: vendor });
    expect([run.status, run.body['status']]).toEqual([200, 'Succeeded']);
    expect((await api.call('GET', '/operations/timers/sweep', { as: auditor })).body).toEqual(run.body);
    expect((await api.call('GET', '/operations/status', { as: auditor })).body['switches']).toMatchObject({
      isWhole: true,
    });
    const { body } = await api.call('GET', '/operations/companies?q=acme', { as: auditor });
    expect(body['value']).toMatchObject([{ companyId: 'acme' }]);
  });

  test('liveness, readiness and the description answer', async () => {
    expect((await api.call('GET', '/health/live')).body).toEqual({ status: 'ok' });
    expect((await api.call('GET', '/health/ready')).body).toEqual({ status: 'ok' });
    expect((await api.call('GET', '/health/timers')).body).toEqual({ status: 'ok' });
    expect((await api.call('GET', '/health', { as: auditor })).body).toMatchObject({ status: 'ok' });
    expect((await api.call('GET', '/openapi.json')).body['openapi']).toBe('3.1.0');
  });

  test('every route was called, and answered well at least once', () => {
    const well = new Set(
      [...api.description.seen].filter((one) => / 2\d\d$/.test(one)).map((one) => one.split(' ')[0]),
    );
    const missing = routes.map(({ operationId }) => operationId).filter((id) => !well.has(id));
    expect(missing).toEqual([]);
  });

  test('no plaintext key is in any row or log line', () => {
    const stored = [...api.store.dump()].map(({ cells }) =>
      Object.values(cells).map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell).toString('base64url') : cell)),
    );
    const text = JSON.stringify([stored, api.log.entries]);
    for (const plaintext of plaintexts.values()) expect(text).not.toContain(plaintext);
  });
});
