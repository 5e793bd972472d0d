// A copy that is of no one instant becomes the store: every data key of it must open through the product's own reader, what was under way must
// end, and one more switch must move every row.
import { readKeyring } from '../../shared/store/rows/keyring-rows.ts';
import { readDataKey } from '../../shared/store/rows/data-rows.ts';
import { keyringRowKey } from '../../shared/store/rows/row-keys.ts';
import type { DataKey } from '../../shared/domain/data-key.ts';
import { putOnAgenda } from '../../shared/store/agenda.ts';
import { unwrapDataKeys } from '../../shared/operations/data-keys/unwrap.ts';
import { resumeSwitch, retrySwitch } from '../../shared/operations/switches/steer.ts';
import { acceptLoss, retryQuarantined } from '../../shared/operations/switches/quarantine.ts';
import { recount } from '../../shared/operations/switches/recount.ts';
import { startRekey } from '../../shared/operations/switches/start.ts';
import { getSwitch } from '../../shared/operations/switches/view.ts';
import { agendaItemOf } from '../../shared/operations/switches/agenda.ts';
import { keptItemOf, sweepKept } from '../../shared/operations/switches/sweep-kept.ts';
import { sweepSwitches } from '../../shared/operations/switches/sweep.ts';
import { ADMIN } from '../fakes/actors.ts';
import { COMPANY, KEYRING } from '../operations/switches/rig.ts';
import { Restored } from './restored.ts';
import type { CopiedRow, World } from './world.ts';

const PLACE = { companyId: COMPANY, keyringId: KEYRING };
const MAX_ROUNDS = 20;
const LONG_WHILE_MS = 200_000;

export async function checkTornCopy(world: World, rows: readonly CopiedRow[]): Promise<void> {
  const restored = new Restored(world, rows);
  await openAll(world, restored, 'as it was laid');
  // The agenda is not copied: it is made anew, as after any restore.
  if (keyringOf(restored).switchId !== undefined) await putOnAgenda(restored.store, agendaItemOf(PLACE));
  await putOnAgenda(restored.store, keptItemOf(PLACE));
  await settle(world, restored);
  const order = { ...PLACE, switchId: 'after-the-copy' };
  const started = await startRekey(restored.host.services.admin, order, ADMIN);
  if (!started.ok) world.history.broken('5', `of a torn copy no switch begins: ${JSON.stringify(started.error)}`);
  await settle(world, restored);
  await openAll(world, restored, 'after one more switch');
  const active = keyringOf(restored).activeVersion;
  const behind = dataKeysOf(restored).filter(
    ({ state, companyKeyVersion }) => ['live', 'deleted'].includes(state) && companyKeyVersion !== active,
  );
  if (behind.length > 0) world.history.broken('3', `of a torn copy ${namesOf(behind)} stayed behind`);
}

function dataKeysOf({ store }: Restored): DataKey[] {
  return [...store.dump()].flatMap(({ table, rowKey, cells }) =>
    table === 'datakeys' && !rowKey.startsWith('!') ? [readDataKey(rowKey, cells)] : [],
  );
}

function keyringOf({ store }: Restored): ReturnType<typeof readKeyring> {
  const row = store.peek('companies', COMPANY, keyringRowKey(KEYRING));
  if (!row) throw new Error('a copy without its keyring');
  return readKeyring(row.cells);
}

const namesOf = (keys: readonly DataKey[]): string =>
  keys.map(({ keyId, companyKeyVersion }) => `${keyId} at ${companyKeyVersion}`).join(', ');

/** Every live one that nobody has tampered with, to the bytes it had at first. */
async function openAll(world: World, restored: Restored, when: string): Promise<void> {
  const live = dataKeysOf(restored).filter(
    ({ keyId, state }) => state === 'live' && !world.history.everTampered.has(keyId),
  );
  if (live.length === 0) return;
  const keyIds = live.map(({ keyId }) => keyId);
  const opened = await unwrapDataKeys(restored.host.services.caller, { ...PLACE, keyIds });
  const closed = live.filter((_, index) => {
    const outcome = opened.ok ? opened.value[index] : undefined;
    if (outcome?.outcome !== 'unwrapped') return true;
    return outcome.plaintext.toString('hex') !== world.history.plaintexts.get(outcome.keyId);
  });
  if (closed.length > 0) world.history.broken('1', `a torn copy ${when} does not open ${namesOf(closed)}`);
}

/** What was under way goes on, or what was ordered does, until it has ended. */
async function settle(world: World, restored: Restored): Promise<void> {
  const { admin, timer } = restored.host.services;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    restored.clock.advance(LONG_WHILE_MS);
    await sweepSwitches(timer);
    await sweepKept(timer);
    await restored.drain();
    const { switchId } = keyringOf(restored);
    if (switchId === undefined) return;
    const aside = dataKeysOf(restored).filter(
      ({ keyId, state }) => state === 'quarantined' && !world.history.everTampered.has(keyId),
    );
    if (aside.length > 0) world.history.broken('1', `of a torn copy ${namesOf(aside)} is quarantined`);
    await decide(admin, switchId);
    await restored.drain();
  }
  const { switchId } = keyringOf(restored);
  const view = switchId === undefined ? undefined : await getSwitch(admin, { ...PLACE, switchId });
  if (view?.ok) {
    const { state, blocked, progress } = view.value;
    world.history.broken('5', `of a torn copy a switch is ${state} for ever: ${JSON.stringify({ blocked, progress })}`);
  }
}

/** Does what the switch waits for. */
async function decide(admin: Restored['host']['services']['admin'], switchId: string): Promise<void> {
  const place = { ...PLACE, switchId };
  const view = await getSwitch(admin, place);
  if (!view.ok) return;
  if (view.value.paused) await resumeSwitch(admin, place, ADMIN);
  if (view.value.blocked?.reason === 'counts-differ') await recount(admin, place, ADMIN);
  if (view.value.blocked) await retrySwitch(admin, place, ADMIN);
  for (const { keyId } of view.value.quarantine) {
    const retried = await retryQuarantined(admin, { ...place, keyId }, ADMIN);
    if (!retried.ok && retried.error.type === 'state') await acceptLoss(admin, { ...place, keyId }, ADMIN);
  }
}
