// One process over a world: what building it costs, what it keeps, and how its workers see vaults.
import { providersOver } from './fakes/providers.ts';
import { beforeEach, expect, it } from 'vitest';
import { createHost, type Host } from '../shared/host.ts';
import type { Policy, World } from '../shared/operations/world.ts';
import { FakeQueue } from './fakes/fake-queue.ts';
import { FakeClock, FakeEntropy, FakeLog, FakeTimers } from './fakes/fake-system.ts';
import { FakeTables } from './fakes/fake-tables.ts';
import { FakeVaults } from './fakes/fake-vaults.ts';
import { POLICY } from './fixtures/policy.ts';

const KEK = {
  ref: { provider: 'managed' },
  host: 'vendor.vault.azure.net',
  keyName: 'keyswitch-kek',
  tenantId: '11111111-1111-4111-8111-111111111111',
} as const;
const HOST_POLICY: Policy = { ...POLICY, dataKeyCacheRows: 10 };

const clock = new FakeClock();
let vaults: FakeVaults;
let world: World;
let host: Host<World, Policy>;
beforeEach(() => {
  vaults = new FakeVaults();
  vaults.addVault(KEK);
  vaults.addKey({ host: KEK.host, keyName: KEK.keyName });
  world = {
    tables: new FakeTables(),
    storeClock: { aheadMs: () => 0 },
    queue: new FakeQueue(clock),
    providers: providersOver({ vaults, vendor: KEK, clock }),
    sealer: vaults,
    clock,
    timers: new FakeTimers(),
    entropy: new FakeEntropy(),
    log: new FakeLog(),
    instance: 'one of several',
  };
  host = createHost(world, HOST_POLICY);
});

it('is built without asking anybody anything, chance included', () => {
  const asked = (): never => {
    throw new Error('was asked');
  };
  const silent = <T extends object>(port: T): T => new Proxy(port, { get: asked });
  const { tables, queue, sealer, timers, entropy, log, storeClock } = world;
  const providers = providersOver({ vaults: silent(vaults), vendor: KEK, clock });
  const ports = { tables, queue, sealer, timers, entropy, log, storeClock, clock };
  const silenced = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, silent(port)]));
  expect(() => createHost({ ...world, ...silenced, providers }, HOST_POLICY)).not.toThrow();
});

it('hands on what its owner added to the world and the policy', () => {
  const { services } = createHost({ ...world, probe: 'a probe' }, { ...HOST_POLICY, vendorName: 'Tailspin' });
  expect(services).toMatchObject({ probe: 'a probe', vendorName: 'Tailspin', shardCount: 4 });
  expect(services.dataKeyCalls.instance).toBe('one of several');
});

it('its workers leave a vault alone that has just said nothing; callers ask it', async () => {
  vaults.onCall = () => clock.advance(15_000);
  vaults.fail({ operation: 'any', failure: 'vault-unreachable' });
  for (const { providers } of [host.ofWorkers, host.ofWorkers, host.services])
    await providers.of(KEK.ref).read(KEK, { purpose: 'in-force' });
  expect(vaults.calls).toHaveLength(2);
});

it('its workers share what it keeps with its callers, and ask by ports of their own where they are given', () => {
  const tables = new FakeTables();
  const { services, ofWorkers } = createHost(world, HOST_POLICY, { ...world, tables });
  expect(ofWorkers.eventLimits).toBe(services.eventLimits);
  expect(ofWorkers.workerKeys).toBe(services.workerKeys);
  expect([services.tables, ofWorkers.tables]).toEqual([world.tables, tables]);
  expect(ofWorkers.tables).toBe(tables);
});
