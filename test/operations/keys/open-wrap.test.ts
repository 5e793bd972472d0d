// Where a wrapped company key may be sent: only where its sealed wrap and the sealed row of its provider both lead.
import type { Providers } from '../../../shared/providers/provider.ts';
import { asRead, providersOver } from '../../fakes/providers.ts';
import { providerName } from '../../../shared/domain/provider.ts';
import { describe, expect, it } from 'vitest';
import { COMPANY_KEY_BYTES, type Wrap } from '../../../shared/domain/company-key.ts';
import { connectionCells } from '../../../shared/store/rows/sealed-rows.ts';
import { companyKeyRowKey, connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import { sealedBytesOfConnection, sealedBytesOfWrap } from '../../../shared/domain/seal.ts';
import { ok } from '../../../shared/domain/result.ts';
import type { VaultTarget } from '../../../shared/domain/provider.ts';
import { loadReadableCompanyKey, openWrap, targetOf, verifyWrap } from '../../../shared/operations/keys/open-wrap.ts';
import { loadConnection, loadTarget } from '../../../shared/operations/keys/verified-connection.ts';
import { makeWrap } from '../../../shared/operations/keys/make-wrap.ts';
import { valueOf } from '../data-keys/world.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, FABRIKAM_HOST, KEYRING, MANAGED, Rig, VENDOR } from '../switches/rig.ts';

const CONTEXT = { companyId: COMPANY, keyringId: KEYRING, version: 7 };
const ROW_KEY = companyKeyRowKey(KEYRING, 7);
const TENANT = '22222222-2222-4222-8222-222222222222';
const OTHER_TENANT = '44444444-4444-4444-8444-444444444444';
const TARGET: VaultTarget = { ref: CONTOSO, host: CONTOSO_HOST, keyName: 'customer-key', tenantId: TENANT };
const forgedRow = (row: string) => ({
  level: 'error',
  event: 'security.row-forged',
  detail: { companyId: COMPANY, row },
});
const refusedWith = (code: string) => ({ ok: false, error: { code } });

/** A wrap with a seal that is genuine, whatever the wrap says. */
async function sealed(rig: Rig, change: { target?: Partial<VaultTarget>; keyId?: string } = {}): Promise<Wrap> {
  const vaultKey = await rig.vaults.readKey(TARGET);
  if (!vaultKey.ok) throw new Error('no key');
  const making = { sealer: rig.vaults, providers: { of: () => rig.deps.providers.of(CONTOSO) } };
  const wrap = await makeWrap(making, {
    target: { ...TARGET, ...change.target },
    key: { ...asRead(vaultKey.value), keyId: change.keyId ?? vaultKey.value.keyId },
    companyKey: Buffer.alloc(COMPANY_KEY_BYTES, 9),
    context: CONTEXT,
  });
  if (!wrap.ok) throw new Error('no wrap');
  rig.vaults.calls.length = 0;
  return wrap.value;
}

const keyIdAt = (host: string, name: string): string => `https://${host}/keys/${name}/00000000000000000000000000000001`;

describe('a wrap', () => {
  it('is opened by the vault and key that it names, to the company key', async () => {
    const rig = await Rig.withDataKeys(0);
    const opened = await openWrap(rig.deps, CONTEXT, await sealed(rig));
    expect(opened.ok && opened.value.export()).toEqual(Buffer.alloc(COMPANY_KEY_BYTES, 9));
    expect(rig.log.entries).toEqual([]);
  });

  it('may name its key in other letters, as Key Vault does', async () => {
    const rig = await Rig.withDataKeys(0);
    const wrap = await sealed(rig, { keyId: keyIdAt(CONTOSO_HOST, 'Customer-KEY') });
    expect(await verifyWrap(rig.deps, CONTEXT, wrap)).toMatchObject({ ok: true, value: TARGET });
  });

  it.each([
    ['a key id that is none', { keyId: 'customer-key' }],
    ['a key in another vault', { keyId: keyIdAt(FABRIKAM_HOST, 'customer-key') }],
    ['another key in that vault', { keyId: keyIdAt(CONTOSO_HOST, 'other-key') }],
    ['another vault', { target: { host: FABRIKAM_HOST } }],
    ['another tenant', { target: { tenantId: OTHER_TENANT } }],
  ])('that names %s than its connection is sent nowhere, though its seal is genuine', async (_, change) => {
    const rig = await Rig.withDataKeys(0);
    const wrap = await sealed(rig, change);
    expect(await openWrap(rig.deps, CONTEXT, wrap)).toMatchObject(refusedWith('row-forged'));
    expect(rig.log.entries).toEqual([forgedRow(ROW_KEY)]);
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });

  it('by the vendor’s own key opens where the settings say, also once that vault was moved to another tenant', async () => {
    const rig = await Rig.withDataKeys(0);
    const row = await loadReadableCompanyKey(rig.deps, { companyId: COMPANY, keyringId: KEYRING, version: 1 });
    const wrap = row.ok ? row.value?.value.wraps[0] : undefined;
    rig.vaults.addVault({ host: VENDOR.host, tenantId: OTHER_TENANT });
    rig.vaults.addKey({ host: VENDOR.host, keyName: VENDOR.keyName, fixture: 'rsa-2048-1' });
    const providers = (vendor: VaultTarget): Providers =>
      providersOver({ vaults: rig.vaults, clock: rig.clock, vendor });
    const deps = { ...rig.deps, providers: providers({ ...VENDOR, tenantId: OTHER_TENANT }) };
    const opened = await openWrap(deps, { companyId: COMPANY, keyringId: KEYRING, version: 1 }, wrap!);
    expect(opened.ok).toBe(true);
    expect(
      await openWrap({ ...deps, providers: providers({ ...VENDOR, host: FABRIKAM_HOST }) }, CONTEXT, wrap!),
    ).toMatchObject(refusedWith('row-forged'));
  });

  it('of another place is sent nowhere', async () => {
    const rig = await Rig.withDataKeys(0);
    const wrap = await sealed(rig);
    expect(await openWrap(rig.deps, { ...CONTEXT, version: 8 }, wrap)).toMatchObject(refusedWith('row-forged'));
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });

  it('whose connection is gone is sent nowhere', async () => {
    const rig = await Rig.withDataKeys(0);
    const wrap = await sealed(rig, { target: { ref: { provider: 'azure-key-vault', connectionId: 'nobody' } } });
    expect(await openWrap(rig.deps, CONTEXT, wrap)).toMatchObject(refusedWith('row-forged'));
    expect(rig.log.entries).toEqual([forgedRow(connectionRowKey('nobody'))]);
  });

  it.each([
    ['another provider than its connection', { provider: 'other', connectionId: 'contoso' }],
    ['another provider than the vendor’s, and no connection', { provider: 'other' }],
  ])('of %s is sent nowhere, though its seal is genuine', async (_, ref) => {
    const rig = await Rig.withDataKeys(0);
    const wrap = await sealed(rig, { target: { ref } });
    expect(await openWrap(rig.deps, CONTEXT, wrap)).toMatchObject(refusedWith('row-forged'));
    expect([rig.log.entries, rig.vaults.countOf('unwrap')]).toEqual([[forgedRow(providerName(ref))], 0]);
  });

  it('by another algorithm than its provider’s is sent nowhere, though its seal is genuine', async () => {
    const rig = await Rig.withDataKeys(0);
    const wrap = await sealed(rig);
    const { seal: _seal, ...unsealed } = { ...wrap, algorithm: 'RSA1_5' };
    const seal = valueOf(await rig.vaults.sign(sealedBytesOfWrap(CONTEXT, unsealed)));
    rig.vaults.calls.length = 0;
    expect(await openWrap(rig.deps, CONTEXT, { ...unsealed, seal })).toMatchObject(refusedWith('key-substituted'));
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });

  it('is not called forged while the seal key cannot be had', async () => {
    const rig = await Rig.withDataKeys(0);
    const wrap = await sealed(rig);
    rig.vaults.fail({ operation: 'publicKey', failure: 'vault-unreachable' });
    expect(await openWrap(rig.deps, CONTEXT, wrap)).toMatchObject(refusedWith('vault-unreachable'));
    expect([rig.log.entries, rig.vaults.countOf('unwrap')]).toEqual([[], 0]);
  });

  it('that is sealed under a version of the seal key that there is not is forged', async () => {
    const rig = await Rig.withDataKeys(0);
    const wrap = await sealed(rig);
    const sealer = { publicKey: () => Promise.resolve(ok(undefined)) };
    expect(await openWrap({ ...rig.deps, sealer }, CONTEXT, wrap)).toMatchObject(refusedWith('row-forged'));
    expect(rig.log.entries).toEqual([forgedRow(ROW_KEY)]);
  });

  it('is not made while the seal key does not sign', async () => {
    const rig = await Rig.withDataKeys(0);
    rig.vaults.fail({ operation: 'sign', failure: 'vault-unreachable' });
    await expect(sealed(rig)).rejects.toThrow('no wrap');
  });
});

describe('the vault and key of a provider', () => {
  it('are the vendor’s own from the settings, or a connection’s', async () => {
    const rig = await Rig.withDataKeys(0);
    expect(await targetOf(rig.deps, { companyId: COMPANY, ref: MANAGED })).toEqual({ ok: true, value: VENDOR });
    expect(await targetOf(rig.deps, { companyId: COMPANY, ref: CONTOSO })).toMatchObject({ ok: true, value: TARGET });
  });
});

describe('a connection', () => {
  const PLACE = { companyId: COMPANY, connectionId: 'contoso' };
  const CONNECTION_ROW = connectionRowKey('contoso');

  it('comes with the ETag of its row, or not at all if there is none', async () => {
    const rig = await Rig.withDataKeys(0);
    const row = (await rig.store.read('companies', COMPANY, CONNECTION_ROW))!;
    expect(await loadConnection(rig.deps, PLACE)).toMatchObject({
      ok: true,
      value: { etag: row.etag, value: { connectionId: 'contoso', host: CONTOSO_HOST } },
    });
    expect(await loadConnection(rig.deps, { ...PLACE, connectionId: 'nobody' })).toEqual({
      ok: true,
      value: undefined,
    });
  });

  it.each([
    ['cannot be read', { seal: '' }],
    ['leads elsewhere', { host: FABRIKAM_HOST }],
  ])('that %s is forged, and its row is named', async (_, change) => {
    const rig = await Rig.withDataKeys(0);
    const row = (await rig.store.read('companies', COMPANY, CONNECTION_ROW))!;
    rig.store.tamper('companies', COMPANY, CONNECTION_ROW, { ...row.cells, ...change });
    expect(await loadTarget(rig.deps, PLACE)).toMatchObject({
      ok: false,
      error: { code: 'row-forged', facts: { detail: CONNECTION_ROW } },
    });
    expect(rig.log.entries).toEqual([forgedRow(CONNECTION_ROW)]);
  });

  it('whose tenant nobody knows yet leads nowhere', async () => {
    const rig = await Rig.withDataKeys(0);
    const loaded = await loadConnection(rig.deps, PLACE);
    if (!loaded.ok || !loaded.value) throw new Error('no connection');
    const { tenantId: _, seal: _seal, consent: _consent, ...unsealed } = loaded.value.value;
    const seal = await rig.vaults.sign(sealedBytesOfConnection(COMPANY, unsealed));
    if (!seal.ok) throw new Error('no seal');
    const cells = connectionCells({ ...unsealed, seal: seal.value });
    rig.store.tamper('companies', COMPANY, CONNECTION_ROW, cells);
    expect((await loadConnection(rig.deps, PLACE)).ok).toBe(true);
    expect(await loadTarget(rig.deps, PLACE)).toMatchObject(refusedWith('row-forged'));
  });
});
