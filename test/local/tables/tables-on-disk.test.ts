import { TableClient } from '@azure/data-tables';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TABLE_HOST } from '../../../local/identities.ts';
import { installRedirect } from '../../../local/redirect/install-redirect.ts';
import { startTables, type TablesEmulator } from '../../../local/tables/start-tables.ts';
import { createCertificateAuthority } from '../../../local/tls/certificates.ts';
import { storageCredential } from './bearer-token.ts';

const authority = await createCertificateAuthority();
const ports: Record<string, number> = {};
let directory: string;
let tables: TablesEmulator;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyswitch-tables-'));
  installRedirect({ caPem: authority.caPem, hosts: [{ name: TABLE_HOST, ports }] });
});

afterAll(async () => {
  await tables.close();
  await rm(directory, { recursive: true });
});

async function start(): Promise<TableClient> {
  tables = await startTables({ tls: await authority.issue([TABLE_HOST]), file: join(directory, 'tables.json') });
  ports['443'] = tables.port;
  return new TableClient(`https://${TABLE_HOST}`, 'rows', storageCredential(), { retryOptions: { maxRetries: 0 } });
}

test('tables kept on disk are found again after a restart, under the same ETags', async () => {
  const before = await start();
  await before.createTable();
  await before.createEntity({ partitionKey: 'p', rowKey: '1', value: 'a' });
  const { etag } = await before.updateEntity({ partitionKey: 'p', rowKey: '1', value: 'b' }, 'Merge', { etag: '*' });
  await tables.close();
  const after = await start();
  expect(await after.getEntity('p', '1')).toMatchObject({ value: 'b', etag });
  await after.updateEntity({ partitionKey: 'p', rowKey: '1', value: 'c' }, 'Replace', { etag: String(etag) });
  const found: unknown[] = [];
  for await (const row of after.listEntities({ queryOptions: { filter: "PartitionKey eq 'p'" } }))
    found.push(row['value']);
  expect(found).toEqual(['c']);
});
