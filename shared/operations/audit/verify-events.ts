// Reading a whole chain for its check, a page at a time: records with the signatures of heads among them, then the markers, and the head
// once before and once after, since others go on appending. Decides nothing.
import pLimit from 'p-limit';
import { sealedBytesOfHead, type AuditRecord, type ChainHead } from '../../domain/audit.ts';
import { ChainCheck, type ChainReport, type CheckedSignature, type StoredRecord } from '../../domain/audit-check.ts';
import { NO_HEAD, readMarker, readRecord, readSigned, type StoredHead } from '../../domain/rows/audit-rows.ts';
import { MalformedRow } from '../../domain/rows/cells.ts';
import {
  MARKER_PREFIX,
  markerRowKey,
  recordRowKey,
  RECORDS_AFTER,
  RECORDS_BEFORE,
  rowKeysUnder,
  SIGNED_PREFIX,
  signedRowKey,
} from '../../domain/rows/row-keys.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealVerifies } from '../../domain/seal.ts';
import { pagesOf } from '../list-pages.ts';
import type { Log, Sealer, StoredRow, Tables } from '../ports.ts';
import { loadHead } from './append.ts';
import { hasEvents } from './list-events.ts';

export interface Verifying {
  readonly tables: Tables;
  readonly sealer: Pick<Sealer, 'publicKey'>;
  readonly log: Log;
}

const PAGE_ROWS = 1000;
const READS_IN_FLIGHT = 16;
const LAST_SEQUENCE = Number.MAX_SAFE_INTEGER;

interface Chain {
  readonly companyId: string;
  /** A head that is known from elsewhere: from the log, or from an earlier check. */
  readonly known?: ChainHead;
}

export async function verifyEvents(deps: Verifying, chain: Chain): Promise<Result<ChainReport, Refusal>> {
  const { companyId } = chain;
  const before = await readableHead(deps.tables, companyId);
  if (before && !(await hasEvents(deps.tables, companyId))) return err(notFound('company', companyId));
  const check = new ChainCheck(before ?? NO_HEAD, chain.known);
  let read = 0;
  for await (const { rows } of pages(deps.tables, companyId, { after: RECORDS_AFTER, before: RECORDS_BEFORE })) {
    const records = rows.map((row) => storedRecord(row, companyId));
    const last = records.at(-1)?.sequence ?? read;
    const signed = await signatures(deps, companyId, { after: read, upTo: last });
    if (!signed.ok) return signed;
    check.page({ records, signed: signed.value });
    read = last;
  }
  await checkMarkers(deps.tables, { companyId, read }, check);
  const signed = await signatures(deps, companyId, { after: read, upTo: LAST_SEQUENCE });
  if (!signed.ok) return signed;
  const behind = await withoutLate(deps.tables, companyId, signed.value);
  const report = check.end({ signed: behind, head: await readableHead(deps.tables, companyId) });
  if (report.status === 'broken') logProblems(deps.log, companyId, report);
  return ok(report);
}

/** Undefined if there is one that cannot be read. */
async function readableHead(tables: Tables, companyId: string): Promise<StoredHead | undefined> {
  try {
    return (await loadHead(tables, companyId)).value;
  } catch (error) {
    if (error instanceof MalformedRow) return undefined;
    throw error;
  }
}

const storedRecord = ({ rowKey, cells }: StoredRow, companyId: string): StoredRecord => ({
  sequence: Number(rowKey),
  record: readRecord(cells, companyId),
});

const pages = (
  tables: Tables,
  companyId: string,
  range: { readonly after: string; readonly before: string },
): ReturnType<typeof pagesOf> =>
  pagesOf(tables, { table: 'events', partitionKey: companyId, ...range, limit: PAGE_ROWS });

