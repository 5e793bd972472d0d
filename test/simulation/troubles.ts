// What vaults and Entra can answer but yes: every such code of the catalogue that a call in the middle of the work can meet.
import { asPropagating, failure } from '../../shared/domain/failure-catalogue.ts';
import type { Failure, FailureCode } from '../../shared/domain/failure.ts';

export const PASSING: readonly FailureCode[] = [
  'vault-unreachable',
  'throttled',
  'vault-error',
  'entra-unreachable',
  'entra-throttled',
  'entra-error',
  'managed-identity-unavailable',
];

export const DENYING: readonly FailureCode[] = [
  'vault-not-found',
  'vault-firewall',
  'vault-private-only',
  'access-denied-rbac',
  'access-denied-policy',
  'key-not-found',
  'key-disabled',
  'key-operation-not-permitted',
  'consent-required',
  'wrong-entra-tenant',
  'federation-mismatch',
  'client-secret-wrong',
  'client-secret-expired',
  'blocked-by-conditional-access',
];

/** Denials that are excused for a while after a grant. */
export const PROPAGATING: readonly FailureCode[] = ['access-denied-rbac', 'federation-mismatch'];

export const troubleOf = (code: FailureCode, host: string): Failure => failure(code, { vaultHost: host });

export const propagating = (code: FailureCode, host: string): Failure =>
  asPropagating(troubleOf(code, host), '2026-01-01T00:10:00.000Z');
