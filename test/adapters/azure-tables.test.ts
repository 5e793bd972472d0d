// What the Azure adapter does when Table Storage does not do its part. What it does otherwise is test/contract.
import { TableClient } from '@azure/data-tables';
import type { AccessToken } from '@azure/identity';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TABLE_HOST } from '../../local/identities.ts';
import { installRedirect } from '../../local/redirect/install-redirect.ts';
import { startTables, type TablesEmulator } from '../../local/tables/start-tables.ts';
import { createCertificateAuthority } from '../../local/tls/certificates.ts';
import { failure } from '../../shared/failures.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { AccessRefused } from '../../shared/adapters/https/access-refused.ts';
import { AzureTables, type AzureTablesOptions } from '../../shared/adapters/azure-tables.ts';
import { systemClock, systemEntropy } from '../../shared/adapters/system.ts';
import type { Cells, RowWrite, TableName } from '../../shared/store/tables.ts';
import { BeyondTableLimits } from '../../shared/store/table-limits.ts';
import { storageCredential } from '../local/tables/bearer-token.ts';

const ENDPOINT = `https://${TABLE_HOST}`;
const SILENT_HOST = 'silent.table.core.windows.net';
const silent = createServer((socket) => socket.resume().on('error', () => undefined));
const AT = 'acme';
const HASTY_MS = 500;
let emulator: TablesEmulator;
let tables: AzureTables;
let count = 0;
let key: string;
const slept: number[] = [];

const tablesWith = (options: Partial<AzureTablesOptions> = {}): AzureTables =>
  new AzureTables({
    endpoint: ENDPOINT,
    credential: storageCredential(),
    timers: {
      sleep: (delayMs) => {
        slept.push(delayMs);
        return Promise.resolve();
      },
    },
    entropy: systemEntropy,
    clock: systemClock,
    // Far from what an answer takes on a slow machine: only what is silent runs into a limit, and is given a short one.
    timeoutMs: 30_000,
    ...options,
  });

beforeAll(async () => {
  const authority = await createCertificateAuthority();
  emulator = await startTables({ tls: await authority.issue([TABLE_HOST]) });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  installRedirect({
    caPem: authority.caPem,
    hosts: [
      { name: TABLE_HOST, ports: { 443: emulator.port } },
      { name: SILENT_HOST, ports: { 443: (silent.address() as AddressInfo).port } },
    ],
  });
  tables = tablesWith();
  await tables.createTables();
});

beforeEach(() => {
  emulator.control.clearFaults();
  emulator.control.clearRequests();
  slept.length = 0;
  count += 1;
  key = `row-${count}`;
});

afterAll(async () => {
  silent.close();
  await emulator.close();
});

const NOT_ALLOWED = { 'odata.error': { code: 'AuthorizationPermissionMismatch', message: { value: 'words' } } };
const INVALID = { 'odata.error': { code: 'PropertyNameInvalid', message: { value: 'words' } } };
const insert = (cells: Cells = { value: 1 }): RowWrite => ({ kind: 'insert', rowKey: key, cells });
const asked = (): string[] => emulator.control.requests().map(({ operation, status }) => `${operation} ${status}`);
const exists = async (): Promise<boolean> => (await tables.read('companies', AT, key)) !== undefined;

