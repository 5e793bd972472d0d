// Who is let in and what is refused, through the real SDK and, where the SDK would not do such a thing, a bare link.
import { ServiceBusClient } from '@azure/service-bus';
import { generateKeyPair } from 'jose';
import type { AmqpError, Connection, Delivery, EventContext, Receiver, Sender } from 'rhea';
import tls from 'node:tls';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually, HOST, QUEUE, startBroker, type BrokerFixture, type TokenClaims } from './broker-fixture.ts';

let fixture: BrokerFixture;

beforeAll(async () => {
  fixture = await startBroker([QUEUE, { ...QUEUE, name: 'other' }]);
});
afterEach(() => fixture.reset());
afterAll(() => fixture.close());

describe('tokens', () => {
  const refused: [string, () => TokenClaims | Promise<TokenClaims>, string][] = [
    ['for another service', () => ({ audience: 'https://vault.azure.net' }), 'InvalidAudience'],
    ['of another issuer', () => ({ issuer: 'https://sts.windows.net/somebody-else/' }), 'InvalidIssuer'],
    ['that expired', () => ({ lifetimeSeconds: -1 }), 'ExpiredToken'],
    [
      'signed by another key',
      async () => ({ signWith: (await generateKeyPair('RS256')).privateKey }),
      'InvalidSignature',
    ],
  ];
  test.each(refused)('a token %s is refused', async (_case, claims, reason) => {
    const client = fixture.client({ token: await claims() });
    const sending = client.createSender('work').sendMessages({ body: 1 });
    await expect(sending).rejects.toMatchObject({ code: 'UnauthorizedAccess' });
    await expect(sending).rejects.toThrow(reason);
    await expect(client.createReceiver('work').peekMessages(1)).rejects.toMatchObject({ code: 'UnauthorizedAccess' });
    expect(fixture.broker.control.requests().map(({ operation, status }) => [operation, status])).toEqual([
      ['put-token', 401],
      ['put-token', 401],
    ]);
  });

  test('the audience may end in a slash, as Entra writes it for the scope that the SDK asks for', async () => {
    const client = fixture.client({ token: { audience: 'https://servicebus.azure.net/' } });
    await client.createSender('work').sendMessages({ body: 1 });
    expect(fixture.broker.messages('work').messages).toHaveLength(1);
  });

  test('a shared access signature is refused, whatever its key', async () => {
    const connectionString = `Endpoint=sb://${HOST}/;SharedAccessKeyName=Root;SharedAccessKey=c2VjcmV0`;
    const client = new ServiceBusClient(connectionString, { retryOptions: { maxRetries: 0 } });
    await expect(client.createSender('work').sendMessages({ body: 1 })).rejects.toThrow('LocalAuthDisabled');
    await client.close();
  });

  test('a token that expires while a link is open ends what it allowed', async () => {
    const client = fixture.client({ token: { lifetimeSeconds: 2 } });
    const sender = client.createSender('work');
    await sender.sendMessages({ body: 1 });
    const failure = await eventually(
      () =>
        sender.sendMessages({ body: 2 }).then(
          () => undefined,
          (error: unknown) => error,
        ),
      (error) => error !== undefined,
    );
    expect(failure).toMatchObject({ code: 'UnauthorizedAccess' });
  });

  test('no token appears in the request log', async () => {
    const token = await fixture.mint();
    await putToken(fixture.connect(), { token, name: `sb://${HOST}/work` });
    const log = JSON.stringify(fixture.broker.control.requests());
    expect(log).toContain('put-token');
    expect(log).not.toContain(token);
    expect(log).not.toContain(token.split('.')[2]);
  });
});

describe('links', () => {
  test('a link without a token is refused, to send and to receive', async () => {
    const connection = fixture.connect();
    expect(await refusalOf(connection.open_sender('work'))).toMatchObject({ condition: 'amqp:unauthorized-access' });
    expect(await refusalOf(connection.open_receiver('work'))).toMatchObject({ condition: 'amqp:unauthorized-access' });
    const management = connection.open_sender('work/$management');
    expect(await refusalOf(management)).toMatchObject({ condition: 'amqp:unauthorized-access' });
  });

  test('without a token nobody learns which queues exist', async () => {
    const refusal = await refusalOf(fixture.connect().open_sender('nowhere'));
    expect(refusal).toMatchObject({ condition: 'amqp:unauthorized-access' });
  });

  test('a token for one queue opens that queue, its management and its dead letters, and no other', async () => {
    const connection = fixture.connect();
    expect(await putToken(connection, { token: await fixture.mint(), name: `sb://${HOST}/work` })).toBe(202);
    for (const address of ['work', 'WORK/$DeadLetterQueue', 'work/$management']) {
      const link = connection.open_receiver(address);
      await once(link, 'receiver_open');
      expect(link.source.address, address).toBe(address);
    }
    expect(await refusalOf(connection.open_sender('other'))).toMatchObject({ condition: 'amqp:unauthorized-access' });
    const unknown = await refusalOf(connection.open_sender('nowhere'));
    expect(unknown).toMatchObject({ condition: 'amqp:not-found' });
    expect(unknown?.description).toContain("The messaging entity 'sb://keyswitch-test.servicebus.windows.net/nowhere'");
  });

  test('a token put for another namespace is refused', async () => {
    const name = 'sb://somebody-else.servicebus.windows.net/work';
    expect(await putToken(fixture.connect(), { token: await fixture.mint(), name })).toBe(401);
  });

  test('a receiver of sessions is refused, since no queue has them', async () => {
    await expect(fixture.client().acceptSession('work', 'one')).rejects.toThrow('does not require sessions');
  });

  test('an address may be a whole URI, as the SDK for Python writes it', async () => {
    const connection = fixture.connect();
    expect(await putToken(connection, { token: await fixture.mint(), name: `amqps://${HOST}/work` })).toBe(202);
    const link = connection.open_sender(`amqps://${HOST}/work`);
    await once(link, 'sendable');
    link.send({ body: 1 });
    await once(link, 'accepted');
    expect(fixture.broker.messages('work').messages).toHaveLength(1);
  });

  test.each([
    ['names no link to answer on', null],
    ['names the address of its link', 'answers-here'],
    ['names its link', 'answers'],
  ])('a token is taken from a client that %s', async (_way, replyTo) => {
    const request = { token: await fixture.mint(), name: `sb://${HOST}/work` };
    expect(await putToken(fixture.connect(), request, replyTo)).toBe(202);
  });

  test('the SDK is told that a queue does not exist', async () => {
    const client = fixture.client();
    const notFound = { code: 'MessagingEntityNotFound' };
    await expect(client.createSender('nowhere').sendMessages({ body: 1 })).rejects.toMatchObject(notFound);
    await expect(client.createReceiver('nowhere').receiveMessages(1)).rejects.toMatchObject(notFound);
    await expect(client.createReceiver('nowhere').peekMessages(1)).rejects.toMatchObject(notFound);
  });
});

