import { describe, expect, it } from 'vitest';
import { mayEndAt } from '../../../shared/domain/shard-counts.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { cancelSwitch } from '../../../shared/operations/switches/steer.ts';
import { recount } from '../../../shared/operations/switches/recount.ts';
import { acceptLoss, retryQuarantined } from '../../../shared/operations/switches/quarantine.ts';
import { loadShard, writeBehindShard } from '../../../shared/store/shard-rows.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { sweepSwitches } from '../../../shared/operations/switches/sweep.ts';
import { getSwitch } from '../../../shared/operations/switches/view.ts';
import { CONTOSO, place, Rig } from './rig.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';

const KEY = 'key-000003';

async function started(rig: Rig): Promise<void> {
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
}

const stateOf = async (rig: Rig): Promise<string | undefined> =>
  (await loadSwitch(rig.store, place('s1')))?.value.state;
const keyIn = (keyId = KEY): ReturnType<typeof place> & { keyId: string } => ({ ...place('s1'), keyId });

describe('a row that was tampered with', () => {
  it.each([
    [
      'a byte of its blob changed',
      async (rig: Rig) => {
        const blob = Buffer.from((await rig.dataKey(KEY)).blob);
        blob[20] = (blob[20] ?? 0) ^ 1;
        await rig.tamperDataKey(KEY, { blob });
      },
    ],
    [
      'another key’s blob copied over it',
      async (rig: Rig) => {
        await rig.tamperDataKey(KEY, { blob: (await rig.dataKey('key-000004')).blob });
      },
    ],
    ['its blob cut off', (rig: Rig) => rig.tamperDataKey(KEY, { blob: new Uint8Array(3) })],
    ['its cells of the wrong types', (rig: Rig) => rig.tamperDataKey(KEY, { blob: 'text', previous: 7 })],
  ])('(%s) is quarantined and named, and the rest goes on', async (_title, tamper) => {
    const rig = await Rig.withDataKeys(40);
    await tamper(rig);
    await started(rig);
    expect(await stateOf(rig)).toBe('re-protecting');
    const view = await getSwitch(rig.deps, place('s1'));
    expect(view).toMatchObject({
      value: {
        progress: { total: 40, done: 39, quarantined: 1 },
        quarantine: [{ keyId: KEY, reason: 'does-not-open' }],
      },
    });
  });

  it('relabelled with a version that does not exist is quarantined as such', async () => {
    const rig = await Rig.withDataKeys(10);
    await rig.tamperDataKey(KEY, { companyKeyVersion: 9 });
    await started(rig);
    expect(await getSwitch(rig.deps, place('s1'))).toMatchObject({
      value: { quarantine: [{ keyId: KEY, reason: 'unknown-version' }] },
    });
  });

  it('relabelled as moved already does not count as moved, and is found by the second pass once it is recounted', async () => {
    const rig = await Rig.withDataKeys(10);
    await rig.tamperDataKey(KEY, { companyKeyVersion: 2 });
    await started(rig);
    expect(await getSwitch(rig.deps, place('s1'))).toMatchObject({
      value: { blocked: { reason: 'counts-differ' }, quarantine: [] },
    });
    expect((await recount(rig.deps, place('s1'), ADMIN)).ok).toBe(true);
    await rig.drain();
    expect(await getSwitch(rig.deps, place('s1'))).toMatchObject({
      value: { quarantine: [{ keyId: KEY, reason: 'does-not-open' }] },
    });
  });
});

