// An entity-group transaction as Table Storage's $batch wants it, and what its answer means. Pure. Our own, because the
// SDK's submitTransaction deletes unconditionally (its delete has no place for an ETag) and costs several times the CPU.
// https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
import type { RowWrite, WriteOutcome } from '../operations/ports.ts';
import { entityJson } from './table-cells.ts';

interface Transaction {
  /** `https://account.table.core.windows.net/table` */
  readonly tableUrl: string;
  readonly partitionKey: string;
  readonly writes: readonly RowWrite[];
  /** Unique to the request: what separates its parts. */
  readonly boundaryId: string;
}

const MAX_WRITES = 100;
const METHODS = { insert: 'POST', replace: 'PUT', merge: 'PATCH', delete: 'DELETE' } as const;
const EOL = '\r\n';
const PART_HEAD = `content-type: application/http${EOL}content-transfer-encoding: binary${EOL}${EOL}`;
const CHANGE_HEADERS = `DataServiceVersion: 3.0${EOL}Accept: application/json;odata=minimalmetadata${EOL}`;

/** A transaction that the service would refuse, or do unconditionally, is a bug: it throws before anything is sent. */
export function assertTransaction(writes: readonly RowWrite[]): void {
  if (writes.length < 1 || writes.length > MAX_WRITES) throw new Error(`${writes.length} writes in one transaction`);
  if (new Set(writes.map(({ rowKey }) => rowKey)).size !== writes.length)
    throw new Error('a row twice in one transaction');
  for (const write of writes) {
    if (write.kind !== 'insert' && !/^(W\/)?"[^"\r\n]+"$/.test(write.etag))
      throw new Error(`a ${write.kind} without an ETag`);
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

/**
 * What the answer to `writes` means. Undefined for a refusal that is neither a lost race nor the service's own trouble:
 * a bug of ours, and the caller says so.
 */
export function transactionOutcome(
  writes: readonly RowWrite[],
  answer: { readonly status: number; readonly text: string },
): WriteOutcome | undefined {
  // One HTTP answer for each change, or a single one for the change that failed. No JSON text can hold a line break.
  const parts = answer.text.split(/^HTTP\/1\.1 /m).slice(1);
  const failed = parts.find((part) => !part.startsWith('2'));
  if (failed !== undefined) return refusal(writes, Number(failed.slice(0, 3)), failed);
  if (answer.status < 200 || answer.status > 299) return refusal(writes, answer.status, answer.text);
  // An answer that was cut short does not say that nothing was written.
  if (parts.length !== writes.length) return { outcome: 'unknown' };
  const etags = parts.map((part) => /^ETag: *(.*?)\r?$/im.exec(part)?.[1] ?? '');
  if (writes.some(({ kind }, index) => kind !== 'delete' && etags[index] === '')) return { outcome: 'unknown' };
  return { outcome: 'committed', etags: etags.map((etag, index) => (writes[index]?.kind === 'delete' ? '' : etag)) };
}

const REASONS: Readonly<Record<string, 'exists' | 'changed' | 'missing'>> = {
  EntityAlreadyExists: 'exists',
  UpdateConditionNotSatisfied: 'changed',
  ConditionNotMet: 'changed',
  ResourceNotFound: 'missing',
  EntityNotFound: 'missing',
};

function refusal(writes: readonly RowWrite[], status: number, text: string): WriteOutcome | undefined {
  if (status >= 500 || status === 408 || status === 429) return { outcome: 'unknown' };
  const { code, message } = errorIn(text);
  const reason = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  if (reason === undefined) return undefined;
  const prefix = /^(\d{1,2}):/.exec(message)?.[1];
  const index = prefix === undefined && writes.length === 1 ? 0 : Number(prefix);
  // Refused, yet not said where: reading the rows again tells.
  return index in writes ? { outcome: 'conflict', index, reason } : { outcome: 'unknown' };
}

/** The service's error code and message, as far as they can be found. */
export function errorIn(text: string): { readonly code: string; readonly message: string } {
  // From the first brace to the last. A regular expression would look for the last one anew from each of the first.
  const [first, last] = [text.indexOf('{'), text.lastIndexOf('}')];
  const json = first >= 0 && last > first ? text.slice(first, last + 1) : '{}';
  try {
    const { 'odata.error': error } = JSON.parse(json) as Partial<Record<string, unknown>>;
    const { code, message } = (error ?? {}) as { code?: unknown; message?: { value?: unknown } };
    return {
      code: typeof code === 'string' ? code : '',
      message: typeof message?.value === 'string' ? message.value : '',
    };
  } catch {
    return { code: '', message: '' };
  }
}