describe('messages', () => {
  test.each([
    ['modified', (delivery: Delivery) => delivery.modified({ delivery_failed: true }), 'modified'],
    ['released', (delivery: Delivery) => delivery.release(), 'released'],
    ['rejected', (delivery: Delivery) => delivery.reject({ condition: 'com.microsoft:dead-letter' }), 'rejected'],
    ['accepted', (delivery: Delivery) => delivery.accept(), 'accepted'],
  ])('one that is %s is confirmed as that', async (_name, settle, outcome) => {
    await fixture.client().createSender('work').sendMessages({ body: 1 });
    const connection = fixture.connect();
    await putToken(connection, { token: await fixture.mint(), name: `sb://${HOST}/work` });
    const link = connection.open_receiver({ source: 'work', autoaccept: false, rcv_settle_mode: 1 });
    const [{ delivery }] = (await once(link, 'message')) as [EventContext];
    settle(delivery!);
    await once(link, 'settled');
    const confirmed = delivery!.remote_state!.constructor as unknown as { composite_type: string };
    expect(confirmed.composite_type).toBe(outcome);
  });

  test('one over 256 KiB is refused: sent, in a batch, or scheduled', async () => {
    const sender = fixture.client().createSender('work');
    const tooLarge = { body: Buffer.alloc(256 * 1024) };
    const refused = { code: 'MessageSizeExceeded' };
    await expect(sender.sendMessages(tooLarge)).rejects.toMatchObject(refused);
    await expect(sender.scheduleMessages(tooLarge, new Date(Date.now() + 60_000))).rejects.toMatchObject(refused);
    const batch = await sender.createMessageBatch();
    expect(batch.tryAddMessage(tooLarge)).toBe(false);
    expect(fixture.broker.messages('work').messages).toEqual([]);
    await sender.sendMessages({ body: Buffer.alloc(255 * 1024) });
    expect(fixture.broker.messages('work').messages).toHaveLength(1);
  });

  test('bytes that are no batch are refused and the link lives on', async () => {
    const connection = fixture.connect();
    await putToken(connection, { token: await fixture.mint(), name: `sb://${HOST}/work` });
    const link = connection.open_sender('work');
    await once(link, 'sendable');
    link.send(Buffer.from('00531a', 'hex'), undefined, 0x80013700);
    const [{ delivery }] = (await once(link, 'rejected')) as [EventContext];
    expect(delivery?.remote_state?.['error']).toMatchObject({ condition: 'amqp:decode-error' });
    link.send({ body: 'good' });
    await once(link, 'accepted');
  });

  test('bytes that are no AMQP end that connection and nothing else', async () => {
    for (const garbage of ['GET / HTTP/1.1\r\n\r\n', 'AMQP\0\x01\0\0\0\0\0\x09\x02\0\0\0\xff\xff\xff']) {
      const socket = tls.connect(5671, HOST);
      await once(socket, 'secureConnect');
      socket.resume().write(garbage, 'latin1');
      await once(socket, 'end');
      socket.destroy();
    }
    await fixture.client().createSender('work').sendMessages({ body: 1 });
    expect(fixture.broker.messages('work').messages).toHaveLength(1);
  });
});

async function refusalOf(link: Sender | Receiver): Promise<AmqpError | undefined> {
  await once(link, link.is_sender() ? 'sender_close' : 'receiver_close');
  return link.error as AmqpError | undefined;
}

/** The status that $cbs answers. */
async function putToken(
  connection: Connection,
  request: { token: string; name: string },
  replyTo: string | null = 'answers',
): Promise<unknown> {
  const answers = connection.open_receiver({ source: '$cbs', name: 'answers', target: 'answers-here' });
  const requests = connection.open_sender('$cbs');
  await once(requests, 'sendable');
  requests.send({
    message_id: 'put-1',
    ...(replyTo === null ? {} : { reply_to: replyTo }),
    body: request.token,
    application_properties: { operation: 'put-token', type: 'jwt', name: request.name },
  });
  const [{ message }] = (await once(answers, 'message')) as [EventContext];
  return (message?.application_properties as Record<string, unknown>)['status-code'];
}
