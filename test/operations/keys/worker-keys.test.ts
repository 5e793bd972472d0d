import { describe, expect, it } from 'vitest';
import { companyKeyRowKey } from '../../../shared/store/rows/row-keys.ts';
import { companyKeyCells } from '../../../shared/store/rows/sealed-rows.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadCompanyKeyRow, loadSwitch } from '../../../shared/store/control-state.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { WorkerKeys } from '../../../shared/operations/keys/worker-keys.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, place, Rig, VENDOR } from '../switches/rig.ts';
import { ADMIN } from '../../fakes/actors.ts';

const ROW_KEY = companyKeyRowKey(KEYRING, 1);
const TTL_MS = 5_000;
const NEW = { version: 2, use: 'rewrap' } as const;

interface AtWork {
  readonly rig: Rig;
  readonly sw: Switch;
  readonly keys: WorkerKeys;
}

async function reProtecting(rekey?: 'rekey'): Promise<AtWork> {
  const rig = await Rig.withDataKeys(1);
  const switchOf = async (): Promise<Switch> => (await loadSwitch(rig.store, place('s1')))!.value;
  if (rekey) await startRekey(rig.deps, { ...place('s1') }, ADMIN);
  else await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain({ enough: async () => (await switchOf()).state === 're-protecting' });
  rig.vaults.calls.length = 0;
  return { rig, sw: await switchOf(), keys: new WorkerKeys(rig.deps, { ttlMs: TTL_MS }) };
}

/** The switch once an admin has accepted the denial. */
async function accepted(rig: Rig): Promise<Switch> {
  await rig.amendSwitch('s1', { denialAccepted: true });
  return (await loadSwitch(rig.store, place('s1')))!.value;
}

const unwraps = (rig: Rig): string[] =>
  rig.vaults.calls.filter(({ operation }) => operation === 'unwrap').map(({ host }) => host);

