import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionTest } from '../../../shared/domain/connection-verdict.ts';
import { failure } from '../../../shared/failures.ts';
import { APP_DISABLED } from '../../../shared/identity/entra/words/consent-failures.ts';
import { connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import { testConnection } from '../../../shared/operations/connections/connection-test.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { PRINCIPAL_ID } from '../../fakes/fake-vault-answers.ts';
import { keyVersionOf, type FakeVault } from '../../fakes/fake-vaults.ts';
import {
  COMPANY,
  CONNECTION,
  ConnectionWorld,
  HOST,
  OTHER_HOST,
  OTHER_TENANT,
  PLACE,
  PROPAGATION_MS,
  TENANT,
  VENDOR_HOST,
} from './connection-world.ts';

let world: ConnectionWorld;
let vault: FakeVault;
let unconsented: Cells;
beforeEach(async () => {
  world = new ConnectionWorld();
  vault = world.vaults.addVault({ host: HOST, tenantId: TENANT });
  world.vaults.addKey({ host: HOST, keyName: 'main-key' });
  await world.put();
  unconsented = await world.cells();
  await world.consent();
  world.vaults.calls.length = 0;
});

async function test(options: { roleAssigned?: boolean } = {}): Promise<ConnectionTest> {
  const tested = await testConnection(world.deps, { ...PLACE, ...options }, ADMIN);
  if (!tested.ok) throw new Error(`refused: ${JSON.stringify(tested.error)}`);
  return tested.value;
}

/** The connection as it was entered. */
const withoutConsent = (): void => world.store.tamper('companies', COMPANY, connectionRowKey(CONNECTION), unconsented);

/** `input:passed`, or `key-read:failed:key-not-found`. */
const outcomes = ({ checks }: ConnectionTest): string[] =>
  checks.map(({ check, outcome, failure }) => [check, outcome, ...(failure ? [failure.code] : [])].join(':'));

const failureOf = ({ checks }: ConnectionTest): ConnectionTest['checks'][number]['failure'] =>
  checks.find(({ outcome }) => outcome === 'failed')?.failure;

const operations = (): string[] => world.vaults.calls.map(({ operation }) => operation);

const minutesLater = (minutes: number): void => {
  world.nowMs += minutes * 60_000;
};

describe('testing a connection', () => {
  it('is green when every check passes, and asks the vault one get and one unwrap', async () => {
    const tested = await test();
    expect(outcomes(tested)).toEqual([
      'input:passed',
      'dns-tls:passed',
      'challenge:passed',
      'consent:passed',
      'token:passed',
      'key-read:passed',
      'key-fit:passed',
      'unwrap:passed',
      'compare:passed',
    ]);
    expect(tested).toMatchObject({ status: 'green', tenantId: TENANT, principalId: PRINCIPAL_ID });
    expect(operations().filter((operation) => !['sign', 'publicKey'].includes(operation))).toEqual([
      'reach',
      'challengedTenant',
      'obtainToken',
      'readKey',
      'unwrap',
    ]);
  });

  it('unwraps with the version whose public key wrapped', async () => {
    world.vaults.addKey({ host: HOST, keyName: 'main-key', fixture: 'rsa-2048-2' });
    expect((await test()).status).toBe('green');
    expect(world.vaults.calls.at(-1)).toMatchObject({ operation: 'unwrap', version: keyVersionOf(2) });
  });

  it('pins the tenant that the vault names, sealed anew, and asks for no token before consent', async () => {
    withoutConsent();
    const tested = await test();
    expect(outcomes(tested).slice(2, 5)).toEqual([
      'challenge:passed',
      'consent:failed:consent-required',
      'token:skipped',
    ]);
    expect(failureOf(tested)?.cause).toContain('No administrator has granted consent for this connection yet.');
    expect((await world.cells())['tenantId']).toBe(TENANT);
    await test();
    expect(operations().filter((operation) => operation === 'sign')).toHaveLength(1);
    expect(operations()).not.toContain('obtainToken');
  });

  it('asks for consent anew when a set-up is not finished within a day, and no more once a keyring depends on it', async () => {
    minutesLater(24 * 60);
    expect((await test()).status).toBe('green');
    minutesLater(1);
    const aged = await test();
    expect(outcomes(aged).slice(3, 5)).toEqual(['consent:failed:consent-required', 'token:skipped']);
    expect(failureOf(aged)?.cause).toContain('kept for 24 hours only');
    await world.tamper({ usedBy: '["switch|default|s1"]' });
    expect((await test()).status).toBe('failed');
    await world.tamper({ usedBy: '["keyring|default"]' });
    expect((await test()).status).toBe('green');
  });

  it('takes no consent that nobody gave, or gave to another connection', async () => {
    const { consent } = await world.cells();
    const forged = JSON.stringify({ ...JSON.parse(String(consent)), grantedAt: '2026-12-24T00:00:00.000Z' });
    for (const cell of [forged, '{}', 'x']) {
      await world.tamper({ consent: cell });
      const tested = await testConnection(world.deps, PLACE, ADMIN);
      expect(tested).toMatchObject({ ok: false, error: { failure: { code: 'row-forged' } } });
    }
    expect(operations()).not.toContain('obtainToken');
  });

  it('asks for no token when the vault names another tenant than the one that is pinned', async () => {
    await test();
    vault.tenantId = OTHER_TENANT;
    world.vaults.calls.length = 0;
    const tested = await test();
    expect(outcomes(tested).slice(2, 4)).toEqual(['challenge:failed:wrong-entra-tenant', 'consent:skipped']);
    expect(operations().filter((operation) => operation !== 'publicKey')).toEqual(['reach', 'challengedTenant']);
    expect((await world.cells())['tenantId']).toBe(TENANT);
  });

  it('takes a challenge that names no tenant for an answer that we do not know', async () => {
    withoutConsent();
    vault.tenantId = '../common';
    expect(failureOf(await test())?.code).toBe('vault-error');
    expect((await world.cells())['tenantId']).toBe('');
  });

  it('refuses the vault of the vendor, and any host that the settings no longer allow, before a packet is sent', async () => {
    const { deps } = world;
    for (const policy of [{ vendorVaultHost: HOST }, { allowedSuffixes: ['vault.azure.cn'] }]) {
      const providers = world.providers({ connectionPolicy: policy });
      const tested = await testConnection({ ...deps, providers }, PLACE, ADMIN);
      expect(tested.ok && outcomes(tested.value)[0]).toBe('input:failed:vault-host-not-allowed');
    }
    expect(operations().filter((operation) => operation !== 'publicKey')).toEqual([]);
    expect(VENDOR_HOST).not.toBe(HOST);
  });

  it.each([
    ['reach', 'vault-not-found', 'dns-tls'],
    ['reach', 'vault-unreachable', 'dns-tls'],
    ['challengedTenant', 'vault-private-only', 'challenge'],
    ['obtainToken', 'consent-required', 'token'],
    ['obtainToken', 'entra-unreachable', 'token'],
    ['obtainToken', 'managed-identity-unavailable', 'token'],
    ['readKey', 'vault-firewall', 'key-read'],
    ['readKey', 'throttled', 'key-read'],
    ['unwrap', 'key-disabled', 'unwrap'],
    ['unwrap', 'key-operation-not-permitted', 'unwrap'],
  ] as const)('when %s answers %s, %s fails and the rest is skipped', async (operation, code, check) => {
    world.vaults.fail({ operation, failure: code });
    minutesLater(11);
    const tested = await test();
    const index = tested.checks.findIndex((result) => result.check === check);
    expect(tested.status).toBe('failed');
    expect(tested.checks[index]).toMatchObject({ outcome: 'failed', failure: { code } });
    expect(tested.checks.slice(index + 1).every(({ outcome }) => outcome === 'skipped')).toBe(true);
    expect(tested.retryAfterSeconds).toBe(tested.checks[index]?.failure?.kind === 'transient' ? 10 : undefined);
  });

  it('fills the real names into what it advises', async () => {
    vault.roleAssigned = false;
    expect(failureOf(await test())?.remedy.azureCli).toMatch(
      new RegExp(`--assignee-object-id ${PRINCIPAL_ID} .*/vaults/contoso/keys/main-key$`),
    );
  });

  it.each([
    [{ enabled: false }, 'key-disabled'],
    [{ keyType: 'EC' }, 'key-type-unsupported'],
    [{ sizeBits: 1024 }, 'key-too-small'],
    [{ expires: new Date(0) }, 'key-expired'],
    [{ notBefore: new Date('2100-01-01') }, 'key-not-yet-valid'],
    [{ keyOps: ['wrapKey'] }, 'key-operation-not-permitted'],
  ])('does not try a key that is unfit: %j', async (change, code) => {
    world.vaults.addKey({ host: HOST, keyName: 'main-key', change });
    const tested = await test();
    expect(outcomes(tested).slice(6)).toEqual([`key-fit:failed:${code}`, 'unwrap:skipped', 'compare:skipped']);
    expect(operations()).not.toContain('unwrap');
  });

  it('says everything that is wrong with a key at once', async () => {
    const change = { enabled: false, sizeBits: 1024, recoveryLevel: 'Purgeable' };
    world.vaults.addKey({ host: HOST, keyName: 'main-key', change });
    expect(outcomes(await test()).filter((outcome) => outcome.startsWith('key-fit'))).toEqual([
      'key-fit:warning:key-purgeable',
      'key-fit:failed:key-disabled',
      'key-fit:failed:key-too-small',
    ]);
  });

  it('is green with a warning for a key that can be purged, and refuses it if the policy says so', async () => {
    world.vaults.addKey({ host: HOST, keyName: 'main-key', change: { recoveryLevel: 'Recoverable+Purgeable' } });
    const warned = await test();
    expect(warned.status).toBe('green');
    expect(outcomes(warned)).toContain('key-fit:warning:key-purgeable');
    const { deps } = world;
    const providers = world.providers({ keyPolicy: { minRsaBits: 2048, purgeable: 'refuse' } });
    const refused = await testConnection({ ...deps, providers }, PLACE, ADMIN);
    expect(refused.ok && refused.value.status).toBe('failed');
  });

  it('says of a key that was seen before that it can be recovered', async () => {
    expect((await test()).status).toBe('green');
    world.vaults.removeKey(HOST, 'main-key');
    const found = failureOf(await test());
    expect(found?.message).toBe('The key was deleted, and can be recovered until 2026-04-01T00:00:00.000Z.');
    expect(found?.remedy.azureCli).toBe('az keyvault key recover --vault-name contoso --name main-key');
  });

  it('says of a key that was never seen, and is no deleted one, that it may be mistyped', async () => {
    world.vaults.purgeKey(HOST, 'main-key');
    expect(failureOf(await test())?.message).toBe('Key not found in the vault.');
  });

  it('takes a reply about another key, or other bytes than were wrapped, for a substitution', async () => {
    world.vaults.addKey({
      host: HOST,
      keyName: 'main-key',
      change: { keyId: `https://${OTHER_HOST}/keys/main-key/${keyVersionOf(1)}` },
    });
    expect(outcomes(await test())).toContain('key-read:failed:key-substituted');

    world.vaults.addKey({ host: HOST, keyName: 'main-key' });
    world.vaults.unwrap = () => Promise.resolve({ ok: true, value: new Uint8Array(32) });
    const tested = await testConnection(world.deps, PLACE, ADMIN);
    expect(tested.ok && outcomes(tested.value)).toContain('compare:failed:key-substituted');
    expect(world.logged.filter(({ event }) => event === 'security.key-substituted')).toHaveLength(2);
  });

  it('survives a public key that is none', async () => {
    world.vaults.addKey({ host: HOST, keyName: 'main-key', change: { n: '', e: '' } });
    expect(outcomes(await test())).toContain('unwrap:failed:vault-error');
  });
});

describe('a grant that may not have arrived', () => {
  it('is waited for, not denied, within ten minutes of consent, and denied afterwards', async () => {
    vault.roleAssigned = false;
    const waiting = await test();
    expect(waiting).toMatchObject({
      status: 'waiting',
      retryAfterSeconds: 30,
      becomesDeniedAt: new Date(world.nowMs + PROPAGATION_MS).toISOString(),
    });
    expect(failureOf(waiting)).toMatchObject({ code: 'access-denied-rbac', kind: 'propagating' });
    minutesLater(9.9);
    expect(await test()).toMatchObject({ status: 'waiting', retryAfterSeconds: 6 });
    minutesLater(0.1);
    const denied = await test();
    expect(denied.status).toBe('failed');
    expect(denied).not.toHaveProperty('retryAfterSeconds');
    expect(failureOf(denied)?.kind).toBe('denied');
  });

  it('is waited for again once an admin says that the role was assigned', async () => {
    vault.roleAssigned = false;
    await test();
    minutesLater(60);
    expect((await test()).status).toBe('failed');
    const said = await test({ roleAssigned: true });
    expect(said).toMatchObject({
      status: 'waiting',
      becomesDeniedAt: new Date(world.nowMs + PROPAGATION_MS).toISOString(),
    });
    vault.roleAssigned = true;
    expect((await test()).status).toBe('green');
  });

  it('may be our app itself, which one of Entra’s servers does not know yet: nothing is to be installed', async () => {
    world.vaults.fail({ operation: 'obtainToken', failure: 'consent-required' });
    const waiting = await test();
    expect(waiting).toMatchObject({
      status: 'waiting',
      becomesDeniedAt: new Date(world.nowMs + PROPAGATION_MS).toISOString(),
    });
    expect(failureOf(waiting)).toMatchObject({ code: 'consent-required', kind: 'propagating' });
    expect(failureOf(waiting)?.remedy).toEqual({
      text: expect.stringContaining('nothing has to be installed by hand') as unknown,
    });
    // It keeps no switch from being ordered: nothing failed.
    expect((await world.cells())['testFailed'] ?? '').toBe('');
    minutesLater(10);
    expect(await test()).toMatchObject({ status: 'failed' });
    // That the role was assigned says nothing of when the app came.
    const said = await test({ roleAssigned: true });
    expect(failureOf(said)).toMatchObject({ code: 'consent-required', kind: 'denied' });
    expect(failureOf(said)?.remedy.azureCli).toMatch(/^az login .*\naz ad sp create/);
  });

  it('is none where the app was switched off, however fresh the consent', async () => {
    const off = failure('consent-required', { detail: APP_DISABLED });
    world.vaults.fail({ operation: 'obtainToken', failure: off });
    expect(failureOf(await test())).toMatchObject({ kind: 'denied', facts: { detail: APP_DISABLED } });
  });

  it('may be the federated credential too', async () => {
    world.vaults.fail({ operation: 'obtainToken', failure: 'federation-mismatch' });
    minutesLater(11);
    expect((await test()).status).toBe('failed');
    expect((await test({ roleAssigned: true })).status).toBe('waiting');
  });

  it('is what an access policy refuses, as long as a role would be waited for', async () => {
    world.vaults.fail({ operation: 'readKey', failure: 'access-denied-policy' });
    const waiting = await test({ roleAssigned: true });
    expect(waiting).toMatchObject({ status: 'waiting', retryAfterSeconds: 30 });
    expect(failureOf(waiting)).toMatchObject({ code: 'access-denied-policy', kind: 'propagating' });
    minutesLater(PROPAGATION_MS / 60_000);
    expect(failureOf(await test())).toMatchObject({ code: 'access-denied-policy', kind: 'denied' });
  });

  it('is never what a firewall refuses', async () => {
    world.vaults.fail({ operation: 'readKey', failure: 'vault-firewall', times: 1 });
    expect((await test({ roleAssigned: true })).status).toBe('failed');
  });
});

describe('what a test leaves at the connection', () => {
  const testFailed = async (): Promise<unknown> => (await world.cells())['testFailed'];

  it('is why it failed, until one does not', async () => {
    await test();
    expect(await testFailed()).toBe('');
    world.vaults.fail({ operation: 'unwrap', failure: 'vault-unreachable', times: 1 });
    await test();
    expect(await testFailed()).toBe('vault-unreachable');
    await test();
    expect(await testFailed()).toBe('');
  });

  it('is no failure while a grant may still arrive', async () => {
    vault.roleAssigned = false;
    expect((await test()).status).toBe('waiting');
    expect(await testFailed()).toBe('');
    minutesLater(PROPAGATION_MS / 60_000);
    expect((await test()).status).toBe('failed');
    expect(await testFailed()).toBe('access-denied-rbac');
  });

  it('stays while a later test waits for a grant: the word that a role was assigned is no green test', async () => {
    vault.roleAssigned = false;
    minutesLater(PROPAGATION_MS / 60_000);
    expect((await test()).status).toBe('failed');
    expect((await test({ roleAssigned: true })).status).toBe('waiting');
    expect(await testFailed()).toBe('access-denied-rbac');
    vault.roleAssigned = true;
    expect((await test()).status).toBe('green');
    expect(await testFailed()).toBe('');
  });

  it('is written only when it is another than before, and goes when the connection leads elsewhere', async () => {
    world.vaults.fail({ operation: 'reach', failure: 'vault-unreachable' });
    await test();
    const etag = async (): Promise<unknown> =>
      (await world.tables.read('companies', COMPANY, connectionRowKey(CONNECTION)))?.etag;
    const before = await etag();
    await test();
    expect(await etag()).toBe(before);
    expect(await testFailed()).toBe('vault-unreachable');
    expect(await world.put({ keyName: 'another' })).toMatchObject({ ok: true });
    expect(await testFailed()).toBe('');
  });
});

describe('a test beside other writers', () => {
  it('keeps what they wrote and its own notes', async () => {
    world.vaults.onCall = async ({ operation }) => {
      if (operation === 'challengedTenant') await world.tamper({ usedBy: '["switch|default|s1"]' });
      if (operation === 'readKey') await world.tamper({ usedBy: '["switch|default|s1","keyring|default"]' });
    };
    expect((await test()).status).toBe('green');
    expect(await world.cells()).toMatchObject({
      usedBy: '["switch|default|s1","keyring|default"]',
      tenantId: TENANT,
      keySeen: true,
    });
  });

  it('is not confused by a lost answer', async () => {
    withoutConsent();
    world.tables.atNext().losesTheAnswer();
    expect(failureOf(await test())?.code).toBe('consent-required');
    expect(world.vaults.countOf('sign')).toBe(1);
    expect((await world.cells())['tenantId']).toBe(TENANT);
  });

  it('begins anew when the connection was deleted and made again meanwhile', async () => {
    world.vaults.onCall = ({ operation }) => {
      if (operation !== 'readKey') return;
      world.vaults.onCall = undefined;
      world.store.tamper('companies', COMPANY, connectionRowKey(CONNECTION), unconsented);
    };
    expect(failureOf(await test())?.code).toBe('consent-required');
    expect(await world.cells()).toMatchObject({ tenantId: TENANT, keySeen: false });
    expect(world.vaults.countOf('challengedTenant')).toBe(2);
  });

  it('begins anew when the connection is pointed at another vault meanwhile', async () => {
    world.vaults.addVault({ host: OTHER_HOST, tenantId: OTHER_TENANT });
    world.vaults.addKey({ host: OTHER_HOST, keyName: 'main-key' });
    world.vaults.onCall = async ({ operation }) => {
      if (operation !== 'challengedTenant') return;
      world.vaults.onCall = undefined;
      await world.put({ vaultUri: `https://${OTHER_HOST}` });
    };
    withoutConsent();
    const tested = await test();
    expect(tested.tenantId).toBe(OTHER_TENANT);
    expect(failureOf(tested)?.code).toBe('consent-required');
    expect(world.vaults.calls.some((call) => call.operation === 'obtainToken' && call.host === HOST)).toBe(false);
  });

  it('ends when the connection is deleted meanwhile', async () => {
    world.vaults.onCall = ({ operation }) => {
      if (operation !== 'challengedTenant') return;
      world.store.tamper('companies', COMPANY, connectionRowKey(CONNECTION), {});
    };
    const tested = await testConnection(world.deps, PLACE, ADMIN);
    expect(tested).toMatchObject({ ok: false, error: { type: 'failure', failure: { code: 'row-forged' } } });
  });

  it('is refused, not thrown, when the seal key cannot be had', async () => {
    withoutConsent();
    world.vaults.fail({ operation: 'sign', failure: 'vault-unreachable' });
    expect(await testConnection(world.deps, PLACE, ADMIN)).toMatchObject({
      error: { failure: { code: 'vault-unreachable' } },
    });
    expect(operations()).not.toContain('obtainToken');
  });

  it('is refused for a connection that does not exist', async () => {
    expect(await testConnection(world.deps, { ...PLACE, connectionId: 'none' }, ADMIN)).toMatchObject({
      error: { type: 'not-found', what: 'connection' },
    });
  });
});

describe('what a test leaves in the log', () => {
  it('is its outcome and the answer of the service, and no key', async () => {
    world.vaults.fail({ operation: 'readKey', failure: 'throttled' });
    await test();
    expect(world.logged).toContainEqual({
      level: 'warning',
      event: 'connection.tested',
      detail: expect.objectContaining({ companyId: COMPANY, connectionId: CONNECTION, code: 'throttled' }) as unknown,
    });
  });
});
