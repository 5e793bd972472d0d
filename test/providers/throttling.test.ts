import { beforeEach, expect, it } from 'vitest';
import { Throttling } from '../../shared/providers/throttling.ts';
import { TestWorld, VENDOR } from '../world.ts';

const HOUR_MS = 3_600_000;

let world: TestWorld;
let throttling: Throttling;
let read: () => Promise<unknown>;
beforeEach(() => {
  world = new TestWorld();
  throttling = new Throttling(world.clock);
  const provider = world.providers().through(throttling.watched).of(VENDOR.ref);
  read = () => provider.read(VENDOR, { purpose: 'in-force' });
});

it('a vault that asks to wait is counted, from when to when', async () => {
  world.vaults.fail({ operation: 'any', failure: 'throttled' });
  await read();
  world.clock.advance(60_000);
  await read();
  expect(throttling.vaults()).toEqual([
    { host: VENDOR.host, times: 2, firstAt: '2026-01-01T00:00:00.000Z', lastAt: '2026-01-01T00:01:00.000Z' },
  ]);
});

it('no other failure, and no answer, counts', async () => {
  await read();
  world.vaults.fail({ operation: 'any', failure: 'vault-unreachable' });
  await read();
  expect(throttling.vaults()).toEqual([]);
});

it('one that has been quiet for an hour is not told of, and counted anew', async () => {
  world.vaults.fail({ operation: 'any', failure: 'throttled' });
  await read();
  world.clock.advance(HOUR_MS + 1);
  expect(throttling.vaults()).toEqual([]);
  await read();
  expect(throttling.vaults()).toMatchObject([{ times: 1 }]);
});