describe('the ways out of quarantine', () => {
  async function quarantined(): Promise<{ rig: Rig; good: Uint8Array }> {
    const rig = await Rig.withDataKeys(20);
    const good = (await rig.dataKey(KEY)).blob;
    await rig.tamperDataKey(KEY, { blob: new Uint8Array(61) });
    await started(rig);
    return { rig, good };
  }

  it('retry leaves a row that still does not open as it is', async () => {
    const { rig } = await quarantined();
    const before = await rig.dataKey(KEY);
    expect(await retryQuarantined(rig.deps, keyIn(), ADMIN)).toMatchObject({
      ok: false,
      error: { code: 'data-key-quarantined' },
    });
    expect(await rig.dataKey(KEY)).toEqual(before);
  });

  it('retry moves a row that was mended there and then, and the switch completes', async () => {
    const { rig, good } = await quarantined();
    await rig.tamperDataKey(KEY, { blob: good });
    expect((await retryQuarantined(rig.deps, keyIn(), ADMIN)).ok).toBe(true);
    expect(await rig.dataKey(KEY)).toMatchObject({ state: 'live', companyKeyVersion: 2, previousVersion: 0 });
    await rig.drain();
    expect(await stateOf(rig)).toBe('completed');
    expect(await rig.openByCaller()).toBe(20);
  });

  it('accept-loss keeps the row, marked, as long as it does not open', async () => {
    const { rig } = await quarantined();
    expect((await acceptLoss(rig.deps, keyIn(), ADMIN)).ok).toBe(true);
    await rig.drain();
    expect(await stateOf(rig)).toBe('completed');
    expect(await rig.dataKey(KEY)).toMatchObject({ state: 'lost', companyKeyVersion: 1 });
    expect(await rig.openByCaller()).toBe(19);
    const shards = await rig.shards();
    expect(shards.reduce((sum, shard) => sum + shard.lost, 0)).toBe(1);
    expect(shards.every((shard) => mayEndAt(shard, 2))).toBe(true);
  });

  it('waits for its decision without the timer setting anything going, and the timer finds a decision unheard', async () => {
    const rig = await Rig.withDataKeys(12);
    await rig.tamperDataKey(KEY, { blob: new Uint8Array(60) });
    await started(rig);
    rig.clock.advance(3_600_000);
    const sweep = (): Promise<number> => sweepSwitches({ ...rig.deps, stuckAfterMs: 1 });
    expect(await sweep()).toBe(0);
    expect(rig.queue.size).toBe(0);
    rig.queue.away = true;
    await acceptLoss(rig.deps, keyIn(), ADMIN);
    rig.queue.away = false;
    expect(await sweep()).toBe(1);
    await rig.drain();
    expect(await stateOf(rig)).toBe('completed');
  });

  it('decided while its shard is still at work sends no worker beside the one that is there', async () => {
    const rig = await Rig.withDataKeys(12, { shardCount: 1 });
    await rig.tamperDataKey(KEY, { blob: new Uint8Array(60) });
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    let decided: boolean | undefined;
    const partition = rig.partitionOf(KEY);
    rig.deps = rig.freshHost(
      tablesBut(rig.store, {
        write: async (...write) => {
          const written = await rig.store.write(...write);
          if (decided === undefined && (await rig.store.read('datakeys', partition, `!quarantine|${KEY}`))) {
            decided = false;
            decided = (await acceptLoss({ ...rig.deps, tables: rig.store }, keyIn(), ADMIN)).ok;
            expect(rig.queue.size).toBe(0);
          }
          return written;
        },
      }),
    );
    await rig.drain();
    expect(decided).toBe(true);
    expect(await stateOf(rig)).toBe('completed');
    expect((await rig.shards())[0]).toMatchObject({ live: 11, lost: 1, quarantined: 0, at: { 2: 11 } });
  });

  it.each(['retry', 'accept-loss'] as const)(
    '%s is known as done though its answer was lost and another wrote the shard',
    async (decision) => {
      const rig = await Rig.withDataKeys(12, { shardCount: 1 });
      const blob = (await rig.dataKey(KEY)).blob;
      await rig.tamperDataKey(KEY, { blob: new Uint8Array(60) });
      await started(rig);
      if (decision === 'retry') await rig.tamperDataKey(KEY, { blob });
      let lost = 0;
      const tables = tablesBut(rig.store, {
        write: async (...write) => {
          const written = await rig.store.write(...write);
          if (write[0] !== 'datakeys' || write[2][0]?.kind === 'delete' || lost++ > 0) return written;
          const shardPlace = { ...place('s1'), shard: 0 };
          const shard = (await loadShard(rig.store, shardPlace))!;
          const byOther = { from: shard, next: shard.value, writtenBy: 'other' };
          expect((await writeBehindShard(rig.store, shardPlace, byOther)).outcome).toBe('committed');
          return { outcome: 'unknown' };
        },
      });
      const decide = decision === 'retry' ? retryQuarantined : acceptLoss;
      expect(await decide({ ...rig.deps, tables }, keyIn(), ADMIN)).toEqual({ ok: true, value: undefined });
      expect(lost, 'it is not sent a second time').toBe(1);
    },
  );

  it('an older row of its own put back during the second pass is moved and compared like the others', async () => {
    const rig = await Rig.withDataKeys(1_500, { shardCount: 1 });
    const older = (await rig.store.read('datakeys', rig.partitionOf(KEY), KEY))!.cells;
    let isPutBack = false;
    rig.deps = rig.freshHost(
      tablesBut(rig.store, {
        write: async (...write) => {
          const written = await rig.store.write(...write);
          if (!isPutBack && (await rig.shards())[0]?.phase === 'verify') {
            isPutBack = true;
            rig.store.tamper('datakeys', rig.partitionOf(KEY), KEY, older);
          }
          return written;
        },
      }),
    );
    await started(rig);
    expect([isPutBack, await stateOf(rig)]).toEqual([true, 're-protecting']);
    // Nobody counts it where it was put: that somebody did so is told before the switch may end.
    expect(await getSwitch(rig.deps, place('s1'))).toMatchObject({
      value: { blocked: { reason: 'counts-differ' } },
    });
    expect((await recount(rig.deps, place('s1'), ADMIN)).ok).toBe(true);
    await rig.drain();
    expect(await stateOf(rig)).toBe('completed');
    expect(await rig.dataKey(KEY)).toMatchObject({ companyKeyVersion: 2, previousVersion: 0 });
    expect(await rig.openByCaller()).toBe(1_500);
  });

  it('a row that is not quarantined is refused', async () => {
    const { rig } = await quarantined();
    expect(await acceptLoss(rig.deps, keyIn('key-000001'), ADMIN)).toMatchObject({
      error: { code: 'data-key-not-quarantined' },
    });
    expect(await acceptLoss(rig.deps, keyIn('nobody'), ADMIN)).toMatchObject({ error: { type: 'not-found' } });
  });

  it('a roll-back releases what stayed at the old version', async () => {
    const { rig } = await quarantined();
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect(await stateOf(rig)).toBe('cancelled');
    expect(await rig.dataKey(KEY)).toMatchObject({ state: 'live', companyKeyVersion: 1 });
    expect(await rig.openByCaller()).toBe(19);
    expect([...rig.store.dump()].filter(({ rowKey }) => rowKey.startsWith('!quarantine'))).toEqual([]);
  });

  it('an entry that somebody planted in the quarantine list stops nothing', async () => {
    const rig = await Rig.withDataKeys(20);
    await rig.tamperDataKey(KEY, { blob: new Uint8Array(61) });
    rig.store.tamper('datakeys', rig.partitionOf(KEY), `!quarantine|${KEY}`, { format: 1, reason: 'nonsense' });
    await started(rig);
    expect((await rig.dataKey(KEY)).state).toBe('quarantined');
  });
});
