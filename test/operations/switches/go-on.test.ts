// Switches that waited for consent go on once it is given; nothing else does.
import { describe, expect, it } from 'vitest';
import { failure } from '../../../shared/failures.ts';
import type { FailureCode } from '../../../shared/domain/failure.ts';
import { keyringRowKey, switchRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import type { WriteOutcome } from '../../../shared/store/tables.ts';
import { goOnWithConsent } from '../../../shared/operations/switches/trouble.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, KEYRING, place, Rig } from './rig.ts';

const SINCE = '2026-01-01T00:00:00.000Z';
const USED_BY = [keyringRowKey(KEYRING), switchRowKey(KEYRING, 'none'), switchRowKey(KEYRING, 's1')];

const blockedBy = (code: FailureCode): NonNullable<Switch['blocked']> => ({
  reason: 'provider',
  since: SINCE,
  side: 'target',
  failure: failure(code, {}),
});

async function waiting(change: Partial<Switch> = {}): Promise<Rig> {
  const rig = await Rig.withDataKeys(2);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  rig.queue.clear();
  await rig.tamperSwitch('s1', { blocked: blockedBy('consent-required'), ...change });
  return rig;
}

const goOn = (rig: Rig): Promise<void> => goOnWithConsent(rig.deps, { companyId: COMPANY, usedBy: USED_BY });
const blockedNow = async (rig: Rig): Promise<unknown> => (await loadSwitch(rig.store, place('s1')))?.value.blocked;
const unblocked = (rig: Rig) => chainOf(rig.store).filter(({ action }) => action === 'switch.unblocked');

describe('consent', () => {
  it('lets a switch go on that waited for it, and records that once', async () => {
    const rig = await waiting();
    await goOn(rig);
    await goOn(rig);
    expect(await blockedNow(rig)).toBeUndefined();
    expect(unblocked(rig)).toMatchObject([{ target: switchRowKey(KEYRING, 's1'), outcome: 'done' }]);
    expect(JSON.parse(unblocked(rig)[0]!.detail)).toEqual({ code: 'consent-required' });
    expect(rig.queue.take()).toEqual({ format: 1, kind: 'advance', attempt: 0, ...place('s1') });
    expect(rig.queue.size).toBe(0);
  });

  it.each<[string, Partial<Switch>]>([
    ['was denied access', { blocked: blockedBy('access-denied-rbac') }],
    ['gave up on a message', { blocked: { reason: 'dead-letter', since: SINCE, detail: 'x' } }],
    ['was cancelled', { state: 'cancelled' }],
  ])('changes nothing of a switch that %s', async (_what, change) => {
    const rig = await waiting(change);
    const before = await blockedNow(rig);
    await goOn(rig);
    expect(await blockedNow(rig)).toEqual(before);
    expect([unblocked(rig), rig.queue.size]).toEqual([[], 0]);
  });

  it.each<[string, (commit: () => Promise<WriteOutcome>) => Promise<WriteOutcome>]>([
    ['somebody else wrote it first', () => Promise.resolve({ outcome: 'conflict', index: 0, reason: 'changed' })],
    ['the write was lost', () => Promise.resolve({ outcome: 'unknown' })],
    ['the answer was lost', async (commit) => (await commit(), { outcome: 'unknown' })],
  ])('lets it go on once, and records it once, where %s', async (_what, answer) => {
    const rig = await waiting();
    let isFirst = true;
    const tables = tablesBut(rig.store, {
      write: (table, partition, writes) => {
        const commit = (): Promise<WriteOutcome> => rig.store.write(table, partition, writes);
        if (!isFirst || !writes.some(({ rowKey }) => rowKey === switchRowKey(KEYRING, 's1'))) return commit();
        isFirst = false;
        return answer(commit);
      },
    });
    await goOnWithConsent({ ...rig.deps, tables }, { companyId: COMPANY, usedBy: USED_BY });
    expect([isFirst, await blockedNow(rig), unblocked(rig).length, rig.queue.size]).toEqual([false, undefined, 1, 1]);
  });
});
