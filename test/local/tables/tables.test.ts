import { RestError, TableClient, TableServiceClient, type TableTransactionResponse } from '@azure/data-tables';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TABLE_HOST } from '../../../local/identities.ts';
import type { FaultEffect } from '../../../local/control/control.ts';
import { installRedirect } from '../../../local/redirect/install-redirect.ts';
import { startTables, type TablesEmulator } from '../../../local/tables/start-tables.ts';
import { createCertificateAuthority } from '../../../local/tls/certificates.ts';
import { storageCredential } from './bearer-token.ts';

const ENDPOINT = `https://${TABLE_HOST}`;
const NO_RETRIES = { retryOptions: { maxRetries: 0 } };
let tables: TablesEmulator;
let client: TableClient;
let number = 0;
const PARTITION = 'a|default|03';

beforeAll(async () => {
  const authority = await createCertificateAuthority();
  tables = await startTables({ tls: await authority.issue([TABLE_HOST]) });
  installRedirect({ caPem: authority.caPem, hosts: [{ name: TABLE_HOST, ports: { 443: tables.port } }] });
});

beforeEach(async () => {
  tables.control.clearFaults();
  number += 1;
  client = new TableClient(ENDPOINT, `rows${number}`, storageCredential(), NO_RETRIES);
  await client.createTable();
  tables.control.clearRequests();
});

afterAll(() => tables.close());

async function statusOf(call: Promise<unknown>): Promise<number | undefined> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof RestError ? error.statusCode : undefined;
}

const row = (rowKey: string, value = 'a') => ({ partitionKey: PARTITION, rowKey, value });

test('an entity is written only under the ETag it was read with, and every ETag is new', async () => {
  const { etag } = await client.createEntity(row('1'));
  const second = await client.updateEntity(row('1', 'b'), 'Replace', { etag: String(etag) });
  expect(second.etag).not.toBe(etag);
  expect(await statusOf(client.updateEntity(row('1', 'c'), 'Replace', { etag: String(etag) }))).toBe(412);
  expect(await statusOf(client.updateEntity(row('1', 'c'), 'Merge', { etag: String(etag) }))).toBe(412);
  expect(await statusOf(client.deleteEntity(PARTITION, '1', { etag: String(etag) }))).toBe(412);
  expect((await client.getEntity(PARTITION, '1'))['value']).toBe('b');
});

test('of many writers with the same ETag exactly one wins', async () => {
  const { etag } = await client.createEntity(row('1'));
  const writers = Array.from({ length: 20 }, (_, index) =>
    statusOf(client.updateEntity(row('1', String(index)), 'Merge', { etag: String(etag) })),
  );
  const outcomes = await Promise.all(writers);
  expect(outcomes.filter((status) => status === undefined)).toHaveLength(1);
  expect(outcomes.filter((status) => status === 412)).toHaveLength(19);
});

test('what is missing is 404 and what exists is 409', async () => {
  await client.createEntity(row('1'));
  expect(await statusOf(client.createEntity(row('1')))).toBe(409);
  expect(await statusOf(client.getEntity(PARTITION, 'none'))).toBe(404);
  expect(await statusOf(client.updateEntity(row('none'), 'Merge', { etag: '*' }))).toBe(404);
});

test('a transaction writes everything or, when one condition fails, nothing', async () => {
  const guard = await client.createEntity(row('guard'));
  const changes = (etag: string | undefined): Promise<TableTransactionResponse> =>
    client.submitTransaction([
      ['update', row('guard', 'b'), 'Merge', { etag: String(etag) }],
      ['create', row('new')],
    ]);
  const done = await changes(guard.etag);
  expect(done.subResponses[0]?.etag).toMatch(/^W\/"datetime'/);
  await client.deleteEntity(PARTITION, 'new');
  expect(await statusOf(changes(guard.etag))).toBe(412);
  expect(await statusOf(client.getEntity(PARTITION, 'new'))).toBe(404);
  expect(tables.control.requests().map(({ operation, target, status }) => `${operation} ${target} ${status}`)).toEqual([
    `insert ${client.tableName} 204`,
    `batch ${client.tableName} 202`,
    `delete ${client.tableName} 204`,
    `batch ${client.tableName} 412`,
    `get ${client.tableName} 404`,
  ]);
});

test('a transaction that fails late takes back updates, deletions and insertions alike', async () => {
  const first = await client.createEntity(row('1'));
  await client.createEntity(row('2'));
  const failing = client.submitTransaction([
    ['create', row('3')],
    ['update', row('1', 'changed'), 'Replace', { etag: String(first.etag) }],
    ['delete', row('2')],
    ['create', row('1')],
  ]);
  expect(await statusOf(failing)).toBe(400);
  const again = await client.getEntity(PARTITION, '1');
  expect([again['value'], again.etag]).toEqual(['a', first.etag]);
  expect((await client.getEntity(PARTITION, '2'))['value']).toBe('a');
  expect(await statusOf(client.getEntity(PARTITION, '3'))).toBe(404);
});

test('concurrent transactions on one guard row never mix', async () => {
  await client.createEntity({ ...row('guard'), count: 0 });
  const add = async (name: string): Promise<void> => {
    for (;;) {
      const guard = await client.getEntity<{ count: number }>(PARTITION, 'guard');
      const status = await statusOf(
        client.submitTransaction([
          ['update', { ...row('guard'), count: guard.count + 1 }, 'Merge', { etag: guard.etag }],
          ['create', row(`${name}-a`)],
          ['create', row(`${name}-b`)],
        ]),
      );
      if (status === undefined) return;
      expect(status).toBe(412);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, index) => add(`writer-${index}`)));
  expect((await client.getEntity<{ count: number }>(PARTITION, 'guard')).count).toBe(8);
  let rows = 0;
  for await (const _ of client.listEntities()) rows += 1;
  expect(rows).toBe(17);
});

