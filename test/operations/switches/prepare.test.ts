import { asRead, providersOver } from '../../fakes/providers.ts';
import { describe, expect, it } from 'vitest';
import { COMPANY_KEY_BYTES, type Wrap } from '../../../shared/domain/company-key.ts';
import type { VaultTarget } from '../../../shared/domain/provider.ts';
import { ok } from '../../../shared/domain/result.ts';
import { keyringCells } from '../../../shared/store/rows/keyring-rows.ts';
import {
  COMPANY_ROW_KEY,
  companyKeyRowKey,
  connectionRowKey,
  keyringRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import { companyKeyCells } from '../../../shared/store/rows/sealed-rows.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadCompanyKeyRow, loadKeyring, loadSwitch, type Found } from '../../../shared/store/control-state.ts';
import { leaveVerification } from '../../../shared/operations/switches/gate.ts';
import { prepare } from '../../../shared/operations/switches/prepare.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { makeWrap } from '../../../shared/operations/keys/make-wrap.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, FABRIKAM, FABRIKAM_HOST, KEYRING, place, Rig, VENDOR } from './rig.ts';
import { ADMIN } from '../../fakes/actors.ts';

const PLACE = place('s1');
const KEYRING_PLACE = { companyId: COMPANY, keyringId: KEYRING };
const ROW_KEY = companyKeyRowKey(KEYRING, 1);
const YESTERDAY = '2025-12-31T00:00:00.000Z';

interface Prepared {
  readonly rig: Rig;
  readonly sw: Found<Switch>;
}

async function pending(): Promise<Prepared> {
  const rig = await Rig.withDataKeys(1);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  return { rig, sw: (await loadSwitch(rig.store, PLACE))! };
}

async function preparing(rekey?: 'rekey'): Promise<Prepared> {
  const rig = await Rig.withDataKeys(1);
  if (rekey) await startRekey(rig.deps, { ...PLACE }, ADMIN);
  else await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  await leaveVerification(rig.deps, PLACE, (await loadSwitch(rig.store, PLACE))!);
  rig.vaults.calls.length = 0;
  return { rig, sw: (await loadSwitch(rig.store, PLACE))! };
}

async function remove(rig: Rig, rowKey: string): Promise<void> {
  const row = (await rig.store.read('companies', COMPANY, rowKey))!;
  await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag: row.etag }]);
}

/** The same cells under another ETag. */
async function touch(rig: Rig, rowKey: string): Promise<void> {
  rig.store.tamper('companies', COMPANY, rowKey, (await rig.store.read('companies', COMPANY, rowKey))!.cells);
}

async function forgeConnection(rig: Rig): Promise<void> {
  const rowKey = connectionRowKey('contoso');
  const row = (await rig.store.read('companies', COMPANY, rowKey))!;
  rig.store.tamper('companies', COMPANY, rowKey, { ...row.cells, host: 'mallory.vault.azure.net' });
}

async function giveKeyringTo(rig: Rig, switchId: string): Promise<void> {
  const keyring = (await loadKeyring(rig.store, KEYRING_PLACE))!.value;
  rig.store.tamper('companies', COMPANY, keyringRowKey(KEYRING), keyringCells({ ...keyring, switchId }));
}

const LATE = [
  ['company is gone', (rig: Rig) => remove(rig, COMPANY_ROW_KEY)],
  ['keyring is gone', (rig: Rig) => remove(rig, keyringRowKey(KEYRING))],
  ['keyring has another switch', (rig: Rig) => giveKeyringTo(rig, 'other')],
] as const;

const wrapsOf = async (rig: Rig, version: number): Promise<readonly string[] | undefined> =>
  (await loadCompanyKeyRow(rig.store, { ...KEYRING_PLACE, version }))?.value?.wraps.map(({ host }) => host);

const failedAt = (side: string, code: string) => ({ type: 'blocked', side, failure: { code } });

describe('entering the preparation', () => {
  it('reserves a version number that was never used', async () => {
    const { rig, sw } = await pending();
    expect(await leaveVerification(rig.deps, PLACE, sw)).toEqual({ type: 'moved', by: 'this-worker' });
    expect((await loadKeyring(rig.store, KEYRING_PLACE))?.value.highVersion).toBe(2);
    expect((await loadSwitch(rig.store, PLACE))?.value).toMatchObject({ state: 'preparing', toVersion: 2 });
  });

  it.each(LATE)('gives way if the %s', async (_, change) => {
    const { rig, sw } = await pending();
    await change(rig);
    expect(await leaveVerification(rig.deps, PLACE, sw)).toEqual({ type: 'moved', by: 'others' });
    expect((await loadSwitch(rig.store, PLACE))?.value.state).toBe('pending-verification');
  });

  it('gives way to whoever changed the switch meanwhile', async () => {
    const { rig, sw } = await pending();
    expect(await leaveVerification(rig.deps, PLACE, { ...sw, etag: 'older' })).toEqual({ type: 'moved', by: 'others' });
    expect((await loadKeyring(rig.store, KEYRING_PLACE))?.value.highVersion).toBe(1);
  });
});

