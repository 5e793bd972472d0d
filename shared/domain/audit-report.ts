// What a check of a company's chain of events finds: traces of changes by a writer of the tables, each with its code and place. Pure.
import type { ChainHead } from './audit.ts';

export const PROBLEM_CODES = [
  /** A record does not match its hash, cannot be read, or is not the one whose hash the next record names. */
  'changed',
  /** Records are missing between two others; `sequence` is the first missing one. */
  'gap',
  /** A record is in another's place. */
  're-ordered',
  /** Records are missing at the end; `sequence` is the first missing one. */
  'tail-cut-off',
  /** A head that was signed, or is known from the log, names another record: the chain up to it was rewritten. */
  'rewritten',
  /** The head cannot be read, or does not name the last record of the chain. */
  'head-forged',
  /** A signature was not made by the seal key. */
  'signature-forged',
  /** A head was signed and its signature is gone. */
  'signature-missing',
  /** An event is marked as recorded and its record is gone. */
  'marker-without-record',
  /** A record whose event is not marked, so that it could be recorded twice. */
  'record-without-marker',
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

export interface Problem {
  readonly code: ProblemCode;
  readonly sequence: number;
}

export interface ChainReport {
  /** `unfinished`: nothing wrong so far, and there is more. In the last piece: of the whole chain. */
  readonly status: 'intact' | 'broken' | 'unfinished';
  /** The first ones, in the order in which the check met them. */
  readonly problems: readonly Problem[];
  /** The last record seen; sequence 0 if there is none. */
  readonly head: ChainHead;
}
