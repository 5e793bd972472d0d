import { providersOver } from '../../fakes/providers.ts';
import { describe, expect, it } from 'vitest';
import { COMPANY_KEY_BYTES } from '../../../shared/domain/company-key.ts';
import { ok } from '../../../shared/domain/result.ts';
import { companyKeyRowKey, connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import { loadCompanyKeyRow, loadSwitch } from '../../../shared/store/control-state.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { followKeyVersion, type Following } from '../../../shared/operations/watch/follow-key-version.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { keyVersionOf } from '../../fakes/fake-vaults.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, FABRIKAM, KEYRING, place, Rig, VENDOR } from '../switches/rig.ts';

const NEWER = `https://${CONTOSO_HOST}/keys/customer-key/${keyVersionOf(2)}`;

/** In the middle of a switch: two company keys, each under the vendor's key and the customer's, which has a new version. */
async function switching(): Promise<Rig> {
  const rig = await Rig.withDataKeys(5);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain({ enough: async () => (await loadSwitch(rig.store, place('s1')))?.value.state === 're-protecting' });
  rig.vaults.addKey({ host: CONTOSO_HOST, keyName: 'customer-key', fixture: 'rsa-2048-4' });
  rig.vaults.calls.length = 0;
  rig.log.entries.length = 0;
  return rig;
}

const follow = (rig: Rig, change: Partial<Following> = {}, ref = CONTOSO): ReturnType<typeof followKeyVersion> =>
  followKeyVersion({ ...rig.deps, ...change }, { companyId: COMPANY, keyringId: KEYRING, ref }, ADMIN);

const rowOf = async (rig: Rig, version: number) =>
  (await loadCompanyKeyRow(rig.store, { companyId: COMPANY, keyringId: KEYRING, version }))!.value!;
const rows = async (rig: Rig) => [await rowOf(rig, 1), await rowOf(rig, 2)];
const refusedWith = (code: string) => ({ ok: false, error: { type: 'failure', failure: { code } } });

describe('following a new version of a key, in the middle of a switch', () => {
  it('makes the wraps of that vault anew in every company key, and changes nothing else of them', async () => {
    const rig = await switching();
    const before = await rows(rig);
    expect(await follow(rig)).toEqual({ ok: true, value: { keyId: NEWER, rewrapped: 2 } });
    const after = await rows(rig);
    for (const [index, { wraps, ...rest }] of after.entries()) {
      const { wraps: older, ...same } = before[index]!;
      expect(rest).toEqual(same);
      expect(wraps.map(({ host }) => host)).toEqual([VENDOR.host, CONTOSO_HOST]);
      expect(wraps[0]).toEqual(older[0]);
      expect(wraps[1]?.keyId).toBe(NEWER);
    }
    rig.vaults.fail({ operation: 'any', host: VENDOR.host, failure: 'vault-unreachable' });
    await rig.drain();
    expect(await rig.openByCaller()).toBe(5);
  });

  it('is recorded for each company key', async () => {
    const rig = await switching();
    await follow(rig);
    const records = chainOf(rig.store).slice(-2);
    expect(records.map(({ action, target }) => [action, target])).toEqual([
      ['key-version.followed', companyKeyRowKey(KEYRING, 1)],
      ['key-version.followed', companyKeyRowKey(KEYRING, 2)],
    ]);
    const before = `https://${CONTOSO_HOST}/keys/customer-key/${keyVersionOf(1)}`;
    const detail = { provider: 'azure-key-vault:contoso', keyId: NEWER, before };
    expect(JSON.parse(records[0]?.detail ?? '')).toEqual(detail);
  });

  it('has nothing to do for a vault that wraps none of them', async () => {
    const rig = await switching();
    expect(await follow(rig, {}, FABRIKAM)).toMatchObject({ ok: true, value: { rewrapped: 0 } });
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });

  it('is refused without a call to any vault if the connection is forged', async () => {
    const rig = await switching();
    const rowKey = connectionRowKey('contoso');
    const row = (await rig.store.read('companies', COMPANY, rowKey))!;
    rig.store.tamper('companies', COMPANY, rowKey, { ...row.cells, host: 'mallory.vault.azure.net' });
    expect(await follow(rig)).toMatchObject(refusedWith('row-forged'));
    expect(rig.vaults.countOf('readKey')).toBe(0);
  });

  it.each(['readKey', 'unwrap'] as const)('is refused with what the vault says to %s', async (operation) => {
    const rig = await switching();
    const before = await rows(rig);
    rig.vaults.fail({ operation, host: CONTOSO_HOST, failure: 'access-denied-rbac' });
    expect(await follow(rig)).toMatchObject(refusedWith('access-denied-rbac'));
    expect(await rows(rig)).toEqual(before);
  });

  it('is refused if the new version is too small for the policy, or has expired', async () => {
    const rig = await switching();
    const before = await rows(rig);
    const keyPolicy = { minRsaBits: 3072, purgeable: 'warn' } as const;
    const providers = providersOver({ vaults: rig.vaults, clock: rig.clock, vendor: VENDOR, keyPolicy });
    expect(await follow(rig, { providers })).toMatchObject(refusedWith('key-too-small'));
    const expires = new Date('2025-12-31T00:00:00.000Z');
    rig.vaults.addKey({ host: CONTOSO_HOST, keyName: 'customer-key', fixture: 'rsa-2048-4', change: { expires } });
    expect(await follow(rig)).toMatchObject(refusedWith('key-expired'));
    expect(await rows(rig)).toEqual(before);
  });

  it('is refused if the new version does not unwrap, and the older wrap stays', async () => {
    const rig = await switching();
    const before = await rows(rig);
    let unwraps = 0;
    rig.vaults.onCall = ({ operation }) => {
      if (operation !== 'unwrap') return;
      unwraps += 1;
      if (unwraps === 2) rig.vaults.fail({ operation: 'unwrap', failure: 'key-operation-not-permitted', times: 1 });
    };
    expect(await follow(rig)).toMatchObject(refusedWith('key-operation-not-permitted'));
    expect(await rows(rig)).toEqual(before);
  });

  it('is refused by name if the new version answers with another company key than was wrapped for it', async () => {
    const rig = await switching();
    const before = await rows(rig);
    const unwrap = rig.vaults.unwrap.bind(rig.vaults);
    rig.vaults.unwrap = async (...call) => {
      const payload = await unwrap(...call);
      if (!payload.ok || call[1].keyId !== NEWER) return payload;
      return ok(Buffer.alloc(COMPANY_KEY_BYTES, 1));
    };
    expect(await follow(rig)).toMatchObject({
      error: { failure: { code: 'key-substituted', facts: { vaultHost: CONTOSO_HOST, keyName: 'customer-key' } } },
    });
    expect(await rows(rig)).toEqual(before);
  });

  it('is refused if the seal key does not sign', async () => {
    const rig = await switching();
    const before = await rows(rig);
    rig.vaults.fail({ operation: 'sign', failure: 'vault-unreachable' });
    expect(await follow(rig)).toMatchObject(refusedWith('vault-unreachable'));
    expect(await rows(rig)).toEqual(before);
  });

  it('is refused by the name of the keyring’s company keys if one of them cannot be read', async () => {
    const rig = await switching();
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, 2), { format: 1, wraps: 'none' });
    expect(await follow(rig)).toMatchObject(refusedWith('row-forged'));
    const detail = { companyId: COMPANY, row: `companykey|${KEYRING}` };
    expect(rig.log.entries).toEqual([{ level: 'error', event: 'security.row-forged', detail }]);
  });

  it('looks again where somebody else was first, and counts what it wrote itself', async () => {
    const rig = await switching();
    const rowKey = companyKeyRowKey(KEYRING, 1);
    let isFirst = true;
    const write: Tables['write'] = async (table, partition, writes) => {
      if (isFirst && writes[0]?.rowKey === rowKey) {
        isFirst = false;
        rig.store.tamper('companies', COMPANY, rowKey, (await rig.store.read('companies', COMPANY, rowKey))!.cells);
      }
      return rig.store.write(table, partition, writes);
    };
    const tables = tablesBut(rig.store, { write });
    expect(await follow(rig, { tables })).toEqual({ ok: true, value: { keyId: NEWER, rewrapped: 2 } });
    expect((await rows(rig)).map(({ wraps }) => wraps[1]?.keyId)).toEqual([NEWER, NEWER]);
  });

  it('follows for a company key that was added meanwhile too', async () => {
    const rig = await switching();
    const rowKey = companyKeyRowKey(KEYRING, 2);
    const cells = (await rig.store.read('companies', COMPANY, rowKey))!.cells;
    const etag = (await rig.store.read('companies', COMPANY, rowKey))!.etag;
    await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag }]);
    const write: Tables['write'] = async (table, partition, writes) => {
      const written = await rig.store.write(table, partition, writes);
      if (writes[0]?.rowKey === companyKeyRowKey(KEYRING, 1)) rig.store.tamper('companies', COMPANY, rowKey, cells);
      return written;
    };
    const tables = tablesBut(rig.store, { write });
    expect(await follow(rig, { tables })).toEqual({ ok: true, value: { keyId: NEWER, rewrapped: 2 } });
  });

  it.each([
    ['has none of them', 0],
    ['ends before the second', 1],
  ])('is not over because a list of company keys %s', async (_, most) => {
    const rig = await switching();
    const range = companyKeyRowKey(KEYRING, 0).slice(0, -10);
    const short: Tables['list'] = async (query) => {
      const page = await rig.store.list(query);
      if (!query.after?.startsWith(range)) return page;
      return { rows: page.rows.filter(({ rowKey }) => rowKey <= companyKeyRowKey(KEYRING, most)) };
    };
    const tables = tablesBut(rig.store, { list: short });
    expect(await follow(rig, { tables })).toMatchObject({ ok: false, error: { type: 'busy' } });
    expect(await follow(rig)).toEqual({ ok: true, value: { keyId: NEWER, rewrapped: 2 - most } });
  });
});
