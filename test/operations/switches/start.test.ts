import { describe, expect, it } from 'vitest';
import { MAX_ROLL_BACKS_PER_VERSION, type Keyring } from '../../../shared/domain/keyring.ts';
import type { ProviderRef } from '../../../shared/domain/provider.ts';
import { companyCells, readCompany } from '../../../shared/store/rows/company-rows.ts';
import { keyringCells, readKeyring } from '../../../shared/store/rows/keyring-rows.ts';
import { readSwitch } from '../../../shared/store/rows/switch-rows.ts';
import { COMPANY_ROW_KEY, connectionRowKey, keyringRowKey, switchRowKey } from '../../../shared/store/rows/row-keys.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { checkConnection } from '../../../shared/operations/watch/vault-checks.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { agendaIn, chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, FABRIKAM, KEYRING, MANAGED, place, Rig } from './rig.ts';

const start = (rig: Rig, switchId: string, target: ProviderRef): ReturnType<typeof startSwitch> =>
  startSwitch(rig.deps, { ...place(switchId), target }, ADMIN);
const rekey = (rig: Rig, switchId: string): ReturnType<typeof startRekey> =>
  startRekey(rig.deps, place(switchId), ADMIN);

async function changeKeyring(rig: Rig, change: Partial<Keyring>): Promise<void> {
  const row = await rig.store.read('companies', COMPANY, keyringRowKey(KEYRING));
  const keyring = { ...readKeyring(row?.cells ?? {}), ...change };
  rig.store.tamper('companies', COMPANY, keyringRowKey(KEYRING), keyringCells(keyring));
}

/** Somebody else's vault behind a name that is known. */
async function forgeConnection(rig: Rig, connectionId: string): Promise<void> {
  const rowKey = connectionRowKey(connectionId);
  const row = await rig.store.read('companies', COMPANY, rowKey);
  rig.store.tamper('companies', COMPANY, rowKey, { ...row?.cells, host: 'evil.vault.azure.net' });
}

/** Nothing was written, sent, recorded or noted for the timer. */
async function expectRefused(rig: Rig, refused: Promise<unknown>, error: object): Promise<void> {
  const before = [...rig.store.dump()];
  expect(await refused).toMatchObject({ ok: false, error });
  expect([...rig.store.dump()]).toEqual(before);
  expect(rig.queue.size).toBe(0);
}

describe('an order', () => {
  it('is stored, recorded, told, put before the timer and sent on its way', async () => {
    const rig = await Rig.withDataKeys(1);
    const started = await start(rig, 's1', CONTOSO);
    const now = rig.clock.now().toISOString();
    const row = await rig.store.read('companies', COMPANY, switchRowKey(KEYRING, 's1'));
    expect(started).toMatchObject({ ok: true, value: { value: readSwitch(row?.cells ?? {}), etag: row?.etag } });
    expect(started).toMatchObject({
      value: { value: { state: 'pending-verification', source: MANAGED, target: CONTOSO, requestedBy: 'admin' } },
    });
    expect(chainOf(rig.store)).toMatchObject([
      {
        action: 'switch.start',
        target: switchRowKey(KEYRING, 's1'),
        outcome: 'done',
        detail: JSON.stringify({ kind: 'switch', source: 'managed', target: 'azure-key-vault:contoso' }),
      },
    ]);
    const requested = { level: 'info', event: 'switch.requested', detail: { ...place('s1'), kind: 'switch' } };
    expect(rig.log.entries.filter(({ event }) => event === 'switch.requested')).toEqual([requested]);
    expect(agendaIn(rig.store, 'switch')).toEqual([`switch|${COMPANY}|${KEYRING}`]);
    const [onAgenda] = [...rig.store.dump()].filter(({ rowKey }) => rowKey === `switch|${COMPANY}|${KEYRING}`);
    expect(onAgenda?.cells['at']).toBe(now);
    expect(rig.queue.take()).toEqual({ format: 1, kind: 'advance', attempt: 0, ...place('s1') });
    expect(rig.queue.size).toBe(0);
  });

  it('given twice answers the same switch, and its work is asked for again', async () => {
    const rig = await Rig.withDataKeys(1);
    const first = await start(rig, 's1', CONTOSO);
    expect(await start(rig, 's1', CONTOSO)).toEqual(first);
    expect(rig.queue.size).toBe(2);
    expect(rig.log.events().filter((event) => event === 'switch.requested')).toHaveLength(1);
  });

  it.each([
    ['another target', (rig: Rig) => start(rig, 's1', FABRIKAM), (rig: Rig) => start(rig, 's1', CONTOSO)],
    ['another kind', (rig: Rig) => rekey(rig, 's1'), (rig: Rig) => start(rig, 's1', MANAGED)],
    ['no target', (rig: Rig) => start(rig, 's1', CONTOSO), (rig: Rig) => rekey(rig, 's1')],
  ])('under an id that was used with %s is refused', async (_what, first, second) => {
    const rig = await Rig.withDataKeys(1);
    expect(await first(rig)).toMatchObject({ ok: true });
    rig.queue.clear();
    await expectRefused(rig, second(rig), { type: 'already-exists', what: 'switch', id: 's1' });
  });
});

