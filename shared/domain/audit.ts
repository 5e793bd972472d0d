// The record of what was done: who, what, for which company, from where, with which outcome. Each record names the hash of the one before. Pure.
// Nothing secret may go into a record: no key, token, code or state; it names a row or a resource, never its content.
import { createHash } from 'node:crypto';
import { lengthPrefixed } from './length-prefixed.ts';

export interface Actor {
  /** The caller's subject, and for whom it says it acts; `keyswitch` for the product itself. */
  readonly by: string;
  /** Address of the client as the platform's front end saw it, or empty. Only recorded: no decision depends on it. */
  readonly from: string;
  /** The call's id, as in its answer and in the log; empty for the product itself. */
  readonly requestId: string;
}

/** The actor of what the product does by itself. */
export const KEYSWITCH: Actor = { by: 'keyswitch', from: '', requestId: '' };

export type Detail = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Act {
  /** A stable name, public API: `switch.start`. */
  readonly action: string;
  /** The company whose chain records it; NO_COMPANY if it concerns none. */
  readonly companyId: string;
  /** Row key or id of what the act changed. */
  readonly target: string;
  readonly detail?: Detail;
}

/** `done`: an act. `refused`: the caller was not allowed. `detected`: something that must never be. `counted`: a number of calls. */
export type Outcome = 'done' | 'refused' | 'detected' | 'counted';
export const OUTCOMES: readonly Outcome[] = ['done', 'refused', 'detected', 'counted'];

/** An event on its way to the chain. */
export interface AuditEvent extends Actor {
  /** Identifies the event, however often it is delivered. */
  readonly id: string;
  readonly companyId: string;
  readonly at: string;
  readonly action: string;
  readonly target: string;
  readonly outcome: Outcome;
  /** JSON of an object with sorted names, as it is hashed and stored. */
  readonly detail: string;
}

/** The last record of a chain. */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

export interface AuditRecord extends AuditEvent, ChainHead {
  /** Hash of the record before; empty for the first. */
  readonly previous: string;
}

export const CHAIN_START: ChainHead = { sequence: 0, hash: '' };

const RECORD_FORMAT = 'keyswitch.event.1';
const SEAL_LABEL = 'keyswitch.seal.events.1';
/** A caller who sends a long header or name must not make a record too long to store. */
const MAX_TEXT_CHARS = 512;
const MAX_DETAILS = 250;
/** Of the detail as JSON: a text property of Table Storage holds 32 Ki characters (UTF-16). */
export const MAX_DETAIL_CHARS = 30_000;

export function eventOf(
  actor: Actor,
  act: Act,
  how: { readonly id: string; readonly at: string; readonly outcome: Outcome },
): AuditEvent {
  return {
    ...how,
    companyId: act.companyId,
    by: bounded(actor.by),
    from: bounded(actor.from),
    requestId: bounded(actor.requestId),
    action: bounded(act.action),
    target: bounded(act.target),
    detail: detailText(act.detail ?? {}),
  };
}

const bounded = (text: string): string => text.slice(0, MAX_TEXT_CHARS).toWellFormed();

function detailText(detail: Detail): string {
  const entries = Object.entries(detail)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [bounded(name), typeof value === 'string' ? bounded(value) : value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MAX_DETAILS);
  const kept = fitting(entries);
  const leftOut = entries.length - kept.length;
  return JSON.stringify(Object.fromEntries(leftOut > 0 ? [...kept, ['zzLeftOut', leftOut]] : kept));
}

/** As many of the first entries as fit, and how many were left out. */
function fitting<T extends readonly [string, unknown]>(entries: readonly T[]): readonly T[] {
  let chars = 0;
  const end = entries.findIndex(([name, value]) => {
    chars += JSON.stringify(name).length + JSON.stringify(value).length + 2;
    return chars > MAX_DETAIL_CHARS;
  });
  return end === -1 ? entries : entries.slice(0, end);
}

/** The event as the next record after `head`. */
export function chained(event: AuditEvent, head: ChainHead): AuditRecord {
  const record = { ...event, sequence: head.sequence + 1, previous: head.hash };
  return { ...record, hash: hashOfRecord(record) };
}

/** SHA-256 in hex over everything in a record but this hash. */
export function hashOfRecord(record: Omit<AuditRecord, 'hash'>): string {
  const texts = [
    RECORD_FORMAT,
    record.companyId,
    String(record.sequence),
    record.id,
    record.at,
    record.by,
    record.from,
    record.requestId,
    record.action,
    record.target,
    record.outcome,
    record.detail,
    record.previous,
  ];
  return createHash('sha256').update(lengthPrefixed(texts)).digest('hex');
}

/** The bytes of a head that the seal key signs. */
export function sealedBytesOfHead(companyId: string, head: ChainHead & { readonly at: string }): Buffer {
  return lengthPrefixed([SEAL_LABEL, companyId, String(head.sequence), head.hash, head.at]);
}

/** `signedSequence`: of the last signed head; 0 before the first. */
export interface StoredHead extends ChainHead {
  readonly signedSequence: number;
}

export const NO_HEAD: StoredHead = { ...CHAIN_START, signedSequence: 0 };

export interface Marker {
  readonly id: string;
  readonly sequence: number;
}
