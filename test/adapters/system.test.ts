import { expect, test } from 'vitest';
import { jsonLog, systemClock, systemEntropy, systemTimers } from '../../shared/adapters/system.ts';

test('ids are UUIDs of version 7: unique, and in the order in which they were made', () => {
  const ids = Array.from({ length: 1_000 }, () => systemEntropy.id());
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(1_000);
  expect([...ids].sort()).toEqual(ids);
});

test('bytes are as many as asked for and never the same twice', () => {
  const [first, second] = [systemEntropy.bytes(32), systemEntropy.bytes(32)];
  expect([first.length, second.length]).toEqual([32, 32]);
  expect(Buffer.from(first).equals(second)).toBe(false);
});

test('the clock goes forward over a sleep', async () => {
  const before = systemClock.now().getTime();
  await systemTimers.sleep(1);
  expect(systemClock.now().getTime()).toBeGreaterThanOrEqual(before);
});

test('a log entry is one line of JSON, whose level and event no detail can take the place of', () => {
  const lines: string[] = [];
  const log = jsonLog((level, line) => lines.push(`${level} ${line}`));
  log.write({ level: 'warning', event: 'row.forged', detail: { row: 'a\nb', event: 'other', none: undefined } });
  log.write({ level: 'info', event: 'switch.completed' });
  expect(lines).toEqual([
    'warning {"row":"a\\nb","event":"row.forged","level":"warning"}',
    'info {"level":"info","event":"switch.completed"}',
  ]);
});

test('one of those who wait for a turn goes on in each round of the event loop, in their order', async () => {
  const order: string[] = [];
  const round = (name: string): Promise<void> =>
    new Promise((resolve) =>
      setImmediate(() => {
        order.push(name);
        resolve();
      }),
    );
  const waiting = ['first', 'second', 'third'].map((name) => systemTimers.yield().then(() => order.push(name)));
  await round('round 1');
  await round('round 2');
  await Promise.all(waiting);
  expect(order).toEqual(['first', 'round 1', 'second', 'round 2', 'third']);
});