describe('a write', () => {
  it('that waits too long for its token is unknown, and is not sent when the token comes', async () => {
    const { promise: token, resolve } = Promise.withResolvers<AccessToken>();
    const patient = storageCredential();
    const impatient = tablesWith({ timeoutMs: 200, credential: { getToken: () => token } });
    const writing = impatient.write('companies', AT, [insert()]);
    expect(await Promise.race([writing, delay(2_000, 'too late')])).toEqual({ outcome: 'unknown' });
    const given = await patient.getToken('https://storage.azure.com/.default');
    if (given) resolve(given);
    expect(await exists()).toBe(false);
    expect(asked()).toEqual(['get 404']);
  });

  it('whose answer is lost is unknown, and is not sent again', async () => {
    emulator.control.plant({ operation: 'batch', times: 1, effect: { drop: 'after-acting' } });
    expect(await tablesWith().write('companies', AT, [insert()])).toEqual({ outcome: 'unknown' });
    expect(await exists()).toBe(true);
    expect(asked().filter((line) => line.startsWith('batch'))).toHaveLength(1);
  });

  it.each([
    ['is cut off before anything happens', { drop: 'before-acting' }],
    ['is never answered', { hang: true }],
    ['meets a busy service', { status: 503 }],
    ['meets an error of the service', { status: 500, body: 'oops', headers: { 'content-type': 'text/plain' } }],
    ['times out in the service', { status: 500, body: { 'odata.error': { code: 'OperationTimedOut' } } }],
    ['gets an answer that is no JSON though it says so', { status: 202, body: '{"odata' }],
    [
      'gets an answer that is cut short',
      { status: 202, body: '--batch', headers: { 'content-type': 'multipart/mixed' } },
    ],
  ] as const)('that %s is unknown', async (_name, effect) => {
    emulator.control.plant({ operation: 'batch', times: 1, effect });
    const hasty = tablesWith('hang' in effect ? { timeoutMs: HASTY_MS } : {});
    expect(await hasty.write('companies', AT, [insert()])).toEqual({ outcome: 'unknown' });
    expect(await exists()).toBe(false);
    expect(slept).toEqual([]);
  });

  it('without the right to do it throws StoreUnavailable: nothing was written', async () => {
    emulator.control.plant({ operation: 'batch', times: 1, effect: { status: 403, body: NOT_ALLOWED } });
    await expect(tablesWith().write('companies', AT, [insert()])).rejects.toThrow(StoreUnavailable);
  });

  it.each([
    [403, 'AuthorizationPermissionMismatch'],
    [403, 'AuthorizationFailure'],
    [403, 'AccountIsDisabled'],
    [409, 'TableBeingDeleted'],
    [404, 'TableNotFound'],
  ])('that is answered %i %s throws StoreUnavailable, whose words name the code', async (status, code) => {
    const body = { 'odata.error': { code, message: { value: 'words' } } };
    emulator.control.plant({ operation: 'batch', times: 1, effect: { status, body } });
    const written = tablesWith().write('companies', AT, [insert()]);
    await expect(written).rejects.toThrow(new StoreUnavailable(`Table Storage: answered ${status} ${code}`));
    emulator.control.plant({ operation: 'get', times: 1, effect: { status, body } });
    const read = tablesWith().read('companies', AT, key);
    await expect(read).rejects.toThrow(new StoreUnavailable(`Table Storage: answered ${status} ${code}`));
  });

  it('that the service calls malformed is a bug and throws', async () => {
    emulator.control.plant({ operation: 'batch', times: 1, effect: { status: 400, body: INVALID } });
    const error = await tablesWith()
      .write('companies', AT, [insert()])
      .catch((reason: unknown) => reason);
    expect(String(error)).toContain('PropertyNameInvalid');
    expect(error).not.toBeInstanceOf(StoreUnavailable);
  });

  it('beyond what a transaction holds is a bug and is never sent', async () => {
    const cells = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`c${index}`, 'x'.repeat(32_000)]));
    const writes = Array.from({ length: 10 }, (_, index): RowWrite => ({
      kind: 'insert',
      rowKey: `${key}-${index}`,
      cells,
    }));
    await expect(tablesWith().write('companies', AT, writes)).rejects.toThrow(BeyondTableLimits);
    expect(asked()).toEqual([]);
  });

  it('to a table that does not exist finds no store', async () => {
    const table = 'nosuchtable' as TableName;
    await expect(tablesWith().write(table, AT, [insert()])).rejects.toThrow(StoreUnavailable);
  });

  it('without an ETag where one belongs is never sent', async () => {
    for (const etag of ['*', '', 'x']) {
      const writes: RowWrite[] = [{ kind: 'delete', rowKey: key, etag }];
      await expect(tablesWith().write('companies', AT, writes)).rejects.toThrow('without an ETag');
    }
    expect(asked()).toEqual([]);
  });

  it('of what no cell can hold is never sent', async () => {
    for (const cells of [{ n: Number.NaN }, { n: Infinity }, { PartitionKey: 'x' }, { 'odata.etag': 'x' }]) {
      await expect(tablesWith().write('companies', AT, [insert(cells)])).rejects.toThrow();
    }
    expect(asked()).toEqual([]);
  });

  it('is one request, also of a hundred rows', async () => {
    const writes = Array.from({ length: 100 }, (_, index): RowWrite => ({
      kind: 'insert',
      rowKey: `${key}-${index}`,
      cells: { value: index },
    }));
    expect((await tables.write('companies', AT, writes)).outcome).toBe('committed');
    expect(asked()).toEqual(['batch 202']);
  });
});

