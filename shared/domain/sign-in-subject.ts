// What a link asks an administrator of a tenant for. Pure.
import { isResourceId } from './ids.ts';
import { isRecord } from './rows/cells.ts';

/** That the connector app may use the key of a connection. */
export interface ConsentSubject {
  readonly purpose: 'consent';
  readonly connectionId: string;
}

export type SignInSubject = ConsentSubject;

/** Undefined if it is none of ours. */
export function readSubject(value: unknown): SignInSubject | undefined {
  if (!isRecord(value)) return undefined;
  const { purpose, connectionId } = value;
  if (purpose !== 'consent' || typeof connectionId !== 'string' || !isResourceId(connectionId)) return undefined;
  return { purpose, connectionId };
}
