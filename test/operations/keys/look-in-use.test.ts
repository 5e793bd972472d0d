// A key in force, met in every way there is: by callers, by the timer, by a switch away from it, by an export and by a connection test.
import { beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../../shared/failures.ts';
import type { Failure, FailureCode } from '../../../shared/domain/failure.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import type { Result } from '../../../shared/domain/result.ts';
import { CompanyKeyCache } from '../../../shared/operations/keys/company-key-cache.ts';
import { testConnection } from '../../../shared/operations/connections/connection-test.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { requestConsent } from '../../../shared/operations/sign-ins/request-consent.ts';
import { followKeyVersion } from '../../../shared/operations/watch/follow-key-version.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { getHealth } from '../../../shared/operations/watch/health-report.ts';
import { checkConnection } from '../../../shared/operations/watch/vault-checks.ts';
import type { VaultHealth } from '../../../shared/domain/health.ts';
import type { ConnectionTest } from '../../../shared/domain/connection-verdict.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeSignIns } from '../../fakes/fake-sign-ins.ts';
import { keyVersionOf } from '../../fakes/fake-vaults.ts';
import { valueOf } from '../data-keys/world.ts';
import { Exports } from '../exports/export-world.ts';
import {
  COMPANY,
  CONTOSO,
  CONTOSO_HOST,
  CUSTOMER_TENANT,
  KEYRING,
  MANAGED,
  place,
  Rig,
  VENDOR,
} from '../switches/rig.ts';

const PLACE = { companyId: COMPANY, connectionId: 'contoso' };
const KEY = { host: CONTOSO_HOST, keyName: 'customer-key' };
const V1 = keyVersionOf(1);
const V2 = keyVersionOf(2);
const ID_OF_V1 = `https://${CONTOSO_HOST}/keys/customer-key/${V1}`;

let exports: Exports;
let rig: Rig;
beforeEach(async () => {
  exports = await Exports.afterSwitch();
  rig = exports.rig;
});

const failureOf = (refused: Result<unknown, Refusal>): Failure | undefined =>
  !refused.ok && refused.error.type === 'failure' ? refused.error.failure : undefined;

async function byCallers(): Promise<Failure | undefined> {
  const cache = new CompanyKeyCache({ ...rig.deps, tables: rig.store }, { ttlMs: 5_000 });
  const key = await cache.get({ companyId: COMPANY, keyringId: KEYRING, version: 2 });
  return key.ok || key.error.type !== 'failure' ? undefined : key.error.failure;
}

async function bySwitchBack(): Promise<Failure | undefined> {
  valueOf(await startSwitch(rig.deps, { ...place('back'), target: MANAGED }, ADMIN));
  await rig.drain();
  const blocked = (await loadSwitch(rig.store, place('back')))?.value.blocked;
  return blocked?.reason === 'provider' ? blocked.failure : undefined;
}

async function byTest(): Promise<ConnectionTest> {
  return valueOf(await testConnection({ ...rig.deps, keyPolicy: { propagationMs: 0 } }, PLACE, ADMIN));
}

const failedIn = ({ checks }: ConnectionTest): Failure | undefined =>
  checks.find(({ outcome }) => outcome === 'failed')?.failure;
const outcomesIn = ({ checks }: ConnectionTest): string[] =>
  checks
    .filter(({ outcome }) => outcome !== 'passed')
    .map(({ check, outcome, failure: found }) => [check, outcome, found?.code].filter(Boolean).join(':'));

async function byCheck(): Promise<VaultHealth> {
  rig.clock.advance(1_000);
  return valueOf(await checkConnection(rig.deps, PLACE));
}

/** What each of them says: code, message and remedy. */
async function allSay(): Promise<unknown[]> {
  const callers = await byCallers();
  const exporting = failureOf(await exports.export());
  const test = failedIn(await byTest());
  // Before the check: once one has seen the denial a switch is not even taken.
  const switching = await bySwitchBack();
  const health = await byCheck();
  const said = [callers, exporting, test, switching, health, valueOf(await getHealth(rig.deps, PLACE)).current];
  return said.map((one) => one && [one.code, one.message, one.remedy]);
}

const same = (code: FailureCode, message: string, azureCli: string): unknown[] =>
  Array.from({ length: 6 }, () => [code, message, expect.objectContaining({ azureCli }) as unknown]);

describe('what is wrong with a key in force is the same for everybody', () => {
  it('where its older version was disabled after a newer one was made', async () => {
    const [v1] = [rig.vaults.newestKey(CONTOSO_HOST)];
    rig.vaults.addKey({ ...KEY, fixture: 'rsa-2048-3' });
    Object.assign(v1.describes, { enabled: false });
    const command = `az keyvault key set-attributes --id ${ID_OF_V1} --enabled true`;
    const message = `The version ${V1} of the key was disabled too early: it is still in use.`;
    expect(await allSay()).toEqual(same('key-version-disabled', message, command));
    expect((await byCheck()).state).toBe('revoked');
  });

  it('where that version may not unwrap any more', async () => {
    Object.assign(rig.vaults.newestKey(CONTOSO_HOST).describes, { keyOps: ['wrapKey'] });
    const said = (await allSay()) as [string, string, { azureCli: string }][];
    expect(said.map(([code]) => code)).toEqual(Array.from({ length: 6 }, () => 'key-operation-not-permitted'));
    for (const [, , { azureCli }] of said) expect(azureCli).toContain(`set-attributes --id ${ID_OF_V1} --ops`);
  });

  it('where it was deleted, and can be recovered', async () => {
    rig.vaults.removeKey(CONTOSO_HOST, 'customer-key');
    const message = 'The key was deleted, and can be recovered until 2026-04-01T00:00:00.000Z.';
    const command = 'az keyvault key recover --vault-name contoso --name customer-key';
    expect(await allSay()).toEqual(same('key-deleted', message, command));
  });

  it('where it was deleted for good and another was made under its name', async () => {
    rig.vaults.purgeKey(CONTOSO_HOST, 'customer-key');
    rig.vaults.addKey({ ...KEY, fixture: 'rsa-2048-3' });
    rig.vaults.newestKey(CONTOSO_HOST).describes = {
      ...rig.vaults.newestKey(CONTOSO_HOST).describes,
      keyId: ID_OF_V1.replace(V1, V2),
    };
    Object.assign(rig.vaults.newestKey(CONTOSO_HOST), { version: V2 });
    const [first, ...others] = (await allSay()) as [string, string, { text: string; azureCli?: string }][];
    const [code, message, remedy] = first!;
    expect([code, message]).toEqual([
      'key-not-found',
      `Key not found in the vault: the version ${V1}, which is in use, is gone, and another key has its name.`,
    ]);
    expect(remedy.text).toMatch(/^Only a backup of the old key helps/);
    // There is nothing to recover: Azure would refuse.
    expect(remedy.azureCli).toBeUndefined();
    for (const other of others) expect(other).toEqual(first);
    expect(await byCheck()).toMatchObject({ state: 'revoked', code: 'key-not-found' });
  });

  it('where its vault belongs to another tenant now: nobody is told to delete what cannot be deleted', async () => {
    rig.vaults.addVault({ host: CONTOSO_HOST, tenantId: '99999999-9999-4999-8999-999999999999' });
    rig.vaults.addKey({ ...KEY, fixture: 'rsa-2048-2' });
    for (const found of [await byCallers(), failedIn(await byTest()), await bySwitchBack()]) {
      expect(found?.code).toBe('wrong-entra-tenant');
      expect(found?.remedy.text).not.toMatch(/anew|delete/);
    }
  });

  it('where its tenant is gone: no value to correct, and no word of the vault that revokes', async () => {
    rig.vaults.fail({ operation: 'unwrap', failure: 'entra-tenant-not-found' });
    rig.vaults.fail({ operation: 'readKey', failure: 'entra-tenant-not-found' });
    rig.vaults.fail({
      operation: 'obtainToken',
      failure: failure('entra-tenant-not-found', { tenantId: CUSTOMER_TENANT }),
    });
    for (const found of [await byCallers(), failedIn(await byTest()), await bySwitchBack()]) {
      expect(found).toMatchObject({ code: 'entra-tenant-not-found', kind: 'denied', owner: 'company-admin' });
      expect(found?.message).toContain('does not exist any more');
      expect(found?.remedy.text).not.toContain('leave it out');
    }
    expect(await byCheck()).toMatchObject({
      state: 'unreachable',
      owner: 'company-admin',
      remedy: { text: expect.stringContaining('Microsoft support') as unknown },
    });
  });

  it('where its vault has no address for us: away, and no denial, until a resolver that works says that it is gone', async () => {
    const host = { vaultHost: CONTOSO_HOST };
    rig.vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: failure('vault-not-found', host), times: 5 });
    const met = await byCallers();
    expect(met).toMatchObject({ code: 'vault-unreachable', kind: 'transient', owner: 'vendor' });
    expect(met?.remedy.text).toContain('The vendor looks at the DNS of its own network');
    expect(failedIn(await byTest())).toMatchObject({ code: 'vault-unreachable', owner: 'vendor' });
    for (const _time of [1, 2, 3]) {
      expect(await byCheck()).toMatchObject({ state: 'unreachable', code: 'vault-unreachable', owner: 'vendor' });
    }
    rig.vaults.heal();
    const gone = failure('vault-not-found', { ...host, nameGone: true });
    rig.vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: gone });
    expect(await byCallers()).toMatchObject({ code: 'vault-deleted', kind: 'denied', owner: 'azure-admin' });
    for (const state of ['unreachable', 'unreachable', 'revoked']) {
      expect(await byCheck()).toMatchObject({ state, code: 'vault-deleted' });
      rig.clock.advance(30_000);
    }
  });
});

