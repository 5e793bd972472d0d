// Where the check of a chain goes on, as a text that its caller keeps: the place, and what the check has to remember. A caller who makes one up gets a
// wrong answer and no more: it opens nothing but the chain, which the caller may read anyway.
import type { ChainHead } from '../../domain/audit.ts';
import type { ChainProgress } from '../../domain/audit-check.ts';
import { isRecord } from '../../domain/plain-object.ts';

export const PHASES = ['records', 'markers', 'compare-markers', 'compare-records'] as const;
export type Phase = (typeof PHASES)[number];

export interface Place {
  readonly phase: Phase;
  /** Row key of the last row that was looked at. */
  readonly after: string;
}

export interface Continuation extends Place {
  readonly progress: ChainProgress;
}

const MAX_CHARS = 4_096;
const MAX_HEADS = 100;
const HASH = /^(?:[0-9a-f]{64})?$/;
const SUM = /^[0-9a-f]{64}$/;
const ROW_KEY = /^[0-9A-Za-z|:/_-]{1,200}$/;

export const writeContinuation = (continuation: Continuation): string => JSON.stringify(continuation);

export function readContinuation(text: string): Continuation | undefined {
  if (text.length > MAX_CHARS) return undefined;
  const value = parsed(text);
  if (!isRecord(value) || !isRecord(value['progress'])) return undefined;
  const phase = PHASES.find((one) => one === value['phase']);
  const after = value['after'];
  if (!phase || typeof after !== 'string' || !ROW_KEY.test(after)) return undefined;
  const progress = readProgress(value['progress']);
  if (!progress || (phase === 'records' && Number(after) !== progress.last.sequence)) return undefined;
  return { phase, after, progress };
}

function readProgress(value: Readonly<Record<string, unknown>>): ChainProgress | undefined {
  const { start, lastSigned, known, uncovered, isBroken, records, markers } = value;
  const last = readHead(value['last']);
  const headBefore = readHead(value['headBefore']);
  const signedSequence = isRecord(value['headBefore']) ? value['headBefore']['signedSequence'] : undefined;
  if (!last || !headBefore || !isCount(signedSequence) || !isCount(lastSigned) || !isCount(start)) return undefined;
  if (typeof isBroken !== 'boolean' || !isSum(records) || !isSum(markers)) return undefined;
  const heads = listOf(known, readHead);
  const sequences = listOf(uncovered, (one) => (isCount(one) ? one : undefined));
  if (!heads || !sequences) return undefined;
  const { sequence, hash } = headBefore;
  return {
    headBefore: { sequence, hash, signedSequence },
    start,
    last,
    lastSigned,
    known: heads,
    uncovered: sequences,
    isBroken,
    records,
    markers,
  };
}

function readHead(value: unknown): ChainHead | undefined {
  if (!isRecord(value)) return undefined;
  const { sequence, hash } = value;
  return isCount(sequence) && typeof hash === 'string' && HASH.test(hash) ? { sequence, hash } : undefined;
}

function listOf<T>(value: unknown, read: (one: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_HEADS) return undefined;
  const list = (value as unknown[]).map(read);
  return list.every((one) => one !== undefined) ? list : undefined;
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isSum = (value: unknown): value is string => typeof value === 'string' && SUM.test(value);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
