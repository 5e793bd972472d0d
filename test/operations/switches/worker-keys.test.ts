import { describe, expect, it } from 'vitest';
import { companyKeyRowKey } from '../../../shared/domain/rows/row-keys.ts';
import { companyKeyCells } from '../../../shared/domain/rows/sealed-rows.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadCompanyKeyRow, loadSwitch } from '../../../shared/operations/control-state.ts';
import { startSwitch } from '../../../shared/operations/switches/start-switch.ts';
import { WorkerKeys } from '../../../shared/operations/switches/worker-keys.ts';
import { COMPANY, CONTOSO, KEYRING, place, Rig, VENDOR } from './rig.ts';

const ROW_KEY = companyKeyRowKey(KEYRING, 1);

async function reProtecting(): Promise<{ readonly rig: Rig; readonly sw: Switch; readonly keys: WorkerKeys }> {
  const rig = await Rig.withDataKeys(1);
  const switchOf = async (): Promise<Switch> => (await loadSwitch(rig.store, place('s1')))!.value;
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO, requestedBy: 'admin' });
  await rig.drain({ enough: async () => (await switchOf()).state === 're-protecting' });
  rig.vaults.calls.length = 0;
  return { rig, sw: await switchOf(), keys: new WorkerKeys(rig.deps, { ttlMs: 5_000 }) };
}

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
});
