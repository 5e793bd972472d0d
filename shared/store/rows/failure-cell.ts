// A failure inside a row, as JSON. Pure. Whoever can write the tables could have written it: one that does not have the form of a
// failure is none, so that nobody who shows it to a caller stumbles over it.
import { FAILURE_CODES, type Failure, type FailureKind, type FailureOwner, type Remedy } from '../../domain/failure.ts';
import { isRecord } from '../../domain/plain-object.ts';

const KINDS: readonly FailureKind[] = ['input', 'transient', 'propagating', 'denied', 'warning', 'integrity'];
const OWNERS: readonly FailureOwner[] = ['company-admin', 'azure-admin', 'vendor'];
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrAbsent = (value: unknown): boolean => value === undefined || isText(value);

/** The failure, or undefined if it is none. */
export function readFailure(value: unknown): Failure | undefined {
  if (!isRecord(value)) return undefined;
  const { code, kind, owner, message, cause, remedy, facts, service, becomesDeniedAt } = value;
  if (!FAILURE_CODES.some((known) => known === code)) return undefined;
  if (!KINDS.some((known) => known === kind) || !OWNERS.some((known) => known === owner)) return undefined;
  if (!isText(message) || !isText(cause)) return undefined;
  if (!isRemedy(remedy) || !areFacts(facts) || !isService(service)) return undefined;
  if (becomesDeniedAt !== undefined && !isTime(becomesDeniedAt)) return undefined;
  return value as unknown as Failure;
}

const isTime = (value: unknown): boolean =>
  typeof value === 'string' && ISO_TIME.test(value) && !Number.isNaN(Date.parse(value));

export const isRemedy = (value: unknown): value is Remedy =>
  isRecord(value) &&
  isText(value['text']) &&
  isTextOrAbsent(value['azureCli']) &&
  isTextOrAbsent(value['portal']) &&
  Object.keys(value).every((name) => ['text', 'azureCli', 'portal'].includes(name));

const areFacts = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((fact) => isText(fact) || typeof fact === 'boolean');

const SERVICE_NAMES = ['status', 'code', 'message', 'correlationId'];

function isService(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isRecord(value) || !Object.keys(value).every((name) => SERVICE_NAMES.includes(name))) return false;
  const { status, code, message, correlationId } = value;
  return (status === undefined || Number.isSafeInteger(status)) && [code, message, correlationId].every(isTextOrAbsent);
}
