// Appends an event to its company's chain: head, record and marker in one transaction. By the head's ETag one appender wins, on whichever
// instance; by the marker each event is appended once, however often it is delivered.
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
 * `unsigned`: the chain moved, and its last head may have been signed, so it must be put up for signing again. `known`: the event was already
 * in the chain, perhaps without what should follow. `blocked`: the end of the chain was tampered with.
 */
export type Appended = 'appended' | 'unsigned' | 'known' | 'blocked';

export async function loadHead(
  tables: Pick<Tables, 'read'>,
  companyId: string,
): Promise<{ readonly value: StoredHead; readonly etag: string | undefined }> {
  const row = await tables.read('events', companyId, HEAD_ROW_KEY);
  return row ? { value: readHead(row.cells), etag: row.etag } : { value: NO_HEAD, etag: undefined };
}

/** `busy` if too many appenders compete. Throws StoreUnavailable. */
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
  // If the head is unchanged, Keyswitch has appended nothing: a record behind it was put there by tampering.
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

/** Nothing is written over: the events wait in their outboxes until an operator has looked at the chain. */
function blocked({ log }: Pick<Auditing, 'log'>, { companyId, id }: AuditEvent, reason: string): Appended {
  log.write({ level: 'error', event: 'security.audit-blocked', detail: { companyId, eventId: id, reason } });
  return 'blocked';
}