describe('a consent that is asked for while a key is in force', () => {
  it('meets what everybody meets: a name without an address is no vault that is gone', async () => {
    const failed = failure('vault-not-found', { vaultHost: CONTOSO_HOST });
    rig.vaults.fail({ operation: 'challengedTenant', host: CONTOSO_HOST, failure: failed });
    const asked = await requestConsent(
      {
        ...rig.deps,
        signIns: new FakeSignIns(rig.clock),
        signInTimes: { linkMs: 1_000, stepMs: 1_000 },
      },
      PLACE,
      ADMIN,
    );
    expect(failureOf(asked)).toMatchObject({ code: 'vault-unreachable', kind: 'transient', owner: 'vendor' });
  });
});

describe('what is wrong with the vendor’s own key', () => {
  beforeEach(async () => {
    rig = await Rig.withDataKeys(2);
  });

  it.each([
    'access-denied-rbac',
    'access-denied-policy',
    'key-disabled',
    'key-not-found',
    'key-operation-not-permitted',
    'throttled',
    'vault-firewall',
    'vault-private-only',
    'vault-refused',
    'wrong-entra-tenant',
  ] as const)('(%s) is the vendor’s to mend, and names nothing that a company could do', async (code) => {
    rig.vaults.fail({ operation: 'unwrap', host: VENDOR.host, failure: code });
    const cache = new CompanyKeyCache({ ...rig.deps, tables: rig.store }, { ttlMs: 5_000 });
    const key = await cache.get({ companyId: COMPANY, keyringId: KEYRING, version: 1 });
    const found = key.ok || key.error.type !== 'failure' ? undefined : key.error.failure;
    expect(found).toMatchObject({ code, owner: 'vendor', facts: { vaultHost: VENDOR.host } });
    expect(JSON.stringify(found?.remedy)).not.toMatch(/consent link|admin of the company|connection/);
  });

  it('blocks a switch away from it as the vendor’s', async () => {
    Object.assign(rig.vaults.newestKey(VENDOR.host).describes, { enabled: false });
    valueOf(await startSwitch(rig.deps, { ...place('out'), target: CONTOSO }, ADMIN));
    await rig.drain();
    const blocked = (await loadSwitch(rig.store, place('out')))?.value.blocked;
    expect(blocked).toMatchObject({ side: 'source', failure: { code: 'key-disabled', owner: 'vendor' } });
  });
});

