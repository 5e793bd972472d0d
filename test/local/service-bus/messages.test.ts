// The broker through the real SDK: sending, receiving, settling, scheduling, dead letters.
import type { ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually, QUEUE, startBroker, type BrokerFixture } from './broker-fixture.ts';

const LOCK_MS = 300;
let fixture: BrokerFixture;

beforeAll(async () => {
  fixture = await startBroker([
    QUEUE,
    { ...QUEUE, name: 'short', lockDurationMs: LOCK_MS },
    { ...QUEUE, name: 'deadly', maxDeliveryCount: 3 },
    { ...QUEUE, name: 'once', duplicateDetectionWindowMs: 600_000 },
  ]);
});

afterEach(() => fixture.reset());

afterAll(() => fixture.close());

function counts(name: string): unknown {
  const { active, scheduled, locked, deadLetter } = fixture.broker.queues().find((queue) => queue.name === name)!;
  return { active, scheduled, locked, deadLetter };
}

function operations(target: string): string[] {
  return fixture.broker.control
    .requests()
    .filter((request) => request.target === target && request.operation !== 'put-token')
    .map(({ operation, status }) => `${operation} ${status}`);
}

async function receiveOne(receiver: ServiceBusReceiver, maxWaitTimeInMs = 20_000): Promise<ServiceBusReceivedMessage> {
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs });
  return message!;
}

/** A message whose lock nobody renews behind the test's back. */
async function receiveShortLocked(): Promise<{ receiver: ServiceBusReceiver; message: ServiceBusReceivedMessage }> {
  const client = fixture.client();
  await client.createSender('short').sendMessages({ body: 1 });
  const receiver = client.createReceiver('short', { maxAutoLockRenewalDurationInMs: 0 });
  return { receiver, message: await receiveOne(receiver) };
}

