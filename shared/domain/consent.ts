// Consent: that an administrator of the vault's own tenant, signed in and asked twice, let the connector app use this one key. Pure. A
// service principal in the tenant is none: another company's consent may have left it there.
import { CONSENT_AGED, CONSENT_NONE } from '../identity/entra/entra-failures.ts';
import { failure } from './failure-catalogue.ts';
import { isInForce, type Connection } from './connection.ts';
import type { Failure } from './failure.ts';

/** Undefined if consent was given for this connection. Its seal is checked where the connection is loaded. */
export function lackOfConsent(connection: Connection): Failure | undefined {
  return connection.consent === undefined ? required(connection, CONSENT_NONE) : undefined;
}

/** The same, and while nothing is protected by the key yet it must not be older than `consentMs`: a set-up is to be finished. */
export function lackOfRecentConsent(
  connection: Connection,
  { now, consentMs }: { readonly now: Date; readonly consentMs: number },
): Failure | undefined {
  const { consent } = connection;
  if (consent === undefined) return lackOfConsent(connection);
  if (isInForce(connection)) return undefined;
  const ageMs = now.getTime() - Date.parse(consent.grantedAt);
  // A time that cannot be read is no recent one.
  return ageMs <= consentMs ? undefined : required(connection, CONSENT_AGED);
}

const required = ({ tenantId, credential }: Connection, detail: string): Failure =>
  failure('consent-required', { appId: credential.clientId, detail, ...(tenantId === undefined ? {} : { tenantId }) });
