import { describe, expect, it } from 'vitest';
import { dataKeyCells, readDataKey } from '../../../shared/store/rows/data-rows.ts';
import { unwrapDataKey } from '../../../shared/domain/data-key-blob.ts';
import { CompanyKeyCache } from '../../../shared/operations/keys/company-key-cache.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { type Tables } from '../../../shared/store/tables.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/work.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { sweepSwitches } from '../../../shared/operations/switches/sweep.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { COMPANY, CONTOSO, KEYRING, place, Rig } from './rig.ts';

describe('a store or queue that is away', () => {
  it('has the work go again later, and the message is not lost', async () => {
    const rig = await Rig.withDataKeys(10);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    const message = rig.queue.take()!;
    const away = new FaultyTables(rig.store, { seed: 1, faults: { lostBefore: 0, lostAfter: 0, unavailable: 1 } });
    await handleSwitchWork(rig.freshHost(away), message);
    expect(rig.queue.take()).toEqual({ ...message, attempt: 1 });
  });

  it('throws when not even the queue can be reached, so that the message comes back', async () => {
    const rig = await Rig.withDataKeys(10);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    const message = rig.queue.take()!;
    rig.queue.away = true;
    const away = new FaultyTables(rig.store, { seed: 1, faults: { lostBefore: 0, lostAfter: 0, unavailable: 1 } });
    await expect(handleSwitchWork(rig.freshHost(away), message)).rejects.toThrow(StoreUnavailable);
  });

  it('does not undo a switch whose first message was lost: the timer finds it', async () => {
    const rig = await Rig.withDataKeys(10);
    rig.queue.away = true;
    expect((await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN)).ok).toBe(true);
    rig.queue.away = false;
    expect(await sweepSwitches({ ...rig.deps, stuckAfterMs: 120_000 })).toBe(0);
    rig.clock.advance(120_000);
    expect(await sweepSwitches({ ...rig.deps, stuckAfterMs: 120_000 })).toBe(1);
    await rig.drain();
    expect((await loadSwitch(rig.store, place('s1')))?.value.state).toBe('completed');
    expect(
      [...rig.store.dump()].filter(({ table, rowKey }) => table === 'agenda' && rowKey.startsWith('switch|')),
    ).toEqual([]);
  });
});

describe('a claim to the end whose answer was lost', () => {
  it('is recognised as one’s own, and the switch ends with that message', async () => {
    let lost = 0;
    const loseClaims = (tables: Tables): Tables =>
      tablesBut(tables, {
        write: async (table, partitionKey, writes) => {
          const written = await tables.write(table, partitionKey, writes);
          const isClaim =
            writes.length === 1 && writes.some((write) => write.kind === 'replace' && Boolean(write.cells['lease']));
          if (table !== 'companies' || !isClaim) return written;
          lost += 1;
          return { outcome: 'unknown' };
        },
      });
    const rig = await Rig.withDataKeys(20, { wrapTables: loseClaims });
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain();
    expect((await loadSwitch(rig.store, place('s1')))?.value.state).toBe('completed');
    expect(lost).toBe(1);
  });
});

describe('a row read by a worker', () => {
  it('opens by its own version at every moment of a switch', async () => {
    const rig = await Rig.withDataKeys(200);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain({
      enough: async () => {
        expect(await rig.openByCaller()).toBe(200);
        return false;
      },
    });
    const [keyId, expected] = [...rig.plaintexts][0]!;
    const row = readDataKey(keyId, dataKeyCells(await rig.dataKey(keyId)));
    const key = await new CompanyKeyCache({ ...rig.deps }, { ttlMs: 1 }).get({
      companyId: COMPANY,
      keyringId: KEYRING,
      version: 2,
    });
    const context = { companyId: COMPANY, keyringId: KEYRING, keyId, companyKeyVersion: 2 };
    expect(key.ok && unwrapDataKey({ companyKey: key.value, context, blob: row.blob })).toEqual(expected);
  });
});
