// What Table Storage refuses with: that we cannot have our tables now, or that a request of ours is wrong. Pure, but for what it throws.
import { StoreUnavailable } from '../domain/store-unavailable.ts';

/**
 * We have no right to our own tables (a role has not arrived or was removed, a firewall), or there are no tables at the moment. Nothing was
 * done. https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
 */
const AWAY: ReadonlySet<string> = new Set([
  'AccountBeingCreated',
  'AccountIsDisabled',
  'TableBeingDeleted',
  'TableNotFound',
]);

/** Throws StoreUnavailable if nothing of ours can be had now, whatever was asked. */
export function refuseAway(status: number, code: string): void {
  if (status === 401 || status === 403 || AWAY.has(code))
    throw new StoreUnavailable(`Table Storage: ${answered(status, code)}`);
}

/** The service's code tells a missing role from a firewall. Anything else in its place is not logged. */
export const answered = (status: number, code: string): string =>
  /^[A-Za-z]{1,64}$/.test(code) ? `answered ${status} ${code}` : `answered ${status}`;

interface ServiceError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export const refused = (table: string, { status, code, message }: ServiceError): Error =>
  new Error(`Table Storage refused a request to ${table}: ${status} ${code} ${message}`);