describe('a read', () => {
  it('is tried again after what may pass, later each time, until it is answered', async () => {
    await tables.write('companies', AT, [insert()]);
    emulator.control.plant({ operation: 'get', times: 1, effect: { status: 503 } });
    emulator.control.plant({ operation: 'get', times: 1, effect: { drop: 'before-acting' } });
    emulator.control.plant({ operation: 'get', times: 1, effect: { hang: true } });
    expect((await tablesWith({ timeoutMs: 3_000 }).read('companies', AT, key))?.cells).toEqual({ value: 1 });
    expect(slept).toHaveLength(3);
    for (const [index, delayMs] of slept.entries()) {
      const middleMs = 100 * 2 ** index;
      expect([delayMs >= middleMs / 2, delayMs <= middleMs * 1.5]).toEqual([true, true]);
    }
  });

  it('takes its time as a whole, however many attempts are silent', async () => {
    const reading = tablesWith({ timeoutMs: HASTY_MS, endpoint: `https://${SILENT_HOST}` })
      .read('companies', AT, key)
      .catch((error: unknown) => error);
    expect(await Promise.race([reading, delay(1_500, 'too late')])).toBeInstanceOf(StoreUnavailable);
  });

  it('that is never answered throws StoreUnavailable after a bounded number of attempts', async () => {
    emulator.control.plant({ effect: { status: 503 } });
    await expect(tablesWith().read('companies', AT, key)).rejects.toThrow(StoreUnavailable);
    await expect(tablesWith().list({ table: 'companies', partitionKey: AT, limit: 1 })).rejects.toThrow(
      StoreUnavailable,
    );
    expect(asked()).toEqual([...Array<string>(5).fill('get 503'), ...Array<string>(5).fill('query 503')]);
  });

  it('without the right to it, or without a token, throws StoreUnavailable at once', async () => {
    emulator.control.plant({ operation: 'get', times: 1, effect: { status: 403, body: {} } });
    await expect(tablesWith().read('companies', AT, key)).rejects.toThrow(StoreUnavailable);
    const credential = { getToken: () => Promise.reject(new AccessRefused(failure('managed-identity-unavailable'))) };
    await expect(tablesWith({ credential }).read('companies', AT, key)).rejects.toThrow('managed-identity-unavailable');
    expect(asked()).toEqual(['get 403']);
  });

  it('of a table that does not exist is no row that is missing: the store is not there', async () => {
    const read = tablesWith().read('nosuchtable' as TableName, AT, key);
    await expect(read).rejects.toThrow(new StoreUnavailable('Table Storage: answered 404 TableNotFound'));
  });

  it('of a cell of a type that we never write is a row with a cell that no reader takes, not without it', async () => {
    const client = new TableClient(ENDPOINT, 'companies', storageCredential());
    await client.createEntity({
      partitionKey: AT,
      rowKey: key,
      kept: 'a',
      whole: { type: 'Double', value: '3' },
      date: new Date(0),
      guid: { type: 'Guid', value: '11111111-1111-4111-8111-111111111111' },
      long: { type: 'Int64', value: '9007199254740993' },
      double: { type: 'Double', value: '3000000000' },
    });
    expect((await tables.read('companies', AT, key))?.cells).toEqual({
      kept: 'a',
      whole: 3,
      date: Number.NaN,
      guid: Number.NaN,
      long: Number.NaN,
      double: 3_000_000_000,
    });
  });

  it('of a list asks for no more than a thousand rows', async () => {
    const partitionKey = `big-${count}`;
    for (let from = 0; from < 1_100; from += 100) {
      const writes = Array.from({ length: 100 }, (_, index): RowWrite => ({
        kind: 'insert',
        rowKey: String(from + index).padStart(6, '0'),
        cells: {},
      }));
      await tables.write('companies', partitionKey, writes);
    }
    const first = await tables.list({ table: 'companies', partitionKey, limit: 5_000 });
    expect(first.rows).toHaveLength(1_000);
    const { continuation = '' } = first;
    const second = await tables.list({ table: 'companies', partitionKey, limit: 5_000, continuation });
    expect(second.rows).toHaveLength(100);
    expect(second.continuation).toBeUndefined();
  });
});