describe('a newest version that is fit for nothing', () => {
  it.each([
    [{ enabled: false }, 'key-disabled'],
    [{ keyOps: ['sign', 'verify'] }, 'key-operation-not-permitted'],
    [{ keyType: 'EC', n: '', e: '', keyOps: ['sign', 'verify'] }, 'key-type-unsupported'],
  ] as const)(
    '(%j) revokes nothing, is a warning of the test, and keeps no switch from leaving',
    async (change, code) => {
      rig.vaults.addKey({ ...KEY, fixture: 'rsa-2048-3', change: { ...change } });
      expect(await byCheck()).toMatchObject({ state: 'warning', warnings: ['key-version-not-followed'] });
      expect(await byCallers()).toBeUndefined();
      const test = await byTest();
      expect(test.status).toBe('green');
      expect(outcomesIn(test)).toEqual([`key-fit:warning:${code}`, 'unwrap:skipped', 'compare:skipped']);
      expect(await bySwitchBack()).toBeUndefined();
      expect((await loadSwitch(rig.store, place('back')))?.value.state).toBe('completed');
      expect(await rig.openByCaller()).toBe(rig.plaintexts.size);
    },
  );

  it('is none to the test where even reading it is refused', async () => {
    rig.vaults.addKey({ ...KEY, fixture: 'rsa-2048-3' });
    rig.vaults.fail({ operation: 'readKey', failure: 'key-disabled', times: 1 });
    const test = await byTest();
    expect(test.status).toBe('green');
    expect(outcomesIn(test)[0]).toBe('key-read:warning:key-disabled');
  });

  it('is not what refuses to let the key be read at all, which fails the test', async () => {
    rig.vaults.fail({ operation: 'readKey', failure: 'access-denied-rbac' });
    const test = await byTest();
    expect(test.status).toBe('failed');
    expect(outcomesIn(test)).toContain('key-read:failed:access-denied-rbac');
    expect(outcomesIn(test)).toContain('in-use:warning:access-denied-rbac');
  });

  it('keeps the keyring from following it', async () => {
    rig.vaults.addKey({ ...KEY, fixture: 'rsa-2048-3', change: { enabled: false } });
    const ref = { provider: 'azure-key-vault', connectionId: 'contoso' } as const;
    const followed = await followKeyVersion(rig.deps, { companyId: COMPANY, keyringId: KEYRING, ref }, ADMIN);
    expect(failureOf(followed)?.code).toBe('key-disabled');
  });
});

