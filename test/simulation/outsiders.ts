// Those who are no part of the product: owners of vaults who take rights away and give them back, somebody who tampers with rows of
// data keys and sometimes puts them back, a stranger at the queue; and the timer, which only comes and goes.
import { readDataKey } from '../../shared/store/rows/data-rows.ts';
import { dataKeysPartition } from '../../shared/store/rows/row-keys.ts';
import { shardOf } from '../../shared/domain/shard.ts';
import { sweepOutboxes } from '../../shared/store/deliver.ts';
import { sweepHeads } from '../../shared/operations/audit/sign-heads.ts';
import { sweepKept } from '../../shared/operations/switches/sweep-kept.ts';
import { sweepPurges } from '../../shared/operations/companies/sweep-purges.ts';
import { sweepSwitches } from '../../shared/operations/switches/sweep.ts';
import { LANES, slotOf } from '../../shared/domain/check-pace.ts';
import { bucketOf } from '../../shared/operations/watch/pace.ts';
import { workRound } from '../../shared/operations/watch/rounds.ts';
import { COMPANY, CONTOSO_HOST, FABRIKAM_HOST, KEYRING, VENDOR } from '../operations/switches/rig.ts';
import { call } from './callers.ts';
import { Chance } from './chance.ts';
import type { Actor } from './scheduler.ts';
import { DENYING, PASSING, PROPAGATING, propagating, STOPPING, troubleOf, unfitnesses } from './troubles.ts';
import type { World } from './world.ts';

const OWNER: Actor = { role: 'owner of a vault' };
const TAMPERER: Actor = { role: 'tamperer' };
/** Of the agenda: all connections are the one company's. */
const CHECKED = bucketOf({ companyId: COMPANY, connectionId: 'contoso' });
/** Of the turns that destroy what is due. */
const STRAY_CLOCKS = 0.2;
const CLOCKWORK: Actor = { role: 'clockwork' };
export const VAULT_HOSTS: readonly string[] = [VENDOR.host, CONTOSO_HOST, FABRIKAM_HOST];
const UNKNOWN_VERSION = 4_242;

function pause(world: World, actor: Actor, chance: Chance): Promise<void> {
  const dueMs = world.clock.now().getTime() + chance.below(chance.happens(0.3) ? 400_000 : 1_500);
  return world.turn(actor, { text: 'waits', dueMs });
}

/** Vaults that come and go. */
export async function troubleVaults(world: World): Promise<void> {
  const chance = new Chance(world.plan.seed, 'vaults');
  const silence = new Chance(world.plan.seed, 'vaults that deny, and then cannot be reached');
  for (let count = 0; count < world.plan.vaultTroubles; count += 1) {
    await pause(world, OWNER, chance);
    const host = chance.pick(VAULT_HOSTS);
    const kind = chance.below(8);
    if (kind < 3) world.trouble(host, troubleOf(chance.pick(DENYING), host));
    else if (kind < 5) world.trouble(host, troubleOf(chance.pick(PASSING), host));
    else if (kind < 6) world.trouble(host, propagating(chance.pick(PROPAGATING), host));
    else if (kind < 7) world.trouble(host, troubleOf(chance.pick(STOPPING), host));
    if (kind < 3 && silence.happens(0.3)) await fallSilent(world, silence, host);
    const mend = kind < 7 ? undefined : spoilKey(world, chance, host);
    await pause(world, OWNER, chance);
    world.trouble(host, undefined);
    mend?.();
  }
}

/** A denial is followed by an outage without a call between that would be let through. */
async function fallSilent(world: World, chance: Chance, host: string): Promise<void> {
  await pause(world, OWNER, chance);
  world.trouble(host, troubleOf(chance.pick(PASSING), host));
}

/** The owner changes what his key's newest version says of itself. Answers how to take it back. */
function spoilKey(world: World, chance: Chance, host: string): () => void {
  const version = world.vaults.newestKey(host);
  const before = version.describes;
  const change = chance.pick(unfitnesses(world.clock.now().getTime()));
  version.describes = { ...before, ...change };
  world.note(OWNER, host, `key says ${Object.keys(change).join()}`);
  return () => {
    version.describes = before;
  };
}

export async function tamper(world: World): Promise<void> {
  const chance = new Chance(world.plan.seed, 'tamperer');
  for (let count = 0; count < world.plan.tampers; count += 1) {
    await pause(world, TAMPERER, chance);
    const undo = tamperWithOne(world, chance);
    if (!undo || chance.happens(0.4)) continue;
    await pause(world, TAMPERER, chance);
    undo();
  }
}

/** Answers how to put the row back as it was, if nobody has written the same cells since. */
function tamperWithOne(world: World, chance: Chance): (() => void) | undefined {
  const { history, store } = world;
  const keyId = chance.pick([...history.returned]);
  const shard = shardOf(keyId, world.plan.shardCount);
  const partition = dataKeysPartition({ companyId: COMPANY, keyringId: KEYRING, shard });
  const before = store.peek('datakeys', partition, keyId);
  const key = before && readDataKey(keyId, before.cells);
  if (!key || (key.state !== 'live' && key.state !== 'deleted')) return undefined;
  const relabels = chance.happens(0.3);
  const blob = Buffer.from(key.blob);
  const at = chance.below(blob.length);
  blob[at] = (blob[at] ?? 0) ^ 0xff;
  const change = relabels ? { companyKeyVersion: UNKNOWN_VERSION } : { blob };
  const set = (cells: object): void => {
    const now = store.peek('datakeys', partition, keyId);
    if (relabels) history.relabelled.set(partition, (history.relabelled.get(partition) ?? 0) + 1);
    store.tamper('datakeys', partition, keyId, { ...now?.cells, ...cells });
    world.data.retake(partition, keyId);
  };
  history.tampered.add(keyId);
  history.everTampered.add(keyId);
  set(change);
  return () => {
    const row = store.peek('datakeys', partition, keyId);
    const now = row && readDataKey(keyId, row.cells);
    const isUnmoved = now && (relabels ? now.companyKeyVersion === UNKNOWN_VERSION : blob.equals(now.blob));
    if (!isUnmoved || now.state === 'tombstone') return;
    set(relabels ? { companyKeyVersion: key.companyKeyVersion } : { blob: key.blob });
  };
}

export async function turnTimer(world: World): Promise<void> {
  const chance = new Chance(world.plan.seed, 'timer');
  for (let count = 0; count < world.plan.timerTurns; count += 1) {
    await pause(world, CLOCKWORK, chance);
    await sweep(world, chance);
    if (chance.happens(0.2)) world.broker.put('{"format":1,"kind":"reprotect"}');
  }
}

/** One turn of each timer, on one host. */
export async function sweep(world: World, chance: Chance): Promise<void> {
  const host = world.anyHost(chance);
  const { timer } = host.services;
  await call(world, host, () => sweepSwitches(timer));
  const dated = world.clocks.happens(STRAY_CLOCKS) ? host.strayTimer : timer;
  await call(world, host, () => sweepPurges(dated));
  await call(world, host, () => sweepKept(dated));
  const round = { format: 1, kind: 'round', bucket: CHECKED, slot: slotOf(timer.clock.now()) } as const;
  for (const lane of LANES) await call(world, host, () => workRound(timer, { ...round, lane }));
  await call(world, host, () => sweepOutboxes(timer));
  if (chance.happens(0.3)) await call(world, host, () => sweepHeads(timer));
}
