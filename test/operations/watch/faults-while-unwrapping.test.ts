// Every fault of a vault, of Entra ID or of the way there, injected while data keys are unwrapped on two host processes: what the check says, and what
// becomes of unwrapping. `first`: the host that meets it once the promised time is over. `other`: one with a key in memory, ten seconds later.
import { expect, it } from 'vitest';
import { asPropagating, type Failure, type FailureCode, type FailureFacts } from '../../../shared/domain/failure.ts';
import { CONFIRM_AFTER_MS } from '../../../shared/domain/health.ts';
import { failure } from '../../../shared/failures.ts';
import { DENIALS_AGE_MS } from '../../../shared/operations/keys/denials.ts';
import { checkConnection } from '../../../shared/operations/watch/vault-checks.ts';
import { CONTOSO_HOST } from '../switches/rig.ts';
import { Bridged, CONNECTION, told, TTL_MS } from '../keys/bridged-world.ts';

const fault = (code: FailureCode, facts: FailureFacts = {}, service?: Failure['service']): Failure =>
  failure(code, { vaultHost: CONTOSO_HOST, keyName: 'customer-key', ...facts }, service);
const arriving = (code: FailureCode): Failure => asPropagating(fault(code), '2026-01-01T00:10:00.000Z');

/** What becomes of it: the state, in how many checks, whose move it is, and both hosts. */
type Row = readonly [name: string, found: Failure, becomes: string];

