// Names what a request to Table Storage asks for, for the request log and for faults. Reads only what it must and
// leaves the request unread for the service behind.
import type { IncomingMessage } from 'node:http';

export const TABLE_OPERATIONS = [
  'get',
  'query',
  'insert',
  'update',
  'delete',
  'batch',
  'list-tables',
  'create-table',
  'delete-table',
  'other',
] as const;

interface TableRequest {
  readonly operation: (typeof TABLE_OPERATIONS)[number];
  /** The table; empty for what concerns no single one. */
  readonly target: string;
}

export async function readTableRequest(request: IncomingMessage): Promise<TableRequest> {
  const method = request.method ?? 'GET';
  const path = decode((request.url ?? '/').split('?', 1)[0] ?? '/').slice(1);
  if (path === '$batch') return { operation: 'batch', target: await batchTable(request) };
  const table = /^Tables(\('(?<name>[^']*)'\))?/.exec(path);
  if (table && /^Tables(\(|$)/.test(path)) return tableOperation(method, table.groups?.['name'] ?? '');
  const entity = /^(?<name>\w+)(?<key>\(.+\))?/.exec(path);
  const target = entity?.groups?.['name'] ?? '';
  const one = entity?.groups?.['key'] !== undefined;
  switch (method) {
    case 'GET':
      return { operation: one ? 'get' : 'query', target };
    case 'POST':
      return { operation: 'insert', target };
    case 'PUT':
    case 'PATCH':
    case 'MERGE':
      return { operation: 'update', target };
    case 'DELETE':
      return { operation: 'delete', target };
    default:
      return { operation: 'other', target };
  }
}

function tableOperation(method: string, target: string): TableRequest {
  if (method === 'GET') return { operation: 'list-tables', target };
  if (method === 'POST') return { operation: 'create-table', target };
  return { operation: method === 'DELETE' ? 'delete-table' : 'other', target };
}

/** A batch names its table only inside: in the first change, which stands in the first piece of the body. */
async function batchTable(request: IncomingMessage): Promise<string> {
  if (!request.readable) return '';
  const first = await new Promise<Buffer | null>((resolve) => {
    request.once('readable', () => resolve(request.read() as Buffer | null));
    request.once('close', () => resolve(null));
  });
  if (first === null) return '';
  request.unshift(first);
  return /^(?:POST|PUT|PATCH|MERGE|DELETE|GET) https?:\/\/[^/\s]+\/(\w+)/m.exec(first.toString('latin1'))?.[1] ?? '';
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
