// Whether a company's chain of events is as it was written. Pure, and fed page by page, so that a chain of any length takes the memory of
// one page. Whoever may write the tables can write any row: each trace that such a change leaves is named by its sequence.
import { createHash } from 'node:crypto';
import { CHAIN_START, hashOfRecord, type AuditRecord, type ChainHead } from './audit.ts';
import type { Marker, StoredHead } from './rows/audit-rows.ts';

export const PROBLEM_CODES = [
  /** A record is not what its hash says, cannot be read, or is not what the next record was chained to. */
  'changed',
  /** Records are missing between two that are there; `sequence` is the first of them. */
  'gap',
  /** A record stands in another's place. */
  're-ordered',
  /** Records are missing at the end; `sequence` is the first that is known of. */
  'tail-cut-off',
  /** A head that was signed, or is known from the log, names another record: what is before it was written anew. */
  'rewritten',
  /** The head cannot be read, or names another record than the chain ends with. */
  'head-forged',
  /** A signature is not by the seal key. */
  'signature-forged',
  /** A head was signed, and its signature is not there. */
  'signature-missing',
  /** An event was marked as recorded, and its record is not there. */
  'marker-without-record',
  /** A record whose event is not marked: it could be recorded a second time. */
  'record-without-marker',
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

export interface Problem {
  readonly code: ProblemCode;
  readonly sequence: number;
}

export interface ChainReport {
  readonly status: 'intact' | 'broken';
  /** The first ones, in the order in which they were met. */
  readonly problems: readonly Problem[];
  /** The last record that was seen; sequence 0 if there is none. */
  readonly head: ChainHead;
}

export interface StoredRecord {
  /** Of the row's key. */
  readonly sequence: number;
  /** Undefined if the row cannot be read. */
  readonly record: AuditRecord | undefined;
}

/** `verified`: whether the signature is by the seal key over just this. */
export interface CheckedSignature {
  readonly sequence: number;
  readonly hash: string;
  readonly verified: boolean;
}

const MAX_PROBLEMS = 100;
const SET_BYTES = 32;

export class ChainCheck {
  readonly #problems: Problem[] = [];
  /** Heads that are known from elsewhere, by sequence; dropped when their record is met. */
  readonly #known = new Map<number, string>();
  readonly #headBefore: StoredHead;
  #last: ChainHead = CHAIN_START;
  #lastSigned = 0;
  /** Sums of hashes, the same for the same set whatever the order: ids of records, and of markers. */
  readonly #records = Buffer.alloc(SET_BYTES);
  readonly #markers = Buffer.alloc(SET_BYTES);

  /** `head` as it is stored before any record is read; `known` is a head from a log that was kept elsewhere. */
  constructor(head: StoredHead, known?: ChainHead) {
    this.#headBefore = head;
    if (known) this.#expect(known.sequence, known.hash);
  }

  /** The next records in the order of their row keys, and the signatures of heads up to the last of them. */
  page(page: { readonly records: readonly StoredRecord[]; readonly signed: readonly CheckedSignature[] }): void {
    for (const signature of page.signed) this.#signature(signature);
    for (const stored of page.records) this.#record(stored);
  }

  marker({ id, sequence }: Marker): void {
    if (sequence > this.#last.sequence) {
      this.#report('marker-without-record', sequence);
      return;
    }
    addTo(this.#markers, `${id}|${sequence}`);
  }

  /** Signatures behind the last record, and the head as it is stored after everything else was read. */
  end(rest: { readonly signed: readonly CheckedSignature[]; readonly head: StoredHead | undefined }): ChainReport {
    for (const signature of rest.signed) this.#signature(signature);
    const furthest = Math.max(this.#headBefore.sequence, ...this.#known.keys());
    if (furthest > this.#last.sequence) this.#report('tail-cut-off', this.#last.sequence + 1);
    if (!this.#leadsOn(rest.head)) this.#report('head-forged', rest.head?.sequence ?? this.#last.sequence);
    if (this.#lastSigned < this.#headBefore.signedSequence) {
      this.#report('signature-missing', this.#headBefore.signedSequence);
    }
    return {
      status: this.#problems.length === 0 ? 'intact' : 'broken',
      problems: this.#problems,
      head: this.#last,
    };
  }

  /** After all markers: true if exactly the records that are there are marked. */
  markersFit(): boolean {
    return this.#records.equals(this.#markers);
  }

  /** A marker and the id of the record in its place, if there is one. */
  compareMarker(marker: Marker, record: AuditRecord | undefined): void {
    if (marker.sequence <= this.#last.sequence && record?.id !== marker.id) {
      this.#report('marker-without-record', marker.sequence);
    }
  }

  /** A record and whether its event is marked with its sequence. */
  compareRecord(record: AuditRecord, marked: boolean): void {
    if (!marked) this.#report('record-without-marker', record.sequence);
  }

  /** Record and head are written together: no record is behind a head that was read after it. */
  #leadsOn(head: StoredHead | undefined): boolean {
    if (!head || head.sequence < this.#last.sequence) return false;
    return head.sequence > this.#last.sequence || head.hash === this.#last.hash;
  }

  #signature({ sequence, hash, verified }: CheckedSignature): void {
    this.#lastSigned = Math.max(this.#lastSigned, sequence);
    if (verified) this.#expect(sequence, hash);
    else this.#report('signature-forged', sequence);
  }

  #expect(sequence: number, hash: string): void {
    if (sequence < 1) return;
    const other = this.#known.get(sequence);
    if (other !== undefined && other !== hash) this.#report('rewritten', sequence);
    this.#known.set(sequence, hash);
  }

  #record({ sequence, record }: StoredRecord): void {
    const last = this.#last;
    const isNext = sequence === last.sequence + 1;
    if (!isNext) this.#report('gap', last.sequence + 1);
    if (!record) this.#report('changed', sequence);
    else this.#content(sequence, record, isNext ? last : undefined);
    const known = this.#known.get(sequence);
    this.#known.delete(sequence);
    if (known !== undefined && known !== record?.hash) this.#report('rewritten', sequence);
    const { sequence: headAt, hash } = this.#headBefore;
    if (sequence === headAt && hash !== record?.hash) this.#report('head-forged', sequence);
    if (record) addTo(this.#records, `${record.id}|${sequence}`);
    this.#last = { sequence, hash: record?.hash ?? '' };
  }

  #content(sequence: number, record: AuditRecord, before: ChainHead | undefined): void {
    if (record.sequence !== sequence) {
      this.#report('re-ordered', sequence);
      return;
    }
    if (hashOfRecord(record) !== record.hash) this.#report('changed', sequence);
    else if (before && record.previous !== before.hash) this.#report('changed', before.sequence);
  }

  #report(code: ProblemCode, sequence: number): void {
    const isKnown = this.#problems.some((problem) => problem.code === code && problem.sequence === sequence);
    if (!isKnown && this.#problems.length < MAX_PROBLEMS) this.#problems.push({ code, sequence });
  }
}

/** Adds the hash of a text, as a number, to a sum. */
function addTo(sum: Buffer, text: string): void {
  const hash = createHash('sha256').update(text).digest();
  let carry = 0;
  for (let at = SET_BYTES - 1; at >= 0; at -= 1) {
    const added = (sum[at] ?? 0) + (hash[at] ?? 0) + carry;
    sum[at] = added & 0xff;
    carry = added >> 8;
  }
}
