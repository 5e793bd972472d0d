// Everything that is stored, as a thief of the storage account would have it: every row of every table, read with the Tables SDK.
import { TableClient, TableServiceClient } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import { TABLE_HOST } from '../identities.ts';

export interface DumpedRow {
  readonly table: string;
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly cells: Readonly<Record<string, unknown>>;
}

const ENDPOINT = `https://${TABLE_HOST}`;
/** What the service adds to a row. */
const SYSTEM_CELLS: readonly string[] = ['etag', 'timestamp', 'partitionKey', 'rowKey'];

export function openTable(credential: TokenCredential, table: string): TableClient {
  return new TableClient(ENDPOINT, table, credential);
}

export async function* dumpTables(credential: TokenCredential): AsyncGenerator<DumpedRow> {
  for await (const { name } of new TableServiceClient(ENDPOINT, credential).listTables()) {
    if (name === undefined) continue;
    for await (const entity of openTable(credential, name).listEntities()) {
      const { partitionKey = '', rowKey = '' } = entity;
      const cells = Object.fromEntries(Object.entries(entity).filter(([cell]) => !SYSTEM_CELLS.includes(cell)));
      yield { table: name, partitionKey, rowKey, cells };
    }
  }
}