describe('receiving', () => {
  test('a message arrives as it was sent, with what the service adds, and is gone once completed', async () => {
    const client = fixture.client();
    const sentAtMs = Date.now();
    await client.createSender('work').sendMessages({
      body: { job: 're-protect', shard: 7 },
      messageId: 'm-1',
      contentType: 'application/json',
      subject: 'shard',
      correlationId: 'c-1',
      applicationProperties: { attempt: 2, urgent: true, company: 'acme' },
    });
    const receiver = client.createReceiver('work');
    const message = await receiveOne(receiver);
    expect(message).toMatchObject({
      body: { job: 're-protect', shard: 7 },
      messageId: 'm-1',
      contentType: 'application/json',
      subject: 'shard',
      correlationId: 'c-1',
      applicationProperties: { attempt: 2, urgent: true, company: 'acme' },
      deliveryCount: 0,
      state: 'active',
    });
    expect(message.lockToken).toMatch(/^[0-9a-f-]{36}$/);
    expect(message.lockedUntilUtc!.getTime()).toBeGreaterThan(sentAtMs + 50_000);
    expect(message.enqueuedTimeUtc!.getTime()).toBeGreaterThanOrEqual(sentAtMs - 1000);
    expect(message.sequenceNumber!.toNumber()).toBeGreaterThan(0);
    expect(counts('work')).toMatchObject({ active: 0, locked: 1 });
    await receiver.completeMessage(message);
    expect(counts('work')).toEqual({ active: 0, scheduled: 0, locked: 0, deadLetter: 0 });
    expect(operations('work')).toEqual(['send 200', 'receive 200', 'complete 200']);
  });

  test('bodies of bytes, text and large size come through whole', async () => {
    const client = fixture.client();
    const sender = client.createSender('work');
    const bytes = Buffer.alloc(200 * 1024, 0xa7);
    for (const body of [bytes, 'grüße', null]) await sender.sendMessages({ body });
    const receiver = client.createReceiver('work');
    const bodies = [await receiveOne(receiver), await receiveOne(receiver), await receiveOne(receiver)].map(
      ({ body }) => body as unknown,
    );
    expect(bytes.equals(bodies[0] as Buffer)).toBe(true);
    expect(bodies.slice(1)).toEqual(['grüße', null]);
  });

  test('a message sent without an id has one when it arrives', async () => {
    const client = fixture.client();
    await client.createSender('work').sendMessages({ body: 1 });
    const message = await receiveOne(client.createReceiver('work'));
    expect(message.messageId).toMatch(/^[0-9a-f]{32}$/);
  });

  test('a batch is so many messages', async () => {
    const client = fixture.client();
    const sender = client.createSender('work');
    const batch = await sender.createMessageBatch();
    expect(batch.maxSizeInBytes).toBe(256 * 1024);
    for (let index = 0; index < 20; index += 1) batch.tryAddMessage({ body: { index }, messageId: `b-${index}` });
    await sender.sendMessages(batch);
    await sender.sendMessages([{ body: { index: 20 } }]);
    const received = await client.createReceiver('work').receiveMessages(21, { maxWaitTimeInMs: 20_000 });
    expect(received.map(({ body }) => (body as { index: number }).index)).toEqual(
      Array.from({ length: 21 }, (_, i) => i),
    );
  });

  test('receive-and-delete leaves nothing behind, also beyond the window of 2,048', async () => {
    const client = fixture.client();
    const sender = client.createSender('work');
    const total = 2_200;
    for (let sent = 0; sent < total; sent += 1_100) {
      await sender.sendMessages(Array.from({ length: 1_100 }, (_, index) => ({ body: sent + index })));
    }
    const receiver = client.createReceiver('work', { receiveMode: 'receiveAndDelete' });
    const bodies: number[] = [];
    while (bodies.length < total) {
      const messages = await receiver.receiveMessages(550, { maxWaitTimeInMs: 20_000 });
      bodies.push(...messages.map(({ body }) => body as number));
    }
    expect(bodies).toEqual(Array.from({ length: total }, (_, index) => index));
    expect(counts('work')).toEqual({ active: 0, scheduled: 0, locked: 0, deadLetter: 0 });
  });

  test('one receiver completes 2,500 messages, each exactly once', async () => {
    const client = fixture.client();
    const sender = client.createSender('work');
    const total = 2_500;
    for (let sent = 0; sent < total; sent += 500) {
      await sender.sendMessages(Array.from({ length: 500 }, (_, index) => ({ body: sent + index })));
    }
    const receiver = client.createReceiver('work');
    const seen = new Set<number>();
    await new Promise<void>((resolve, reject) => {
      receiver.subscribe(
        {
          processMessage: async (message) => {
            seen.add(message.body as number);
            if (seen.size === total) resolve();
            await Promise.resolve();
          },
          processError: async ({ error }) => {
            reject(error);
            await Promise.resolve();
          },
        },
        { maxConcurrentCalls: 50 },
      );
    });
    await eventually(
      () => counts('work'),
      (now) => JSON.stringify(now) === '{"active":0,"scheduled":0,"locked":0,"deadLetter":0}',
    );
    expect(seen.size).toBe(total);
    expect(operations('work').filter((operation) => operation === 'complete 200')).toHaveLength(total);
  });

  test('asking an empty queue ends with nothing, and what comes later goes to who asks later', async () => {
    const client = fixture.client();
    const receiver = client.createReceiver('work');
    expect(await receiver.receiveMessages(5, { maxWaitTimeInMs: 20 })).toEqual([]);
    await client.createSender('work').sendMessages({ body: 'late' });
    expect(counts('work')).toMatchObject({ active: 1, locked: 0 });
    expect((await receiveOne(receiver)).body).toBe('late');
  });

  test('two receivers share the work', async () => {
    const client = fixture.client();
    const other = fixture.client();
    const receivers = [client.createReceiver('work'), other.createReceiver('work')];
    const waiting = receivers.map((receiver) => receiver.receiveMessages(1, { maxWaitTimeInMs: 20_000 }));
    await client.createSender('work').sendMessages([{ body: 1 }, { body: 2 }]);
    const received = (await Promise.all(waiting)).flat().map(({ body }) => body as unknown);
    expect(received.sort()).toEqual([1, 2]);
  });

  test('a paused queue takes messages and delivers none until it is resumed', async () => {
    const client = fixture.client();
    fixture.broker.setPaused('work', true);
    await client.createSender('work').sendMessages({ body: 1 });
    const receiver = client.createReceiver('work');
    expect(await receiver.receiveMessages(1, { maxWaitTimeInMs: 30 })).toEqual([]);
    const waiting = receiveOne(receiver);
    fixture.broker.setPaused('work', false);
    expect((await waiting).body).toBe(1);
  });
});

