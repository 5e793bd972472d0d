// A failure inside a row, as JSON. Pure. The cell may have been tampered with: what does not have the form of a failure reads as none, so
// that showing it to a caller cannot crash.
import type { Failure, FailureCode, FailureKind, FailureOwner, Remedy } from '../../domain/failure.ts';
import { isRecord } from '../../domain/plain-object.ts';
import { text, type Cells } from './cells.ts';

const KINDS: readonly FailureKind[] = ['input', 'transient', 'propagating', 'denied', 'warning', 'integrity'];
/** Areas declare codes and owners; the store knows none of them and checks only their form. */
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const MAX_NAME_CHARACTERS = 64;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrAbsent = (value: unknown): boolean => value === undefined || isText(value);

const isName = (value: unknown): boolean =>
  typeof value === 'string' && value.length <= MAX_NAME_CHARACTERS && NAME.test(value);
export const isFailureCode = (value: unknown): value is FailureCode => isName(value);
const isFailureOwner = (value: unknown): value is FailureOwner => isName(value);

/** A cell that holds only the code, or the owner, of a failure. */
export function failureCode(cells: Cells, name: string): FailureCode | undefined {
  const value = text(cells, name);
  return isFailureCode(value) ? value : undefined;
}
export function failureOwner(cells: Cells, name: string): FailureOwner | undefined {
  const value = text(cells, name);
  return isFailureOwner(value) ? value : undefined;
}

/** The failure, or undefined if `value` is none. */
export function readFailure(value: unknown): Failure | undefined {
  if (!isRecord(value)) return undefined;
  const { code, kind, owner, message, cause, remedy, facts, revokes, isTampering, service, becomesDeniedAt } = value;
  if (!isFailureCode(code) || !isFailureOwner(owner) || !KINDS.some((known) => known === kind)) return undefined;
  if (!isText(message) || !isText(cause)) return undefined;
  if (!isRemedy(remedy) || !areFacts(facts) || !isService(service)) return undefined;
  if (isTampering !== undefined && isTampering !== true) return undefined;
  if (revokes !== undefined && revokes !== 'at-once' && revokes !== 'once-seen-gone') return undefined;
  if (becomesDeniedAt !== undefined && !isTime(becomesDeniedAt)) return undefined;
  return value as unknown as Failure;
}

/** Whether it is a time in UTC, of a day that there is (`Date` would take the 30th of February for a day in March). */
export function isTime(value: unknown): value is string {
  if (typeof value !== 'string' || !ISO_TIME.test(value) || Number.isNaN(Date.parse(value))) return false;
  const [day = ''] = value.split('T');
  return new Date(value).toISOString().startsWith(day);
}

export const isRemedy = (value: unknown): value is Remedy =>
  isRecord(value) && isText(value['text']) && Object.values(value).every(isText);

const areFacts = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((fact) => isText(fact) || typeof fact === 'boolean');

const SERVICE_NAMES = ['status', 'code', 'message', 'correlationId', 'retryAfterSeconds'];

function isService(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isRecord(value) || !Object.keys(value).every((name) => SERVICE_NAMES.includes(name))) return false;
  const { status, code, message, correlationId, retryAfterSeconds } = value;
  const areNumbers = [status, retryAfterSeconds].every((one) => one === undefined || Number.isSafeInteger(one));
  return areNumbers && [code, message, correlationId].every(isTextOrAbsent);
}
