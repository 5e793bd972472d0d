// What vaults and Entra can answer but yes: every such code of the catalogue that a call in the middle of the work can meet.
import { failure } from '../../shared/failures.ts';
import { asPropagating, type Failure, type FailureCode } from '../../shared/domain/failure.ts';
import type { VaultKey } from '../../shared/domain/provider.ts';

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

/** Neither of these passes by itself, and neither is a denial: the tenant is gone, or the vault answers for another key. */
export const STOPPING: readonly FailureCode[] = ['entra-tenant-not-found', 'key-substituted'];

/** Denials that are excused for a while after a grant. */
export const PROPAGATING: readonly FailureCode[] = [
  'access-denied-rbac',
  'access-denied-policy',
  'federation-mismatch',
];

/** A name is denied by being gone for sure: else it may be hidden from us, which is an outage. */
export const troubleOf = (code: FailureCode, host: string): Failure =>
  failure(code, { vaultHost: host, ...(code === 'vault-not-found' ? { nameGone: true } : {}) });

export const propagating = (code: FailureCode, host: string): Failure =>
  asPropagating(troubleOf(code, host), '2026-01-01T00:10:00.000Z');

/** What a key can say of itself that a switch to it must not take, or only with a warning. `nowMs` is the time of the change. */
export function unfitnesses(nowMs: number): readonly Partial<VaultKey>[] {
  return [
    { expires: new Date(nowMs) },
    { notBefore: new Date(nowMs + HOUR_MS) },
    { sizeBits: 1024 },
    { keyType: 'EC' },
    { recoveryLevel: 'Recoverable+Purgeable' },
    { enabled: false },
    { keyOps: ['wrapKey'] },
  ];
}

const HOUR_MS = 3_600_000;
