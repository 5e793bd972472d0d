// A key in memory does all that a vault's key does, by a folder and a line of a registry: nothing of the product knows its name.
import { beforeEach, describe, expect, it } from 'vitest';
import { parseExport } from '../../../shared/domain/company-key-export.ts';
import type { ConnectionTest } from '../../../shared/domain/connection-verdict.ts';
import { parseExportRecipient } from '../../../shared/domain/export-recipient.ts';
import { loadKeyring, loadSwitch } from '../../../shared/store/control-state.ts';
import { testConnection } from '../../../shared/operations/connections/connection-test.ts';
import { putConnection } from '../../../shared/operations/connections/connections.ts';
import { checkConnection } from '../../../shared/operations/watch/vault-checks.ts';
import { exportCompanyKey } from '../../../shared/operations/exports/export-company-key.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeExportSealer } from '../../fakes/fake-export-sealer.ts';
import { consentTo } from '../../fixtures/consented-connection.ts';
import { errorOf, valueOf } from '../../operations/data-keys/world.ts';
import { COMPANY, KEYRING, MANAGED, place, Rig } from '../../operations/switches/rig.ts';
import { MemoryKeys } from './memory.ts';
import { others } from './registry.ts';

const TENANT = '55555555-5555-4555-8555-555555555555';
const PLACE = { companyId: COMPANY, connectionId: 'mine' };
const TARGET = { provider: 'memory', connectionId: 'mine' };
const DATA_KEYS = 6;

let keys: MemoryKeys;
let rig: Rig;
beforeEach(async () => {
  keys = new MemoryKeys(TENANT);
  keys.add('orders');
  rig = await Rig.withDataKeys(DATA_KEYS, { others: others(keys) });
  const input = { provider: 'memory', keyName: 'orders' };
  valueOf(await putConnection(rig.deps, { ...PLACE, input, condition: {} }, ADMIN));
});

const test = async (): Promise<ConnectionTest> =>
  valueOf(await testConnection({ ...rig.deps, keyPolicy: { propagationMs: 0 } }, PLACE, ADMIN));
const connect = async (): Promise<void> => {
  const put: Parameters<typeof consentTo>[0]['put'] = ({ table, partitionKey, rowKey, cells }) =>
    rig.store.tamper(table, partitionKey, rowKey, cells);
  const at = rig.clock.now().toISOString();
  await consentTo({ tables: rig.store, sealer: rig.vaults, put }, { ...PLACE, tenantId: TENANT, at });
  expect((await test()).status).toBe('green');
};
const stateOf = async (switchId: string): Promise<unknown> =>
  (await loadSwitch(rig.store, place(switchId)))?.value.state;
const inForce = async (): Promise<unknown> =>
  (await loadKeyring(rig.store, { companyId: COMPANY, keyringId: KEYRING }))?.value.provider;
const switchTo = async (switchId: string, target: typeof MANAGED): Promise<void> => {
  valueOf(await startSwitch(rig.deps, { ...place(switchId), target }, ADMIN));
  await rig.drain();
  expect([await stateOf(switchId), await inForce(), await rig.openByCaller()]).toEqual([
    'completed',
    target,
    DATA_KEYS,
  ]);
};

describe('a key in memory', () => {
  it('is judged as it is typed, by its own rules', async () => {
    const input = { provider: 'memory', keyName: 'Orders!' };
    expect(errorOf(await putConnection(rig.deps, { ...PLACE, input, condition: {} }, ADMIN))).toMatchObject({
      target: 'body.keyName',
    });
  });

  it('is tested up to what its owner has not consented to, and is green once it was', async () => {
    const outcomes = (await test()).checks.map(({ check, outcome }) => `${check}:${outcome}`);
    expect(outcomes).toContain('consent:failed');
    expect(keys.calls).toEqual([]);
    await connect();
    expect(keys.calls).toEqual(['read', 'wrap', 'unwrap']);
  });

  it('takes a keyring over, re-keys it, and gives it back', async () => {
    await connect();
    await switchTo('there', TARGET);
    valueOf(await startRekey(rig.deps, place('anew'), ADMIN));
    await rig.drain();
    expect([await stateOf('anew'), await inForce(), await rig.openByCaller()]).toEqual([
      'completed',
      TARGET,
      DATA_KEYS,
    ]);
    await switchTo('back', MANAGED);
  });

  it('does not open a company key for callers once it denies, and they are told so', async () => {
    await connect();
    await switchTo('there', TARGET);
    keys.denies = true;
    expect(await rig.openByCaller()).toBe(0);
  });

  it('is looked at in force: healthy, and revoked by a clear no', async () => {
    await connect();
    await switchTo('there', TARGET);
    expect(valueOf(await checkConnection(rig.deps, PLACE))).toMatchObject({
      state: 'healthy',
    });
    keys.denies = true;
    rig.clock.advance(60_000);
    expect(valueOf(await checkConnection(rig.deps, PLACE))).toMatchObject({
      state: 'revoked',
      code: 'access-denied-policy',
    });
  });

  it('lets the company key be exported, by its own name', async () => {
    await connect();
    await switchTo('there', TARGET);
    const exportSealer = new FakeExportSealer();
    const recipient = valueOf(parseExportRecipient({ passphrase: 'correct horse battery staple' }));
    const order = { companyId: COMPANY, keyringId: KEYRING, recipient };
    const { jwe } = valueOf(await exportCompanyKey({ ...rig.deps, exportSealer }, order, ADMIN));
    expect(parseExport(exportSealer.contentOf(jwe))).toMatchObject({
      value: { provider: TARGET, keyId: 'memory/orders/1' },
    });
  });

  it('of another deployment is asked nothing, and denies nothing', async () => {
    await connect();
    await switchTo('there', TARGET);
    const { providers } = (await Rig.withDataKeys(0)).deps;
    const look = valueOf(await checkConnection({ ...rig.deps, providers }, PLACE));
    expect(look).toMatchObject({ state: 'unreachable' });
  });
});
