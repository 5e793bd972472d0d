// One message for each vault in trouble, however many calls meet it.
import { beforeEach, expect, it } from 'vitest';
import { askCheck } from '../../../shared/operations/keys/ask-check.ts';
import { POLICY } from '../../fixtures/policy.ts';
import { TestWorld, type TestHost } from '../../world.ts';

const PLACE = { companyId: 'contoso', connectionId: 'main' };

let world: TestWorld;
let host: TestHost;
beforeEach(() => {
  world = new TestWorld();
  host = world.startHost(POLICY);
});

it('a vault that many calls meet at once is asked for once in 15 seconds, and others by themselves', async () => {
  await Promise.all([
    askCheck(host, PLACE, 'outage'),
    askCheck(host, PLACE, 'outage'),
    askCheck(host, { ...PLACE, connectionId: 'other' }, 'outage'),
  ]);
  world.clock.advance(14_999);
  await askCheck(host, PLACE, 'outage');
  expect(world.checkQueue.size).toBe(2);
  expect(world.checkQueue.take()).toEqual({ format: 1, kind: 'check', ...PLACE, because: 'outage' });
  world.clock.advance(1);
  await askCheck(host, PLACE, 'outage');
  expect(world.checkQueue.size).toBe(2);
});

it('nothing but ids of the place goes into the message', async () => {
  const place = { ...PLACE, host: 'contoso.vault.azure.net' };
  await askCheck(host, place, 'denial');
  expect(world.checkQueue.take()).toEqual({ format: 1, kind: 'check', ...PLACE, because: 'denial' });
});

it('a queue that is away disturbs no call, is logged, and is asked again by the next', async () => {
  world.checkQueue.away = true;
  await askCheck(host, PLACE, 'outage');
  expect(world.log.events()).toEqual(['queue.unavailable']);
  world.checkQueue.away = false;
  await askCheck(host, PLACE, 'outage');
  expect(world.checkQueue.size).toBe(1);
});