describe('refused, and nothing is begun:', () => {
  it.each([
    ['company', { companyId: 'nobody' }, 'nobody'],
    ['keyring', { keyringId: 'none' }, 'none'],
  ])('a %s that is not there', async (what, elsewhere, id) => {
    const rig = await Rig.withDataKeys(1);
    const order = startSwitch(rig.deps, { ...place('s1'), ...elsewhere, target: CONTOSO }, ADMIN);
    await expectRefused(rig, order, { type: 'not-found', what, id });
  });

  it('a company that is being deleted', async () => {
    const rig = await Rig.withDataKeys(1);
    const row = await rig.store.read('companies', COMPANY, COMPANY_ROW_KEY);
    const company = { ...readCompany(row?.cells ?? {}), state: 'closing' } as const;
    rig.store.tamper('companies', COMPANY, COMPANY_ROW_KEY, companyCells(company));
    await expectRefused(rig, start(rig, 's1', CONTOSO), { type: 'state', code: 'company-closing' });
  });

  it('a keyring that is being made', async () => {
    const rig = await Rig.withDataKeys(1);
    await changeKeyring(rig, { state: 'creating' });
    await expectRefused(rig, rekey(rig, 'r1'), { type: 'state', code: 'keyring-not-ready' });
  });

  it('a keyring that is under way already', async () => {
    const rig = await Rig.withDataKeys(1);
    await start(rig, 's1', CONTOSO);
    rig.queue.clear();
    await expectRefused(rig, start(rig, 's2', FABRIKAM), { type: 'switch-in-progress', switchId: 's1' });
  });

  it('one more way back after all that a company key bears, but not the last of them, nor a re-key', async () => {
    const rig = await Rig.withDataKeys(1);
    await changeKeyring(rig, { rollBacks: MAX_ROLL_BACKS_PER_VERSION });
    await expectRefused(rig, start(rig, 's1', CONTOSO), { type: 'state', code: 'reprotections-exhausted' });
    expect(await rekey(rig, 'r1')).toMatchObject({ ok: true });
    const other = await Rig.withDataKeys(1);
    await changeKeyring(other, { rollBacks: MAX_ROLL_BACKS_PER_VERSION - 1 });
    expect(await start(other, 's1', CONTOSO)).toMatchObject({ ok: true });
  });

  it('a connection that is not there', async () => {
    const rig = await Rig.withDataKeys(1);
    const target: ProviderRef = { provider: 'azure-key-vault', connectionId: 'none' };
    await expectRefused(rig, start(rig, 's1', target), { type: 'not-found', what: 'connection', id: 'none' });
  });

  it('a connection whose key nobody has read', async () => {
    const rig = await Rig.withDataKeys(1);
    const unseen = await rig.connect('unseen', { host: CONTOSO_HOST, keyName: 'other-key', keySeen: false });
    await expectRefused(rig, start(rig, 's1', unseen), { type: 'state', code: 'connection-not-tested' });
  });

  it('a connection whose last test failed, until one does not', async () => {
    const rig = await Rig.withDataKeys(1);
    const row = rig.store.peek('companies', COMPANY, connectionRowKey('contoso'))!;
    rig.store.tamper('companies', COMPANY, row.rowKey, { ...row.cells, testFailed: 'vault-firewall' });
    await expectRefused(rig, start(rig, 's1', CONTOSO), {
      type: 'state',
      code: 'connection-test-failed',
      message: expect.stringContaining('vault-firewall') as unknown,
    });
    expect(await start(rig, 's1', FABRIKAM)).toMatchObject({ ok: true });
  });

  it('a connection whose consent was given too long ago for a new set-up', async () => {
    const rig = await Rig.withDataKeys(1);
    rig.deps = { ...rig.deps, consentMs: 60_000 };
    rig.clock.advance(60_001);
    await expectRefused(rig, start(rig, 's1', CONTOSO), { failure: { code: 'consent-required' } });
    rig.deps = { ...rig.deps, consentMs: 60_002 };
    expect(await start(rig, 's1', CONTOSO)).toMatchObject({ ok: true });
  });

  it('a target that somebody forged', async () => {
    const rig = await Rig.withDataKeys(1);
    await forgeConnection(rig, 'contoso');
    await expectRefused(rig, start(rig, 's1', CONTOSO), { failure: { code: 'row-forged' } });
  });

  it.each([
    ['a switch away from', (rig: Rig) => start(rig, 's2', FABRIKAM)],
    ['a re-key under', (rig: Rig) => rekey(rig, 'r1')],
  ])('%s a connection in force that somebody forged', async (_what, order) => {
    const rig = await Rig.withDataKeys(1);
    await start(rig, 's1', CONTOSO);
    await rig.drain();
    await forgeConnection(rig, 'contoso');
    await expectRefused(rig, order(rig), { failure: { code: 'row-forged' } });
  });

  it('the very key in force, however its name is written; another key of the same vault is another', async () => {
    const rig = await Rig.withDataKeys(1);
    await start(rig, 's1', CONTOSO);
    await rig.drain();
    const same = await rig.connect('shouted', { host: CONTOSO_HOST, keyName: 'CUSTOMER-KEY' });
    await expectRefused(rig, start(rig, 's2', same), { type: 'state', code: 'same-vault-key' });
    const other = await rig.connect('neighbour', { host: CONTOSO_HOST, keyName: 'other-key' });
    expect(await start(rig, 's2', other)).toMatchObject({ ok: true });
  });
});

