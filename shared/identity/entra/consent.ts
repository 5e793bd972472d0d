// Consent: that an administrator of the vault's own tenant, signed in and asked twice, let the connector app use this one key. Pure. A
// service principal in the tenant is none: another company's consent may have left it there.
import { isInForce, type Connection } from '../../domain/connection.ts';
import type { Failure } from '../../domain/failure.ts';
import { failure as ofStore } from '../../domain/failures.ts';
import type { Credential } from '../../domain/provider.ts';
import { isClaimedByTest, takesConsent } from './credential-kinds.ts';
import { APP_DISABLED, CLAIM_RELEASED, CONSENT_AGED, CONSENT_NONE, JUST_ACCEPTED } from './words/consent-failures.ts';
import { failure } from './words/failures.ts';

/** Undefined if consent was given for this connection, or its kind takes none. The seal is checked where the connection is loaded. */
export function lackOfConsent(connection: Connection): Failure | undefined {
  const isLacking = connection.consent === undefined && takesConsent(connection.credential);
  return isLacking ? required(connection, CONSENT_NONE) : undefined;
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

/** Where the claim was taken away, what claimed the key must be done again: the consent or, with a kind that takes none, the entry. */
export const lackOfClaimedKey = (
  { host, keyName }: { readonly host: string; readonly keyName: string },
  credential: Pick<Credential, 'kind'> | undefined,
): Failure =>
  credential === undefined || takesConsent(credential)
    ? failure('consent-required', { vaultHost: host, keyName, detail: CLAIM_RELEASED })
    : ofStore('vault-key-unclaimed', { vaultHost: host, keyName, ...(isClaimedByTest(credential) ? BY_TEST : {}) });

const BY_TEST = { isClaimedByTest: true } as const;

/**
 * Right after an administrator accepted, "not installed" is Microsoft passing the new service principal on: seconds, sometimes minutes
 * (MSAL.NET #3706, vault-plugin-secrets-azure #26). An app that was switched off is another thing.
 */
export function excuseFreshConsent(found: Failure): Failure {
  if (found.code !== 'consent-required' || found.facts.detail === APP_DISABLED) return found;
  const arriving = failure(found.code, { ...found.facts, detail: JUST_ACCEPTED }, found.service);
  return { ...arriving, kind: 'propagating' };
}
