// What anybody with the right to send may put into the work queue, sent with the real SDK: it is written down once, by its hash,
// and is over. And what the queue itself gives up on: its switch says so and waits, and `retry` sets it going again.
import { ServiceBusClient, type ServiceBusMessage } from '@azure/service-bus';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WORK_QUEUE } from '../../local/environment/app-environment.ts';
import { SERVICE_BUS_HOST } from '../../local/identities.ts';
import type { QueueState } from '../../local/service-bus/control-routes.ts';
import { dataKeysPartition, SYSTEM_PARTITION } from '../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../../shared/domain/shard.ts';
import { azure, Company } from './company.ts';
import { LOG_LIMIT, startRun } from './harness.ts';
import { until, type Run } from './run.ts';
import { StoredRows } from './stored-rows.ts';

const MAX_DELIVERIES = 3;

let run: Run;
let rows: StoredRows;
let bus: ServiceBusClient;

beforeAll(async () => {
  run = await startRun({ maxDeliveryCount: MAX_DELIVERIES });
  rows = new StoredRows(run.credential);
  bus = new ServiceBusClient(SERVICE_BUS_HOST, run.credential);
});
afterAll(async () => {
  await bus.close();
  await run.close();
});

const poison = async (): Promise<string[]> =>
  (await rows.list('companies', SYSTEM_PARTITION, 'poison|')).map((row) => String(row['reason'])).sort();

const queueIsEmpty = (): Promise<boolean> =>
  until('the queue to be empty', async () => {
    const queues = (await run.environment.serviceBus.call('GET', '/queues')) as QueueState[];
    return queues.every(({ active, locked, deadLetter, scheduled }) => active + locked + deadLetter + scheduled === 0);
  });

const WORK = { format: 1, kind: 'advance', attempt: 0, companyId: 'nobody', keyringId: 'default', switchId: 's1' };

test('malformed, foreign, huge and binary messages are recorded once each, completed, and end nothing', async () => {
  const [host] = run.environment.hosts;
  let nested: unknown = 'deep';
  for (let depth = 0; depth < 1_000; depth += 1) nested = [nested];
  const strange: ServiceBusMessage[] = [
    { body: 'not json {' },
    { body: '' },
    { body: null },
    { body: 42 },
    { body: true },
    { body: [] },
    { body: Buffer.from([0, 255, 254, 1, 2, 3, 0, 128]) },
    { body: Buffer.alloc(200 * 1024, 0xc3) },
    { body: 'x'.repeat(200 * 1024) },
    { body: nested },
    { body: { ...WORK, format: 2 } },
    { body: { ...WORK, kind: 'delete-everything' } },
    { body: { ...WORK, also: 'this' } },
    { body: { ...WORK, attempt: -1 } },
    { body: { ...WORK, companyId: '../other' } },
    { body: { ...WORK, kind: 'reprotect', generation: 1, firstShard: 3, lastShard: 1 } },
    { body: { ...WORK, kind: 'reprotect', generation: 1, firstShard: 0, lastShard: 1e9 } },
    { body: JSON.parse('{"__proto__":{"format":1},"format":1}') as unknown },
    { body: WORK, messageId: '12345', subject: 'forged', applicationProperties: { deadLetterReason: 'none' } },
  ];
  const sender = bus.createSender(WORK_QUEUE);
  for (const message of strange) await sender.sendMessages(message);
  await until('all of it to be written down', async () => (await poison()).length >= strange.length - 1);
  await queueIsEmpty();
  const found = await poison();
  // As the host hands them over, an empty body and none are the same.
  expect(found.length).toBeGreaterThanOrEqual(strange.length - 1);
  expect(found).toEqual(expect.arrayContaining(['no such switch', 'unknown format', 'unknown kind', 'unknown field']));
  for (const message of strange) await sender.sendMessages(message);
  await queueIsEmpty();
  expect(await poison()).toEqual(found);
  await sender.close();

  expect(run.environment.hosts[0]?.pid).toBe(host?.pid);
  expect((await run.call('GET', '/health/live')).status).toBe(200);
  await expect.poll(() => run.lines.some((line) => line.includes('security.poison-message')), LOG_LIMIT).toBe(true);
  expect(run.lines.filter((line) => line.includes('x'.repeat(1_000)))).toEqual([]);
});

test('a message about another company, shard or generation moves nothing', async () => {
  const company = await Company.create(run, 'acme', 30);
  await company.connect(run.environment.customers.contoso, { id: 'azure', keyName: 'acme-key' });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  const before = await rows.shards('acme');
  const sender = bus.createSender(WORK_QUEUE);
  const work = { ...WORK, companyId: 'acme' };
  const reprotect = { ...work, kind: 'reprotect', firstShard: 0, lastShard: 3 };
  await sender.sendMessages([
    { body: work },
    { body: { ...reprotect, generation: 1 } },
    { body: { ...reprotect, generation: 99 } },
    { body: { ...reprotect, generation: 0, lastShard: 1_000 } },
  ]);
  await queueIsEmpty();
  await sender.close();
  const etags = (shards: typeof before): unknown[] => shards.map(({ etag }) => etag);
  expect(etags(await rows.shards('acme'))).toEqual(etags(before));
  expect((await company.view('s1')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});

test('a message that fails again and again blocks its switch with the reason, and retry resumes it', async () => {
  const company = await Company.create(run, 'stuck', 60);
  await company.connect(run.environment.customers.contoso, { id: 'azure', keyName: 'stuck-key' });
  const place = {
    partitionKey: dataKeysPartition({ companyId: 'stuck', keyringId: 'default', shard: 2 }),
    rowKey: SHARD_ROW_KEY,
  };
  // A row that no code of the product can have written: whoever meets it fails as a bug does.
  await rows.overwrite('datakeys', place, { direction: 'sideways' });
  expect((await company.order('s1', azure('azure'))).status).not.toBe(409);
  const blocked = await until('the switch to be blocked', async () => {
    const row = await rows.read('companies', 'stuck', 'switch|default|s1');
    return row['blocked'] !== '' && (JSON.parse(String(row['blocked'])) as { reason: string; detail: string });
  });
  expect(blocked).toMatchObject({ reason: 'dead-letter', detail: 'MaxDeliveryCountExceeded' });
  await queueIsEmpty();
  const pids = run.environment.hosts.map(({ pid }) => pid);
  expect(pids).toHaveLength(1);

  await rows.overwrite('datakeys', place, { direction: 'forward' });
  expect((await company.view('s1')).blocked).toMatchObject({ reason: 'dead-letter' });
  await company.must('POST', `${company.switchPath('s1')}/retry`);
  expect(await company.ends('s1')).toMatchObject({ state: 'completed', counts: { total: 60, done: 60 } });
  expect(await company.different()).toEqual([]);
  expect(await rows.miscounts('stuck')).toEqual([]);
});
