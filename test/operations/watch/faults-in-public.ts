// Faults that people met in public (test/domain/public-cases.json), and what becomes of each while data keys are unwrapped on two hosts.
import type { FailureCode } from '../../../shared/domain/failure.ts';

/** By the id of the case. */
export const IN_PUBLIC: readonly (readonly [id: string, becomes: string])[] = [
  [
    'F04a',
    'unreachable (entra-tenant-blocked) at check 1, company-admin; first refused entra-tenant-blocked, other serves',
  ],
  [
    'F05',
    'unreachable (entra-resource-disabled) at check 1, company-admin; first refused entra-resource-disabled, other serves',
  ],
  ['F17a', 'unreachable (federation-mismatch) at check 1, vendor; first refused federation-mismatch, other serves'],
  ['F17c', 'unreachable (federation-mismatch) at check 1, vendor; first refused federation-mismatch, other serves'],
  ['F17d', 'unreachable (entra-error) at check 1, vendor; first serves, other serves'],
  [
    'F26',
    'unreachable (entra-tenant-not-found) at check 1, company-admin; first refused entra-tenant-not-found, other serves',
  ],
  ['F11a', 'unreachable (vault-firewall) at check 1, vendor; first refused vault-firewall, other serves'],
  [
    'F15',
    'revoked (access-denied-rbac) at check 1, azure-admin; first refused access-denied-rbac, other refused access-denied-rbac',
  ],
  ['F25', 'unreachable (vault-unreachable) at check 1, vendor; first serves, other serves'],
  ['F12', 'unreachable (vault-unreachable) at check 1, vendor; first serves, other serves'],
];

/** What only a course of checks tells (deleted.test.ts), rules for new keys and their claims, dates that only warn, and faults of counts, of the vendor's own vault and network, and of sign-ins: they have tests of their own. */
export const NOT_MET: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'vault-recovered',
  'client-secret-invalid',
  'client-secret-expires-in-a-month',
  'client-secret-expires-in-a-week',
  'client-secret-expires-in-a-day',
  'client-secret-past-its-date',
  'key-type-unsupported',
  'key-too-small',
  'vault-key-in-use',
  'vault-key-unclaimed',
  'key-rotation-due-in-a-month',
  'key-rotation-due-in-a-week',
  'key-rotation-due-in-a-day',
  'key-rotation-overdue',
  'counts-differ',
  'vault-of-vendor',
  'own-network',
  'wids-not-emitted',
  'auth-time-not-emitted',
]);
