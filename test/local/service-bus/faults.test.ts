// Planted faults as a client of the real SDK meets them, the request log, and the control API over HTTP.
import type { ServiceBusClientOptions, ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { QueueMessages, QueueState } from '../../../local/service-bus/control-routes.ts';
import { HOST, QUEUE, startBroker, type BrokerFixture } from './broker-fixture.ts';

/** A cut connection leaves the SDK waiting for an answer until this is over; then it tries again. */
const IMPATIENT: ServiceBusClientOptions = { retryOptions: { maxRetries: 2, retryDelayInMs: 10, timeoutInMs: 1_000 } };
const ONCE_IMPATIENT: ServiceBusClientOptions = { retryOptions: { maxRetries: 0, timeoutInMs: 1_000 } };

let fixture: BrokerFixture;

beforeAll(async () => {
  fixture = await startBroker([
    { ...QUEUE, name: 'short', lockDurationMs: 2_000 },
    { ...QUEUE, duplicateDetectionWindowMs: 600_000 },
  ]);
});
afterEach(() => fixture.reset());
afterAll(() => fixture.close());

function log(): string[] {
  const requests = fixture.broker.control.requests();
  return requests
    .filter(({ operation }) => operation !== 'put-token')
    .map(({ operation, target, status }) => `${operation} ${target} ${status}`);
}

async function receiveOne(receiver: ServiceBusReceiver): Promise<ServiceBusReceivedMessage> {
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 20_000 });
  return message!;
}

describe('sending', () => {
  test('cut before acting: nothing is stored, the second attempt is', async () => {
    fixture.broker.control.plant({ operation: 'send', target: 'work', times: 1, effect: { drop: 'before-acting' } });
    await fixture.client(IMPATIENT).createSender('work').sendMessages({ body: 1, messageId: 'f-1' });
    expect(log()).toEqual(['send work 0', 'send work 200']);
    expect(fixture.broker.messages('work').messages).toHaveLength(1);
  });

  test('cut after acting: stored, and the second attempt is a repeat that is dropped', async () => {
    fixture.broker.control.plant({ operation: 'send', target: 'work', times: 1, effect: { drop: 'after-acting' } });
    await fixture.client(IMPATIENT).createSender('work').sendMessages({ body: 1, messageId: 'f-2' });
    expect(log()).toEqual(['send work 0', 'duplicate-dropped work 200', 'send work 200']);
    expect(fixture.broker.messages('work').messages).toHaveLength(1);
  });

  test('a planted status is a condition that the SDK knows', async () => {
    const { control } = fixture.broker;
    const sender = fixture.client().createSender('work');
    control.plant({ operation: 'send', times: 1, effect: { status: 503, body: 'busy' } });
    await expect(sender.sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'ServiceBusy',
      message: expect.stringContaining('busy') as string,
    });
    control.plant({ operation: 'schedule', times: 1, effect: { status: 403 } });
    const scheduling = sender.scheduleMessages({ body: 1 }, new Date(Date.now() + 60_000));
    await expect(scheduling).rejects.toMatchObject({ code: 'QuotaExceeded' });
    expect(log()).toEqual(['send work 503', 'schedule work 403']);
  });

  test('a request that hangs is never answered', async () => {
    fixture.broker.control.plant({ operation: 'send', effect: { hang: true } });
    const sending = fixture.client(ONCE_IMPATIENT).createSender('work').sendMessages({ body: 1 });
    await expect(sending).rejects.toMatchObject({ code: 'ServiceTimeout' });
    expect(fixture.broker.messages('work').messages).toEqual([]);
  });

  test('a delayed request is overtaken by the next', async () => {
    const { control, messages } = fixture.broker;
    control.plant({ operation: 'send', times: 1, effect: { hold: true } });
    const sender = fixture.client().createSender('work');
    const delayed = sender.sendMessages({ body: 'delayed' });
    await sender.sendMessages({ body: 'prompt' });
    control.clearFaults();
    await delayed;
    expect(messages('work').messages.map(({ body }) => body)).toEqual(['prompt', 'delayed']);
  });
});

describe('opening', () => {
  const steps: [string, string][] = [
    ['open', HOST],
    ['attach', '$cbs'],
    ['put-token', 'work'],
    ['attach', 'work'],
  ];
  test.each(steps)('%s of %s can be refused and delayed', async (operation, target) => {
    const { control, messages } = fixture.broker;
    control.plant({ operation, target, times: 1, effect: { status: 503 } });
    await expect(fixture.client(ONCE_IMPATIENT).createSender('work').sendMessages({ body: 1 })).rejects.toThrow();
    const faults = control.requests().map((asked) => `${asked.operation} ${asked.target} ${asked.status}`);
    expect(faults).toContain(`${operation} ${target} 503`);
    control.plant({ operation, target, times: 1, effect: { delayMs: 20 } });
    await fixture.client().createSender('work').sendMessages({ body: 1 });
    expect(messages('work').messages).toHaveLength(1);
  });
});