describe('preparing a switch', () => {
  it('ends with both company keys under both providers, and says so', async () => {
    const { rig, sw } = await preparing();
    expect(await prepare(rig.deps, PLACE, sw)).toEqual({ type: 'moved', by: 'this-worker' });
    expect((await loadSwitch(rig.store, PLACE))?.value).toMatchObject({ state: 're-protecting', generation: 1 });
    expect([await wrapsOf(rig, 1), await wrapsOf(rig, 2)]).toEqual([
      [VENDOR.host, CONTOSO_HOST],
      [VENDOR.host, CONTOSO_HOST],
    ]);
  });

  it.each(LATE)('asks no vault if the %s', async (_, change) => {
    const { rig, sw } = await preparing();
    await change(rig);
    expect(await prepare(rig.deps, PLACE, sw)).toEqual({ type: 'moved', by: 'others' });
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });

  it('asks no vault if the company key in force cannot be read', async () => {
    const { rig, sw } = await preparing();
    rig.store.tamper('companies', COMPANY, ROW_KEY, { format: 1, wraps: 'none' });
    expect(await prepare(rig.deps, PLACE, sw)).toMatchObject(failedAt('source', 'row-forged'));
    expect(rig.vaults.calls).toEqual([]);
  });

  it('asks no vault if the new connection is forged', async () => {
    const { rig, sw } = await preparing();
    await forgeConnection(rig);
    expect(await prepare(rig.deps, PLACE, sw)).toMatchObject(failedAt('target', 'row-forged'));
    expect(rig.vaults.countOf('readKey')).toBe(0);
  });

  it('asks no other vault than the one in force if the new connection is forged meanwhile', async () => {
    const { rig, sw } = await preparing();
    rig.vaults.onCall = () => forgeConnection(rig);
    expect(await prepare(rig.deps, PLACE, sw)).toMatchObject(failedAt('target', 'row-forged'));
    const asked = rig.vaults.calls.filter(({ operation }) => operation === 'readKey' || operation === 'unwrap');
    expect(new Set(asked.map(({ host }) => host))).toEqual(new Set([VENDOR.host]));
  });

  it('names the row if it has no wrap of the provider that the switch leaves', async () => {
    const { rig, sw } = await preparing();
    const row = (await loadCompanyKeyRow(rig.store, { ...KEYRING_PLACE, version: 1 }))!.value!;
    const wraps = row.wraps.map((wrap) => ({ ...wrap, ref: FABRIKAM }));
    rig.store.tamper('companies', COMPANY, ROW_KEY, companyKeyCells({ ...row, wraps }));
    rig.log.entries.length = 0;
    expect(await prepare(rig.deps, PLACE, sw)).toMatchObject(failedAt('source', 'row-forged'));
    const detail = { companyId: COMPANY, row: ROW_KEY };
    expect(rig.log.entries).toEqual([{ level: 'error', event: 'security.row-forged', detail }]);
  });

  it('gives way if the company key is gone', async () => {
    const { rig, sw } = await preparing();
    await remove(rig, ROW_KEY);
    expect(await prepare(rig.deps, PLACE, sw)).toEqual({ type: 'moved', by: 'others' });
  });

  it.each([
    ['company', COMPANY_ROW_KEY],
    ['keyring', keyringRowKey(KEYRING)],
    ['connection', connectionRowKey('contoso')],
    ['company key', ROW_KEY],
  ])('stores nothing if the row of the %s changes while the vaults are asked', async (_, rowKey) => {
    const { rig, sw } = await preparing();
    rig.vaults.onCall = ({ operation }) => (operation === 'readKey' ? touch(rig, rowKey) : undefined);
    expect(await prepare(rig.deps, PLACE, sw)).toEqual({ type: 'moved', by: 'others' });
    expect([await wrapsOf(rig, 1), await wrapsOf(rig, 2)]).toEqual([[VENDOR.host], undefined]);
  });

  it.each([
    ['the vault in force cannot be asked for its key', 'readKey', VENDOR.host, 'source'],
    ['the vault in force does not unwrap', 'unwrap', VENDOR.host, 'source'],
    ['the new vault cannot be asked for its key', 'readKey', CONTOSO_HOST, 'target'],
    ['the new vault does not unwrap', 'unwrap', CONTOSO_HOST, 'target'],
  ] as const)('says whose move it is if %s', async (_, operation, host, side) => {
    const { rig, sw } = await preparing();
    rig.vaults.fail({ operation, host, failure: 'access-denied-rbac' });
    expect(await prepare(rig.deps, PLACE, sw)).toMatchObject(failedAt(side, 'access-denied-rbac'));
  });

  it('says so too if only the old company key does not unwrap', async () => {
    const { rig, sw } = await preparing();
    let unwraps = 0;
    rig.vaults.onCall = ({ operation }) => {
      if (operation !== 'unwrap') return;
      unwraps += 1;
      if (unwraps === 2) rig.vaults.fail({ operation: 'unwrap', failure: 'access-denied-rbac', times: 1 });
    };
    expect(await prepare(rig.deps, PLACE, sw)).toMatchObject(failedAt('source', 'access-denied-rbac'));
  });

  it('leads out of a key that has expired, and into none', async () => {
    const away = await preparing();
    away.rig.vaults.addKey({ ...VENDOR, change: { expires: new Date(YESTERDAY) } });
    expect(await prepare(away.rig.deps, PLACE, away.sw)).toEqual({ type: 'moved', by: 'this-worker' });
    const into = await preparing();
    into.rig.vaults.addKey({
      host: CONTOSO_HOST,
      keyName: 'customer-key',
      fixture: 'rsa-2048-2',
      change: { expires: new Date(YESTERDAY) },
    });
    expect(await prepare(into.rig.deps, PLACE, into.sw)).toMatchObject(failedAt('target', 'key-expired'));
  });

  it('of a re-key is refused under a key that has expired', async () => {
    const { rig, sw } = await preparing('rekey');
    rig.vaults.addKey({ ...VENDOR, change: { expires: new Date(YESTERDAY) } });
    expect(await prepare(rig.deps, PLACE, sw)).toMatchObject(failedAt('source', 'key-expired'));
  });

  it('is refused if the new vault’s key is too small for the policy', async () => {
    const { rig, sw } = await preparing();
    const keyPolicy = { minRsaBits: 3072, purgeable: 'warn' } as const;
    const providers = providersOver({ vaults: rig.vaults, clock: rig.clock, vendor: VENDOR, keyPolicy });
    rig.vaults.addKey({ ...VENDOR, change: { sizeBits: 4096 } });
    expect(await prepare({ ...rig.deps, providers }, PLACE, sw)).toMatchObject(failedAt('target', 'key-too-small'));
  });

  it('drops from the old company key every wrap that is of neither provider', async () => {
    const { rig, sw } = await preparing();
    const row = (await loadCompanyKeyRow(rig.store, { ...KEYRING_PLACE, version: 1 }))!.value!;
    const stray = await strayWrap(rig);
    rig.store.tamper('companies', COMPANY, ROW_KEY, companyKeyCells({ ...row, wraps: [stray, ...row.wraps] }));
    expect(await prepare(rig.deps, PLACE, sw)).toEqual({ type: 'moved', by: 'this-worker' });
    expect(await wrapsOf(rig, 1)).toEqual([VENDOR.host, CONTOSO_HOST]);
  });

  it('is refused by name if the new vault answers with another company key than was wrapped for it', async () => {
    const { rig, sw } = await preparing();
    const unwrap = rig.vaults.unwrap.bind(rig.vaults);
    rig.vaults.unwrap = async (...call) => {
      const payload = await unwrap(...call);
      if (!payload.ok || call[0].host !== CONTOSO_HOST) return payload;
      return ok(Buffer.alloc(COMPANY_KEY_BYTES, 1));
    };
    expect(await prepare(rig.deps, PLACE, sw)).toMatchObject({
      ...failedAt('target', 'key-substituted'),
      failure: { facts: { vaultHost: CONTOSO_HOST, keyName: 'customer-key' } },
    });
    expect((await loadSwitch(rig.store, PLACE))?.value.state).toBe('preparing');
  });

  it.each(['moved', 'blocked'] as const)('leaves no new company key in memory (%s)', async (type) => {
    const { rig, sw } = await preparing();
    if (type === 'blocked') rig.vaults.fail({ operation: 'unwrap', failure: 'access-denied-rbac' });
    const drawn: Uint8Array[] = [];
    const entropy = {
      id: rig.entropy.id.bind(rig.entropy),
      bytes: (count: number) => {
        const bytes = rig.entropy.bytes(count);
        drawn.push(bytes);
        return bytes;
      },
    };
    expect(await prepare({ ...rig.deps, entropy }, PLACE, sw)).toMatchObject({ type });
    expect(drawn.map((bytes) => Buffer.from(bytes))).toEqual([Buffer.alloc(COMPANY_KEY_BYTES)]);
  });
});

async function strayWrap(rig: Rig): Promise<Wrap> {
  const target: VaultTarget = {
    ref: FABRIKAM,
    host: FABRIKAM_HOST,
    keyName: 'customer-key',
    tenantId: '22222222-2222-4222-8222-222222222222',
  };
  const vaultKey = await rig.vaults.readKey(target);
  if (!vaultKey.ok) throw new Error('no key');
  const context = { ...KEYRING_PLACE, version: 1 };
  const companyKey = Buffer.alloc(COMPANY_KEY_BYTES, 7);
  const wrap = await makeWrap(
    { sealer: rig.vaults, providers: rig.deps.providers },
    {
      target,
      key: asRead(vaultKey.value),
      companyKey,
      context,
      guard: true,
    },
  );
  if (!wrap.ok) throw new Error('no wrap');
  return wrap.value;
}
