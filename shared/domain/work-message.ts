// Messages of the work queue. Pure. A message says only which work to look at, and carries no cursor, no key and no secret; the truth is in the
// tables. It is not trusted: any sender with access to the queue may have written it.
import { err, ok, type Result } from './result.ts';
import { isResourceId } from './ids.ts';

interface SwitchRef {
  readonly companyId: string;
  readonly keyringId: string;
  readonly switchId: string;
}

export type WorkMessage = {
  readonly format: 1;
  /** How often this piece of work has met a failure that may pass; sets the back-off. */
  readonly attempt: number;
} & (
  | ({ readonly kind: 'advance' } & SwitchRef)
  | ({
      readonly kind: 'reprotect';
      readonly generation: number;
      /** Inclusive. */
      readonly firstShard: number;
      readonly lastShard: number;
    } & SwitchRef)
);

export type ReprotectMessage = Extract<WorkMessage, { readonly kind: 'reprotect' }>;

/** How often a piece of work is tried by delayed copies; then the timer takes over, whose own messages are tried once. */
export const LAST_ATTEMPT = 6;
/** How often a message that found no permit is sent round again. */
export const LAST_ROUND = 16;

const MAX_SHARDS = 1024;
const MAX_ATTEMPT = 1_000_000;

const isCount = (value: unknown, max: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max;

const isId = (value: unknown): value is string => typeof value === 'string' && isResourceId(value);

const FIELDS = {
  advance: ['companyId', 'keyringId', 'switchId'],
  reprotect: ['companyId', 'keyringId', 'switchId', 'generation', 'firstShard', 'lastShard'],
} as const;

/** The message, or one sentence that says what is wrong with it (never its content). */
export function parseWorkMessage(value: unknown): Result<WorkMessage, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return err('not a JSON object');
  const message = value as Record<string, unknown>;
  if (message['format'] !== 1) return err('unknown format');
  const kind = message['kind'];
  if (kind !== 'advance' && kind !== 'reprotect') return err('unknown kind');
  const known: readonly string[] = ['format', 'kind', 'attempt', ...FIELDS[kind]];
  if (Object.keys(message).some((name) => !known.includes(name))) return err('unknown field');
  if (!isCount(message['attempt'], MAX_ATTEMPT)) return err('attempt is not a count');
  for (const name of FIELDS.advance) {
    if (!isId(message[name])) return err(`${name} is not an id`);
  }
  if (kind === 'reprotect') {
    const { generation, firstShard, lastShard } = message;
    if (!isCount(generation, Number.MAX_SAFE_INTEGER)) return err('generation is not a count');
    if (!isCount(firstShard, MAX_SHARDS) || !isCount(lastShard, MAX_SHARDS) || firstShard > lastShard) {
      return err('the range of shards is none');
    }
  }
  return ok(message as unknown as WorkMessage);
}
