import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startEntra, type EntraEmulator } from '../../local/entra/entra.ts';
import {
  CONNECTOR_APP_ID,
  ENTRA_HOSTS,
  issuerV1,
  MANAGED_IDENTITY_CLIENT_ID,
  SERVICE_BUS_AUDIENCE,
  SERVICE_BUS_HOST,
  VENDOR_TENANT_ID,
} from '../../local/identities.ts';
import { startManagedIdentity, type ManagedIdentityEmulator } from '../../local/managed-identity/managed-identity.ts';
import { installRedirect } from '../../local/redirect/install-redirect.ts';
import type { PeekedMessage } from '../../local/service-bus/control-routes.ts';
import { startServiceBus, type ServiceBusEmulator } from '../../local/service-bus/server.ts';
import { createCertificateAuthority } from '../../local/tls/certificates.ts';
import { Credentials } from '../../shared/identity/entra/credentials/credentials.ts';
import { systemClock, systemEntropy } from '../../shared/adapters/system.ts';
import { ServiceBusQueue } from '../../shared/adapters/service-bus-queue.ts';
import { ServiceBusWatch } from '../../shared/adapters/service-bus-watch.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { parseWorkMessage, type WorkMessage } from '../../shared/domain/work-message.ts';
import { noSecrets } from '../fakes/no-secrets.ts';

const QUEUE = 'keyswitch-work';
let entra: EntraEmulator;
let identity: ManagedIdentityEmulator;
let broker: ServiceBusEmulator;
let queue: ServiceBusQueue<WorkMessage>;

beforeAll(async () => {
  const authority = await createCertificateAuthority();
  entra = await startEntra({ tls: await authority.issue(ENTRA_HOSTS) });
  identity = await startManagedIdentity({ signer: entra.signer });
  broker = await startServiceBus({
    tls: await authority.issue([SERVICE_BUS_HOST]),
    queues: [{ name: QUEUE, lockDurationMs: 60_000, maxDeliveryCount: 10, duplicateDetectionWindowMs: 600_000 }],
    issuerKeys: {
      jwks: { keys: [...entra.signer.jwks.keys] },
      issuers: [issuerV1(VENDOR_TENANT_ID)],
      audience: SERVICE_BUS_AUDIENCE,
    },
  });
  Object.assign(process.env, identity.environment);
  installRedirect({ caPem: authority.caPem, hosts: [{ name: SERVICE_BUS_HOST, ports: { '5671': broker.port } }] });
});

beforeEach(() => {
  queue = queueOf(MANAGED_IDENTITY_CLIENT_ID);
  broker.purge(QUEUE);
  broker.control.clearFaults();
  broker.control.clearRequests();
});
afterEach(() => queue.close());
afterAll(() => Promise.all([broker.close(), identity.close(), entra.close()]));

function queueOf(identityClientId: string): ServiceBusQueue<WorkMessage> {
  return new ServiceBusQueue({
    fullyQualifiedNamespace: SERVICE_BUS_HOST,
    queueName: QUEUE,
    credential: credentialOf(identityClientId),
    clock: systemClock,
    entropy: systemEntropy,
    // What a send may take is shown in service-bus-queue-silence.test.ts; here a slow machine may take its time.
    limitMs: 60_000,
  });
}

const watchOf = (queueName = QUEUE): ServiceBusWatch =>
  new ServiceBusWatch({
    fullyQualifiedNamespace: SERVICE_BUS_HOST,
    queueName,
    credential: credentialOf(MANAGED_IDENTITY_CLIENT_ID),
    limitMs: 60_000,
  });

function credentialOf(identityClientId: string): ReturnType<Credentials['forServiceBus']> {
  const credentials = new Credentials({
    tenantTokenMaxAgeMs: 300_000,
    openSecret: noSecrets,
    identityClientId,
    connectorClientId: CONNECTOR_APP_ID,
    vendorTenantId: VENDOR_TENANT_ID,
    authorityHost: 'https://login.microsoftonline.com',
    timeoutMs: 5_000,
    clock: systemClock,
  });
  return credentials.forServiceBus();
}

const queued = (): readonly PeekedMessage[] => broker.messages(QUEUE).messages;

const message = (switchId = 's'): WorkMessage => ({
  format: 1,
  kind: 'advance',
  attempt: 0,
  companyId: 'acme',
  keyringId: 'default',
  switchId,
});

