// Checks that a company's chain of events is as it was written. Pure, and fed page by page, so that any chain takes the memory of one page. A
// writer of the tables can change any row: the check names each trace of that by its sequence number.
import { createHash } from 'node:crypto';
import { CHAIN_START, hashOfRecord, type AuditRecord, type ChainHead, type Marker, type StoredHead } from './audit.ts';
import type { ChainReport, Problem, ProblemCode } from './audit-report.ts';

/** What a check carries from one piece of a chain to the next. A caller who alters it gets a wrong answer, and harms no one else. */
export interface ChainProgress {
  readonly headBefore: StoredHead;
  /** The check skips everything up to this sequence. */
  readonly start: number;
  readonly last: ChainHead;
  readonly lastSigned: number;
  /** Heads behind the last record, known from elsewhere. */
  readonly known: readonly ChainHead[];
  /** Signatures by retired versions that no later signature covers yet. */
  readonly uncovered: readonly number[];
  readonly isBroken: boolean;
  /** Sums, in hex. */
  readonly records: string;
  readonly markers: string;
}

export interface StoredRecord {
  /** Of the row's key. */
  readonly sequence: number;
  /** Undefined if the row cannot be read. */
  readonly record: AuditRecord | undefined;
}

/**
 * `verified`: the seal key signed exactly this. `isRetired`: the version that it names is absent or must not be used; a later signature that
 * verifies covers what is before it all the same.
 */
export interface CheckedSignature {
  readonly sequence: number;
  readonly hash: string;
  readonly verified: boolean;
  readonly isRetired?: boolean;
}

const MAX_PROBLEMS = 100;
/** How many are carried from one piece to the next. */
const MAX_UNCOVERED = 50;
const SET_BYTES = 32;

export class ChainCheck {
  readonly #problems: Problem[] = [];
  /** Heads that are known from elsewhere, by sequence; dropped when their record is met. */
  readonly #known = new Map<number, string>();
  readonly #headBefore: StoredHead;
  readonly #start: number;
  readonly #wasBroken: boolean;
  #uncovered: number[];
  #last: ChainHead;
  #lastSigned: number;
  /** Sums of hashes, the same for the same set in any order: of the ids of records, and of markers. */
  readonly #records: Buffer;
  readonly #markers: Buffer;

  constructor(from: ChainProgress) {
    this.#headBefore = from.headBefore;
    this.#start = from.start;
    this.#wasBroken = from.isBroken;
    this.#uncovered = [...from.uncovered];
    this.#last = from.last;
    this.#lastSigned = from.lastSigned;
    this.#records = Buffer.from(from.records, 'hex');
    this.#markers = Buffer.from(from.markers, 'hex');
    for (const { sequence, hash } of from.known) this.#expect(sequence, hash);
  }

  /**
   * `head` is read before any record; `known` is a head from a log that is kept elsewhere; `from` is a signed head behind which the check
   * begins.
   */
  static start(head: StoredHead, known?: ChainHead, from: ChainHead = CHAIN_START): ChainCheck {
    const none = Buffer.alloc(SET_BYTES).toString('hex');
    return new ChainCheck({
      headBefore: head,
      start: from.sequence,
      last: from,
      lastSigned: from.sequence,
      known: known ? [known] : [],
      uncovered: [],
      isBroken: false,
      records: none,
      markers: none,
    });
  }

  get progress(): ChainProgress {
    const known = [...this.#known].map(([sequence, hash]) => ({ sequence, hash }));
    return {
      headBefore: this.#headBefore,
      start: this.#start,
      last: this.#last,
      lastSigned: this.#lastSigned,
      known: known.filter(({ sequence }) => sequence > this.#last.sequence),
      uncovered: this.#uncovered.slice(0, MAX_UNCOVERED),
      isBroken: this.#wasBroken || this.#problems.length > 0,
      records: this.#records.toString('hex'),
      markers: this.#markers.toString('hex'),
    };
  }

  /** For a piece that is not the last. */
  get soFar(): ChainReport {
    return {
      status: this.#problems.length === 0 ? 'unfinished' : 'broken',
      problems: this.#problems,
      head: this.#last,
    };
  }

  /** The next records in the order of their row keys, and the signatures of heads up to the last of them. */
  page(page: { readonly records: readonly StoredRecord[]; readonly signed: readonly CheckedSignature[] }): void {
    for (const signature of page.signed) this.#signature(signature);
    for (const stored of page.records) this.#record(stored);
  }

  marker({ id, sequence }: Marker): void {
    if (sequence <= this.#start && this.#start > 0) return;
    if (sequence > this.#last.sequence) {
      this.#report('marker-without-record', sequence);
      return;
    }
    addTo(this.#markers, `${id}|${sequence}`);
  }

  /** Signatures behind the last record, and the head, read after everything else. */
  end(rest: { readonly signed: readonly CheckedSignature[]; readonly head: StoredHead | undefined }): ChainReport {
    for (const signature of rest.signed) this.#signature(signature);
    for (const sequence of this.#uncovered) this.#report('signature-forged', sequence);
    const furthest = Math.max(this.#headBefore.sequence, ...this.#known.keys());
    if (furthest > this.#last.sequence) this.#report('tail-cut-off', this.#last.sequence + 1);
    if (!this.#leadsOn(rest.head)) this.#report('head-forged', rest.head?.sequence ?? this.#last.sequence);
    if (this.#lastSigned < this.#headBefore.signedSequence) {
      this.#report('signature-missing', this.#headBefore.signedSequence);
    }
    return {
      status: this.#problems.length === 0 && !this.#wasBroken ? 'intact' : 'broken',
      problems: this.#problems,
      head: this.#last,
    };
  }

  /** After all markers: true if the marked records are exactly the ones that exist. */
  markersFit(): boolean {
    return this.#records.equals(this.#markers);
  }

  /** Compares a marker with the id of the record in its place, if there is one. */
  compareMarker(marker: Marker, record: AuditRecord | undefined): void {
    const isBefore = this.#start > 0 && marker.sequence <= this.#start;
    if (!isBefore && marker.sequence <= this.#last.sequence && record?.id !== marker.id) {
      this.#report('marker-without-record', marker.sequence);
    }
  }

  /** Compares a record with its marker. */
  compareRecord(record: AuditRecord, marked: boolean): void {
    if (!marked) this.#report('record-without-marker', record.sequence);
  }

  /** Record and head are written together, so a head that is read later is not behind the last record. */
  #leadsOn(head: StoredHead | undefined): boolean {
    if (!head || head.sequence < this.#last.sequence) return false;
    return head.sequence > this.#last.sequence || head.hash === this.#last.hash;
  }

  #signature({ sequence, hash, verified, isRetired }: CheckedSignature): void {
    this.#lastSigned = Math.max(this.#lastSigned, sequence);
    if (verified) {
      this.#expect(sequence, hash);
      this.#uncovered = this.#uncovered.filter((earlier) => earlier > sequence);
    } else if (isRetired) this.#uncovered.push(sequence);
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
