// Rows of the audit: events on their way, records, heads, markers and signatures. Pure. A record may have been tampered with: one that cannot
// be read is undefined, and the check of the chain names it.
import {
  OUTCOMES,
  sealedBytesOfHead,
  type AuditEvent,
  type AuditRecord,
  type ChainHead,
  type Marker,
  type StoredHead,
} from '../../domain/audit.ts';
import type { Seal } from '../../domain/company-key.ts';
import { count, json, need, oneOf, text, type Cells } from './cells.ts';
import { isRecord } from '../../domain/plain-object.ts';
import type { Row, Rows } from './row.ts';
import {
  HEAD_ROW_KEY,
  MARKER_PREFIX,
  markerRowKey,
  RECORDS_AFTER,
  RECORDS_BEFORE,
  recordRowKey,
  SIGNED_PREFIX,
  signedRowKey,
} from './row-keys.ts';

const FORMAT = 1;

export interface SignedHead extends ChainHead {
  readonly at: string;
  readonly seal: Seal;
}

/** Without the event's id and company: they are in the row's keys. */
export const outboxCells = ({ id: _id, companyId: _company, ...event }: AuditEvent): Cells => ({
  format: FORMAT,
  ...event,
});

export function readOutbox(
  cells: Cells,
  place: { readonly companyId: string; readonly id: string },
): AuditEvent | undefined {
  const at = text(cells, 'at');
  const by = text(cells, 'by');
  const from = text(cells, 'from');
  const requestId = text(cells, 'requestId');
  const action = text(cells, 'action');
  const target = text(cells, 'target');
  const outcome = oneOf(cells, 'outcome', OUTCOMES);
  const detail = text(cells, 'detail');
  if (count(cells, 'format') !== FORMAT || at === undefined || by === undefined || from === undefined) return undefined;
  if (requestId === undefined || action === undefined || target === undefined) return undefined;
  if (outcome === undefined || detail === undefined) return undefined;
  return { id: place.id, companyId: place.companyId, at, by, from, requestId, action, target, outcome, detail };
}

/** The company is the partition, and is not stored: a record copied from another chain does not have its hash. */
export const recordCells = ({ companyId: _company, ...record }: AuditRecord): Cells => ({
  format: FORMAT,
  ...record,
});

export function readRecord(cells: Cells, companyId: string): AuditRecord | undefined {
  const id = text(cells, 'id');
  const event = id === undefined ? undefined : readOutbox(cells, { companyId, id });
  const sequence = count(cells, 'sequence');
  const previous = text(cells, 'previous');
  const hash = text(cells, 'hash');
  if (!event || sequence === undefined || previous === undefined || hash === undefined) return undefined;
  return { ...event, sequence, previous, hash };
}

export const headCells = (head: StoredHead): Cells => ({ format: FORMAT, ...head });

/** Throws MalformedRow: nothing can be chained to a head that cannot be read. */
export function readHead(cells: Cells): StoredHead {
  return {
    sequence: need(count(cells, 'sequence'), HEAD_ROW_KEY, 'sequence'),
    hash: need(text(cells, 'hash'), HEAD_ROW_KEY, 'hash'),
    signedSequence: need(count(cells, 'signedSequence'), HEAD_ROW_KEY, 'signedSequence'),
  };
}

export const markerCells = (sequence: number): Cells => ({ format: FORMAT, sequence });

export const readMarker = (rowKey: string, cells: Cells): Marker => ({
  id: rowKey.slice(MARKER_PREFIX.length),
  sequence: count(cells, 'sequence') ?? 0,
});

export const signedCells = ({ seal, ...head }: SignedHead): Cells => ({
  format: FORMAT,
  ...head,
  seal: JSON.stringify(seal),
});

export function readSigned(cells: Cells): SignedHead | undefined {
  const sequence = count(cells, 'sequence');
  const hash = text(cells, 'hash');
  const at = text(cells, 'at');
  const seal = json(cells, 'seal');
  if (sequence === undefined || hash === undefined || at === undefined || !isRecord(seal)) return undefined;
  const { keyVersion, signature } = seal;
  if (typeof keyVersion !== 'string' || typeof signature !== 'string') return undefined;
  return { sequence, hash, at, seal: { keyVersion, signature } };
}

interface ChainPlace {
  readonly companyId: string;
}

type RecordPlace = ChainPlace & { readonly sequence: number };

/** The end of a company's chain. */
export const headRow: Row<ChainPlace, StoredHead> = {
  table: 'events',
  partition: ({ companyId }) => companyId,
  key: () => HEAD_ROW_KEY,
  cells: headCells,
  read: readHead,
};

export const recordRow: Row<RecordPlace, AuditRecord, AuditRecord | undefined> = {
  table: 'events',
  partition: ({ companyId }) => companyId,
  key: ({ sequence }) => recordRowKey(sequence),
  cells: recordCells,
  read: (cells, { companyId }) => readRecord(cells, companyId),
};

export const recordsOf: Rows<ChainPlace, RecordPlace, AuditRecord, AuditRecord | undefined> = {
  row: recordRow,
  partition: ({ companyId }) => companyId,
  prefix: () => '',
  range: { after: RECORDS_AFTER, before: RECORDS_BEFORE },
  place: ({ companyId }, sequence) => ({ companyId, sequence: Number(sequence) }),
};

type MarkerPlace = ChainPlace & { readonly id: string };

/** Says that an event is in its chain, and where. */
export const markerRow: Row<MarkerPlace, number, Marker> = {
  table: 'events',
  partition: ({ companyId }) => companyId,
  key: ({ id }) => markerRowKey(id),
  cells: markerCells,
  read: (cells, { id }) => readMarker(markerRowKey(id), cells),
};

export const markersOf: Rows<ChainPlace, MarkerPlace, number, Marker> = {
  row: markerRow,
  partition: ({ companyId }) => companyId,
  prefix: () => MARKER_PREFIX,
  place: ({ companyId }, id) => ({ companyId, id }),
};

/** A head under the vendor's signature. */
export const signedHeadRow: Row<RecordPlace, SignedHead, SignedHead | undefined> = {
  table: 'events',
  partition: ({ companyId }) => companyId,
  key: ({ sequence }) => signedRowKey(sequence),
  cells: signedCells,
  read: readSigned,
  sealed: (head, { companyId }) =>
    head && {
      parts: [{ bytes: sealedBytesOfHead(companyId, head), seal: head.seal }],
      with: ([seal = head.seal]) => ({ ...head, seal }),
      cells: ['seal'],
    },
};

export const signedHeadsOf: Rows<ChainPlace, RecordPlace, SignedHead, SignedHead | undefined> = {
  row: signedHeadRow,
  partition: ({ companyId }) => companyId,
  prefix: () => SIGNED_PREFIX,
  place: ({ companyId }, sequence) => ({ companyId, sequence: Number(sequence) }),
};