const FAULTS: readonly Row[] = [
  ['vault-unreachable', fault('vault-unreachable'), 'unreachable at check 1, vendor; first serves, other serves'],
  ['throttled', fault('throttled'), 'unreachable at check 1, azure-admin; first serves, other serves'],
  ['vault-error', fault('vault-error'), 'unreachable at check 1, vendor; first serves, other serves'],
  ['entra-unreachable', fault('entra-unreachable'), 'unreachable at check 1, vendor; first serves, other serves'],
  ['entra-throttled', fault('entra-throttled'), 'unreachable at check 1, vendor; first serves, other serves'],
  ['entra-error', fault('entra-error'), 'unreachable at check 1, vendor; first serves, other serves'],
  [
    'managed-identity-unavailable',
    fault('managed-identity-unavailable'),
    'unreachable at check 1, vendor; first serves, other serves',
  ],
  [
    'access-denied-rbac',
    fault('access-denied-rbac'),
    'revoked at check 1, azure-admin; first refused access-denied-rbac, other refused access-denied-rbac',
  ],
  [
    'access-denied-policy',
    fault('access-denied-policy'),
    'revoked at check 1, azure-admin; first refused access-denied-policy, other refused access-denied-policy',
  ],
  [
    'key-not-found',
    fault('key-not-found'),
    'revoked at check 1, azure-admin; first refused key-not-found, other refused key-not-found',
  ],
  [
    'key-disabled',
    fault('key-disabled'),
    'revoked at check 1, azure-admin; first refused key-disabled, other refused key-disabled',
  ],
  [
    'key-operation-not-permitted',
    fault('key-operation-not-permitted'),
    'revoked at check 1, azure-admin; first refused key-operation-not-permitted, other refused key-operation-not-permitted',
  ],
  ['key-expired', fault('key-expired'), 'unreachable at check 1, azure-admin; first refused key-expired, other serves'],
  [
    'key-not-yet-valid',
    fault('key-not-yet-valid'),
    'unreachable at check 1, azure-admin; first refused key-not-yet-valid, other serves',
  ],
  [
    'vault-firewall',
    fault('vault-firewall'),
    'revoked at check 1, azure-admin; first refused vault-firewall, other refused vault-firewall',
  ],
  [
    'vault-private-only',
    fault('vault-private-only'),
    'revoked at check 1, azure-admin; first refused vault-private-only, other refused vault-private-only',
  ],
  [
    'vault-perimeter',
    fault('vault-perimeter'),
    'revoked at check 1, azure-admin; first refused vault-perimeter, other refused vault-perimeter',
  ],
  [
    'vault-refused',
    fault('vault-refused'),
    'unreachable at check 1, azure-admin; first refused vault-refused, other serves',
  ],
  [
    'consent-required',
    fault('consent-required'),
    'revoked at check 1, company-admin; first refused consent-required, other refused consent-required',
  ],
  [
    'wrong-entra-tenant',
    fault('wrong-entra-tenant'),
    'revoked at check 1, company-admin; first refused wrong-entra-tenant, other refused wrong-entra-tenant',
  ],
  [
    'entra-tenant-not-found',
    fault('entra-tenant-not-found'),
    'unreachable at check 1, company-admin; first refused entra-tenant-not-found, other serves',
  ],
  [
    'federation-mismatch',
    fault('federation-mismatch'),
    'unreachable at check 1, vendor; first refused federation-mismatch, other serves',
  ],
  [
    'client-secret-wrong',
    fault('client-secret-wrong'),
    'revoked at check 1, azure-admin; first refused client-secret-wrong, other refused client-secret-wrong',
  ],
  [
    'client-secret-expired',
    fault('client-secret-expired'),
    'revoked at check 1, azure-admin; first refused client-secret-expired, other refused client-secret-expired',
  ],
  [
    'blocked-by-conditional-access',
    fault('blocked-by-conditional-access'),
    'revoked at check 1, azure-admin; first refused blocked-by-conditional-access, other refused blocked-by-conditional-access',
  ],
  [
    'key-substituted',
    fault('key-substituted'),
    'unreachable at check 1, vendor; first refused key-substituted, other serves',
  ],
  ['row-forged', fault('row-forged'), 'unreachable at check 1, vendor; first refused row-forged, other serves'],
  ['vault-not-found', fault('vault-not-found'), 'unreachable at check 1, vendor; first serves, other serves'],
  [
    'entra-refused',
    fault('entra-refused'),
    'unreachable at check 1, company-admin; first refused entra-refused, other serves',
  ],
  [
    'vault-not-found, and a second resolver does not know it',
    fault('vault-not-found', { nameGone: true }),
    'revoked at check 3, azure-admin; first refused vault-not-found, other refused vault-not-found',
  ],
  [
    'vault-not-found, said by the vault',
    fault('vault-not-found', {}, { status: 404 }),
    'revoked at check 3, azure-admin; first refused vault-not-found, other refused vault-not-found',
  ],
  [
    'vault-firewall for an address of the vendor’s network',
    fault('vault-firewall', { clientAddress: '10.0.0.1' }),
    'unreachable at check 1, vendor; first refused vault-firewall, other serves',
  ],
  [
    'vault-firewall for a public address',
    fault('vault-firewall', { clientAddress: '20.1.2.3' }),
    'revoked at check 1, azure-admin; first refused vault-firewall, other refused vault-firewall',
  ],
  [
    'vault-firewall for an address of IPv6',
    fault('vault-firewall', { clientAddress: '2001:db8::1' }),
    'unreachable at check 1, vendor; first refused vault-firewall, other serves',
  ],
  [
    'access-denied-rbac by a deny assignment',
    fault('access-denied-rbac', { detail: 'a deny assignment blocks unwrap', denyAssignmentId: '1' }),
    'revoked at check 1, azure-admin; first refused access-denied-rbac, other refused access-denied-rbac',
  ],
  [
    'key-not-found, another has its name',
    fault('key-not-found', { keyReplaced: true }),
    'revoked at check 1, azure-admin; first refused key-not-found, other refused key-not-found',
  ],
  [
    'a role that was just assigned',
    arriving('access-denied-rbac'),
    'waiting-for-azure at check 1, azure-admin; first refused access-denied-rbac, other serves',
  ],
  [
    'an access policy that was just made',
    arriving('access-denied-policy'),
    'waiting-for-azure at check 1, azure-admin; first refused access-denied-policy, other serves',
  ],
  [
    'a consent that was just given',
    arriving('consent-required'),
    'waiting-for-azure at check 1, company-admin; first refused consent-required, other serves',
  ],
  [
    'a federated credential that was just made',
    arriving('federation-mismatch'),
    'waiting-for-azure at check 1, vendor; first refused federation-mismatch, other serves',
  ],
  [
    'vault-unreachable, a time-out',
    fault('vault-unreachable', { detail: 'ETIMEDOUT' }),
    'unreachable at check 1, vendor; first serves, other serves',
  ],
  [
    'vault-unreachable, a reset connection',
    fault('vault-unreachable', { detail: 'ECONNRESET' }),
    'unreachable at check 1, vendor; first serves, other serves',
  ],
  [
    'vault-unreachable, a 503',
    fault('vault-unreachable', {}, { status: 503 }),
    'unreachable at check 1, vendor; first serves, other serves',
  ],
  [
    'throttled, a 429',
    fault('throttled', {}, { status: 429 }),
    'unreachable at check 1, azure-admin; first serves, other serves',
  ],
  [
    'vault-error, a 403 that no vault wrote',
    fault('vault-error', {}, { status: 403 }),
    'unreachable at check 1, vendor; first serves, other serves',
  ],
];

it.each(FAULTS)('%s', async (_, found, becomes) => {
  expect(await whatBecomesOf(found)).toBe(becomes);
});

async function whatBecomesOf(found: Failure): Promise<string> {
  const world = await Bridged.begin();
  const [first, other, checking] = [world.host(), world.host(), world.host()];
  const { clock, vaults } = world.rig;
  await told(first);
  clock.advance(TTL_MS / 2);
  await told(other);
  clock.advance(TTL_MS / 2);
  vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: found });
  const met = await told(first);
  const states: string[] = [];
  let owner: string | undefined;
  for (let checks = 0; checks < 3; checks += 1) {
    const checked = await checkConnection(checking, CONNECTION);
    if (!checked.ok) throw new Error(checked.error.type);
    states.push(checked.value.state);
    owner = checked.value.owner;
    clock.advance(CONFIRM_AFTER_MS);
  }
  clock.advance(DENIALS_AGE_MS);
  await other.denials.look();
  const atOther = await told(other);
  const state = states.at(-1) ?? '';
  const of = (code: string): string => (code === 'ok' ? 'serves' : `refused ${code}`);
  return `${state} at check ${states.indexOf(state) + 1}, ${owner ?? 'nobody'}; first ${of(met)}, other ${of(atOther)}`;
}
