// Tells one webhook of the events of one company, one after the other. The cursor moves behind each that was taken, under its ETag: an instance that finds
// another ETag stops, so two never go on side by side for more than one event. The webhook is read before each call: what its owner has changed holds
// from the next event on.
import { hashOfRecord, type AuditRecord, type StoredHead } from '../../domain/audit.ts';
import { present } from '../../domain/plain-object.ts';
import type { Log } from '../../domain/ports.ts';
import { wants, type DeliveryCursor, type Webhook } from '../../domain/webhook.ts';
import { LATEST_MS, nextAttempt } from '../../domain/webhook-schedule.ts';
import { changeOnce } from '../../store/act.ts';
import { givenUpItemOf, putOnAgenda, renewOnAgenda } from '../../store/agenda.ts';
import { loadHead } from '../../store/append.ts';
import { at, find, walk, type Found } from '../../store/found.ts';
import { recordRow, recordsOf } from '../../store/rows/audit-rows.ts';
import { cursorRow, deadLetterRow, type DeliveryPlace } from '../../store/rows/webhook-rows.ts';
import type { Tables } from '../../store/tables.ts';
import { firstCursor } from './first-cursor.ts';
import { sendEvent, type EventSending, type NotSent } from './send-event.ts';
import type { SealCheck } from '../keys/seals.ts';
import { webhookNow } from './verified-webhook.ts';

export interface ChainDelivering extends EventSending, SealCheck {
  readonly tables: Tables;
  readonly log: Log;
}

/** `caught-up` at a sequence: nothing is left up to it. `off`: the webhook is to be sent nothing more. */
export interface Delivered {
  readonly state: 'caught-up' | 'waits' | 'off';
  readonly sequence: number;
  readonly sent: number;
  /** The address that has answered 410. */
  readonly gone?: string;
}

/** Longer than a call to the receiver may take; after that another instance goes on. */
const LEASE_MS = 45_000;
/** Of one turn, so that every webhook has one. */
const MAX_SENT = 200;
const TURN_MS = 15_000;
const PAGE_ROWS = 100;
/** Until the vendor's vault is asked again for a signing key. */
const OWN_WAIT_MS = 60_000;

/** Throws StoreUnavailable. */
export const deliverChain = (deps: ChainDelivering, place: DeliveryPlace): Promise<Delivered> => atChain(deps, place);

/** The same, and nothing is sent: `waits` where there would be something to send. */
export const howChainStands: typeof deliverChain = (deps, place) => atChain(deps, place, 'look');

async function atChain(deps: ChainDelivering, place: DeliveryPlace, how: 'send' | 'look' = 'send'): Promise<Delivered> {
  const { companyId } = place;
  const head = (await loadHead(deps.tables, companyId)).value;
  const held = await find(deps.tables, cursorRow, place);
  const now = await webhookNow(deps, place.webhook);
  if (typeof now === 'string') return { state: now, sequence: held?.value.sequence ?? 0, sent: 0 };
  const { createdAt, url } = now;
  const cursor = held?.value ?? (await firstCursor(deps.tables, { companyId, createdAt, head }));
  if (cursor.sequence >= head.sequence) return { state: 'caught-up', sequence: cursor.sequence, sent: 0 };
  if (how === 'look' || !mayBegin(cursor, deps.clock.now()) || deps.receiverRests.isResting(url))
    return { state: 'waits', sequence: cursor.sequence, sent: 0 };
  return new Turn(deps, now, { place, held, cursor }).run(head);
}

/** What lies further ahead than is ever set was set by a clock that was ahead. */
function mayBegin({ nextAt, leaseUntil }: DeliveryCursor, now: Date): boolean {
  const isAhead = (until: string | undefined, mostMs: number): boolean =>
    until !== undefined && until > now.toISOString() && until <= new Date(now.getTime() + mostMs).toISOString();
  return !isAhead(nextAt, LATEST_MS) && !isAhead(leaseUntil, LEASE_MS);
}

interface Begun {
  readonly place: DeliveryPlace;
  readonly held: Found<DeliveryCursor> | undefined;
  readonly cursor: DeliveryCursor;
}

class Turn {
  readonly #deps: ChainDelivering;
  #webhook: Webhook;
  readonly #place: DeliveryPlace;
  #held: Found<DeliveryCursor> | undefined;
  #cursor: DeliveryCursor;
  #sent = 0;

  constructor(deps: ChainDelivering, webhook: Webhook, { place, held, cursor }: Begun) {
    this.#deps = deps;
    this.#webhook = webhook;
    this.#place = place;
    this.#held = held;
    this.#cursor = cursor;
  }

