// Rows that somebody broke, and a store that is away for a moment: what it costs one company must not cost another.
import { expect, it, onTestFinished } from 'vitest';
import { keyringRowKey, switchRowKey } from '../../shared/store/rows/row-keys.ts';
import { putOnAgenda } from '../../shared/store/agenda.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { handleDeadLetter } from '../../shared/operations/switches/dead-letter.ts';
import { startSwitch } from '../../shared/operations/switches/start.ts';
import { sweepSwitches } from '../../shared/operations/switches/sweep.ts';
import { checkRound } from '../operations/watch/round.ts';
import { COMPANY, CONTOSO, KEYRING, place, Rig } from '../operations/switches/rig.ts';
import { actorNamed } from '../fakes/actors.ts';
import { tablesBut } from '../fakes/tables-but.ts';

/** A switch that is under way, whose row cannot be read. */
async function withBrokenSwitch(): Promise<Rig> {
  const rig = await Rig.withDataKeys(3);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, actorNamed('test'));
  const rowKey = switchRowKey(KEYRING, 's1');
  const row = await rig.store.read('companies', COMPANY, rowKey);
  rig.store.tamper('companies', COMPANY, rowKey, { ...row?.cells, paused: 'no' });
  return rig;
}

it('a switch whose row cannot be read keeps no other from being resumed', async () => {
  const rig = await withBrokenSwitch();
  // Behind it on the agenda, and waiting for long enough.
  const row = await rig.store.read('companies', COMPANY, switchRowKey(KEYRING, 's1'));
  const keyring = await rig.store.read('companies', COMPANY, keyringRowKey(KEYRING));
  rig.store.tamper('companies', COMPANY, keyringRowKey('other'), { ...keyring?.cells, keyringId: 'other' });
  rig.store.tamper('companies', COMPANY, switchRowKey('other', 's1'), {
    ...row?.cells,
    keyringId: 'other',
    paused: false,
    createdAt: '2025-01-01T00:00:00.000Z',
  });
  await putOnAgenda(rig.store, { kind: 'switch', companyId: COMPANY, id: 'other' });
  expect(await sweepSwitches({ ...rig.deps, stuckAfterMs: 1_000 })).toBe(1);
  expect(rig.log.events()).toContain('agenda.look-failed');
});

it('a dead letter for a switch whose row cannot be read is recorded and over', async () => {
  const rig = await withBrokenSwitch();
  const body = { format: 1, kind: 'advance', attempt: 0, ...place('s1') };
  await handleDeadLetter(rig.deps, { body, reason: 'MaxDeliveryCountExceeded' });
  expect(rig.log.events()).toContain('security.poison-message');
});

it('a store that is away while vaults are checked fails no promise that nobody waits for', async () => {
  const rig = await Rig.withDataKeys(1);
  for (const companyId of ['a', 'b', 'c', 'd', 'e', 'f']) {
    await putOnAgenda(rig.store, { kind: 'check', companyId, id: 'main' });
  }
  const tables = tablesBut(rig.store, {
    read: (table, ...row) =>
      table === 'agenda' ? rig.store.read(table, ...row) : Promise.reject(new StoreUnavailable('away')),
    // Long enough for every look that has begun to fail in the meantime.
    list: (query) => new Promise((resolve) => setImmediate(() => setImmediate(() => resolve(rig.store.list(query))))),
  });
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  await checkRound({ ...rig.freshHost(), tables });
  expect(unhandled).toEqual([]);
  expect(rig.log.events().filter((event) => event === 'agenda.look-failed')).toHaveLength(6);
});
