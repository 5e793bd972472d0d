// The timer that deletes kept company keys, not by date alone but on proof that no row needs one. The date only says when to look. In a store that was
// restored in parts and not repaired they stay for ever, which is what they are for.
import { KEYSWITCH } from '../../domain/audit.ts';
import { keptKeyRow } from '../../store/rows/kept-rows.ts';
import { text } from '../../store/rows/cells.ts';
import type { Keyring, KeyringPlace } from '../../domain/keyring.ts';
import { mayEndAt } from '../../domain/shard-counts.ts';
import { SLICE_MS, walkAgenda } from '../../store/agenda-walk.ts';
import { isDue, noteOnAgenda, takeOffListed, type AgendaItem, type ListedAgendaItem } from '../../store/agenda.ts';
import type { Auditing } from '../../store/append.ts';
import { actOnce } from '../../store/act.ts';
import type { ClockGuard } from '../../store/clock-guard.ts';
import { listKeptKeys, loadKeyring, type Found } from '../../store/control-state.ts';
import { loadShards, type LoadedShard } from '../../store/shard-rows.ts';
import { proveUnneeded, type Proof } from './prove-unneeded.ts';

export interface KeptSweeping extends Auditing {
  readonly clockGuard: ClockGuard;
}

/** Keys that are due but not proved unneeded are looked at again after this time. */
const REST_MS = 24 * 60 * 60 * 1000;
/** Per keyring and visit; the next visit goes on. */
const MAX_DELETES = 32;

/** One for each keyring. Renewed before each end of a switch, so that the timer does not delete it while a key is being kept. */
export const keptItemOf = ({ companyId, keyringId }: KeyringPlace): AgendaItem => ({
  kind: 'kept',
  companyId,
  id: keyringId,
});

/** Answers how many kept keys were deleted. */
export async function sweepKept(deps: KeptSweeping): Promise<number> {
  const deadline = new Date(deps.clock.now().getTime() + SLICE_MS);
  const { sum } = await walkAgenda(deps, { kind: 'kept' }, async (item) =>
    isDue(item, deps.clock.now()) ? lookAt(deps, item, deadline) : 0,
  );
  return sum;
}

async function lookAt(deps: KeptSweeping, item: ListedAgendaItem, deadline: Date): Promise<number> {
  const place = { companyId: item.companyId, keyringId: item.id };
  // In this order: a switch's end renews the item first, and then writes keyring and kept key in one transaction.
  const keyring = await loadKeyring(deps.tables, place);
  const kept = await listKeptKeys(deps.tables, place);
  if (kept.length === 0) {
    if (keyring?.value.switchId === undefined) await takeOffListed(deps.tables, item);
    return 0;
  }
  const proof = keyring && (await prove(deps, item, { ...place, keyring, kept, deadline }));
  if (keyring && proof?.type === 'out-of-time') {
    const proving = `${proof.stoppedAt}|${keyring.etag}`;
    await noteOnAgenda(deps.tables, item, { nextAt: deps.clock.now().toISOString(), proving });
    return 0;
  }
  const deleted = keyring && proof?.type === 'unneeded' ? await deleteUnneeded(deps, place, keyring) : 0;
  const left = await listKeptKeys(deps.tables, place);
  const rested = new Date(deps.clock.now().getTime() + REST_MS).toISOString();
  const first = left.map(({ value }) => value?.until ?? rested).toSorted()[0] ?? rested;
  const now = deps.clock.now().toISOString();
  await noteOnAgenda(deps.tables, item, {
    nextAt: left.length === 0 ? now : first > now && first < rested ? first : rested,
    proving: '',
  });
  return deleted;
}

type Kept = Awaited<ReturnType<typeof listKeptKeys>>[number];

/** Older kept keys open by newer ones, so the end of the chain goes first. */
function nextToGo(kept: readonly Kept[], now: Date): Kept | undefined {
  const isNeededByOther = (version: number): boolean => kept.some(({ value }) => value?.under === version);
  return kept.find(({ value, version }) => value && value.until <= now.toISOString() && !isNeededByOther(version));
}

/** Checks the counts first, which cost little, then the rows. Undefined if the counts or the date say no. */
async function prove(
  deps: KeptSweeping,
  item: ListedAgendaItem,
  about: KeyringPlace & {
    readonly keyring: Found<Keyring>;
    readonly kept: readonly Kept[];
    readonly deadline: Date;
  },
): Promise<Proof | undefined> {
  const { keyring, deadline } = about;
  const now = deps.clock.now();
  if (keyring.value.switchId !== undefined || !nextToGo(about.kept, now)) return undefined;
  deps.clockGuard.assertAgrees(now);
  const shards = await loadShards(deps.tables, { ...about, shardCount: keyring.value.shardCount });
  if (!shards.every((shard) => isProof(shard, keyring.value))) return undefined;
  return proveUnneeded(deps, { ...about, keyring: keyring.value }, { from: stoppedAt(item, keyring), deadline });
}

/** A proof holds as long as the keyring is not written. */
function stoppedAt({ cells }: ListedAgendaItem, { etag }: Found<Keyring>): number {
  const [shard = '', under] = text(cells, 'proving')?.split(/\|(.*)/s) ?? [];
  return under === etag ? Number(shard) : 0;
}

async function deleteUnneeded(deps: KeptSweeping, place: KeyringPlace, keyring: Found<Keyring>): Promise<number> {
  let guarded = keyring;
  for (let deleted = 0; deleted < MAX_DELETES; deleted += 1) {
    const next = await deleteOne(deps, place, guarded);
    if (!next) return deleted;
    guarded = next;
  }
  return MAX_DELETES;
}

/** For a keyring with that proof. Answers the keyring under its new ETag; undefined if nothing was deleted. */
async function deleteOne(
  deps: KeptSweeping,
  place: KeyringPlace,
  keyring: Found<Keyring>,
): Promise<Found<Keyring> | undefined> {
  const now = deps.clock.now();
  const due = nextToGo(await listKeptKeys(deps.tables, place), now);
  if (!due) return undefined;
  deps.clockGuard.assertAgrees(now);
  const shards = await loadShards(deps.tables, { ...place, shardCount: keyring.value.shardCount });
  const lost = shards.reduce((sum, shard) => sum + (shard?.value.lost ?? 0), 0);
  const target = keptKeyRow.key({ ...place, version: due.version });
  const { companyId } = place;
  const about = { actor: KEYSWITCH, action: 'keptkey.deleted', companyId, target, detail: { lostDataKeys: lost } };
  // Under the keyring's ETag from before the proof: no switch has begun since, and only a switch brings rows to another version.
  const deleted = await actOnce(deps, about, (tx) => {
    const guarded = tx.guard(keyring);
    tx.delete(due);
    return guarded;
  });
  return deleted.ok ? deleted.value : undefined;
}

/**
 * Done in the keyring's generation at the version in force, with every row there and none quarantined, since a decision on a quarantined row, whatever
 * its label, tries every kept key.
 */
function isProof(shard: LoadedShard | undefined, keyring: Keyring): boolean {
  if (shard?.value.generation !== keyring.generation || shard.value.phase !== 'done') return false;
  return shard.value.writeVersion === keyring.activeVersion && mayEndAt(shard.value, keyring.activeVersion);
}