describe('settling', () => {
  test('an abandoned message comes back at once, counted, with the properties that were changed', async () => {
    const client = fixture.client();
    await client.createSender('work').sendMessages({ body: 1, applicationProperties: { kept: 'yes' } });
    const receiver = client.createReceiver('work');
    await receiver.abandonMessage(await receiveOne(receiver), { tried: 'once' });
    const again = await receiveOne(receiver);
    expect(again).toMatchObject({ deliveryCount: 1, applicationProperties: { kept: 'yes', tried: 'once' } });
  });

  test('a message abandoned as often as allowed is dead-lettered with the reason', async () => {
    const client = fixture.client();
    await client.createSender('deadly').sendMessages({ body: 'poison', messageId: 'p-1' });
    const receiver = client.createReceiver('deadly');
    for (let delivery = 0; delivery < 3; delivery += 1) {
      const message = await receiveOne(receiver);
      expect(message.deliveryCount).toBe(delivery);
      await receiver.abandonMessage(message);
    }
    expect(counts('deadly')).toEqual({ active: 0, scheduled: 0, locked: 0, deadLetter: 1 });
    expect(operations('deadly').slice(-2)).toEqual(['abandon 200', 'dead-letter 200']);
    const deadLetters = client.createReceiver('deadly', { subQueueType: 'deadLetter' });
    const dead = await receiveOne(deadLetters);
    expect(dead).toMatchObject({
      body: 'poison',
      messageId: 'p-1',
      deadLetterReason: 'MaxDeliveryCountExceeded',
      deadLetterErrorDescription: 'Message could not be consumed after 3 delivery attempts.',
    });
    await deadLetters.completeMessage(dead);
    expect(counts('deadly')).toMatchObject({ deadLetter: 0 });
    expect(operations('deadly/$DeadLetterQueue')).toEqual(['receive 200', 'complete 200']);
  });

  test('a message that the receiver dead-letters carries its reason, and can be peeked there', async () => {
    const client = fixture.client();
    await client.createSender('work').sendMessages({ body: { bad: true } });
    const receiver = client.createReceiver('work');
    await receiver.deadLetterMessage(await receiveOne(receiver), {
      deadLetterReason: 'unreadable',
      deadLetterErrorDescription: 'the shard is not a number',
      seenBy: 'worker-1',
    });
    const [dead] = await client.createReceiver('work', { subQueueType: 'deadLetter' }).peekMessages(5);
    expect(dead).toMatchObject({
      body: { bad: true },
      deadLetterReason: 'unreadable',
      deadLetterErrorDescription: 'the shard is not a number',
      applicationProperties: { seenBy: 'worker-1' },
    });
    expect(operations('work')).toContain('dead-letter 200');
  });

  test('a dead letter cannot be dead-lettered, and deferring is not supported: both are said, not hung', async () => {
    const client = fixture.client();
    await client.createSender('work').sendMessages({ body: 1 });
    const receiver = client.createReceiver('work');
    const message = await receiveOne(receiver);
    await receiver.deadLetterMessage(message);
    const deadLetters = client.createReceiver('work', { subQueueType: 'deadLetter' });
    const dead = await receiveOne(deadLetters);
    await expect(deadLetters.deadLetterMessage(dead)).rejects.toThrow('already in a deadletter queue');
    await client.createSender('work').sendMessages({ body: 2 });
    const other = await receiveOne(receiver);
    await expect(receiver.deferMessage(other)).rejects.toThrow('Defer is not supported');
  });

  test('a lock that ran out is lost: completing and renewing fail, the message comes again', async () => {
    const { receiver, message } = await receiveShortLocked();
    const again = await receiveOne(receiver);
    expect(again).toMatchObject({ messageId: message.messageId, deliveryCount: 1 });
    await expect(receiver.completeMessage(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
    await expect(receiver.renewMessageLock(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
    expect(operations('short')).toEqual(expect.arrayContaining(['lock-expired 200', 'complete 410', 'renew-lock 410']));
  });

  test('a lock that is renewed in time lasts longer', async () => {
    const client = fixture.client();
    await client.createSender('work').sendMessages({ body: 1 });
    const receiver = client.createReceiver('work', { maxAutoLockRenewalDurationInMs: 0 });
    const message = await receiveOne(receiver);
    const firstEnd = message.lockedUntilUtc!.getTime();
    const receivedAtMs = Date.now();
    await eventually(Date.now, (now) => now > receivedAtMs);
    expect((await receiver.renewMessageLock(message)).getTime()).toBeGreaterThan(firstEnd);
    await receiver.completeMessage(message);
    expect(operations('work')).toEqual(['send 200', 'receive 200', 'renew-lock 200', 'complete 200']);
  });

  test('a connection that dies keeps its locks until they run out; a receiver that closes may still settle', async () => {
    const dying = fixture.client();
    const client = fixture.client();
    await client.createSender('short').sendMessages({ body: 1 });
    const doomed = await receiveOne(dying.createReceiver('short', { maxAutoLockRenewalDurationInMs: 0 }));
    await dying.close();
    const again = await receiveOne(client.createReceiver('short', { maxAutoLockRenewalDurationInMs: 0 }));
    expect(again).toMatchObject({ messageId: doomed.messageId, deliveryCount: 1 });
    expect(operations('short').slice(0, 4)).toEqual(['send 200', 'receive 200', 'lock-expired 200', 'receive 200']);

    await client.createSender('work').sendMessages([{ body: 'a' }, { body: 'b' }, { body: 'c' }]);
    const leaving = client.createReceiver('work');
    const [a, b, c] = await leaving.receiveMessages(3, { maxWaitTimeInMs: 20_000 });
    await leaving.close();
    expect(counts('work')).toMatchObject({ locked: 3 });
    const settler = client.createReceiver('work');
    await settler.completeMessage(a!);
    await settler.abandonMessage(b!);
    await settler.deadLetterMessage(c!, { deadLetterReason: 'late', deadLetterErrorDescription: 'too late' });
    expect(counts('work')).toEqual({ active: 1, scheduled: 0, locked: 0, deadLetter: 1 });
    await expect(settler.completeMessage(a!)).rejects.toMatchObject({ code: 'MessageLockLost' });
  });
});

describe('schedules', () => {
  test('a scheduled message arrives at its time and not before, whether scheduled or sent with a time', async () => {
    const client = fixture.client();
    const sender = client.createSender('work');
    const much = new Date(Date.now() + 3_600_000);
    const [sequenceNumber] = await sender.scheduleMessages({ body: 'scheduled', messageId: 's-1' }, much);
    await sender.sendMessages({ body: 'sent', messageId: 's-2', scheduledEnqueueTimeUtc: much });
    expect(sequenceNumber!.toNumber()).toBeGreaterThan(0);
    expect(counts('work')).toMatchObject({ active: 0, scheduled: 2 });
    expect(await client.createReceiver('work').peekMessages(5)).toMatchObject([
      { state: 'scheduled', messageId: 's-1' },
      { state: 'scheduled', messageId: 's-2' },
    ]);
    const dueAt = new Date(Date.now() + 400);
    await sender.scheduleMessages({ body: 'scheduled', messageId: 's-3' }, dueAt);
    await sender.sendMessages({ body: 'sent', messageId: 's-4', scheduledEnqueueTimeUtc: dueAt });
    const receiver = client.createReceiver('work');
    const received = [await receiveOne(receiver), await receiveOne(receiver)];
    expect(Date.now()).toBeGreaterThanOrEqual(dueAt.getTime());
    expect(received.map(({ body }) => body as unknown)).toEqual(['scheduled', 'sent']);
    expect(received[0]!.enqueuedTimeUtc!.getTime()).toBeGreaterThanOrEqual(dueAt.getTime());
    expect(operations('work').slice(0, 2)).toEqual(['schedule 200', 'send 200']);
  });

  test('a cancelled one never arrives; cancelling what is gone is refused', async () => {
    const client = fixture.client();
    const sender = client.createSender('work');
    const numbers = await sender.scheduleMessages([{ body: 1 }, { body: 2 }], new Date(Date.now() + 3_600_000));
    await sender.cancelScheduledMessages(numbers);
    expect(counts('work')).toMatchObject({ scheduled: 0 });
    await expect(sender.cancelScheduledMessages(numbers)).rejects.toMatchObject({ code: 'MessageNotFound' });
    expect(operations('work')).toEqual(['schedule 200', 'cancel-scheduled 200', 'cancel-scheduled 404']);
  });
});

describe('duplicate detection', () => {
  test('a repeat of a message id is accepted and dropped, over scheduled messages too', async () => {
    const client = fixture.client();
    const sender = client.createSender('once');
    const later = new Date(Date.now() + 3_600_000);
    await sender.sendMessages({ body: 1, messageId: 'd-1' });
    await sender.sendMessages({ body: 2, messageId: 'd-1' });
    await sender.scheduleMessages({ body: 3, messageId: 'd-2' }, later);
    await sender.sendMessages({ body: 4, messageId: 'd-2' });
    await sender.scheduleMessages({ body: 5, messageId: 'd-1' }, later);
    await sender.sendMessages([
      { body: 6, messageId: 'd-3' },
      { body: 7, messageId: 'd-3' },
    ]);
    expect(counts('once')).toMatchObject({ active: 2, scheduled: 1 });
    expect(operations('once').filter((operation) => operation === 'duplicate-dropped 200')).toHaveLength(4);
  });

  test('messages without an id never count as repeats', async () => {
    const sender = fixture.client().createSender('once');
    await sender.sendMessages({ body: 1 });
    await sender.sendMessages({ body: 1 });
    expect(counts('once')).toMatchObject({ active: 2 });
  });
});