/** The signed heads of a stretch of the chain; at most one for each of its records. */
async function signatures(
  deps: Verifying,
  companyId: string,
  stretch: { readonly after: number; readonly upTo: number },
): Promise<Result<CheckedSignature[], Refusal>> {
  const checked: CheckedSignature[] = [];
  if (stretch.after >= stretch.upTo) return ok(checked);
  // Behind the row of the last sequence itself: row keys of one length sort as their numbers do.
  const range = { after: signedRowKey(stretch.after), before: `${signedRowKey(stretch.upTo)}~` };
  for await (const { rows } of pages(deps.tables, companyId, range)) {
    for (const row of rows) {
      const signature = await checkSignature(deps, companyId, row);
      if (!signature.ok) return signature;
      checked.push(signature.value);
    }
  }
  return ok(checked);
}

async function checkSignature(
  { sealer }: Verifying,
  companyId: string,
  { rowKey, cells }: StoredRow,
): Promise<Result<CheckedSignature, Refusal>> {
  const sequence = Number(rowKey.slice(SIGNED_PREFIX.length));
  const head = readSigned(cells);
  if (head?.sequence !== sequence) return ok({ sequence, hash: '', verified: false });
  const publicKey = await sealer.publicKey(head.seal.keyVersion);
  if (!publicKey.ok) return err(refusedBy(publicKey.error));
  const bytes = sealedBytesOfHead(companyId, head);
  const verified =
    publicKey.value !== undefined && sealVerifies({ bytes, seal: head.seal, publicKey: publicKey.value });
  return ok({ sequence, hash: head.hash, verified });
}

/** What others have appended and signed since the records were read is left to the next check. */
async function withoutLate(
  tables: Tables,
  companyId: string,
  signed: readonly CheckedSignature[],
): Promise<CheckedSignature[]> {
  const kept: CheckedSignature[] = [];
  for (const signature of signed) {
    const isLate =
      signature.verified && (await recordAt(tables, companyId, signature.sequence))?.hash === signature.hash;
    if (!isLate) kept.push(signature);
  }
  return kept;
}

async function recordAt(tables: Tables, companyId: string, sequence: number): Promise<AuditRecord | undefined> {
  const row = await tables.read('events', companyId, recordRowKey(sequence));
  return row && readRecord(row.cells, companyId);
}

/** Compared as two sets first; only if they differ is each marker set against its record, and each record against its marker. */
async function checkMarkers(
  tables: Tables,
  { companyId, read }: { readonly companyId: string; readonly read: number },
  check: ChainCheck,
): Promise<void> {
  const range = rowKeysUnder(MARKER_PREFIX);
  for await (const { rows } of pages(tables, companyId, range)) {
    for (const { rowKey, cells } of rows) {
      const marker = readMarker(rowKey, cells);
      // Record and marker are written together: one that was appended since has its record by now.
      const isLate = marker.sequence > read && (await recordAt(tables, companyId, marker.sequence))?.id === marker.id;
      if (!isLate) check.marker(marker);
    }
  }
  if (check.markersFit()) return;
  const limit = pLimit(READS_IN_FLIGHT);
  for await (const { rows } of pages(tables, companyId, range)) {
    const markers = rows.map(({ rowKey, cells }) => readMarker(rowKey, cells));
    const records = await limit.map(markers, ({ sequence }) => recordAt(tables, companyId, sequence));
    for (const [index, marker] of markers.entries()) check.compareMarker(marker, records[index]);
  }
  for await (const { rows } of pages(tables, companyId, { after: RECORDS_AFTER, before: RECORDS_BEFORE })) {
    const records = rows.flatMap(({ cells }) => readRecord(cells, companyId) ?? []);
    const markers = await limit.map(records, ({ id }) => tables.read('events', companyId, markerRowKey(id)));
    for (const [index, record] of records.entries()) check.compareRecord(record, markers[index] !== undefined);
  }
}

function logProblems(log: Log, companyId: string, { problems }: ChainReport): void {
  for (const { code, sequence } of problems) {
    log.write({ level: 'error', event: 'security.events-broken', detail: { companyId, code, sequence } });
  }
}