test('a query of one partition pages with continuation and finds only that partition', async () => {
  for (const partitionKey of ["o'ne", 'two']) {
    await client.submitTransaction(
      Array.from({ length: 7 }, (_, index) => ['create', { partitionKey, rowKey: `r${index}`, odd: index % 2 === 1 }]),
    );
  }
  const keys: string[] = [];
  let pages = 0;
  const query = { filter: "PartitionKey eq 'o''ne' and RowKey ge 'r1'" };
  for await (const page of client.listEntities({ queryOptions: query }).byPage({ maxPageSize: 4 })) {
    pages += 1;
    keys.push(...page.map((entity) => `${entity.partitionKey ?? ''} ${entity.rowKey ?? ''}`));
  }
  expect(pages).toBe(2);
  expect(keys).toEqual([1, 2, 3, 4, 5, 6].map((index) => `o'ne r${index}`));
  const either = "PartitionKey eq 'two' and odd eq true or RowKey eq 'r0'";
  const found: string[] = [];
  for await (const entity of client.listEntities({ queryOptions: { filter: either } })) {
    found.push(`${entity.partitionKey ?? ''} ${entity.rowKey ?? ''}`);
  }
  expect(found).toEqual(["o'ne r0", 'two r0', 'two r1', 'two r3', 'two r5']);
});

test('a lost answer leaves the change made; a dropped request leaves nothing', async () => {
  tables.control.plant({ operation: 'batch', target: client.tableName, times: 1, effect: { drop: 'after-acting' } });
  await expect(client.submitTransaction([['create', row('kept')]])).rejects.toThrow();
  tables.control.plant({ operation: 'insert', times: 1, effect: { drop: 'before-acting' } });
  await expect(client.createEntity(row('lost'))).rejects.toThrow();
  expect((await client.getEntity(PARTITION, 'kept'))['value']).toBe('a');
  expect(await statusOf(client.getEntity(PARTITION, 'lost'))).toBe(404);
  expect(tables.control.requests().map((request) => request.status)).toEqual([0, 0, 200, 404]);
});

test('a refusal answers as a service over its limits does', async () => {
  tables.control.plant({ target: client.tableName, times: 1, effect: { status: 503, delayMs: 5 } });
  const error = await client.getEntity(PARTITION, '1').catch((reason: unknown) => reason as RestError);
  expect(error).toMatchObject({ statusCode: 503, details: { odataError: { code: 'ServerBusy' } } });
  expect(await statusOf(client.getEntity(PARTITION, '1'))).toBe(404);
});

test('an answer that comes slowly, stops half way or has no end, and one that was changed on its way, are had as ordered', async () => {
  await client.createEntity(row('1'));
  const asked = (signal?: AbortSignal) =>
    client.getEntity(PARTITION, '1', signal === undefined ? {} : { abortSignal: signal });
  const plant = (effect: FaultEffect) => tables.control.plant({ operation: 'get', times: 1, effect });
  const started = performance.now();
  plant({ delayMs: 300 });
  expect((await asked())['value']).toBe('a');
  expect(performance.now() - started).toBeGreaterThanOrEqual(299);
  plant({ mergeBody: { value: 'b', RowKey: '2' } });
  expect(await asked()).toMatchObject({ value: 'b', rowKey: '2' });
  plant({ headers: { date: 'Thu, 01 Jan 2099 00:00:00 GMT' } });
  let told: string | undefined;
  const onResponse = ({ headers }: { headers: { get(name: string): string | undefined } }): void => {
    told = headers.get('date');
  };
  expect((await client.getEntity(PARTITION, '1', { onResponse }))['value']).toBe('a');
  expect(told).toBe('Thu, 01 Jan 2099 00:00:00 GMT');
  for (const stall of ['headers', 'body'] as const) {
    plant({ stall });
    await expect(asked(AbortSignal.timeout(500))).rejects.toThrow();
  }
  plant({ bodyBytes: -1 });
  await expect(asked(AbortSignal.timeout(500))).rejects.toThrow();
  expect((await asked())['value']).toBe('a');
});

