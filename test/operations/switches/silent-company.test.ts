// One company whose vaults say nothing, and everybody else: nothing that one company does can starve another.
import { expect, it } from 'vitest';
import { silently } from '../../../shared/providers/silent.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { sweepSwitches } from '../../../shared/operations/switches/sweep.ts';
import { VaultPermits } from '../../../shared/operations/switches/vault-permits.ts';
import { WorkerKeys } from '../../../shared/operations/keys/worker-keys.ts';
import type { SwitchState } from '../../../shared/domain/switch.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeClock } from '../../fakes/fake-system.ts';
import { HostWithSlots } from './host-with-slots.ts';
import { CONTOSO, place, Rig } from './rig.ts';

const TIMEOUT_MS = 15_000;
const MINUTE_MS = 60_000;
const KEYRINGS = 20;
const SHARDS = 8;

const stateOf = async (rig: Rig): Promise<SwitchState> => (await loadSwitch(rig.store, place('s1')))!.value.state;

/** A keyring whose switch is about to be prepared, or about to move its rows. */
async function keyring(
  clock: FakeClock,
  { dataKeys, until }: { readonly dataKeys: number; readonly until: SwitchState },
): Promise<Rig> {
  const rig = await Rig.withDataKeys(dataKeys, { clock, shardCount: SHARDS, sealKey: 'rsa-2048-1' });
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  if (until === 're-protecting') await rig.drain({ enough: async () => (await stateOf(rig)) === until });
  return rig;
}

interface Scene {
  readonly host: HostWithSlots;
  readonly silent: readonly Rig[];
  readonly other: Rig;
}

/** `companies`: how many companies share the keyrings on silent vaults. `silentForMs`: for so long before the other one comes. */
async function scene(
  keyrings: number,
  { companies = 1, silentForMs = 10 * MINUTE_MS }: { readonly companies?: number; readonly silentForMs?: number } = {},
): Promise<Scene> {
  const clock = new FakeClock();
  const host = new HostWithSlots(clock);
  const permits = new VaultPermits(host, clock);
  const put = (name: string, rig: Rig, companyName: string): void => {
    const tables = host.slow(rig.store);
    const providers = rig.deps.providers.through(silently(clock));
    // Every world has the one company; what the process shares knows them apart.
    const run: VaultPermits['run'] = (_, work, proves) => permits.run(companyName, work, proves);
    const vaultPermits = { run };
    const fresh = { ...rig.freshHost(tables), providers, vaultPermits };
    const deps = host.add(name, { ...fresh, workerKeys: new WorkerKeys(fresh, { ttlMs: 300_000 }) });
    const left = Array.from({ length: rig.queue.size }, () => rig.queue.take()!);
    void deps.queue.send(left);
    const sweep = (): void => {
      void sweepSwitches({ ...deps, stuckAfterMs: 2 * MINUTE_MS });
      host.at(clock.now().getTime() + MINUTE_MS, sweep);
    };
    host.at(clock.now().getTime() + MINUTE_MS, sweep);
  };
  const silent: Rig[] = [];
  for (let index = 0; index < keyrings; index += 1) {
    const until = index % 2 === 0 ? 're-protecting' : 'pending-verification';
    const rig = await keyring(clock, { dataKeys: 10, until });
    rig.vaults.fail({ operation: 'any', host: 'contoso.vault.azure.net', failure: 'vault-unreachable' });
    rig.vaults.fail({ operation: 'any', host: 'vendor.vault.azure.net', failure: 'vault-unreachable' });
    rig.vaults.onCall = ({ host: asked }) => (asked === '' ? undefined : host.sleep(TIMEOUT_MS));
    put(`silent ${index}`, rig, `silent ${index % companies}`);
    silent.push(rig);
  }
  const other = await keyring(clock, { dataKeys: 300, until: 'pending-verification' });
  const left = Array.from({ length: other.queue.size }, () => other.queue.take()!);
  await host.run(keyrings === 0 ? 1_000 : silentForMs);
  for (const message of left) await other.queue.send([message]);
  other.vaults.onCall = ({ host: asked }) => (asked === '' ? undefined : host.sleep(50));
  put('other', other, 'other');
  return { host, silent, other };
}

const isSilent = (name: string): boolean => name.startsWith('silent');
const isCompleted = async (rig: Rig): Promise<boolean> => (await stateOf(rig)) === 'completed';

it('twenty keyrings on vaults that say nothing hold up nobody else, do not pile up, and go on by themselves', async () => {
  const alone = await scene(0);
  const aloneMs = await alone.host.run(5 * MINUTE_MS, () => isCompleted(alone.other));
  expect(await isCompleted(alone.other)).toBe(true);

  const { host, silent, other } = await scene(KEYRINGS);
  let most = 0;
  const count = (): void => {
    most = Math.max(most, host.messagesOf(isSilent));
  };
  const besideMs = await host.run(5 * MINUTE_MS, () => {
    count();
    return isCompleted(other);
  });
  expect(await isCompleted(other)).toBe(true);
  expect(besideMs).toBeLessThan(2 * aloneMs + 2_000);
  await host.run(10 * MINUTE_MS, () => {
    count();
    return false;
  });
  expect(most).toBeLessThan(3 * KEYRINGS);

  for (const { vaults } of silent) {
    vaults.heal();
    vaults.onCall = undefined;
  }
  const healedMs = await host.run(10 * MINUTE_MS, async () =>
    (await Promise.all(silent.map(isCompleted))).every(Boolean),
  );
  expect(healedMs).toBeLessThan(1.5 * MINUTE_MS);
  expect(host.failures).toEqual([]);
}, 120_000);

it.each([
  ['that come at the same moment', 8, 0],
  ['that have come just before', 8, 1_000],
  ['that have been silent for a minute', 20, MINUTE_MS],
  ['that have been silent for long', 20, 10 * MINUTE_MS],
])(
  'companies whose vaults say nothing, %s, many at once, hold up nobody else',
  async (_, companies, silentForMs) => {
    const alone = await scene(0);
    const aloneMs = await alone.host.run(5 * MINUTE_MS, () => isCompleted(alone.other));
    const { host, other } = await scene(companies, { companies, silentForMs });
    const besideMs = await host.run(5 * MINUTE_MS, () => isCompleted(other));
    expect(await isCompleted(other)).toBe(true);
    expect(besideMs).toBeLessThan(2 * aloneMs + 2_000);
    expect(host.failures).toEqual([]);
  },
  120_000,
);
