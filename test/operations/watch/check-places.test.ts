// Vaults that do not answer hold their places for their whole time limit, and keep none of the others waiting.
import { beforeEach, expect, it } from 'vitest';
import { CheckPlaces } from '../../../shared/operations/watch/check-places.ts';
import type { Lane } from '../../../shared/domain/check-pace.ts';

/** Checks that end, and sleeps that are over, when the test says so. */
let wakes: (() => void)[];
let places: CheckPlaces;
let running: string[];
beforeEach(() => {
  wakes = [];
  running = [];
  places = new CheckPlaces({ sleep: () => new Promise((resolve) => void wakes.push(resolve)) }, 4);
});

function begin(name: string, lane: Lane): { end: (error?: Error) => void; over: Promise<string> } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const over = places.run(lane, () => {
    running.push(name);
    return promise.finally(() => (running = running.filter((other) => other !== name)));
  });
  return { end: (error) => (error ? reject(error) : resolve(name)), over };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

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

it('one that turns out not to answer makes room for the next, while the silent ones have room', async () => {
  const [first, ...rest] = ['q1', 'q2', 'q3', 'q4', 'q5', 'q6'].map((name) => begin(name, 'quick'));
  await settled();
  expect(running).toEqual(['q1', 'q2']);
  for (const wake of wakes.splice(0)) wake();
  await settled();
  expect(running).toEqual(['q1', 'q2', 'q3', 'q4']);
  // Now all places for silent ones are taken: the next makes room as soon as one of them ends, before a silent one that waits.
  for (const wake of wakes.splice(0)) wake();
  const silent = begin('s1', 'silent');
  await settled();
  expect(running).toHaveLength(4);
  first!.end();
  await settled();
  expect(running).toEqual(['q2', 'q3', 'q4', 'q5']);
  silent.end();
  for (const one of rest) one.end();
  await Promise.all(rest.map(({ over }) => over));
});

it('a check that is over before that leaves its own place, once', async () => {
  const quick = begin('q1', 'quick');
  await settled();
  quick.end();
  await quick.over;
  for (const wake of wakes.splice(0)) wake();
  for (const name of ['q2', 'q3', 'q4']) begin(name, 'quick');
  for (const name of ['s1', 's2', 's3']) begin(name, 'silent');
  await settled();
  expect(running).toEqual(['q2', 'q3', 's1', 's2']);
});

it('a check that throws gives its place back', async () => {
  const broken = begin('q1', 'quick');
  await settled();
  broken.end(new Error('a bug'));
  await expect(broken.over).rejects.toThrow('a bug');
  for (const name of ['q2', 'q3']) begin(name, 'quick');
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
