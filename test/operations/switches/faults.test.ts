import { describe, expect, it } from 'vitest';
import { mayEndAt } from '../../../shared/domain/shard-counts.ts';
import { dataKeyCells } from '../../../shared/store/rows/data-rows.ts';
import { wrapDataKey } from '../../../shared/domain/data-key-blob.ts';
import { counted, shardOf } from '../../../shared/domain/shard.ts';
import { isEnded } from '../../../shared/domain/switch.ts';
import { CompanyKeyCache } from '../../../shared/operations/keys/company-key-cache.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { loadShard, writeBehindShard } from '../../../shared/store/shard-rows.ts';
import { cancelSwitch, retrySwitch } from '../../../shared/operations/switches/steer.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/work.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { sweepSwitches } from '../../../shared/operations/switches/sweep.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FaultyTables, random } from '../../fakes/faulty-tables.ts';
import { COMPANY, CONTOSO, KEYRING, place, Rig } from './rig.ts';

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);
const SEED_KEYS = 230;

/** Many workers on a store that loses answers, beside a writer of new keys and an admin who changes his mind. */
async function runUnderFaults(seed: number): Promise<Rig> {
  const chance = random(seed);
  const rig = await Rig.withDataKeys(SEED_KEYS, { shardCount: 3 });
  const faults = { lostBefore: 0.05, lostAfter: 0.08, unavailable: 0.01 };
  const worker = (index: number): Promise<void> =>
    work(rig, rig.freshHost(new FaultyTables(rig.store, { seed: seed * 100 + index, faults })), chance);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await Promise.all([worker(1), worker(2), worker(3), write(rig, chance), changeMind(rig, chance)]);
  await rig.drain();
  for (let round = 0; round < 20 && !isEnded((await loadSwitch(rig.store, place('s1')))!.value.state); round += 1) {
    rig.clock.advance(3_600_000);
    await sweepSwitches({ ...rig.deps, stuckAfterMs: 1 });
    await rig.drain();
  }
  return rig;
}

/** Takes messages, some of them twice, and dies in the middle of some. */
async function work(rig: Rig, deps: Rig['deps'], chance: () => number): Promise<void> {
  for (let idle = 0; idle < 60;) {
    const message = rig.queue.take();
    if (!message) {
      idle += 1;
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    if (chance() < 0.2) await rig.queue.send([message]);
    await handleSwitchWork({ ...deps, messageBudgetMs: chance() < 0.1 ? 0 : 60_000 }, message);
  }
}

/** Generates data keys as a caller would: under the shard's write version, in one transaction with its row. */
async function write(rig: Rig, chance: () => number): Promise<void> {
  const cache = new CompanyKeyCache({ ...rig.deps, tables: rig.store }, { ttlMs: 5_000 });
  for (let index = 0; index < 60; index += 1) {
    const keyId = `new-${index}`;
    const shardPlace = { companyId: COMPANY, keyringId: KEYRING, shard: shardOf(keyId, rig.shardCount) };
    for (;;) {
      const shard = (await loadShard(rig.store, shardPlace))!;
      const version = shard.value.writeVersion;
      const key = await cache.get({ companyId: COMPANY, keyringId: KEYRING, version });
      if (!key.ok) continue;
      const plaintext = Buffer.from(rig.entropy.bytes(32));
      const context = { companyId: COMPANY, keyringId: KEYRING, keyId, companyKeyVersion: version };
      const blob = wrapDataKey({ companyKey: key.value, context, nonce: rig.entropy.bytes(12), plaintext });
      for (let turns = Math.floor(chance() * 4); turns > 0; turns -= 1) await new Promise((r) => setImmediate(r));
      const row = { ...rig.wrapped(keyId, version), blob, companyKeyVersion: version };
      const written = await writeBehindShard(rig.store, shardPlace, {
        from: shard,
        next: counted(shard.value, [{ after: row }]),
        writtenBy: keyId,
        rows: [{ kind: 'insert', rowKey: keyId, cells: dataKeyCells(row) }],
      });
      rig.plaintexts.set(keyId, plaintext);
      if (written.outcome === 'committed') break;
      await new Promise((r) => setImmediate(r));
    }
  }
}

async function changeMind(rig: Rig, chance: () => number): Promise<void> {
  for (let order = 0; order < 3; order += 1) {
    for (let turns = Math.floor(chance() * 200); turns > 0; turns -= 1) await new Promise((r) => setImmediate(r));
    if (chance() < 0.5) await cancelSwitch(rig.deps, place('s1'), ADMIN);
    else await retrySwitch(rig.deps, { ...place('s1'), direction: 'forward' }, ADMIN);
  }
}

describe('a switch on a store that loses answers, with three workers, a writer and an admin who changes his mind', () => {
  it.each(SEEDS)('ends, and every data key opens to the same bytes (seed %i)', async (seed) => {
    const rig = await runUnderFaults(seed);
    const state = (await loadSwitch(rig.store, place('s1')))!.value.state;
    expect(['completed', 'cancelled']).toContain(state);
    expect(await rig.openByCaller()).toBe(SEED_KEYS + 60);
    const version = state === 'completed' ? 2 : 1;
    const shards = await rig.shards();
    expect(shards.reduce((sum, shard) => sum + shard.live, 0)).toBe(SEED_KEYS + 60);
    expect(shards.every((shard) => mayEndAt(shard, version) && shard.writeVersion === version)).toBe(true);
    for (const keyId of rig.plaintexts.keys()) {
      expect(await rig.dataKey(keyId)).toMatchObject({ companyKeyVersion: version, previousVersion: 0 });
    }
  });
});