describe('an order away from a key that is denied', () => {
  const CHECK = { companyId: COMPANY, connectionId: 'contoso' };
  const WITHOUT_KEY = { operation: 'unwrap', host: CONTOSO_HOST, failure: 'key-disabled' } as const;

  async function underContoso(): Promise<Rig> {
    const rig = await Rig.withDataKeys(1);
    await start(rig, 's1', CONTOSO);
    await rig.drain();
    return rig;
  }

  it('is refused with what the last check met, a re-key too, until the key is given back', async () => {
    const rig = await underContoso();
    rig.vaults.fail(WITHOUT_KEY);
    await checkConnection(rig.deps, CHECK);
    const since = rig.clock.now().toISOString();
    const revoked = {
      type: 'state',
      code: 'provider-revoked',
      message: expect.stringContaining(`denied since ${since} (key-disabled). `) as string,
    };
    await expectRefused(rig, start(rig, 's2', FABRIKAM), revoked);
    await expectRefused(rig, rekey(rig, 's3'), revoked);
    rig.vaults.heal();
    rig.clock.advance(1_000);
    await checkConnection(rig.deps, CHECK);
    expect(await start(rig, 's2', FABRIKAM)).toMatchObject({ ok: true });
  });

  it('is taken in an outage: the switch waits for the vault', async () => {
    const rig = await underContoso();
    rig.vaults.fail({ ...WITHOUT_KEY, failure: 'vault-unreachable' });
    await checkConnection(rig.deps, CHECK);
    expect(await start(rig, 's2', FABRIKAM)).toMatchObject({ ok: true });
  });
});
