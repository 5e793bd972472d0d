import { describe, expect, it } from 'vitest';
import { ok, type Result } from '../../../shared/domain/result.ts';
import { companyKeyRowKey, connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import { CompanyKeyCache, type CompanyKeyProblem } from '../../../shared/operations/keys/company-key-cache.ts';
import type { CompanyKeyOpening } from '../../../shared/operations/keys/open-wrap.ts';
import { loadTarget } from '../../../shared/operations/keys/verified-connection.ts';
import { VaultWaits } from '../../../shared/operations/keys/vault-waits.ts';
import { COMPANY, KEYRING, Rig, VENDOR } from '../switches/rig.ts';

const CONTEXT = { companyId: COMPANY, keyringId: KEYRING, version: 1 };
const ROW_KEY = companyKeyRowKey(KEYRING, 1);

const open = (rig: Rig, change: Partial<CompanyKeyOpening> = {}): Promise<Result<unknown, CompanyKeyProblem>> =>
  new CompanyKeyCache({ ...rig.deps, ...change }, { ttlMs: 5_000 }).get(CONTEXT);

const refusedWith = (code: string) => ({ ok: false, error: { type: 'failure', failure: { code } } });
const forgedRow = (row: string) => ({
  level: 'error',
  event: 'security.row-forged',
  detail: { companyId: COMPANY, row },
});

describe('a caller’s company key', () => {
  it.each([
    ['cannot be read', { wraps: 'none' }],
    ['has no wrap', { wraps: '[]' }],
  ])('is refused by name, and no vault is asked, if its row %s', async (_, change) => {
    const rig = await Rig.withDataKeys(0);
    const row = await rig.store.read('companies', COMPANY, ROW_KEY);
    rig.store.tamper('companies', COMPANY, ROW_KEY, { ...row?.cells, ...change });
    expect(await open(rig)).toMatchObject(refusedWith('row-forged'));
    expect(rig.log.entries).toEqual([forgedRow(ROW_KEY)]);
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });

  it('is refused with what the vault said', async () => {
    const rig = await Rig.withDataKeys(0);
    rig.vaults.fail({ operation: 'unwrap', failure: 'key-disabled' });
    expect(await open(rig)).toMatchObject(refusedWith('key-disabled'));
  });

  it('that is not the one committed to is refused and told as a security event', async () => {
    const rig = await Rig.withDataKeys(0);
    rig.vaults.unwrap = () => Promise.resolve(ok(Buffer.alloc(32)));
    expect(await open(rig)).toMatchObject({
      error: {
        failure: { code: 'key-substituted', facts: { vaultHost: VENDOR.host, keyName: VENDOR.keyName } },
      },
    });
    const detail = { companyId: COMPANY, rowKey: ROW_KEY };
    expect(rig.log.entries).toEqual([{ level: 'error', event: 'security.key-substituted', detail }]);
  });
});

describe('an unwrap under way', () => {
  it('serves whoever comes within the promised time, and nobody after it', async () => {
    const rig = await Rig.withDataKeys(0);
    const cache = new CompanyKeyCache(rig.deps, { ttlMs: 5_000 });
    const slow = Promise.withResolvers<undefined>();
    rig.vaults.onCall = ({ operation }) => (operation === 'unwrap' ? slow.promise : undefined);
    const first = cache.get(CONTEXT);
    await until(() => rig.vaults.countOf('unwrap') === 1);
    rig.clock.advance(4_999);
    const joining = cache.get(CONTEXT);
    rig.clock.advance(1);
    rig.vaults.onCall = undefined;
    rig.vaults.fail({ operation: 'unwrap', failure: 'key-disabled' });
    const later = cache.get(CONTEXT);
    await until(() => rig.vaults.countOf('unwrap') === 2);
    expect(await later).toMatchObject(refusedWith('key-disabled'));
    rig.vaults.heal();
    slow.resolve(undefined);
    expect(await first).toMatchObject({ ok: true });
    expect(await joining).toMatchObject({ ok: true });
    expect(rig.vaults.countOf('unwrap')).toBe(2);
  });
});

describe('a company that waits for its vault', () => {
  it('is known as long as an unwrap of it is under way', async () => {
    const rig = await Rig.withDataKeys(0);
    const vaultWaits = new VaultWaits();
    const cache = new CompanyKeyCache(rig.deps, { ttlMs: 5_000, vaultWaits });
    const slow = Promise.withResolvers<undefined>();
    rig.vaults.onCall = ({ operation }) => (operation === 'unwrap' ? slow.promise : undefined);
    const [first, other] = [cache.get(CONTEXT), cache.get({ ...CONTEXT, version: 2 })];
    expect([vaultWaits.isWaiting(COMPANY), vaultWaits.isWaiting('globex')]).toEqual([true, false]);
    expect(await other).toMatchObject({ ok: false, error: { type: 'gone' } });
    expect(vaultWaits.isWaiting(COMPANY)).toBe(true);
    slow.resolve(undefined);
    expect(await first).toMatchObject({ ok: true });
    expect(vaultWaits.isWaiting(COMPANY)).toBe(false);
    expect(await cache.get(CONTEXT)).toMatchObject({ ok: true });
    expect(vaultWaits.isWaiting(COMPANY)).toBe(false);
  });
});

describe('a company key that is kept', () => {
  it('is given out for its own company, keyring and version only', async () => {
    const rig = await Rig.withDataKeys(0);
    const cache = new CompanyKeyCache(rig.deps, { ttlMs: 5_000 });
    expect((await cache.get(CONTEXT)).ok).toBe(true);
    const gone = { ok: false, error: { type: 'gone' } };
    expect(await cache.get({ ...CONTEXT, companyId: 'other' })).toEqual(gone);
    expect(await cache.get({ ...CONTEXT, keyringId: 'other' })).toEqual(gone);
    expect(await cache.get({ ...CONTEXT, version: 2 })).toEqual(gone);
    expect((await cache.get(CONTEXT)).ok).toBe(true);
    expect(rig.vaults.countOf('unwrap')).toBe(1);
  });
});

describe('two unwraps under way', () => {
  it('do not disturb each other: the end of the older has nobody ask a third time', async () => {
    const rig = await Rig.withDataKeys(0);
    const cache = new CompanyKeyCache(rig.deps, { ttlMs: 5_000 });
    const ends: (() => void)[] = [];
    rig.vaults.onCall = ({ operation }) =>
      operation === 'unwrap' ? new Promise((end) => void ends.push(() => end())) : undefined;
    const older = cache.get(CONTEXT);
    await until(() => ends.length === 1);
    rig.clock.advance(5_000);
    const newer = cache.get(CONTEXT);
    await until(() => ends.length === 2);
    ends[0]?.();
    expect(await older).toMatchObject({ ok: true });
    const joining = cache.get(CONTEXT);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toHaveLength(2);
    ends[1]?.();
    const [joined, asked] = [await joining, await newer];
    expect(joined.ok && asked.ok && joined.value === asked.value).toBe(true);
  });
});

const MAX_TURNS = 1_000;

/** Fails if it does not come to hold: what waits for it would wait for ever. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn += 1) {
    if (turn === MAX_TURNS) throw new Error(`after ${MAX_TURNS} turns it still does not hold: ${holds.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the vault behind a connection', () => {
  it('is not to be had if the row is gone, and the row is named', async () => {
    const rig = await Rig.withDataKeys(0);
    const target = await loadTarget(rig.deps, { companyId: COMPANY, connectionId: 'nobody' });
    expect(target).toMatchObject({ ok: false, error: { code: 'row-forged' } });
    expect(rig.log.entries).toEqual([forgedRow(connectionRowKey('nobody'))]);
  });
});
