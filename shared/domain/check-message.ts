// Messages of the queue of vault checks. Pure. A message says only what to look at; whether it has to be checked is in the tables. It is not trusted: any
// sender with access to the queue may have written it.
import { REASONS, type Because } from './asked-check.ts';
import { LANES, type Lane } from './check-pace.ts';
import { isResourceId } from './ids.ts';
import { err, ok, type Result } from './result.ts';

/** One connection, at once: a caller or an unwrap asked for it, or a denial has to be seen again before it counts. */
export interface OneCheckMessage {
  readonly format: 1;
  readonly kind: 'check';
  readonly companyId: string;
  readonly connectionId: string;
  readonly because: Because;
}

/** What is due in one lane of one bucket of the agenda. */
export interface RoundMessage {
  readonly format: 1;
  readonly kind: 'round';
  readonly lane: Lane;
  readonly bucket: string;
  readonly slot: number;
}

export type CheckMessage = OneCheckMessage | RoundMessage;

const FIELDS: Readonly<Record<CheckMessage['kind'], readonly string[]>> = {
  check: ['format', 'kind', 'companyId', 'connectionId', 'because'],
  round: ['format', 'kind', 'lane', 'bucket', 'slot'],
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isId = (value: unknown): boolean => typeof value === 'string' && isResourceId(value);

/** The message, or one sentence that says what is wrong with it (never its content). */
export function parseCheckMessage(value: unknown): Result<CheckMessage, string> {
  if (!isObject(value)) return err('not a JSON object');
  const { format, kind } = value;
  if (format !== 1) return err('unknown format');
  if (kind !== 'check' && kind !== 'round') return err('unknown kind');
  if (Object.keys(value).some((name) => !FIELDS[kind].includes(name))) return err('unknown field');
  const fault = kind === 'check' ? faultOfPlace(value) : faultOfRound(value);
  return fault === undefined ? ok(value as unknown as CheckMessage) : err(fault);
}

function faultOfPlace({ companyId, connectionId, because }: Record<string, unknown>): string | undefined {
  if (!isId(companyId)) return 'companyId is not an id';
  if (!isId(connectionId)) return 'connectionId is not an id';
  return REASONS.some((known) => known === because) ? undefined : 'unknown reason';
}

function faultOfRound({ lane, bucket, slot }: Record<string, unknown>): string | undefined {
  if (!LANES.some((known) => known === lane)) return 'unknown lane';
  if (typeof bucket !== 'string' || !/^\d\d$/.test(bucket)) return 'bucket is none';
  return Number.isSafeInteger(slot) ? undefined : 'slot is no number';
}
