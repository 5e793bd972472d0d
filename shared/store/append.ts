// Appending an event to its company's chain: one transaction of head, record and marker. The head's ETag lets one appender win, whichever
// instance it is on; the marker lets each event in once, however often it is delivered.
import { chained, type AuditEvent, NO_HEAD, type StoredHead } from '../domain/audit.ts';
import { MalformedRow } from './rows/cells.ts';
import { headCells, markerCells, readHead, recordCells } from './rows/audit-rows.ts';
import { HEAD_ROW_KEY, markerRowKey, recordRowKey } from './rows/row-keys.ts';
import type { Refusal } from '../domain/refusal.ts';
import { ok, type Result } from '../domain/result.ts';
import type { Cells, RowWrite, Tables } from './tables.ts';
import type { Clock, Log } from '../domain/ports.ts';
import { type Races, settleRaces, undecided, type Undecided } from './races.ts';

export interface Auditing extends Races {
  readonly tables: Tables;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * `unsigned`: the chain moved, and the head before may have been a signed one, so somebody must see that it is signed again. `known`: it
 * was in the chain already, and what should have followed may not have. `blocked`: somebody tampered with the end of the chain.
 */
export type Appended = 'appended' | 'unsigned' | 'known' | 'blocked';

export async function loadHead(
  tables: Pick<Tables, 'read'>,
  companyId: string,
): Promise<{ readonly value: StoredHead; readonly etag: string | undefined }> {
  const row = await tables.read('events', companyId, HEAD_ROW_KEY);
  return row ? { value: readHead(row.cells), etag: row.etag } : { value: NO_HEAD, etag: undefined };
}

/** `busy` if too many others append at once. Throws StoreUnavailable. */
export async function appendEvent(deps: Auditing, event: AuditEvent): Promise<Result<Appended, Refusal>> {
  try {
    return await settleRaces<Appended>(deps, () => tryAppend(deps, event));
  } catch (error) {
    if (!(error instanceof MalformedRow)) throw error;
    return ok(blocked(deps, event, 'the head cannot be read'));
  }
}

async function tryAppend(deps: Auditing, event: AuditEvent): Promise<Result<Appended, Refusal> | Undecided> {
  const { companyId } = event;
  const head = await loadHead(deps.tables, companyId);
  const record = chained(event, head.value);
  const { sequence, hash } = record;
  const cells = headCells({ sequence, hash, signedSequence: head.value.signedSequence });
  const written = await deps.tables.write('events', companyId, [
    headWrite(cells, head.etag),
    { kind: 'insert', rowKey: markerRowKey(event.id), cells: markerCells(sequence) },
    { kind: 'insert', rowKey: recordRowKey(sequence), cells: recordCells(record) },
  ]);
  if (written.outcome === 'committed') {
    return ok(head.value.sequence === head.value.signedSequence ? 'unsigned' : 'appended');
  }
  if (await isRecorded(deps.tables, event)) return ok('known');
  const isTaken = written.outcome === 'conflict' && written.index === 2;
  // Behind a head that is still the same there can be no record but one that somebody put there.
  const isForged = isTaken && (await loadHead(deps.tables, companyId)).etag === head.etag;
  return isForged ? ok(blocked(deps, event, 'there is a record behind the head')) : undecided(written);
}

export const isRecorded = async (
  tables: Pick<Tables, 'read'>,
  { companyId, id }: Pick<AuditEvent, 'companyId' | 'id'>,
): Promise<boolean> => (await tables.read('events', companyId, markerRowKey(id))) !== undefined;

const headWrite = (cells: Cells, etag: string | undefined): RowWrite =>
  etag === undefined
    ? { kind: 'insert', rowKey: HEAD_ROW_KEY, cells }
    : { kind: 'replace', rowKey: HEAD_ROW_KEY, cells, etag };

/** Nothing is written over: the events wait where they are until the chain has been looked at. */
function blocked({ log }: Pick<Auditing, 'log'>, { companyId, id }: AuditEvent, reason: string): Appended {
  log.write({ level: 'error', event: 'security.audit-blocked', detail: { companyId, eventId: id, reason } });
  return 'blocked';
}