describe('a look at the key in force', () => {
  it('judges by the version in use, not by the newest', async () => {
    rig.vaults.addKey({ ...KEY, fixture: 'rsa-2048-3', change: { enabled: false } });
    await byCheck();
    const asked = rig.vaults.calls.filter(({ host }) => host === CONTOSO_HOST);
    expect(asked.map(({ operation, version }) => [operation, version])).toEqual([
      ['readKey', undefined],
      ['readKey', V1],
      ['unwrap', V1],
    ]);
  });

  it('is made also where the company’s policy is forged: that is a warning, and no newer version is followed', async () => {
    const { policySeal: _, ...cells } = rig.store.peek('companies', COMPANY, 'company')!.cells;
    rig.store.tamper('companies', COMPANY, 'company', cells);
    rig.vaults.addKey({ ...KEY, fixture: 'rsa-2048-3' });
    expect(await byCheck()).toMatchObject({ state: 'warning', warnings: ['row-forged'] });
    expect(await byCallers()).toBeUndefined();
    const ref = { provider: 'azure-key-vault', connectionId: 'contoso' } as const;
    const followed = await followKeyVersion(rig.deps, { companyId: COMPANY, keyringId: KEYRING, ref }, ADMIN);
    expect(failureOf(followed)?.code).toBe('row-forged');
    const tested = await testConnection({ ...rig.deps, keyPolicy: { propagationMs: 0 } }, PLACE, ADMIN);
    expect(failureOf(tested)?.code).toBe('row-forged');
    rig.vaults.fail({ operation: 'unwrap', failure: 'access-denied-policy' });
    expect(await byCheck()).toMatchObject({ state: 'revoked', code: 'access-denied-policy' });
  });

  it('only warns of a key that may be used and not read: callers are served', async () => {
    rig.vaults.fail({ operation: 'readKey', failure: 'access-denied-policy' });
    expect(await byCheck()).toMatchObject({ state: 'warning', warnings: ['access-denied-policy'] });
    rig.vaults.fail({ operation: 'unwrap', failure: 'access-denied-policy' });
    expect(await byCheck()).toMatchObject({ state: 'revoked', code: 'access-denied-policy' });
  });
});
