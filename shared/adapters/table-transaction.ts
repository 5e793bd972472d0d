// An entity-group transaction as a Table Storage $batch, and what its answer means. Pure. Our own, because the SDK's submitTransaction deletes
// unconditionally (its delete takes no ETag) and costs several times the CPU.
// https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
import type { RowWrite, WriteOutcome } from '../store/tables.ts';
import { httpIn, partsOf } from './multipart.ts';
import { entityJson, isETag } from './table-cells.ts';

interface Transaction {
  /** `https://account.table.core.windows.net/table` */
  readonly tableUrl: string;
  readonly partitionKey: string;
  readonly writes: readonly RowWrite[];
  /** Unique to the request: separates its parts. */
  readonly boundaryId: string;
}

const METHODS = { insert: 'POST', replace: 'PUT', merge: 'PATCH', delete: 'DELETE' } as const;
const EOL = '\r\n';
const PART_HEAD = `content-type: application/http${EOL}content-transfer-encoding: binary${EOL}${EOL}`;
const CHANGE_HEADERS = `DataServiceVersion: 3.0${EOL}Accept: application/json;odata=minimalmetadata${EOL}`;

/** A write without an ETag, which the service would do unconditionally, is a bug: throws before anything is sent. */
export function assertETags(writes: readonly RowWrite[]): void {
  for (const write of writes) {
    // invariant A2
    if (write.kind !== 'insert' && !isETag(write.etag)) throw new Error(`a ${write.kind} without an ETag`);
  }
}

export function transactionBody({ tableUrl, partitionKey, writes, boundaryId }: Transaction): string {
  const boundary = `--changeset_${boundaryId}`;
  let body = `--batch_${boundaryId}${EOL}content-type: multipart/mixed; boundary=changeset_${boundaryId}${EOL}${EOL}`;
  for (const write of writes) {
    const url = write.kind === 'insert' ? tableUrl : `${tableUrl}${entityPath(partitionKey, write.rowKey)}`;
    body += `${boundary}${EOL}${PART_HEAD}${METHODS[write.kind]} ${url} HTTP/1.1${EOL}${CHANGE_HEADERS}`;
    if (write.kind !== 'insert') body += `If-Match: ${write.etag}${EOL}`;
    if (write.kind === 'delete') {
      body += EOL;
      continue;
    }
    if (write.kind === 'insert') body += `Prefer: return-no-content${EOL}`;
    body += `Content-Type: application/json${EOL}${EOL}${entityJson(partitionKey, write.rowKey, write.cells)}${EOL}`;
  }
  return `${body}${boundary}--${EOL}--batch_${boundaryId}--${EOL}`;
}

/** `(PartitionKey='…',RowKey='…')`, as it stands in a URL. */
export function entityPath(partitionKey: string, rowKey: string): string {
  return `(PartitionKey='${keyInUrl(partitionKey)}',RowKey='${keyInUrl(rowKey)}')`;
}

const keyInUrl = (key: string): string => encodeURIComponent(key.replaceAll("'", "''"));

export type TransactionAnswer =
  | WriteOutcome
  /** The service refused, and no race explains it: a bug, or a missing right. Nothing was written. */
  | { readonly outcome: 'refused'; readonly status: number; readonly code: string; readonly message: string };

const UNKNOWN: WriteOutcome = { outcome: 'unknown' };

/**
 * What the service's answer to `writes` means. Only the exact form decides: 202 with one 204 for each change, or with a single refusal in the
 * service's own words. Any other answer leaves the outcome unknown.
 */
export function transactionOutcome(
  writes: readonly RowWrite[],
  answer: { readonly status: number; readonly contentType: string | undefined; readonly text: string },
): TransactionAnswer {
  const { status, contentType, text } = answer;
  if (status !== 202) return refusal(writes, status, /^application\/json\b/i.test(contentType ?? '') ? text : '');
  const batch = partsOf(contentType, text);
  const changes = batch?.length === 1 && batch[0] ? partsOf(batch[0].headers.get('content-type'), batch[0].body) : [];
  const answers = (changes ?? []).map(httpIn);
  const [first] = answers;
  if (answers.length === 1 && first && first.status >= 400) return refusal(writes, first.status, first.body);
  if (answers.length !== writes.length) return UNKNOWN;
  const etags: string[] = [];
  for (const [index, { kind }] of writes.entries()) {
    const one = answers[index];
    if (one?.status !== 204 || one.body.trim() !== '') return UNKNOWN;
    const etag = kind === 'delete' ? '' : (one.headers.get('etag') ?? '');
    if (kind !== 'delete' && !isETag(etag)) return UNKNOWN;
    etags.push(etag);
  }
  return { outcome: 'committed', etags };
}

interface Race {
  readonly status: number;
  readonly reason: 'exists' | 'changed' | 'missing';
}

const RACES: Readonly<Record<string, Race>> = {
  EntityAlreadyExists: { status: 409, reason: 'exists' },
  UpdateConditionNotSatisfied: { status: 412, reason: 'changed' },
  ConditionNotMet: { status: 412, reason: 'changed' },
  ResourceNotFound: { status: 404, reason: 'missing' },
  EntityNotFound: { status: 404, reason: 'missing' },
};

function refusal(writes: readonly RowWrite[], status: number, text: string): TransactionAnswer {
  if (status < 400 || status >= 500 || status === 408 || status === 429) return UNKNOWN;
  const { code, message } = errorIn(text);
  if (code === '') return UNKNOWN;
  const race = Object.hasOwn(RACES, code) ? RACES[code] : undefined;
  if (!race) return { outcome: 'refused', status, code, message };
  const prefix = /^(\d{1,2}):/.exec(message)?.[1];
  const index = prefix === undefined && writes.length === 1 ? 0 : Number(prefix);
  const write = writes[index];
  // A refusal that names no write, or one that cannot be refused so: the outcome is unknown, and the rows tell.
  if (!write || race.status !== status || (write.kind === 'insert') !== (race.reason === 'exists')) return UNKNOWN;
  return { outcome: 'conflict', index, reason: race.reason };
}

/** The service's error code and message, where they can be found. */
export function errorIn(text: string): { readonly code: string; readonly message: string } {
  try {
    const { 'odata.error': error } = JSON.parse(text) as Partial<Record<string, unknown>>;
    const { code, message } = (error ?? {}) as { code?: unknown; message?: { value?: unknown } };
    return {
      code: typeof code === 'string' ? code : '',
      message: typeof message?.value === 'string' ? message.value : '',
    };
  } catch {
    return { code: '', message: '' };
  }
}
