// Faults of a vault, of Entra ID or of the way there, as their answers are told apart, and what becomes of each while data keys are unwrapped on two
// hosts. What people met in public is in faults-in-public.ts, what owners of keys bring about in life-cycle.ts.
import { asPropagating, type Failure, type FailureCode, type FailureFacts } from '../../../shared/domain/failure.ts';
import { failure } from '../../../shared/failures.ts';
import { CONTOSO_HOST } from '../switches/rig.ts';

const fault = (code: FailureCode, facts: FailureFacts = {}, service?: Failure['service']): Failure =>
  failure(code, { vaultHost: CONTOSO_HOST, keyName: 'customer-key', ...facts }, service);
const arriving = (code: FailureCode): Failure => asPropagating(fault(code), '2026-01-01T00:10:00.000Z');

/** `becomes`: the state and its code, in how many checks, whose move it is, and what both hosts do. */
export type Row<Meets> = readonly [name: string, meets: Meets, becomes: string];

export const FAULTS: readonly Row<Failure>[] = [
  [
    'vault-unreachable',
    fault('vault-unreachable'),
    'unreachable (vault-unreachable) at check 1, vendor; first serves, other serves',
  ],
  ['throttled', fault('throttled'), 'unreachable (throttled) at check 1, azure-admin; first serves, other serves'],
  ['vault-error', fault('vault-error'), 'unreachable (vault-error) at check 1, vendor; first serves, other serves'],
  [
    'entra-unreachable',
    fault('entra-unreachable'),
    'unreachable (entra-unreachable) at check 1, vendor; first serves, other serves',
  ],
  [
    'entra-throttled',
    fault('entra-throttled'),
    'unreachable (entra-throttled) at check 1, vendor; first serves, other serves',
  ],
  ['entra-error', fault('entra-error'), 'unreachable (entra-error) at check 1, vendor; first serves, other serves'],
  [
    'managed-identity-unavailable',
    fault('managed-identity-unavailable'),
    'unreachable (managed-identity-unavailable) at check 1, vendor; first serves, other serves',
  ],
  [
    'access-denied-rbac',
    fault('access-denied-rbac'),
    'revoked (access-denied-rbac) at check 1, azure-admin; first refused access-denied-rbac, other refused access-denied-rbac',
  ],
  [
    'access-denied-policy',
    fault('access-denied-policy'),
    'revoked (access-denied-policy) at check 1, azure-admin; first refused access-denied-policy, other refused access-denied-policy',
  ],
  [
    'key-not-found',
    fault('key-not-found'),
    'revoked (key-not-found) at check 1, azure-admin; first refused key-not-found, other refused key-not-found',
  ],
  [
    'key-disabled',
    fault('key-disabled'),
    'revoked (key-disabled) at check 1, azure-admin; first refused key-disabled, other refused key-disabled',
  ],
  [
    'key-operation-not-permitted',
    fault('key-operation-not-permitted'),
    'revoked (key-operation-not-permitted) at check 1, azure-admin; first refused key-operation-not-permitted, other refused key-operation-not-permitted',
  ],
  [
    'key-expired',
    fault('key-expired'),
    'unreachable (key-expired) at check 1, azure-admin; first refused key-expired, other serves',
  ],
  [
    'key-not-yet-valid',
    fault('key-not-yet-valid'),
    'unreachable (key-not-yet-valid) at check 1, azure-admin; first refused key-not-yet-valid, other serves',
  ],
  [
    'vault-firewall',
    fault('vault-firewall'),
    'revoked (vault-firewall) at check 1, azure-admin; first refused vault-firewall, other refused vault-firewall',
  ],
  [
    'vault-private-only',
    fault('vault-private-only'),
    'revoked (vault-private-only) at check 1, azure-admin; first refused vault-private-only, other refused vault-private-only',
  ],
  [
    'vault-perimeter',
    fault('vault-perimeter'),
    'revoked (vault-perimeter) at check 1, azure-admin; first refused vault-perimeter, other refused vault-perimeter',
  ],
  [
    'vault-refused',
    fault('vault-refused'),
    'unreachable (vault-refused) at check 1, azure-admin; first refused vault-refused, other serves',
  ],
  [
    'consent-required',
    fault('consent-required'),
    'revoked (consent-required) at check 1, company-admin; first refused consent-required, other refused consent-required',
  ],
  [
    'wrong-entra-tenant',
    fault('wrong-entra-tenant'),
    'revoked (wrong-entra-tenant) at check 1, company-admin; first refused wrong-entra-tenant, other refused wrong-entra-tenant',
  ],
  [
    'entra-tenant-not-found',
    fault('entra-tenant-not-found'),
    'unreachable (entra-tenant-not-found) at check 1, company-admin; first refused entra-tenant-not-found, other serves',
  ],
  [
    'federation-mismatch',
    fault('federation-mismatch'),
    'unreachable (federation-mismatch) at check 1, vendor; first refused federation-mismatch, other serves',
  ],
  [
    'client-secret-wrong',
    fault('client-secret-wrong'),
    'revoked (client-secret-wrong) at check 1, azure-admin; first refused client-secret-wrong, other refused client-secret-wrong',
  ],
  [
    'client-secret-expired',
    fault('client-secret-expired'),
    'revoked (client-secret-expired) at check 1, azure-admin; first refused client-secret-expired, other refused client-secret-expired',
  ],
  [
    'client-app-missing',
    fault('client-app-missing'),
    'revoked (client-app-missing) at check 1, azure-admin; first refused client-app-missing, other refused client-app-missing',
  ],
  [
    'client-secret-unavailable',
    fault('client-secret-unavailable'),
    'unreachable (client-secret-unavailable) at check 1, vendor; first serves, other serves',
  ],
  [
    'blocked-by-conditional-access',
    fault('blocked-by-conditional-access'),
    'revoked (blocked-by-conditional-access) at check 1, azure-admin; first refused blocked-by-conditional-access, other refused blocked-by-conditional-access',
  ],
  [
    'key-substituted',
    fault('key-substituted'),
    'unreachable (key-substituted) at check 1, vendor; first refused key-substituted, other serves',
  ],
  [
    'row-forged',
    fault('row-forged'),
    'unreachable (row-forged) at check 1, vendor; first refused row-forged, other serves',
  ],
  [
    'vault-not-found',
    fault('vault-not-found'),
    'unreachable (vault-unreachable) at check 1, vendor; first serves, other serves',
  ],
  [
    'entra-refused',
    fault('entra-refused'),
    'unreachable (entra-refused) at check 1, company-admin; first refused entra-refused, other serves',
  ],
  [
    'vault-not-found, and a second resolver does not know it',
    fault('vault-not-found', { nameGone: true }),
    'revoked (vault-deleted) at check 3, azure-admin; first refused vault-deleted, other refused vault-deleted',
  ],
  [
    'vault-not-found, said by the vault',
    fault('vault-not-found', {}, { status: 404 }),
    'revoked (vault-deleted) at check 3, azure-admin; first refused vault-deleted, other refused vault-deleted',
  ],
  [
    'vault-firewall for an address of the vendor’s network',
    fault('vault-firewall', { clientAddress: '10.0.0.1' }),
    'unreachable (vault-firewall) at check 1, vendor; first refused vault-firewall, other serves',
  ],
  [
    'vault-firewall for a public address',
    fault('vault-firewall', { clientAddress: '20.1.2.3' }),
    'revoked (vault-firewall) at check 1, azure-admin; first refused vault-firewall, other refused vault-firewall',
  ],
  [
    'vault-firewall for an address of IPv6',
    fault('vault-firewall', { clientAddress: '2001:db8::1' }),
    'unreachable (vault-firewall) at check 1, vendor; first refused vault-firewall, other serves',
  ],
  [
    'access-denied-rbac by a deny assignment',
    fault('access-denied-rbac', { detail: 'a deny assignment blocks unwrap', denyAssignmentId: '1' }),
    'revoked (access-denied-rbac) at check 1, azure-admin; first refused access-denied-rbac, other refused access-denied-rbac',
  ],
  [
    'key-deleted',
    fault('key-deleted', { recoverableUntil: '2026-04-01T00:00:00.000Z' }),
    'revoked (key-deleted) at check 1, azure-admin; first refused key-deleted, other refused key-deleted',
  ],
  [
    'key-not-found, nor among the deleted keys',
    fault('key-not-found', { notAmongDeleted: true }),
    'revoked (key-purged) at check 1, azure-admin; first refused key-not-found, other refused key-not-found',
  ],
  [
    'key-not-found, another has its name',
    fault('key-not-found', { keyReplaced: true }),
    'revoked (key-purged) at check 1, azure-admin; first refused key-not-found, other refused key-not-found',
  ],
  [
    'a role that was just assigned',
    arriving('access-denied-rbac'),
    'waiting-for-azure (access-denied-rbac) at check 1, azure-admin; first refused access-denied-rbac, other serves',
  ],
  [
    'an access policy that was just made',
    arriving('access-denied-policy'),
    'waiting-for-azure (access-denied-policy) at check 1, azure-admin; first refused access-denied-policy, other serves',
  ],
  [
    'a consent that was just given',
    arriving('consent-required'),
    'waiting-for-azure (consent-required) at check 1, company-admin; first refused consent-required, other serves',
  ],
  [
    'a federated credential that was just made',
    arriving('federation-mismatch'),
    'waiting-for-azure (federation-mismatch) at check 1, vendor; first refused federation-mismatch, other serves',
  ],
  [
    'vault-unreachable, a time-out',
    fault('vault-unreachable', { detail: 'ETIMEDOUT' }),
    'unreachable (vault-unreachable) at check 1, vendor; first serves, other serves',
  ],
  [
    'vault-unreachable, a reset connection',
    fault('vault-unreachable', { detail: 'ECONNRESET' }),
    'unreachable (vault-unreachable) at check 1, vendor; first serves, other serves',
  ],
  [
    'vault-unreachable, a 503',
    fault('vault-unreachable', {}, { status: 503 }),
    'unreachable (vault-unreachable) at check 1, vendor; first serves, other serves',
  ],
  [
    'throttled, a 429',
    fault('throttled', {}, { status: 429 }),
    'unreachable (throttled) at check 1, azure-admin; first serves, other serves',
  ],
  [
    'vault-error, a 403 that no vault wrote',
    fault('vault-error', {}, { status: 403 }),
    'unreachable (vault-error) at check 1, vendor; first serves, other serves',
  ],
];
