// What every work queue must do, whoever implements it: run over the fake, over the simulation's broker, and over Azure's adapter with
// what arrives received through the real SDK. Nothing is assumed of the order of messages, nor of how long anything takes.
import { expect, test } from 'vitest';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import type { WorkQueue } from '../../shared/domain/ports.ts';
import { parseWorkMessage, type WorkMessage } from '../../shared/domain/work-message.ts';

export interface SendDriver {
  readonly queue: WorkQueue;
  setAway(away: boolean): void;
  /** The body of the next message that is to be had, however long it takes; the message is gone then. */
  take(): Promise<unknown>;
  /** All that are there: to be had, locked or not due yet. */
  count(): number;
}

export interface Received {
  readonly messageId: string;
  readonly body: unknown;
}

export type Source = 'work' | 'dead letters';

/** Of a queue whose locks last, unless it is told otherwise. */
export interface DeliveryDriver<R extends Received = Received> {
  readonly queue: WorkQueue;
  /** As often a message is delivered at most, before it becomes a dead letter. */
  readonly maxDeliveries: number;
  /** The next message that is to be had, however long it takes. */
  receive(source: Source): Promise<R>;
  /** False if the lock was lost. */
  complete(received: R): Promise<boolean>;
  /** False if the lock was lost. */
  abandon(received: R): Promise<boolean>;
  /** Until no message is locked any more. */
  letLocksRunOut(): Promise<void>;
  count(source: Source): number;
}

const HOUR_MS = 3_600_000;
const SHORTLY_MS = 50;

const message = (switchId: string): WorkMessage => ({
  format: 1,
  kind: 'advance',
  attempt: 0,
  companyId: 'acme',
  keyringId: 'default',
  switchId,
});

function switchOf(body: unknown): string {
  const parsed = parseWorkMessage(body);
  if (!parsed.ok) throw new Error(`no message of ours: ${JSON.stringify(body)}`);
  expect(parsed.value).toEqual(message(parsed.value.kind === 'advance' ? parsed.value.switchId : ''));
  return parsed.value.kind === 'advance' ? parsed.value.switchId : '';
}

export function describeSending(driverOf: () => SendDriver): void {
  const takeAll = async (count: number): Promise<string[]> => {
    const taken: string[] = [];
    while (taken.length < count) taken.push(switchOf(await driverOf().take()));
    return taken.sort();
  };

  test('every message arrives once, as it was sent', async () => {
    const { queue } = driverOf();
    await queue.send([message('a'), message('b')]);
    await queue.send([message('c')]);
    expect(driverOf().count()).toBe(3);
    expect(await takeAll(3)).toEqual(['a', 'b', 'c']);
    expect(driverOf().count()).toBe(0);
  });

  test('the same message sent again is another message', async () => {
    const { queue } = driverOf();
    await queue.send([message('a'), message('a')]);
    await queue.send([message('a')]);
    expect(driverOf().count()).toBe(3);
    expect(await takeAll(3)).toEqual(['a', 'a', 'a']);
  });

  test('a delayed message comes when its time has come, and keeps nobody waiting until then', async () => {
    const { queue } = driverOf();
    await queue.send([message('much later')], { delayMs: HOUR_MS });
    await queue.send([message('now')]);
    await queue.send([message('shortly')], { delayMs: SHORTLY_MS });
    expect(driverOf().count()).toBe(3);
    expect(await takeAll(2)).toEqual(['now', 'shortly']);
    expect(driverOf().count()).toBe(1);
  });

  test('no message is nothing', async () => {
    await driverOf().queue.send([]);
    await driverOf().queue.send([], { delayMs: SHORTLY_MS });
    expect(driverOf().count()).toBe(0);
  });

  test('while the queue is away a send fails with an exception, and afterwards it works again', async () => {
    const { queue } = driverOf();
    driverOf().setAway(true);
    await expect(queue.send([message('a')])).rejects.toThrow(StoreUnavailable);
    driverOf().setAway(false);
    await queue.send([message('b')]);
    expect(await takeAll(1)).toEqual(['b']);
  });
}