test('messages arrive as they were sent, in their order, with the app’s own identity', async () => {
  const messages = ['a', 'b', 'c'].map((id) => message(id));
  await queue.send(messages);
  expect(queued().map(({ body }) => parseWorkMessage(body))).toEqual(messages.map((value) => ({ ok: true, value })));
});

test('the same message sent twice is two messages, whose ids are no numbers', async () => {
  await queue.send([message(), message()]);
  await queue.send([message()]);
  const ids = queued().map(({ messageId }) => messageId);
  expect(new Set(ids).size).toBe(3);
  for (const id of ids) expect(() => JSON.parse(id) as unknown).toThrow();
});

test('a delay schedules', async () => {
  await queue.send([message('later')], { delayMs: 3_600_000 });
  await queue.send([message('now')], { delayMs: 0 });
  const switches = queued().map(({ state, body }) => [state, (body as { switchId: string }).switchId]);
  expect(switches.sort()).toEqual([
    ['active', 'now'],
    ['scheduled', 'later'],
  ]);
});

test('as many messages as a big keyring needs go out, more than fit one batch', async () => {
  const many = Array.from({ length: 5_000 }, (_, index) => message(`s${index}`.padEnd(60, 'x')));
  await queue.send(many);
  expect(broker.queues()[0]).toMatchObject({ active: 5_000 });
  await queue.send(many.slice(0, 250), { delayMs: 3_600_000 });
  expect(broker.queues()[0]).toMatchObject({ active: 5_000, scheduled: 250 });
});

test('no message connects to nothing', async () => {
  await queueOf('11111111-1111-4111-8111-111111111111').send([]);
  expect(broker.control.requests()).toEqual([]);
});

test('a queue that cannot be reached is StoreUnavailable, and is used again once it can', async () => {
  broker.control.plant({ operation: 'send', times: 3, effect: { status: 503 } });
  await expect(queue.send([message()])).rejects.toThrow(StoreUnavailable);
  broker.control.clearFaults();
  await queue.send([message()]);
  expect(queued()).toHaveLength(1);
});

test.each([
  [401, 'UnauthorizedAccess'],
  [404, 'ServiceCommunicationProblem (amqp:not-found)'],
  [503, 'ServiceBusy'],
])('a refusal with %i is told with its condition: %s', async (status, condition) => {
  broker.control.plant({ operation: 'send', times: 3, effect: { status } });
  await expect(queue.send([message()])).rejects.toThrow(new StoreUnavailable(`Service Bus: ${condition}`));
});

test('without an identity that is StoreUnavailable too', async () => {
  const nobody = queueOf('11111111-1111-4111-8111-111111111111');
  await expect(nobody.send([message()])).rejects.toThrow(
    new StoreUnavailable('Service Bus: managed-identity-unavailable'),
  );
  await nobody.close();
});

test('a look counts what is ready, what waits for its time and what was given up, and takes nothing', async () => {
  const watch = watchOf();
  expect(await watch.look()).toEqual({ ready: 0, scheduled: 0, deadLetters: 0, isWhole: true });
  await queue.send([message('a'), message('b'), message('c')]);
  await queue.send([message('later')], { delayMs: 3_600_000 });
  const client = new ServiceBusClient(SERVICE_BUS_HOST, credentialOf(MANAGED_IDENTITY_CLIENT_ID));
  const receiver = client.createReceiver(QUEUE);
  const [first, second] = await receiver.receiveMessages(2);
  await receiver.deadLetterMessage(first!);
  const oldestAt = second!.enqueuedTimeUtc!.toISOString();
  for (let times = 0; times < 2; times += 1)
    expect(await watch.look()).toEqual({ ready: 2, scheduled: 1, oldestAt, deadLetters: 1, isWhole: true });
  await client.close();
  expect(broker.queues()[0]).toMatchObject({ scheduled: 1, deadLetter: 1 });
});

test('a look at a queue that is very full ends, and says that there is more', async () => {
  await queue.send(Array.from({ length: 700 }, (_, index) => message(`s${index}`)));
  expect(await watchOf().look()).toMatchObject({ ready: 500, isWhole: false });
});

test('a look of an identity that may only send is refused by name', async () => {
  broker.control.plant({ operation: 'peek', times: 10, effect: { status: 401 } });
  await expect(watchOf().look()).rejects.toThrow(new StoreUnavailable('Service Bus: UnauthorizedAccess'));
});

test('a look at a queue that is not there is refused by name', async () => {
  await expect(watchOf('no-such-queue').look()).rejects.toThrow(/^Service Bus: /);
});
