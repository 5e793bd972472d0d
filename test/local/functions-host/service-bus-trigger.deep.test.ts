import { ServiceBusClient } from '@azure/service-bus';
import { ManagedIdentityCredential } from '@azure/identity';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startEntra, type EntraEmulator } from '../../../local/entra/entra.ts';
import type { FunctionsHost } from '../../../local/functions-host/host-process.ts';
import {
  issuerV1,
  MANAGED_IDENTITY_CLIENT_ID,
  SERVICE_BUS_AUDIENCE,
  SERVICE_BUS_HOST,
  VENDOR_TENANT_ID,
} from '../../../local/identities.ts';
import {
  startManagedIdentity,
  type ManagedIdentityEmulator,
} from '../../../local/managed-identity/managed-identity.ts';
import { installRedirect } from '../../../local/redirect/install-redirect.ts';
import type { RedirectTable } from '../../../local/redirect/redirect-table.ts';
import { startServiceBus, type ServiceBusEmulator } from '../../../local/service-bus/server.ts';
import { createCertificateAuthority } from '../../../local/tls/certificates.ts';
import { createFixture, until, type Fixture } from './fixture.ts';

const LOCK_MS = 2_000;
const authority = await createCertificateAuthority();
let entra: EntraEmulator;
let identity: ManagedIdentityEmulator;
let bus: ServiceBusEmulator;
let client: ServiceBusClient;
let redirect: RedirectTable;
let fixture: Fixture;
let queue = '';
let number = 0;

beforeAll(async () => {
  entra = await startEntra({ tls: await authority.issue(['login.microsoftonline.com']) });
  identity = await startManagedIdentity({ signer: entra.signer });
  bus = await startServiceBus({
    tls: await authority.issue([SERVICE_BUS_HOST]),
    queues: Array.from({ length: 6 }, (_, index) => ({
      name: `queue${index}`,
      lockDurationMs: LOCK_MS,
      maxDeliveryCount: 3,
      duplicateDetectionWindowMs: 60_000,
    })),
    issuerKeys: {
      jwks: { keys: entra.signer.jwks.keys.map((key) => ({ ...key })) },
      issuers: [issuerV1(VENDOR_TENANT_ID)],
      audience: SERVICE_BUS_AUDIENCE,
    },
  });
  redirect = { caPem: authority.caPem, hosts: [{ name: SERVICE_BUS_HOST, ports: { 5671: bus.port } }] };
  installRedirect(redirect);
  Object.assign(process.env, identity.environment);
  client = new ServiceBusClient(
    SERVICE_BUS_HOST,
    new ManagedIdentityCredential({ clientId: MANAGED_IDENTITY_CLIENT_ID }),
  );
});

afterAll(async () => {
  await client.close();
  await bus.close();
  await identity.close();
  await entra.close();
});

beforeEach(async () => {
  queue = `queue${number}`;
  number += 1;
  fixture = await createFixture();
});

afterEach(() => fixture.close());

function startHost(): Promise<FunctionsHost> {
  const env = {
    ...identity.environment,
    FIXTURE_QUEUE: queue,
    FIXTURE_BUS__fullyQualifiedNamespace: SERVICE_BUS_HOST,
    FIXTURE_BUS__credential: 'managedidentity',
    FIXTURE_BUS__clientId: MANAGED_IDENTITY_CLIENT_ID,
  };
  return fixture.start({ redirect, env });
}

async function send(...messages: { body: unknown; messageId?: string }[]): Promise<void> {
  const sender = client.createSender(queue);
  await sender.sendMessages(messages);
  await sender.close();
}

const entries = (kind: string) => fixture.journal().filter((entry) => entry.kind === kind);
const isEmpty = () => bus.queues().every((state) => state.name !== queue || bus.messages(queue).messages.length === 0);

test('a message reaches its function with camel-cased, parsed metadata and is completed', async () => {
  await startHost();
  await send({ body: { task: 'one' }, messageId: '123' });
  const done = await until(() => entries('message-done')[0]);
  expect(done['message']).toEqual({ task: 'one' });
  expect(done['metadata']).toMatchObject({
    messageId: 123,
    deliveryCount: 1,
    sequenceNumber: 1,
    applicationProperties: {},
  });
  await until(isEmpty);
  expect(entries('message')).toHaveLength(1);
});

test('a message whose function throws is delivered again at once and ends as a dead letter', async () => {
  await startHost();
  await send({ body: { fail: true }, messageId: 'bad' });
  const dead = await until(() => entries('dead-letter')[0]);
  const metadata = { applicationProperties: { deadLetterReason: 'MaxDeliveryCountExceeded' } };
  expect(dead).toMatchObject({ message: { fail: true }, metadata });
  expect(dead['metadata']).not.toHaveProperty('deadLetterReason');
  expect(entries('message').map((entry) => entry['deliveryCount'])).toEqual([1, 2, 3]);
  await until(() => bus.messages(queue).deadLetters.length === 0);
});

test('a lock is renewed for as long as the function works', async () => {
  await startHost();
  await send({ body: { gate: fixture.gate }, messageId: 'long' });
  const renewals = () =>
    bus.control.requests().filter(({ operation, target }) => operation === 'renew-lock' && target === queue);
  await until(() => renewals().length >= 2);
  expect(renewals().map(({ status }) => status)).not.toContain(410);
  fixture.openGate();
  await until(() => entries('message-done')[0]);
  await until(isEmpty);
});

test('what a killed host had in hand is delivered to another one when its lock runs out', async () => {
  const first = await startHost();
  await send({ body: { gate: fixture.gate }, messageId: 'orphan' });
  await until(() => entries('message')[0]);
  await first.kill('SIGKILL');
  const second = await startHost();
  fixture.openGate();
  await until(() => entries('message-done')[0]);
  expect(entries('message').map(({ pid, deliveryCount }) => [pid, deliveryCount])).toEqual([
    [first.pid, 1],
    [second.pid, 2],
  ]);
  await until(isEmpty);
});

test('messages are shared between hosts, no more at once than host.json allows', async () => {
  const hosts = await Promise.all([startHost(), startHost()]);
  const { gate } = fixture;
  await send(...Array.from({ length: 24 }, (_, index) => ({ body: { gate, index }, messageId: `m-${index}` })));
  await until(() => entries('message').length === 8);
  fixture.openGate();
  await until(() => entries('message-done').length === 24);
  for (const { pid } of hosts) {
    let running = 0;
    let most = 0;
    for (const { kind, pid: owner } of fixture.journal()) {
      if (owner !== pid) continue;
      if (kind === 'message') running += 1;
      if (kind === 'message-done') running -= 1;
      most = Math.max(most, running);
    }
    expect(most).toBe(4);
  }
});

test('SIGTERM lets a message under way finish and be completed', async () => {
  const host = await startHost();
  await send({ body: { gate: fixture.gate }, messageId: 'draining' });
  await until(() => entries('message')[0]);
  const exit = host.kill();
  fixture.openGate();
  expect(await exit).toEqual({ code: 0, signal: null });
  expect(entries('message-done')).toHaveLength(1);
  expect(isEmpty()).toBe(true);
});
