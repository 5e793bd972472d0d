// One process over a world: what building it costs, what it keeps, and how its workers see vaults.
import { providersOver } from './fakes/providers.ts';
import { beforeEach, expect, it } from 'vitest';
import { createHost, type Host } from '../shared/host.ts';
import type { Policy, World } from '../shared/operations/world.ts';
import { FakeTables } from './fakes/fake-tables.ts';
import { POLICY } from './fixtures/policy.ts';
import { TestWorld, VENDOR } from './world.ts';

const HOST_POLICY: Policy = { ...POLICY, dataKeyCacheRows: 10 };

let its: TestWorld;
let world: World;
let host: Host<World, Policy>;
beforeEach(() => {
  its = new TestWorld();
  world = its.ports({ instance: 'one of several' });
  host = createHost(world, HOST_POLICY);
});

it('is built without asking anybody anything, chance included', () => {
  const asked = (): never => {
    throw new Error('was asked');
  };
  const silent = <T extends object>(port: T): T => new Proxy(port, { get: asked });
  const { tables, queue, sealer, timers, entropy, log, storeClock, clock } = world;
  const providers = providersOver({ vaults: silent(its.vaults), vendor: VENDOR, clock });
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
  its.vaults.onCall = () => its.clock.advance(15_000);
  its.vaults.fail({ operation: 'any', failure: 'vault-unreachable' });
  for (const { providers } of [host.ofWorkers, host.ofWorkers, host.services])
    await providers.of(VENDOR.ref).read(VENDOR, { purpose: 'in-force' });
  expect(its.vaults.calls).toHaveLength(2);
});

it('its workers share what it keeps with its callers, and ask by ports of their own where they are given', () => {
  const tables = new FakeTables();
  const { services, ofWorkers } = createHost(world, HOST_POLICY, { ...world, tables });
  expect(ofWorkers.eventLimits).toBe(services.eventLimits);
  expect(ofWorkers.workerKeys).toBe(services.workerKeys);
  expect([services.tables, ofWorkers.tables]).toEqual([world.tables, tables]);
  expect(ofWorkers.tables).toBe(tables);
});
