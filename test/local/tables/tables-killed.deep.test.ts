// Tables on disk whose process is killed in the middle of its work, through the real SDK.
import { RestError, TableClient, TableTransaction } from '@azure/data-tables';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TABLE_HOST } from '../../../local/identities.ts';
import { installRedirect } from '../../../local/redirect/install-redirect.ts';
import { storageCredential } from './bearer-token.ts';

const BATCH = 40;
const KILL_AFTER = [1, 7, 15];

let directory: string;
let tables: ChildProcess;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyswitch-killed-'));
});

afterEach(async () => {
  await kill();
  await rm(directory, { recursive: true });
});

async function kill(): Promise<void> {
  if (tables.exitCode !== null || tables.signalCode !== null) return;
  tables.kill('SIGKILL');
  await once(tables, 'exit');
}

async function start(): Promise<TableClient> {
  const program = fileURLToPath(new URL('tables-process.ts', import.meta.url));
  tables = fork(program, [join(directory, 'tables.sqlite')]);
  const [{ port, caPem }] = (await once(tables, 'message')) as [{ port: number; caPem: string }];
  installRedirect({ caPem, hosts: [{ name: TABLE_HOST, ports: { 443: port } }] });
  const agent = new Agent({ ca: caPem, keepAlive: true });
  return new TableClient(`https://${TABLE_HOST}`, 'rows', storageCredential(), {
    retryOptions: { maxRetries: 0 },
    agent,
  });
}

/** One transaction: so many new rows, and the count of the one before. */
function batch(number: number): TableTransaction {
  const transaction = new TableTransaction();
  for (let row = 0; row < BATCH; row += 1) {
    transaction.createEntity({ partitionKey: `p${number}`, rowKey: String(row), value: 'x'.repeat(2_000) });
  }
  return transaction;
}

async function countOf(client: TableClient, number: number): Promise<number> {
  let count = 0;
  for await (const _row of client.listEntities({ queryOptions: { filter: `PartitionKey eq 'p${number}'` } }))
    count += 1;
  return count;
}

test.each(KILL_AFTER)(
  'killed after %i answers it has every transaction that it answered, and none in part',
  async (answers) => {
    const client = await start();
    await client.createTable();
    const done: number[] = [];
    let sent = 0;
    // Four at once, so that some are under way when it is killed.
    const workers = Array.from({ length: 4 }, async () => {
      for (;;) {
        const number = sent;
        sent += 1;
        try {
          await client.submitTransaction(batch(number).actions);
        } catch (error) {
          if (error instanceof RestError && error.statusCode === undefined) return undefined;
          throw error;
        }
        done.push(number);
        if (done.length >= answers) tables.kill('SIGKILL');
      }
    });
    await Promise.all(workers);
    const after = await start();
    const counts = await Promise.all(Array.from({ length: sent }, (_, number) => countOf(after, number)));
    expect(done.map((number) => counts[number])).toEqual(done.map(() => BATCH));
    expect(counts.filter((count) => count !== 0 && count !== BATCH)).toEqual([]);
    await after.createEntity({ partitionKey: 'p0', rowKey: 'one more' });
  },
);
