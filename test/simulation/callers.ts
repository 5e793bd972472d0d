// Callers of the product while switches run: they make, import, unwrap, delete and restore data keys, on whatever host answers, and hold
// every answer against what they were told before.
import { deleteDataKey } from '../../shared/operations/data-keys/delete.ts';
import { generateDataKeys, type GenerateOutcome } from '../../shared/operations/data-keys/generate.ts';
import type { NewDataKey } from '../../shared/operations/data-keys/new-data-keys.ts';
import { restoreDataKey } from '../../shared/operations/data-keys/restore.ts';
import { unwrapDataKeys, type UnwrapOutcome } from '../../shared/operations/data-keys/unwrap.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { COMPANY, KEYRING } from '../operations/switches/rig.ts';
import { Chance } from './chance.ts';
import { SimEntropy } from './entropy.ts';
import { HostDied, type Host } from './host.ts';
import type { Actor } from './scheduler.ts';
import { DENYING, PASSING } from './troubles.ts';
import type { World } from './world.ts';

const KEYRING_PLACE = { companyId: COMPANY, keyringId: KEYRING };
const CALLER: Actor = { role: 'client' };
const MAX_ROUNDS_OF_NEW_KEYS = 30;
/** What a denial of the key in force turns out to be, once more is known of it. */
const TOLD_APART = ['key-version-disabled', 'key-deleted', 'key-purged', 'vault-deleted', 'vault-recovered'] as const;
const NOT_FORGED = new Set<string>([...PASSING, ...DENYING, ...TOLD_APART]);