describe('a worker that needs a company key', () => {
  it('is out of date if there is no such version', async () => {
    const { sw, keys } = await reProtecting();
    expect(await keys.get(COMPANY, sw, { version: 9, use: 'rewrap' })).toEqual({ ok: false, error: { type: 'gone' } });
  });

  it('stops at a row that cannot be read', async () => {
    const { rig, sw, keys } = await reProtecting();
    rig.store.tamper('companies', COMPANY, ROW_KEY, { format: 1, wraps: 'none' });
    expect(await keys.get(COMPANY, sw, { version: 1, use: 'rewrap' })).toMatchObject({
      error: { type: 'blocked', side: 'source', failure: { code: 'row-forged' } },
    });
  });

  it('stops at a row that has no wrap, and names it', async () => {
    const { rig, sw, keys } = await reProtecting();
    const row = (await rig.store.read('companies', COMPANY, ROW_KEY))!;
    rig.store.tamper('companies', COMPANY, ROW_KEY, { ...row.cells, wraps: '[]' });
    rig.log.entries.length = 0;
    expect(await keys.get(COMPANY, sw, { version: 1, use: 'rewrap' })).toMatchObject({
      error: { type: 'blocked', side: 'source', failure: { code: 'row-forged', facts: { detail: ROW_KEY } } },
    });
    const detail = { companyId: COMPANY, row: ROW_KEY };
    expect(rig.log.entries).toEqual([{ level: 'error', event: 'security.row-forged', detail }]);
  });

  it('stops at a forged wrap, also when a denial was accepted and the other wrap would open', async () => {
    const { rig, sw, keys } = await reProtecting();
    const row = (await loadCompanyKeyRow(rig.store, { companyId: COMPANY, keyringId: KEYRING, version: 1 }))!.value!;
    const wraps = row.wraps.map((wrap) =>
      wrap.host === VENDOR.host ? { ...wrap, seal: { ...wrap.seal, signature: 'AAAA' } } : wrap,
    );
    rig.store.tamper('companies', COMPANY, ROW_KEY, companyKeyCells({ ...row, wraps }));
    expect(await keys.get(COMPANY, { ...sw, denialAccepted: true }, { version: 1, use: 'rewrap' })).toMatchObject({
      error: { type: 'blocked', side: 'source', failure: { code: 'row-forged' } },
    });
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });

  it('opens it once, as long as its time lasts, which begins before the vault is asked', async () => {
    const { rig, sw, keys } = await reProtecting();
    rig.vaults.onCall = ({ operation }) => (operation === 'unwrap' ? rig.clock.advance(1_000) : undefined);
    const first = await keys.get(COMPANY, sw, NEW);
    rig.clock.advance(TTL_MS - 1_001);
    expect(await keys.get(COMPANY, sw, NEW)).toEqual(first);
    expect(unwraps(rig)).toHaveLength(1);
    rig.clock.advance(1);
    await keys.get(COMPANY, sw, NEW);
    expect(unwraps(rig)).toHaveLength(2);
  });

  it('asks the vault once for all who come meanwhile, and again after a refusal', async () => {
    const { rig, sw, keys } = await reProtecting();
    rig.vaults.fail({ operation: 'unwrap', failure: 'access-denied-rbac', times: 1 });
    const refused = await Promise.all([keys.get(COMPANY, sw, NEW), keys.get(COMPANY, sw, NEW)]);
    expect(refused.map(({ ok }) => ok)).toEqual([false, false]);
    expect(unwraps(rig)).toHaveLength(1);
    expect((await keys.get(COMPANY, sw, NEW)).ok).toBe(true);
  });

  it('opens it anew in each generation and for each use', async () => {
    const { rig, sw, keys } = await reProtecting();
    await keys.get(COMPANY, sw, NEW);
    await keys.get(COMPANY, sw, { ...NEW, use: 'verify' });
    await keys.get(COMPANY, { ...sw, generation: 2 }, NEW);
    expect(unwraps(rig)).toHaveLength(3);
  });

  it('takes no key of another generation and version for the one that it needs', async () => {
    const { sw, keys } = await reProtecting();
    expect((await keys.get(COMPANY, { ...sw, generation: 11 }, { ...NEW, version: 2 })).ok).toBe(true);
    expect(await keys.get(COMPANY, { ...sw, generation: 1 }, { ...NEW, version: 12 })).toMatchObject({
      error: { type: 'gone' },
    });
  });

  it('asks the vault in force, and compares by way of the vault that the switch ends with', async () => {
    const { rig, sw, keys } = await reProtecting();
    await keys.get(COMPANY, sw, NEW);
    await keys.get(COMPANY, sw, { version: 2, use: 'verify' });
    await keys.get(COMPANY, { ...sw, state: 'rolling-back' }, { version: 1, use: 'verify' });
    expect(unwraps(rig)).toEqual([VENDOR.host, CONTOSO_HOST, VENDOR.host]);
  });

  it('goes by the other vault where one cannot be reached', async () => {
    const { rig, sw, keys } = await reProtecting();
    rig.vaults.fail({ operation: 'unwrap', host: VENDOR.host, failure: 'vault-unreachable' });
    expect((await keys.get(COMPANY, sw, NEW)).ok).toBe(true);
    expect(unwraps(rig)).toEqual([VENDOR.host, CONTOSO_HOST]);
  });

  it('waits where the one cannot be reached and the other denies, whichever is asked first', async () => {
    const { rig, sw, keys } = await reProtecting();
    rig.vaults.fail({ operation: 'unwrap', host: VENDOR.host, failure: 'vault-unreachable' });
    rig.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'access-denied-rbac' });
    const later = { ok: false, error: { type: 'retry', failure: { code: 'vault-unreachable' } } };
    expect(await keys.get(COMPANY, sw, NEW)).toMatchObject(later);
    expect(await keys.get(COMPANY, sw, { version: 2, use: 'verify' })).toMatchObject(later);
  });

  it('is stopped by a denial of the vault in force, until an admin accepts it', async () => {
    const { rig, sw, keys } = await reProtecting();
    rig.vaults.fail({ operation: 'unwrap', host: VENDOR.host, failure: 'access-denied-rbac' });
    expect(await keys.get(COMPANY, sw, NEW)).toMatchObject({
      error: { type: 'blocked', side: 'source', failure: { code: 'access-denied-rbac' } },
    });
    expect(unwraps(rig)).toEqual([VENDOR.host]);
    expect(await keys.get(COMPANY, { ...sw, denialAccepted: true }, NEW)).toMatchObject({
      error: { type: 'blocked', side: 'source', failure: { code: 'row-forged' } },
    });
    expect(unwraps(rig)).toEqual([VENDOR.host, VENDOR.host]);
    expect((await keys.get(COMPANY, await accepted(rig), NEW)).ok).toBe(true);
  });

  it('is stopped by no denial of the other vault, while the one in force opens', async () => {
    const { rig, sw, keys } = await reProtecting();
    rig.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'access-denied-rbac' });
    expect((await keys.get(COMPANY, sw, { version: 2, use: 'verify' })).ok).toBe(true);
  });

  it('is stopped where both vaults deny, on the side of the one that was asked last', async () => {
    const { rig, keys } = await reProtecting();
    rig.vaults.fail({ operation: 'unwrap', failure: 'access-denied-rbac' });
    const got = await keys.get(COMPANY, await accepted(rig), NEW);
    expect(got).toMatchObject({ error: { type: 'blocked', side: 'target' } });
  });

  it('names the source in a re-key, which has no other side', async () => {
    const { rig, sw, keys } = await reProtecting('rekey');
    rig.vaults.fail({ operation: 'unwrap', failure: 'access-denied-rbac' });
    expect(await keys.get(COMPANY, sw, NEW)).toMatchObject({ error: { type: 'blocked', side: 'source' } });
  });
});

describe('an unwrap for workers under way', () => {
  it('serves those who come within its time, and nobody after it', async () => {
    const { rig, sw, keys } = await reProtecting();
    const slow = Promise.withResolvers<undefined>();
    rig.vaults.onCall = ({ operation }) => (operation === 'unwrap' ? slow.promise : undefined);
    const first = keys.get(COMPANY, sw, NEW);
    rig.clock.advance(TTL_MS - 1);
    const joining = keys.get(COMPANY, sw, NEW);
    rig.clock.advance(1);
    const later = keys.get(COMPANY, sw, NEW);
    slow.resolve(undefined);
    expect((await Promise.all([first, joining, later])).every(({ ok }) => ok)).toBe(true);
    expect(unwraps(rig)).toHaveLength(2);
  });
});
