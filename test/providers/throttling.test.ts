import { beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../shared/providers/azure-key-vault/words/failures.ts';
import { err } from '../../shared/domain/result.ts';
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
  const [firstAt, lastAt] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:01:00.000Z'];
  const restsUntil = '2026-01-01T00:01:02.000Z';
  expect(throttling.vaults()).toEqual([{ host: VENDOR.host, times: 2, firstAt, lastAt, restsUntil }]);
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

describe('work that can wait', () => {
  const asked = (): number => world.vaults.calls.length;
  let check: () => Promise<{ readonly ok: boolean }>;
  beforeEach(() => {
    const provider = world.providers().through(throttling.watched).through(throttling.considerate).of(VENDOR.ref);
    check = () => provider.read(VENDOR, { purpose: 'in-force' });
    world.vaults.fail({ operation: 'any', failure: 'throttled' });
  });

  it('leaves a vault alone that told another call to wait, longer each time, and asks again in time', async () => {
    await read();
    for (const seconds of [1, 2, 4, 8, 16, 16]) {
      const before = asked();
      world.clock.advance(seconds * 1_000 - 1);
      expect(await check()).toMatchObject({ ok: false, error: { code: 'throttled' } });
      expect(asked()).toBe(before);
      world.clock.advance(1);
      await check();
      expect(asked()).toBe(before + 1);
    }
  });

  it('is answered again as soon as the vault answers anybody', async () => {
    await read();
    world.vaults.heal();
    world.clock.advance(1_000);
    expect((await check()).ok).toBe(true);
    world.vaults.fail({ operation: 'any', failure: 'throttled' });
    await read();
    expect(throttling.vaults()).toMatchObject([{ times: 2, restsUntil: '2026-01-01T00:00:02.000Z' }]);
  });

  it('asks again where the clock was set back meanwhile', async () => {
    await read();
    world.clock.advance(-HOUR_MS);
    const before = asked();
    await check();
    expect(asked()).toBe(before + 1);
  });

  it('goes by what the vault asks for, up to a minute, and what callers ask is asked all the same', async () => {
    for (const [retryAfterSeconds, waits] of [
      [7, 7],
      [3_600, 60],
    ] as const) {
      const told = failure('throttled', {}, { status: 429, retryAfterSeconds });
      const provider = throttling.watched({
        ...world.providers().of(VENDOR.ref),
        read: () => Promise.resolve(err(told)),
      });
      await provider.read(VENDOR, { purpose: 'in-force' });
      const restsUntil = new Date(world.clock.now().getTime() + waits * 1_000).toISOString();
      expect(throttling.vaults()).toMatchObject([{ retryAfterSeconds, restsUntil }]);
    }
    const before = asked();
    await read();
    expect(asked()).toBe(before + 1);
  });
});
