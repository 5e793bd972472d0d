import { describe, expect, it } from 'vitest';
import type { Switch } from '../../../shared/domain/switch.ts';
import { COMPANY_KEY_BYTES } from '../../../shared/domain/company-key.ts';
import { ok } from '../../../shared/domain/result.ts';
import { companyKeyRowKey } from '../../../shared/domain/rows/row-keys.ts';
import { loadSwitch, type Loaded } from '../../../shared/operations/control-state.ts';
import { enterPreparing, prepare } from '../../../shared/operations/switches/prepare.ts';
import { startSwitch } from '../../../shared/operations/switches/start-switch.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, place, Rig } from './rig.ts';

const PLACE = place('s1');

async function preparing(): Promise<{ readonly rig: Rig; readonly sw: Loaded<Switch> }> {
  const rig = await Rig.withDataKeys(1);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO, requestedBy: 'admin' });
  await enterPreparing(rig.deps, PLACE, (await loadSwitch(rig.store, PLACE))!);
  rig.vaults.calls.length = 0;
  return { rig, sw: (await loadSwitch(rig.store, PLACE))! };
}

describe('preparing a switch', () => {
  it('asks no vault if the company key in force cannot be read', async () => {
    const { rig, sw } = await preparing();
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, 1), { format: 1, wraps: 'none' });
    const outcome = await prepare(rig.deps, PLACE, sw);
    expect(outcome).toMatchObject({ type: 'failed', side: 'source', failure: { code: 'row-forged' } });
    expect(rig.vaults.calls).toEqual([]);
  });

  it('gives way if the company key is gone', async () => {
    const { rig, sw } = await preparing();
    const rowKey = companyKeyRowKey(KEYRING, 1);
    const row = await rig.store.read('companies', COMPANY, rowKey);
    await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag: row!.etag }]);
    expect(await prepare(rig.deps, PLACE, sw)).toEqual({ type: 'lost-race' });
  });

  it('is refused by name if the new vault answers with another company key than was wrapped for it', async () => {
    const { rig, sw } = await preparing();
    const { vaults } = rig.deps;
    const substituting = {
      readKey: vaults.readKey.bind(vaults),
      unwrap: async (...call: Parameters<typeof vaults.unwrap>) => {
        const payload = await vaults.unwrap(...call);
        if (!payload.ok || call[0].host !== CONTOSO_HOST) return payload;
        return ok(Buffer.concat([Buffer.alloc(COMPANY_KEY_BYTES, 1), payload.value.subarray(COMPANY_KEY_BYTES)]));
      },
    };
    expect(await prepare({ ...rig.deps, vaults: substituting }, PLACE, sw)).toMatchObject({
      type: 'failed',
      side: 'target',
      failure: { code: 'key-substituted', facts: { vaultHost: CONTOSO_HOST, keyName: 'customer-key' } },
    });
    expect((await loadSwitch(rig.store, PLACE))?.value.state).toBe('preparing');
  });
});