describe('completing', () => {
  test('cut before acting: the message comes again when its lock has run out', async () => {
    await fixture.client().createSender('short').sendMessages({ body: 1, messageId: 'c-1' });
    const receiver = fixture.client(ONCE_IMPATIENT).createReceiver('short', { maxAutoLockRenewalDurationInMs: 0 });
    const message = await receiveOne(receiver);
    fixture.broker.control.plant({ operation: 'complete', times: 1, effect: { drop: 'before-acting' } });
    await expect(receiver.completeMessage(message)).rejects.toThrow();
    expect(fixture.broker.messages('short').messages).toMatchObject([{ messageId: 'c-1' }]);
    const again = await receiveOne(fixture.client().createReceiver('short'));
    expect(again).toMatchObject({ messageId: 'c-1', deliveryCount: 1 });
    expect(log()).toEqual([
      'send short 200',
      'receive short 200',
      'complete short 0',
      'lock-expired short 200',
      'receive short 200',
    ]);
  });

  test('cut after acting: the message is gone though the client does not know', async () => {
    await fixture.client().createSender('short').sendMessages({ body: 1 });
    const receiver = fixture.client(ONCE_IMPATIENT).createReceiver('short', { maxAutoLockRenewalDurationInMs: 0 });
    const message = await receiveOne(receiver);
    fixture.broker.control.plant({ operation: 'complete', times: 1, effect: { drop: 'after-acting' } });
    await expect(receiver.completeMessage(message)).rejects.toThrow();
    expect(fixture.broker.messages('short').messages).toEqual([]);
  });
});

test('a delivery that is cut leaves the message locked until its lock runs out', async () => {
  fixture.broker.control.plant({ operation: 'receive', times: 1, effect: { drop: 'before-acting' } });
  await fixture.client().createSender('short').sendMessages({ body: 1 });
  await expect(receiveOne(fixture.client(ONCE_IMPATIENT).createReceiver('short'))).rejects.toThrow();
  expect(fixture.broker.queues()).toMatchObject([{ active: 0, locked: 1 }, {}]);
  expect(await receiveOne(fixture.client().createReceiver('short'))).toMatchObject({ deliveryCount: 1 });
});

describe('the control API', () => {
  test('counts, shows, pauses and empties queues', async () => {
    const sender = fixture.client().createSender('work');
    await sender.sendMessages([
      { body: { n: 1 }, messageId: 'm-1', applicationProperties: { a: 1 } },
      { body: 'text' },
    ]);
    await sender.scheduleMessages({ body: 2, messageId: 'm-2' }, new Date('2100-01-01T00:00:00Z'));
    const receiver = fixture.client().createReceiver('work');
    await receiver.deadLetterMessage(await receiveOne(receiver), {
      deadLetterReason: 'bad',
      deadLetterErrorDescription: 'said the test',
    });
    await receiveOne(receiver);

    expect(await call<QueueState[]>('GET', '/queues')).toEqual([
      { name: 'short', paused: false, active: 0, scheduled: 0, locked: 0, deadLetter: 0 },
      { name: 'work', paused: false, active: 0, scheduled: 1, locked: 1, deadLetter: 1 },
    ]);
    expect(await call<QueueMessages>('GET', '/queues/work/messages')).toMatchObject({
      messages: [
        { state: 'locked', body: 'text', deliveryCount: 0 },
        { state: 'scheduled', body: 2, messageId: 'm-2', scheduledFor: '2100-01-01T00:00:00.000Z' },
      ],
      deadLetters: [{ messageId: 'm-1', body: { n: 1 }, applicationProperties: { a: 1, DeadLetterReason: 'bad' } }],
    });
    expect(await call<QueueState>('PUT', '/queues/work/paused', { paused: true })).toMatchObject({ paused: true });
    expect(await call<QueueState>('DELETE', '/queues/work/messages')).toMatchObject({
      scheduled: 0,
      locked: 0,
      deadLetter: 0,
    });
    expect(await call<QueueState>('PUT', '/queues/work/paused', { paused: false })).toMatchObject({ paused: false });
  });

  test('says what is wrong with a call', async () => {
    await expect(call('GET', '/queues/nowhere/messages')).rejects.toThrow('no such queue: nowhere');
    await expect(call('PUT', '/queues/work/paused', { paused: 1 })).rejects.toThrow('the body must be');
    await expect(call('PUT', '/queues/work/elsewhere', {})).rejects.toThrow('no such call');
  });
});

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${fixture.broker.controlUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return JSON.parse(text) as T;
}
