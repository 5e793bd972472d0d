// What every clock, every sleep and every source of entropy must do, whoever implements them. How long a sleep takes is nobody's promise.
import { expect, test } from 'vitest';
import type { Clock, Entropy, Timers } from '../../shared/domain/ports.ts';

export interface SystemUnderTest {
  readonly clock: Clock;
  readonly timers: Timers;
  /** As two processes have it. */
  readonly entropy: readonly [Entropy, Entropy];
}

const IDS = 1_000;
const SHORTLY_MS = 1;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export function describeSystem(systemOf: () => SystemUnderTest): void {
  test('ids are UUIDs of version 7, in the order in which a process made them', () => {
    const [entropy] = systemOf().entropy;
    const ids = Array.from({ length: IDS }, () => entropy.id());
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([...ids].sort()).toEqual(ids);
  });

  test('no two ids are the same, also of two processes', () => {
    const ids = systemOf().entropy.flatMap((entropy) => Array.from({ length: IDS }, () => entropy.id()));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each([0, 1, 12, 16, 32, 64, 12 * 1_000])('%i bytes are as many', (count) => {
    for (const entropy of systemOf().entropy) expect(entropy.bytes(count)).toHaveLength(count);
  });

  test('no two keys and no two nonces are the same, also of two processes and drawn at once', () => {
    const keys = systemOf().entropy.flatMap((entropy) => Array.from({ length: 50 }, () => hex(entropy.bytes(32))));
    expect(new Set(keys).size).toBe(keys.length);
    const nonces = systemOf().entropy.flatMap((entropy) => hex(entropy.bytes(12 * 1_000)).match(/.{24}/g) ?? []);
    expect(new Set(nonces).size).toBe(2 * 1_000);
  });

  test('bytes are the caller’s own: overwriting them changes nobody else’s', () => {
    const [entropy] = systemOf().entropy;
    const first = entropy.bytes(32);
    const before = entropy.bytes(32);
    const copy = hex(before);
    first.fill(0);
    expect(hex(before)).toBe(copy);
    expect(hex(entropy.bytes(32))).not.toBe(hex(first));
  });

  test('the clock never goes back over a sleep, and gives times that nobody can change', async () => {
    const { clock, timers } = systemOf();
    const before = clock.now();
    const beforeMs = before.getTime();
    await timers.sleep(SHORTLY_MS);
    expect(clock.now().getTime()).toBeGreaterThanOrEqual(beforeMs);
    before.setFullYear(1970);
    expect(clock.now().getTime()).toBeGreaterThanOrEqual(beforeMs);
  });

  test('who waits for a turn lets others go first', async () => {
    const { timers } = systemOf();
    const order: string[] = [];
    const busy = timers.yield().then(() => order.push('busy'));
    await Promise.resolve();
    order.push('another');
    await busy;
    expect(order).toEqual(['another', 'busy']);
  });

  test('who sleeps lets others go first', async () => {
    const { timers } = systemOf();
    const order: string[] = [];
    const sleeper = timers.sleep(SHORTLY_MS).then(() => order.push('sleeper'));
    await Promise.resolve();
    order.push('another');
    await sleeper;
    expect(order).toEqual(['another', 'sleeper']);
  });
}