test.each([
  [500, 'InternalError'],
  [503, 'ServerBusy'],
])('an order to refuse with %i answers %s, and nothing is done', async (status, code) => {
  tables.control.plant({ times: 1, effect: { status } });
  const refused = await client.createEntity(row('1')).catch((reason: unknown) => reason as RestError);
  expect(refused).toMatchObject({ statusCode: status, details: { odataError: { code } } });
  expect(await statusOf(client.getEntity(PARTITION, '1'))).toBe(404);
});

test('a request is held for as long as the fault is there, and then carried out as if nothing had been', async () => {
  tables.control.plant({ operation: 'insert', target: client.tableName, effect: { hold: true } });
  const order: string[] = [];
  const inserting = client.createEntity(row('held')).then(() => order.push('inserted'));
  const held = async (): Promise<unknown> => (await fetch(`${tables.controlUrl}/held`)).json();
  await expect.poll(held, { timeout: 20_000 }).toEqual({ held: 1 });
  expect(await statusOf(client.getEntity(PARTITION, 'held'))).toBe(404);
  order.push('let go');
  await fetch(`${tables.controlUrl}/faults`, { method: 'DELETE' });
  await inserting;
  expect(order).toEqual(['let go', 'inserted']);
  expect(await held()).toEqual({ held: 0 });
});

test('a token for another audience, an expired one and none are refused', async () => {
  for (const claims of [{ aud: 'https://vault.azure.net' }, { exp: 1 }, { iss: 'https://example.com/' }]) {
    const service = new TableServiceClient(ENDPOINT, storageCredential(claims), NO_RETRIES);
    expect(await statusOf(service.createTable('refused'))).toBe(403);
  }
  expect((await fetch(`${ENDPOINT}/Tables`)).status).toBe(403);
});

const codeOf = async (call: Promise<unknown>): Promise<unknown> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RestError)) return 'taken';
  const details = error.details as { odataError?: { code?: string } } | undefined;
  return [error.statusCode, details?.odataError?.code ?? error.code];
};
const many = (count: number, value: unknown): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, value]));

test.each([
  ['more than 252 properties', many(253, 1), [400, 'TooManyProperties']],
  ['252 properties', many(252, 1), 'taken'],
  ['texts of more than 1 MiB', many(17, 'x'.repeat(32_000)), [400, 'EntityTooLarge']],
  ['bytes of more than 1 MiB', many(17, new Uint8Array(64_000)), [400, 'EntityTooLarge']],
  ['texts of 1,000,000 bytes', many(15, 'x'.repeat(32_000)), 'taken'],
  ['a text of more than 32 Ki characters', { text: 'x'.repeat(32 * 1024 + 1) }, [400, 'PropertyValueTooLarge']],
  ['more than 64 KiB of bytes', { bytes: new Uint8Array(64 * 1024 + 1) }, [400, 'PropertyValueTooLarge']],
] as const)('an entity with %s is refused as by Azure, alone and in a transaction', async (_name, cells, expected) => {
  const entity = { partitionKey: PARTITION, ...cells };
  expect(await codeOf(client.createEntity({ ...entity, rowKey: 'alone' }))).toEqual(expected);
  expect(await codeOf(client.submitTransaction([['create', { ...entity, rowKey: 'batch' }]]))).toEqual(expected);
});

test('a transaction of more than 100 rows is refused in a way that clients understand', async () => {
  const rows = Array.from({ length: 101 }, (_, index) => row(String(index)));
  const call = client.submitTransaction(rows.map((entity) => ['create', entity]));
  expect(await codeOf(call)).toEqual([400, 'InvalidInput']);
});

test.each(['a/b', 'a\\b', 'a#b', 'a?b', 'a\tb'])(
  'a key that cannot be one is refused, not a crash (%j)',
  async (key) => {
    expect(await codeOf(client.createEntity(row(key)))).toEqual([400, 'InvalidInput']);
    expect(await statusOf(client.getEntity(PARTITION, key))).toBe(400);
    expect(await statusOf(client.updateEntity(row(key), 'Merge', { etag: '"x"' }))).toBe(400);
    expect(await statusOf(client.deleteEntity(PARTITION, key, { etag: '"x"' }))).toBe(400);
  },
);
