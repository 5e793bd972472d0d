// A switch that waits for something that may pass by itself says for what.
import { beforeEach, describe, expect, it } from 'vitest';
import { switchRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Trouble } from '../../../shared/domain/switch.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { LAST_ATTEMPT } from '../../../shared/domain/work-message.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/work.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FaultyTables, type Write } from '../../fakes/faulty-tables.ts';
import { stateOf, viewOf } from '../tenants/tenant-rig.ts';
import { CONTOSO, CONTOSO_HOST, KEYRING, place, Rig, VENDOR } from './rig.ts';

/** Tables that count the writes of the switch's row, also those within larger transactions. */
const counting =
  (written: { times: number }) =>
  (tables: Tables): Tables => {
    const counted = new FaultyTables(tables);
    const isReplaced = ({ writes }: Write): boolean =>
      writes.some(({ rowKey, kind }) => rowKey === switchRowKey(KEYRING, 's1') && kind === 'replace');
    counted.at(isReplaced).comesAfter(() => (written.times += 1));
    return counted;
  };

let rig: Rig;
let written: { times: number };
beforeEach(async () => {
  written = { times: 0 };
  rig = await Rig.withDataKeys(40, { wrapTables: counting(written) });
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
});

const trouble = async (): Promise<Trouble | undefined> => (await viewOf(rig, 's1')).trouble;
/** So many messages more, whenever they are due. */
async function work(messages: number): Promise<void> {
  let done = 0;
  await rig.drain({ enough: () => (done += 1) >= messages });
}

describe('while it is prepared', () => {
  it('names the vault that is away, since when and when it is tried next, and nothing once it goes on', async () => {
    rig.vaults.fail({ operation: 'readKey', host: CONTOSO_HOST, failure: 'vault-error', times: 2 });
    const since = rig.clock.now().toISOString();
    await work(1);
    const first = await trouble();
    expect(first).toMatchObject({ since, side: 'target', failure: { code: 'vault-error', owner: 'vendor' } });
    expect(first?.failure.remedy.text).toContain('try again');
    expect(first).not.toHaveProperty('shard');
    await work(1);
    // The very time at which the copy of the message came.
    expect(rig.clock.now().toISOString()).toBe(first?.nextTryAt);
    const second = await trouble();
    expect(second?.since).toBe(since);
    expect(second!.nextTryAt! > first!.nextTryAt!).toBe(true);
    await rig.drain({ enough: async () => (await stateOf(rig, 's1')) === 're-protecting' });
    expect(await trouble()).toBeUndefined();
  });

  it('is left to the timer after so many tries, and says the new reason when it is another', async () => {
    rig.vaults.fail({ operation: 'readKey', host: CONTOSO_HOST, failure: 'vault-unreachable' });
    await rig.drain();
    const left = await trouble();
    expect(left?.failure.code).toBe('vault-unreachable');
    expect(left).not.toHaveProperty('nextTryAt');
    const before = written.times;
    const message = { format: 1, kind: 'advance', attempt: 6, ...place('s1') } as const;
    await handleSwitchWork(rig.deps, message);
    expect(written.times).toBe(before);
    rig.vaults.heal();
    rig.vaults.fail({ operation: 'readKey', host: CONTOSO_HOST, failure: 'throttled' });
    rig.clock.advance(1_000);
    await handleSwitchWork(rig.deps, message);
    expect(await trouble()).toMatchObject({ since: rig.clock.now().toISOString(), failure: { code: 'throttled' } });
  });

  it('gives way to what somebody must mend', async () => {
    rig.vaults.fail({ operation: 'readKey', host: CONTOSO_HOST, failure: 'vault-unreachable', times: 1 });
    rig.vaults.fail({ operation: 'readKey', host: CONTOSO_HOST, failure: 'vault-firewall', times: 1 });
    await rig.drain();
    const view = await viewOf(rig, 's1');
    expect(view.blocked).toMatchObject({ reason: 'provider', failure: { code: 'vault-firewall' } });
    expect(view.trouble).toBeUndefined();
  });
});

describe('while its rows are moved', () => {
  beforeEach(async () => {
    await rig.drain({ enough: async () => (await stateOf(rig, 's1')) === 're-protecting' });
    rig.deps = rig.freshHost(counting(written)(rig.store));
    written.times = 0;
  });

  it('is written once for each time that it is tried, however many shards and pages there are', async () => {
    rig.vaults.fail({ operation: 'unwrap', failure: 'vault-unreachable' });
    const shards = rig.shardCount;
    // The messages of all shards fail.
    await work(shards);
    expect(await trouble()).toMatchObject({ side: 'source', failure: { code: 'vault-unreachable' } });
    expect((await trouble())?.shard).toBeTypeOf('number');
    expect(written.times).toBe(1);
    // One of them tries again, for all.
    expect(rig.queue.size).toBe(1);
    await rig.drain();
    expect(written.times).toBe(1 + LAST_ATTEMPT);
  });

  it('is over when the shard that met it has gone on, and the work ends as always', async () => {
    rig.vaults.fail({ operation: 'unwrap', host: VENDOR.host, failure: 'vault-unreachable', times: 1 });
    rig.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'vault-unreachable', times: 1 });
    let seen: Trouble | undefined;
    let isOverBeforeTheEnd = false;
    await rig.drain({
      enough: async () => {
        const now = await trouble();
        isOverBeforeTheEnd ||= seen !== undefined && now === undefined;
        seen ??= now;
        return false;
      },
    });
    expect(seen?.failure.code).toBe('vault-unreachable');
    expect(isOverBeforeTheEnd).toBe(true);
    expect(await stateOf(rig, 's1')).toBe('completed');
    expect(await trouble()).toBeUndefined();
    expect(await rig.openByCaller()).toBe(rig.plaintexts.size);
  });

  it('is not written by a worker of an older generation, nor after the end', async () => {
    await rig.drain();
    const before = written.times;
    rig.vaults.fail({ operation: 'any', failure: 'vault-unreachable' });
    await handleSwitchWork(rig.deps, { format: 1, kind: 'advance', attempt: 0, ...place('s1') });
    await rig.drain();
    expect(written.times).toBe(before);
    expect(await trouble()).toBeUndefined();
  });
});
