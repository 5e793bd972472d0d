// Messages of the queue of vault checks. Pure. A message says only what to look at; whether it has to be checked is in the tables. It is not trusted: any
// sender with access to the queue may have written it.
import { isResourceId } from './ids.ts';
import { err, ok, type Result } from './result.ts';

/** One connection, at once: somebody asked, or a denial has to be seen again before it counts. */
export interface CheckMessage {
  readonly format: 1;
  readonly kind: 'check';
  readonly companyId: string;
  readonly connectionId: string;
}

const FIELDS: readonly string[] = ['format', 'kind', 'companyId', 'connectionId'];

/** The message, or one sentence that says what is wrong with it (never its content). */
export function parseCheckMessage(value: unknown): Result<CheckMessage, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return err('not a JSON object');
  const { format, kind, companyId, connectionId } = value as Record<string, unknown>;
  if (format !== 1) return err('unknown format');
  if (kind !== 'check') return err('unknown kind');
  if (Object.keys(value).some((name) => !FIELDS.includes(name))) return err('unknown field');
  if (typeof companyId !== 'string' || !isResourceId(companyId)) return err('companyId is not an id');
  if (typeof connectionId !== 'string' || !isResourceId(connectionId)) return err('connectionId is not an id');
  return ok({ format, kind, companyId, connectionId });
}
