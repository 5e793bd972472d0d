import { expect, test } from 'vitest';
import { jsonLog, steadily, systemClock, systemEntropy, systemTimers } from '../../shared/adapters/system.ts';

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

test('what ends in this process goes by the faster of two clocks, and is never set back', () => {
  let [wallMs, runningMs] = [1_000, 10];
  const steadyMs = steadily(
    () => wallMs,
    () => runningMs,
  );
  const after = (wall: number, running: number): number => {
    wallMs += wall;
    runningMs += running;
    return steadyMs();
  };
  expect(after(0, 0)).toBe(1_000);
  expect(after(50, 50)).toBe(1_050);
  // The machine slept, or the clock was set ahead.
  expect(after(3_600_000, 50)).toBe(3_601_050);
  expect(after(-3_600_000, 50)).toBe(3_601_100);
  expect(after(50, 50)).toBe(3_601_150);
});

test('the system’s own steady clock tells the time as long as nobody sets it', () => {
  expect(Math.abs(systemClock.steadyMs() - Date.now())).toBeLessThan(1_000);
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
