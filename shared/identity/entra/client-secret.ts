// What is special about an app of the company's own that is reached by a client secret: no administrator consents to it, its failures are about the
// company's app and not about ours, and its secret ends at a date. Pure.
import type { Failure } from '../../domain/failure.ts';
import type { Credential } from '../../domain/provider.ts';
import { APP_DISABLED } from './words/consent-failures.ts';
import { failure } from './words/failures.ts';

/** Entra says the same of an app that no administrator let in and of one that is gone: the company's own is gone. */
export function ofOwnApp(found: Failure): Failure {
  if (found.code !== 'consent-required') return found;
  const { detail, ...facts } = found.facts;
  return failure('client-app-missing', detail === APP_DISABLED ? { ...facts, detail } : facts, found.service);
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days before the end at which the company is told. */
export const WARNED_AT_DAYS = [30, 7, 1] as const;

/** Whole days until the newest secret ends by the date that was entered with it; below zero once it is over. */
export function daysLeft({ secrets: [newest] = [] }: Credential, now: Date): number | undefined {
  if (!newest) return undefined;
  return Math.floor((Date.parse(newest.expiresAt) - now.getTime()) / DAY_MS);
}

/** The warning for a secret that soon ends, or has ended by its date and is taken all the same. */
export function expiryWarning(credential: Credential, now: Date): Failure | undefined {
  const left = daysLeft(credential, now);
  if (left === undefined || left >= WARNED_AT_DAYS[0]) return undefined;
  const on = credential.secrets?.[0]?.expiresAt.slice(0, 10);
  return failure('client-secret-expiring', {
    appId: credential.clientId,
    ...(on === undefined ? {} : { detail: `by the date that was entered with it, ${on}` }),
  });
}