export function describeDeliveries(driverOf: () => DeliveryDriver): void {
  test('messages have ids of their own, also those that say the same', async () => {
    const driver = driverOf();
    await driver.queue.send([message('a'), message('a'), message('b')]);
    const received = [await driver.receive('work'), await driver.receive('work'), await driver.receive('work')];
    expect(new Set(received.map(({ messageId }) => messageId)).size).toBe(3);
    expect(received.map(({ body }) => switchOf(body)).sort()).toEqual(['a', 'a', 'b']);
  });

  test('a message that is worked on is nobody else’s, and is gone when it is completed', async () => {
    const driver = driverOf();
    await driver.queue.send([message('a'), message('b')]);
    const [first, second] = [await driver.receive('work'), await driver.receive('work')];
    expect([first, second].map(({ body }) => switchOf(body)).sort()).toEqual(['a', 'b']);
    expect(driver.count('work')).toBe(2);
    expect(await driver.complete(first)).toBe(true);
    expect(driver.count('work')).toBe(1);
    expect(await driver.complete(second)).toBe(true);
    expect([driver.count('work'), driver.count('dead letters')]).toEqual([0, 0]);
  });

  test('a message that is completed cannot be completed or abandoned again', async () => {
    const driver = driverOf();
    await driver.queue.send([message('a')]);
    const received = await driver.receive('work');
    expect(await driver.complete(received)).toBe(true);
    expect([await driver.complete(received), await driver.abandon(received)]).toEqual([false, false]);
    expect(driver.count('work')).toBe(0);
  });

  test('an abandoned message comes again, with its id, and who abandoned it has no say any more', async () => {
    const driver = driverOf();
    await driver.queue.send([message('a')]);
    const first = await driver.receive('work');
    expect(await driver.abandon(first)).toBe(true);
    const again = await driver.receive('work');
    expect(again).toMatchObject({ messageId: first.messageId, body: first.body });
    expect(await driver.complete(first)).toBe(false);
    expect(driver.count('work')).toBe(1);
    expect(await driver.complete(again)).toBe(true);
    expect(driver.count('work')).toBe(0);
  });
}

/** On a queue whose messages are delivered a few times at most. */
export function describeDeadLetters(driverOf: () => DeliveryDriver): void {
  test('a message that was abandoned too often becomes a dead letter, whole, and a dead letter it stays', async () => {
    const driver = driverOf();
    await driver.queue.send([message('a')]);
    const { messageId } = await bury(driver, (received) => driver.abandon(received));
    for (let delivery = 0; delivery <= driver.maxDeliveries; delivery += 1) {
      const dead = await driver.receive('dead letters');
      expect(dead.messageId).toBe(messageId);
      expect(switchOf(dead.body)).toBe('a');
      expect(await driver.abandon(dead)).toBe(true);
    }
    const dead = await driver.receive('dead letters');
    expect(await driver.complete(dead)).toBe(true);
    expect([driver.count('work'), driver.count('dead letters')]).toEqual([0, 0]);
  });
}

/** On a queue whose locks run out soon. */
export function describeLostLocks(driverOf: () => DeliveryDriver): void {
  test('a lock that runs out gives the message to the next, and who had it completes nothing', async () => {
    const driver = driverOf();
    await driver.queue.send([message('a')]);
    const first = await driver.receive('work');
    await driver.letLocksRunOut();
    const second = await driver.receive('work');
    expect(second).toMatchObject({ messageId: first.messageId, body: first.body });
    expect([await driver.complete(first), await driver.abandon(first)]).toEqual([false, false]);
    expect(driver.count('work')).toBe(1);
    // On a slow machine its lock may have run out too.
    let last = second;
    while (!(await driver.complete(last))) last = await driver.receive('work');
    expect(driver.count('work')).toBe(0);
  });

  test('a lock that has run out completes nothing, though nobody else has the message yet', async () => {
    const driver = driverOf();
    await driver.queue.send([message('a')]);
    const received = await driver.receive('work');
    await driver.letLocksRunOut();
    expect(await driver.complete(received)).toBe(false);
    expect(driver.count('work')).toBe(1);
  });
}

/** On a queue whose locks run out soon and whose messages are delivered a few times at most. */
export function describeDeathsByLock(driverOf: () => DeliveryDriver): void {
  test('a message whose lock ran out too often becomes a dead letter', async () => {
    const driver = driverOf();
    await driver.queue.send([message('a')]);
    await bury(driver, () => driver.letLocksRunOut());
  });
}

async function bury(driver: DeliveryDriver, fail: (received: Received) => Promise<unknown>): Promise<Received> {
  const first = await driver.receive('work');
  await fail(first);
  for (let delivery = 1; delivery < driver.maxDeliveries; delivery += 1) {
    expect([driver.count('work'), driver.count('dead letters')]).toEqual([1, 0]);
    const again = await driver.receive('work');
    expect(again.messageId).toBe(first.messageId);
    await fail(again);
  }
  expect([driver.count('work'), driver.count('dead letters')]).toEqual([0, 1]);
  return first;
}
