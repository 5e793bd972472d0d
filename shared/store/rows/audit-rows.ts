// Rows of the audit: events on their way, records, heads, markers and signatures. Pure. Records are read as a stranger's: one that cannot be
// read is undefined, and the check of the chain names it.
import {
  OUTCOMES,
  type AuditEvent,
  type AuditRecord,
  type ChainHead,
  type Marker,
  type StoredHead,
} from '../../domain/audit.ts';
import type { Seal } from '../../domain/company-key.ts';
import { count, json, need, oneOf, text, type CellRecord } from './cells.ts';
import { isRecord } from '../../domain/plain-object.ts';
import { HEAD_ROW_KEY, MARKER_PREFIX } from './row-keys.ts';

const FORMAT = 1;

export interface SignedHead extends ChainHead {
  readonly at: string;
  readonly seal: Seal;
}

/** The event's id and company are where the row is. */
export const outboxCells = ({ id: _id, companyId: _company, ...event }: AuditEvent): CellRecord => ({
  format: FORMAT,
  ...event,
});

export function readOutbox(
  cells: CellRecord,
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
export const recordCells = ({ companyId: _company, ...record }: AuditRecord): CellRecord => ({
  format: FORMAT,
  ...record,
});

export function readRecord(cells: CellRecord, companyId: string): AuditRecord | undefined {
  const id = text(cells, 'id');
  const event = id === undefined ? undefined : readOutbox(cells, { companyId, id });
  const sequence = count(cells, 'sequence');
  const previous = text(cells, 'previous');
  const hash = text(cells, 'hash');
  if (!event || sequence === undefined || previous === undefined || hash === undefined) return undefined;
  return { ...event, sequence, previous, hash };
}

export const headCells = (head: StoredHead): CellRecord => ({ format: FORMAT, ...head });

/** Throws MalformedRow: nothing can be chained to a head that cannot be read. */
export function readHead(cells: CellRecord): StoredHead {
  return {
    sequence: need(count(cells, 'sequence'), HEAD_ROW_KEY, 'sequence'),
    hash: need(text(cells, 'hash'), HEAD_ROW_KEY, 'hash'),
    signedSequence: need(count(cells, 'signedSequence'), HEAD_ROW_KEY, 'signedSequence'),
  };
}

export const markerCells = (sequence: number): CellRecord => ({ format: FORMAT, sequence });

export const readMarker = (rowKey: string, cells: CellRecord): Marker => ({
  id: rowKey.slice(MARKER_PREFIX.length),
  sequence: count(cells, 'sequence') ?? 0,
});

export const signedCells = ({ seal, ...head }: SignedHead): CellRecord => ({
  format: FORMAT,
  ...head,
  seal: JSON.stringify(seal),
});

export function readSigned(cells: CellRecord): SignedHead | undefined {
  const sequence = count(cells, 'sequence');
  const hash = text(cells, 'hash');
  const at = text(cells, 'at');
  const seal = json(cells, 'seal');
  if (sequence === undefined || hash === undefined || at === undefined || !isRecord(seal)) return undefined;
  const { keyVersion, signature } = seal;
  if (typeof keyVersion !== 'string' || typeof signature !== 'string') return undefined;
  return { sequence, hash, at, seal: { keyVersion, signature } };
}
