// Takes an event from its outbox row to its chain. Each step may be done twice: if a process dies half way, the timer does the rest.
import { eventOf, KEYSWITCH, type AuditEvent } from '../domain/audit.ts';
import { text } from './rows/cells.ts';
import { readOutbox } from './rows/audit-rows.ts';
import { walkAgenda } from './agenda-walk.ts';
import { renewOnAgenda, takeOffAgenda, type AgendaItem, type ListedAgendaItem } from './agenda.ts';
import type { StoredRow, Tables } from './tables.ts';
import { appendEvent, type Auditing } from './append.ts';
import { outboxItem, outboxRowKey, placeOfItem, type OutboxPlace } from './outbox.ts';

/** The call that wrote a fresh event delivers it itself; the timer waits this long. */
const REST_MS = 30_000;
/** An agenda row is written before its event: while there is no event, wait longer than any request can last. */
const ORPHAN_AFTER_MS = 24 * 60 * 60 * 1000;

/** Few, because events of one company compete for one head. */
const LANES = 4;

export const headItem = (companyId: string): AgendaItem => ({ kind: 'head', companyId, id: 'head' });

export const readOutboxRow = (tables: Pick<Tables, 'read'>, place: OutboxPlace): Promise<StoredRow | undefined> =>
  tables.read(place.table, place.partitionKey, outboxRowKey(place));

/**
 * False if the event stays where it is. An earlier attempt that got no answer cannot write the outbox row again: it was the only one, or it was
 * made under ETags that had moved before this row was written (`RecordedWrite.write` looks).
 */
export async function deliver(
  deps: Auditing,
  place: OutboxPlace,
  found: { readonly event: AuditEvent; readonly etag: string },
): Promise<boolean> {
  const appended = await appendEvent(deps, found.event);
  if (!appended.ok || appended.value === 'blocked') return false;
  // After the chain moved and before the outbox row goes, so that signing of heads cannot miss the event.
  if (appended.value !== 'appended') await renewOnAgenda(deps.tables, headItem(place.companyId));
  const rowKey = outboxRowKey(place);
  const gone = await deps.tables.write(place.table, place.partitionKey, [{ kind: 'delete', rowKey, etag: found.etag }]);
  const isGone = gone.outcome === 'committed' || (gone.outcome === 'conflict' && gone.reason === 'missing');
  if (isGone) await takeOffAgenda(deps.tables, outboxItem(place));
  return isGone;
}

/** For the timer: delivers events of acts whose process died or lost too many races. Answers how many it delivered. */
export async function sweepOutboxes(deps: Auditing): Promise<number> {
  const { sum } = await walkAgenda(deps, { kind: 'outbox', lanes: LANES }, async (item) =>
    (await lookAt(deps, item)) ? 1 : 0,
  );
  return sum;
}

async function lookAt(deps: Auditing, item: ListedAgendaItem): Promise<boolean> {
  const ageMs = deps.clock.now().getTime() - Date.parse(text(item.cells, 'at') ?? '');
  if (ageMs < REST_MS) return false;
  const place = placeOfItem(item);
  const row = place && (await readOutboxRow(deps.tables, place));
  if (!place || !row) {
    if (!(ageMs < ORPHAN_AFTER_MS)) await takeOffAgenda(deps.tables, item);
    return false;
  }
  const event = readOutbox(row.cells, place) ?? unreadable(deps, place);
  return deliver(deps, place, { event, etag: row.etag });
}

/** An event that was tampered with is replaced by one that says so, so that its loss is seen. */
function unreadable(deps: Auditing, { companyId, id }: OutboxPlace): AuditEvent {
  const at = deps.clock.now().toISOString();
  return eventOf(
    KEYSWITCH,
    { action: 'audit.event-unreadable', companyId, target: id },
    { id, at, outcome: 'detected' },
  );
}
