// Somebody who copies the tables while everything goes on, as docs/protocol.md orders it: the data keys first, page by page, and the company's
// partition after them, at one instant of its own.
import { dataKeysPartition } from '../../shared/store/rows/row-keys.ts';
import { COMPANY, KEYRING } from '../operations/switches/rig.ts';
import { Chance } from './chance.ts';
import { KEEP_MS } from './check-control.ts';
import type { Actor } from './scheduler.ts';
import type { CopiedRow, World } from './world.ts';

const BACKUP: Actor = { role: 'backup' };

/** What is begun when the storm ends is copied at once, but for control, which may still be much later. */
export async function copyTables(world: World): Promise<void> {
  const chance = new Chance(world.plan.seed, 'copies');
  for (let count = 0; count < world.plan.copies && world.stormy; count += 1) {
    await pause(world, chance);
    const startedMs = world.clock.now().getTime();
    const rows: CopiedRow[] = [];
    for (let shard = 0; shard < world.plan.shardCount; shard += 1)
      rows.push(...(await copyShard(world, chance, shard)));
    await steps(world, chance.below(chance.happens(0.5) ? 2_000 : 100));
    for (const { table, partitionKey, rowKey, cells } of world.store.dump())
      if (table === 'companies' || table === 'vaultkeys') rows.push({ table, partitionKey, rowKey, cells });
    // Company keys are kept for longer than a copy takes: that is asked of the settings.
    if (world.clock.now().getTime() - startedMs < KEEP_MS) world.copies.push(rows);
  }
}

/** Between two pages anything may happen, up to whole switches. */
async function pause(world: World, chance: Chance): Promise<void> {
  if (world.stormy) await steps(world, chance.below(chance.happens(0.2) ? 1_000 : 40));
}

const steps = (world: World, count: number): Promise<void> =>
  world.turn(BACKUP, { text: 'waits', afterStep: world.scheduler.steps + count });

async function copyShard(world: World, chance: Chance, shard: number): Promise<CopiedRow[]> {
  const table = 'datakeys';
  const partitionKey = dataKeysPartition({ companyId: COMPANY, keyringId: KEYRING, shard });
  const copied: CopiedRow[] = [];
  for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
    await pause(world, chance);
    const from = continuation === undefined ? {} : { continuation };
    const page = await world.store.list({ table, partitionKey, limit: world.plan.pageRows, ...from });
    copied.push(...page.rows.map(({ rowKey, cells }) => ({ table, partitionKey, rowKey, cells }) as const));
    ({ continuation } = page);
  }
  return copied;
}