/** The answer; undefined if there was none, because the host died or the store was away. */
export async function call<T>(world: World, host: Host, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await Promise.race([act(), host.died]);
  } catch (error) {
    if (error instanceof HostDied || error instanceof StoreUnavailable) return undefined;
    world.history.broken('10', `a call ended with ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
    return undefined;
  }
}

/** Mostly for some steps, so that callers are busy while others are; sometimes for a time. */
function rest(world: World, chance: Chance): Promise<void> {
  const isLong = chance.happens(0.15);
  const dueMs = world.clock.now().getTime() + chance.below(60_000);
  const afterStep = world.scheduler.steps + chance.below(50);
  return world.turn(CALLER, { text: 'rest', ...(isLong ? { dueMs } : { afterStep }) });
}

export async function read(world: World, isOver: () => boolean): Promise<void> {
  const chance = new Chance(world.plan.seed, 'reader');
  while (!isOver()) {
    await rest(world, chance);
    const known = [...world.history.returned];
    const keyIds = Array.from({ length: chance.between(1, 3) }, () => chance.pick(known));
    await unwrapAndCheck(world, world.anyHost(chance), keyIds);
  }
}

/** The outcomes, each held against what is known; undefined if there was no answer. */
export async function unwrapAndCheck(
  world: World,
  host: Host,
  keyIds: readonly string[],
): Promise<readonly UnwrapOutcome[] | undefined> {
  const { history, clock } = world;
  const startedMs = clock.now().getTime();
  // Only keys that nobody deletes or tampers with, from before the call until after its answer, must open.
  const tampered = new Set(history.everTampered);
  const answer = await call(world, host, () =>
    unwrapDataKeys(host.services.caller, { ...KEYRING_PLACE, keyIds: [...keyIds] }),
  );
  if (!answer) return undefined;
  if (!answer.ok) {
    history.broken('1', `an unwrap was refused: ${answer.error.type}`);
    return undefined;
  }
  for (const outcome of answer.value) {
    const { keyId } = outcome;
    const isSafe = !history.deleteAsked.has(keyId) && !history.everTampered.has(keyId) && !tampered.has(keyId);
    if (outcome.outcome === 'unwrapped') {
      if (outcome.plaintext.toString('hex') !== history.plaintexts.get(keyId)) {
        history.broken('1', `${keyId} was answered with other bytes than at first`);
      }
      mustNotBeClosed(world, startedMs, `${keyId} was answered`);
    } else if (outcome.outcome === 'failure') {
      const { code } = outcome.failure;
      if (!NOT_FORGED.has(code) && !history.troubles.has(code)) history.broken('6', `${keyId}: ${code}`);
    } else if (isSafe && history.returned.has(keyId)) {
      history.broken('1', `${keyId} was answered with ${outcome.outcome}`);
    }
  }
  return answer.value;
}

/** Revoked fails closed in the promised time, with a grace for outages too: a call that began at `startedMs` was answered. */
function mustNotBeClosed({ history, plan, clock }: World, startedMs: number, what: string): void {
  const nowMs = clock.now().getTime();
  const fromMs = startedMs - plan.cacheTtlMs;
  if (history.deniedThroughout(fromMs, nowMs))
    history.broken('9', `${what} although the vault in force had denied for longer than promised`);
  if (history.listedThroughout(fromMs, nowMs))
    history.broken('9', `${what} although a denial that another process had seen was listed for longer than promised`);
  if (history.closedThroughout(fromMs - plan.outageGraceMs, nowMs))
    history.broken('9', `${what} although the vault in force had opened nothing for longer than time and grace`);
}

/** Each process reads who denies, as it does by the clock. */
export async function watchDenials(world: World, isOver: () => boolean): Promise<void> {
  const chance = new Chance(world.plan.seed, 'denials');
  while (!isOver()) {
    await rest(world, chance);
    const host = world.anyHost(chance);
    await call(world, host, () => host.services.caller.denials.look());
  }
}

export async function write(world: World, isOver: () => boolean): Promise<void> {
  const chance = new Chance(world.plan.seed, 'writer');
  const entropy = new SimEntropy(`${world.plan.seed}-writer`);
  for (let round = 0; !isOver(); round += 1) {
    await rest(world, chance);
    const host = world.anyHost(chance);
    const act = round < MAX_ROUNDS_OF_NEW_KEYS ? chance.below(10) : 6 + chance.below(4);
    if (act < 6) await generate(world, host, { chance, entropy, round });
    else if (act < 8) await remove(world, host, chance.pick([...world.history.returned]));
    else await restore(world, host, chance);
  }
}

async function generate(
  world: World,
  host: Host,
  { chance, entropy, round }: { readonly chance: Chance; readonly entropy: SimEntropy; readonly round: number },
): Promise<void> {
  const imports = new Map<string, string>();
  const ids = Array.from({ length: chance.between(1, 3) }, (_, index) => `new-${round}-${index}`);
  const keys = (): NewDataKey[] =>
    ids.map((keyId) => {
      const imported = imports.get(keyId);
      return imported === undefined ? { keyId } : { keyId, plaintext: Buffer.from(imported, 'hex') };
    });
  for (const keyId of ids) if (chance.happens(0.3)) imports.set(keyId, entropy.marked(24).toString('hex'));
  const request = { requestId: entropy.id() };
  // Whoever gets no answer asks again with the same request, on another host perhaps.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const at = attempt === 0 ? host : world.anyHost(chance);
    const startedMs = world.clock.now().getTime();
    const made = await call(world, at, () =>
      generateDataKeys(at.services.caller, { ...KEYRING_PLACE, keys: keys(), request }),
    );
    if (!made) continue;
    if (!made.ok) return;
    for (const outcome of made.value.keys)
      checkMade(world, outcome, { imported: imports.get(outcome.keyId), startedMs });
    return;
  }
}

function checkMade(
  world: World,
  outcome: GenerateOutcome,
  how: { readonly imported: string | undefined; readonly startedMs: number },
): void {
  const { history } = world;
  const { keyId } = outcome;
  if (outcome.outcome === 'id-taken') history.broken('1', `${keyId} was said to be another request's`);
  if (outcome.outcome !== 'created') return;
  const answered = outcome.plaintext ? Buffer.from(outcome.plaintext).toString('hex') : how.imported;
  if (history.plaintexts.get(keyId) !== answered) {
    history.broken('1', `${keyId} was answered, and other bytes are stored or none`);
  }
  mustNotBeClosed(world, how.startedMs, `${keyId} was made`);
  history.returned.add(keyId);
}

async function remove(world: World, host: Host, keyId: string): Promise<void> {
  world.history.deleteAsked.add(keyId);
  await call(world, host, () => deleteDataKey(host.services.caller, { ...KEYRING_PLACE, keyId }));
}

async function restore(world: World, host: Host, chance: Chance): Promise<void> {
  const asked = [...world.history.deleteAsked];
  if (asked.length === 0) return;
  const keyId = chance.pick(asked);
  await call(world, host, () => restoreDataKey(host.services.caller, { ...KEYRING_PLACE, keyId }));
}
