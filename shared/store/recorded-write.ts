// Writes one act with its event, over as many attempts as it takes: neither is ever written alone. Operations use it through `act` (act.ts).
import { eventOf, type Act, type Actor, type AuditEvent, type Detail, type Outcome } from '../domain/audit.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import { putOnAgenda, takeOffAgenda } from './agenda.ts';
import { isRecorded, type Auditing } from './append.ts';
import { deliver, readOutboxRow } from './deliver.ts';
import { outboxItem, outboxWrite, type OutboxPlace, type OutboxTable } from './outbox.ts';
import { readOutbox } from './rows/audit-rows.ts';
import type { RowWrite, WriteOutcome } from './tables.ts';

export class RecordedWrite {
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

  /**
   * The act's transaction, with its event as the last write. After a lost race it may be called again in the same partition, with the same event. A
   * conflict at an index behind `writes` means that an earlier attempt was written after all; that is looked for after this attempt's reads.
   * `came` says what the act has come to: another name, if it is named by that, and what is added to its detail.
   */
  async write(
    table: OutboxTable,
    partitionKey: string,
    writes: readonly RowWrite[],
    came: { readonly action?: string; readonly detail?: Detail } = {},
  ): Promise<WriteOutcome> {
    // An earlier attempt that arrives after this look moves the ETags that this attempt goes by, so at most one of them is written.
    if (this.#answerLost && (await this.landed())) {
      return { outcome: 'conflict', index: writes.length, reason: 'exists' };
    }
    const { actor, act, outcome } = this.#about;
    const place = { table, partitionKey, companyId: act.companyId, id: this.#id };
    if (!this.#place) await putOnAgenda(this.#deps.tables, outboxItem(place), { at: this.#at });
    this.#place = place;
    const whole = { ...act, ...came, detail: { ...act.detail, ...came.detail } };
    const event = eventOf(actor, whole, { id: this.#id, at: this.#at, outcome });
    const written = await this.#deps.tables.write(table, partitionKey, [...writes, outboxWrite(place, event)]);
    if (written.outcome === 'unknown') this.#answerLost = true;
    if (written.outcome === 'committed') this.#committed = { event, etag: written.etags[writes.length] ?? '' };
    return written;
  }

  /** Whether an attempt with a lost answer was written after all: ask before deciding anew. Reads only if there was one. */
  async landed(): Promise<boolean> {
    if (this.#committed || this.#isRecorded) return true;
    if (!this.#place || !this.#answerLost) return false;
    const row = await readOutboxRow(this.#deps.tables, this.#place);
    const event = row && readOutbox(row.cells, this.#place);
    if (row && event) this.#committed = { event, etag: row.etag };
    // After a long wait the timer may have moved the event to its chain. Written again, it would stay in an outbox that no timer visits.
    if (!row) this.#isRecorded = await isRecorded(this.#deps.tables, this.#place);
    return this.#committed !== undefined || this.#isRecorded;
  }

  /** Appends the event to its chain if the act was written. If that fails, the timer does it later. */
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
