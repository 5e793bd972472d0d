// An act that is recorded: its own transaction carries the event, so there is no act without a record and no record without its act. The
// operation decides as it always did, writes by the `ActRecord` that it is given, and need not know how the event goes on.
import { eventOf, type Act, type Actor, type AuditEvent, type Detail, type Outcome } from '../domain/audit.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { Result } from '../domain/result.ts';
import { readOutbox } from './rows/audit-rows.ts';
import { putOnAgenda, takeOffAgenda } from './agenda.ts';
import { type RowWrite, type WriteOutcome } from './tables.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import { isRecorded, type Auditing } from './append.ts';
import { deliver, readOutboxRow } from './deliver.ts';
import { settleRaces, type Races, type Undecided } from './races.ts';
import { outboxItem, outboxWrite, type OutboxPlace, type OutboxTable } from './outbox.ts';

export interface ActRecord {
  /**
   * The act's own transaction, with the event as its last write. May be asked again after a lost race, in the same partition: it is the
   * same event. A conflict at an index behind `writes` says that an earlier attempt was written after all: it is looked for here, behind
   * everything that this attempt read. `detail` is added to the act's.
   */
  write(table: OutboxTable, partitionKey: string, writes: readonly RowWrite[], detail?: Detail): Promise<WriteOutcome>;
  /** Whether an attempt whose answer was lost was written after all: ask before deciding anew. Reads only if one was lost. */
  landed(): Promise<boolean>;
}

/**
 * Runs an act. Nothing is written for one that is refused or finds nothing to do. The event is appended to the chain at once; what
 * keeps it from that is left to the timer, and is no reason to refuse. Throws what `run` throws.
 */
export async function audited<T>(
  deps: Auditing,
  actor: Actor,
  act: Act,
  run: (record: ActRecord) => Promise<T>,
): Promise<T> {
  const attempts = new Attempts(deps, { actor, act, outcome: 'done' });
  const done = await run(attempts);
  await attempts.settle();
  return done;
}

/**
 * settleRaces of an act whose attempts ask whether an earlier one has landed. A refusal may come of that too, if it landed after the question: it is
 * asked once more behind everything that the refusal was read from, and then the act is looked at again.
 */
export function settleAct<T>(
  races: Races,
  record: Pick<ActRecord, 'landed'>,
  attempt: () => Promise<Result<T, Refusal> | Undecided>,
): Promise<Result<T, Refusal>> {
  let isKnown = false;
  return settleRaces<T>(races, async () => {
    const decided = await attempt();
    const isRefused = typeof decided === 'object' && !decided.ok;
    // invariant A13: the refusal may come of an attempt of its own that landed late
    if (!isRefused || isKnown || !(await record.landed())) return decided;
    isKnown = true;
    return 'lost-race';
  });
}

export class Attempts implements ActRecord {
  readonly #deps: Auditing;
  readonly #about: { readonly actor: Actor; readonly act: Act; readonly outcome: Outcome };
  readonly #id: string;
  readonly #at: string;
  #place: OutboxPlace | undefined;
  #committed: { readonly event: AuditEvent; readonly etag: string } | undefined;
  #answerLost = false;
  #isRecorded = false;

  constructor(deps: Auditing, about: { readonly actor: Actor; readonly act: Act; readonly outcome: Outcome }) {
    this.#deps = deps;
    this.#about = about;
    this.#id = deps.entropy.id();
    this.#at = deps.clock.now().toISOString();
  }

  async write(
    table: OutboxTable,
    partitionKey: string,
    writes: readonly RowWrite[],
    detail?: Detail,
  ): Promise<WriteOutcome> {
    // An attempt that arrives after this question moves the ETags that this one was made under, so that of all only one can be written.
    if (this.#answerLost && (await this.landed())) {
      return { outcome: 'conflict', index: writes.length, reason: 'exists' };
    }
    const { actor, act, outcome } = this.#about;
    const place = { table, partitionKey, companyId: act.companyId, id: this.#id };
    if (!this.#place) await putOnAgenda(this.#deps.tables, outboxItem(place), { at: this.#at });
    this.#place = place;
    const whole = { ...act, detail: { ...act.detail, ...detail } };
    const event = eventOf(actor, whole, { id: this.#id, at: this.#at, outcome });
    const written = await this.#deps.tables.write(table, partitionKey, [...writes, outboxWrite(place, event)]);
    if (written.outcome === 'unknown') this.#answerLost = true;
    if (written.outcome === 'committed') this.#committed = { event, etag: written.etags[writes.length] ?? '' };
    return written;
  }

  async landed(): Promise<boolean> {
    if (this.#committed || this.#isRecorded) return true;
    if (!this.#place || !this.#answerLost) return false;
    const row = await readOutboxRow(this.#deps.tables, this.#place);
    const event = row && readOutbox(row.cells, this.#place);
    if (row && event) this.#committed = { event, etag: row.etag };
    // After a long wait the timer may have taken it to its chain already: written a second time, it would stay where nobody looks.
    if (!row) this.#isRecorded = await isRecorded(this.#deps.tables, this.#place);
    return this.#committed !== undefined || this.#isRecorded;
  }

  async settle(): Promise<void> {
    const place = this.#place;
    if (!place) return;
    try {
      const isWritten = await this.landed();
      if (isWritten && this.#committed) {
        await deliver(this.#deps, place, this.#committed);
      } else if (!this.#answerLost) await takeOffAgenda(this.#deps.tables, outboxItem(place));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      const { companyId, id } = place;
      this.#deps.log.write({ level: 'warning', event: 'audit.left-to-timer', detail: { companyId, eventId: id } });
    }
  }
}
