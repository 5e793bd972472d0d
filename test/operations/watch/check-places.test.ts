// Vaults that do not answer hold their places for their whole time limit, and keep none of the others waiting.
import { beforeEach, expect, it } from 'vitest';
import { CheckPlaces } from '../../../shared/operations/watch/check-places.ts';
import type { Lane } from '../../../shared/domain/check-pace.ts';

/** Checks that end, and sleeps that are over, when the test says so. */
let wakes: (() => void)[];
let places: CheckPlaces;
let running: string[];
beforeEach(async () => {
  wakes = [];
  running = [];
  places = new CheckPlaces({ sleep: () => new Promise((resolve) => void wakes.push(resolve)) }, 4);
  await (await places.take('quick')).run(() => Promise.resolve());
});

function begin(name: string, lane: Lane): { end: (error?: Error) => void; over: Promise<string> } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const over = places.take(lane).then((place) =>
    place.run((signal) => {
      running.push(name);
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      return promise.finally(() => (running = running.filter((other) => other !== name)));
    }),
  );
  return { end: (error) => (error ? reject(error) : resolve(name)), over };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const secondPasses = async (): Promise<void> => {
  for (const wake of wakes.splice(0)) wake();
  await settled();
};
const allAreSlow = async (): Promise<void> => {
  await secondPasses();
  await secondPasses();
};

it('those that do not answer have half of them, however many there are', async () => {
  const silent = ['s1', 's2', 's3', 's4'].map((name) => begin(name, 'silent'));
  begin('q1', 'quick');
  await settled();
  expect(running).toEqual(['s1', 's2', 'q1']);
  silent[0]!.end();
  expect(await silent[0]!.over).toBe('s1');
  await settled();
  expect(running).toEqual(['s2', 'q1', 's3']);
});

it('one that turns out not to answer makes room for the next: it moves over, or is given up where there is no room', async () => {
  const [first, second, third] = ['q1', 'q2', 'q3', 'q4', 'q5', 'q6'].map((name) => begin(name, 'quick'));
  await settled();
  expect(running).toEqual(['q1', 'q2']);
  await secondPasses();
  expect(running).toEqual(['q1', 'q2', 'q3', 'q4']);
  await secondPasses();
  expect(await third!.over).toBe('undecided');
  expect(running).toEqual(['q1', 'q2', 'q5', 'q6']);
  // Those that moved over have their whole time.
  first!.end();
  expect(await first!.over).toBe('q1');
  second!.end(new Error('a bug'));
  await expect(second!.over).rejects.toThrow('a bug');
});

it('one that waits among those that do not answer is not overtaken, and not given up', async () => {
  const silent = ['s1', 's2', 's3'].map((name) => begin(name, 'silent'));
  const quick = begin('q1', 'quick');
  await settled();
  silent[0]!.end();
  await allAreSlow();
  expect(await quick.over).toBe('undecided');
  expect(running).toEqual(['s2', 's3']);
  silent[2]!.end();
  expect(await silent[2]!.over).toBe('s3');
});

it('none is given up where all take long, since the process has more to do than it can', async () => {
  places = new CheckPlaces({ sleep: () => new Promise((resolve) => void wakes.push(resolve)) }, 4);
  const all = ['q1', 'q2', 'q3', 'q4', 'q5', 'q6'].map((name) => begin(name, 'quick'));
  await settled();
  for (let second = 0; second < 3; second += 1) await secondPasses();
  expect(running).toEqual(['q1', 'q2', 'q3', 'q4']);
  for (const { end } of all.slice(0, 4)) end();
  await settled();
  await secondPasses();
  await secondPasses();
  for (const { end } of all) end();
  expect(await Promise.all(all.map(({ over }) => over))).toEqual(['q1', 'q2', 'q3', 'q4', 'q5', 'q6']);
});

it('a check that has its result as it is given up has its result', async () => {
  for (const name of ['s1', 's2']) begin(name, 'silent');
  const place = await places.take('quick');
  const { promise, resolve } = Promise.withResolvers<string>();
  const over = place.run(() => promise);
  await settled();
  await allAreSlow();
  resolve('decided');
  expect(await over).toBe('decided');
});

it('a check that is over before that leaves its own place, once', async () => {
  const quick = begin('q1', 'quick');
  await settled();
  quick.end();
  await quick.over;
  await allAreSlow();
  for (const name of ['q2', 'q3', 'q4']) begin(name, 'quick');
  for (const name of ['s1', 's2', 's3']) begin(name, 'silent');
  await settled();
  expect(running).toEqual(['q2', 'q3', 's1', 's2']);
});

it('a check that throws gives its place back, and so does what leaves it without one', async () => {
  const broken = begin('q1', 'quick');
  await settled();
  broken.end(new Error('a bug'));
  await expect(broken.over).rejects.toThrow('a bug');
  (await places.take('quick')).leave();
  for (const name of ['q2', 'q3', 'q4']) begin(name, 'quick');
  await settled();
  expect(running).toEqual(['q2', 'q3']);
});

it('one place is one for each kind', async () => {
  places = new CheckPlaces({ sleep: () => new Promise(() => undefined) }, 1);
  begin('q1', 'quick');
  begin('s1', 'silent');
  await settled();
  expect(running).toEqual(['q1', 's1']);
});