  async run(head: StoredHead): Promise<Delivered> {
    const { tables, clock } = this.#deps;
    const { companyId } = this.#place;
    const endsAtMs = clock.now().getTime() + TURN_MS;
    if (!(await this.#keep(this.#cursor))) return this.#told('waits');
    const range = { after: recordRow.key({ companyId, sequence: this.#cursor.sequence }), limit: PAGE_ROWS };
    for await (const rows of walk(tables, recordsOf, { companyId }, range)) {
      for (const { value: record } of rows) {
        if (!record || !this.#leadsOn(record)) return this.#stop(this.#notLed());
        const ended = await this.#one(record);
        if (ended) return ended;
        if (this.#sent >= MAX_SENT || clock.now().getTime() >= endsAtMs) return this.#stop();
      }
    }
    await this.#keep(this.#cursor, 'release');
    // A list that was answered short leaves the rest to the next turn.
    return this.#told(this.#cursor.sequence >= head.sequence ? 'caught-up' : 'waits');
  }

  /** Each record must hold its own hash and that of the one before: what others put into the tables is not sent. */
  #leadsOn(record: AuditRecord): boolean {
    const { sequence, hash } = this.#cursor;
    return record.sequence === sequence + 1 && record.previous === hash && record.hash === hashOfRecord(record);
  }

  #notLed(): Partial<DeliveryCursor> {
    const { companyId, webhook } = this.#place;
    const detail = { companyId, webhook: webhook.webhookId, sequence: this.#cursor.sequence + 1 };
    this.#deps.log.write({ level: 'error', event: 'security.events-not-led', detail });
    return { code: 'row-forged', nextAt: this.#in(OWN_WAIT_MS) };
  }

  /** Undefined where the turn goes on with the next event. */
  async #one(record: AuditRecord): Promise<Delivered | undefined> {
    if (!wants(this.#webhook, record)) return this.#leftOut(record);
    const { webhook: place } = this.#place;
    const now = await webhookNow(this.#deps, place);
    if (typeof now === 'string') return this.#stop({}, now);
    // Another one of its name begins elsewhere in the record.
    if (now.createdAt !== this.#webhook.createdAt) return this.#told('waits');
    this.#webhook = now;
    if (!wants(now, record)) return this.#leftOut(record);
    const sent = await sendEvent(this.#deps, { place, webhook: now }, record);
    if (sent.ok) {
      this.#sent += 1;
      const { sequence, hash } = record;
      const kept = await this.#keep({ sequence, hash, attempts: 0, deliveredAt: this.#deps.clock.now().toISOString() });
      return kept ? undefined : this.#told('waits');
    }
    if (sent.error.own) return this.#stop({ code: sent.error.failure.code, nextAt: this.#in(OWN_WAIT_MS) });
    if (sent.error.failure.code === 'webhook-gone')
      return { ...(await this.#stop({ code: 'webhook-gone' }, 'off')), gone: now.url };
    return this.#failed(record, sent.error);
  }

  /** The webhook is not told of this event, and the turn goes on with the next. */
  #leftOut({ sequence, hash }: AuditRecord): Delivered | undefined {
    this.#cursor = { ...this.#cursor, sequence, hash };
    return undefined;
  }

  async #failed(record: AuditRecord, { failure: { code }, retryAfterMs }: NotSent): Promise<Delivered | undefined> {
    const now = this.#deps.clock.now();
    const attempts = this.#cursor.attempts + 1;
    const failingSince = this.#cursor.failingSince ?? now.toISOString();
    const { at: began, hash } = record;
    const next = nextAttempt({ attempts, at: began, hash, failingSince, now, ...present({ retryAfterMs }) });
    if (next) return this.#stop({ attempts, failingSince, code, nextAt: next.toISOString() });
    return (await this.#giveUp(record, { failingSince, code })) ? undefined : this.#told('waits');
  }

  /** The event and the cursor behind it in one transaction: it is lost from neither. Operators are shown the webhook by the agenda. */
  async #giveUp(record: AuditRecord, why: Required<Pick<DeliveryCursor, 'failingSince' | 'code'>>): Promise<boolean> {
    const { id: eventId, action, at: began, sequence, hash } = record;
    const deadAt = this.#deps.clock.now().toISOString();
    const { companyId, webhook } = this.#place;
    const detail = { companyId, webhook: webhook.webhookId, sequence, code: why.code };
    this.#deps.log.write({ level: 'warning', event: 'webhook.event-given-up', detail });
    const cursor = { ...why, sequence, hash, attempts: 0, leaseUntil: this.#in(LEASE_MS) };
    const letter = { eventId, action, at: began, deadAt, code: why.code };
    const shown = givenUpItemOf(webhook);
    await putOnAgenda(this.#deps.tables, shown);
    const written = await changeOnce(this.#deps, (tx) => {
      const moved = tx.put(cursorRow, this.#place, this.#held, cursor);
      tx.insert(deadLetterRow, { ...this.#place, sequence }, letter);
      return moved;
    });
    // Once more: a redelivery that found nothing before this letter may be about to take it off.
    await renewOnAgenda(this.#deps.tables, shown);
    return this.#took(cursor, written.ok ? written.value : undefined);
  }

  async #stop(why: Partial<DeliveryCursor> = {}, state: Delivered['state'] = 'waits'): Promise<Delivered> {
    this.#cursor = { ...this.#cursor, ...why };
    await this.#keep(this.#cursor, 'release');
    return this.#told(state);
  }

  /** False if another instance has written it, or nothing is known: the next turn reads it again. */
  async #keep(cursor: DeliveryCursor, how: 'hold' | 'release' = 'hold'): Promise<boolean> {
    const { leaseUntil: _over, ...free } = cursor;
    const next = how === 'hold' ? { ...free, leaseUntil: this.#in(LEASE_MS) } : free;
    const written = await changeOnce(this.#deps, (tx) => tx.put(cursorRow, this.#place, this.#held, next));
    return this.#took(next, written.ok ? written.value : undefined);
  }

  #took(cursor: DeliveryCursor, written: Found<DeliveryCursor> | undefined): boolean {
    if (!written) return false;
    this.#cursor = cursor;
    this.#held = { ...written, at: at(cursorRow, this.#place) };
    return true;
  }

  readonly #in = (ms: number): string => new Date(this.#deps.clock.now().getTime() + ms).toISOString();

  #told(state: Delivered['state']): Delivered {
    return { state, sequence: this.#cursor.sequence, sent: this.#sent };
  }
}
