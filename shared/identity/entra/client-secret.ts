// What is special about an app of the company's own that is reached by a client secret: no administrator consents to it, its failures are about the
// company's app and not about ours, and its secret ends at a date. Pure.
import type { Failure } from '../../domain/failure.ts';
import { warnedOf, type WarnDays } from '../../domain/key-dates.ts';
import type { Credential } from '../../domain/provider.ts';
import { APP_DISABLED } from './words/consent-failures.ts';
import { failure } from './words/failures.ts';

/** Entra says the same of an app that no administrator let in and of one that is gone: the company's own is gone. */
export function ofOwnApp(found: Failure): Failure {
  if (found.code !== 'consent-required') return found;
  const { detail, ...facts } = found.facts;
  return failure('client-app-missing', detail === APP_DISABLED ? { ...facts, detail } : facts, found.service);
}

const EXPIRES_IN = {
  30: 'client-secret-expires-in-a-month',
  7: 'client-secret-expires-in-a-week',
  1: 'client-secret-expires-in-a-day',
  0: 'client-secret-past-its-date',
} as const;

export interface SecretExpiry {
  readonly secretId: string;
  /** As the person who entered the secret said. */
  readonly expiresAt: string;
  /** Days; 0 once it is over by its date. */
  readonly within: WarnDays | 0;
}

/** Undefined while it is far. Of two secrets the older counts: it is dropped once the newer has worked. */
export function expiryOf({ secrets = [] }: Credential, now: Date): SecretExpiry | undefined {
  const secret = secrets.at(-1);
  if (!secret) return undefined;
  const { secretId, expiresAt } = secret;
  const expires = new Date(expiresAt);
  const within = expires <= now ? 0 : warnedOf({ expires }, { now })?.within;
  return within === undefined ? undefined : { secretId, expiresAt, within };
}

/** The warning for a secret that soon ends, or has ended by its date and is taken all the same. */
export function expiryWarning(credential: Credential, now: Date): Failure | undefined {
  const expiry = expiryOf(credential, now);
  return (
    expiry &&
    failure(EXPIRES_IN[expiry.within], {
      appId: credential.clientId,
      detail: `by the date that was entered with it, ${expiry.expiresAt.slice(0, 10)}`,
    })
  );
}
