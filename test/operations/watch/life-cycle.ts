// What the owners of a key, its vault and its tenant do, and what becomes of it: the fake vault then answers as Azure does.
import type { FakeVaults } from '../../fakes/fake-vaults.ts';
import { LIES, lie } from '../../fakes/lying-vaults.ts';
import { CONTOSO_HOST, CUSTOMER_TENANT } from '../switches/rig.ts';
import type { VaultKey } from '../../../shared/domain/provider.ts';
import type { Row } from './faults.ts';

type Act = (vaults: FakeVaults) => void;

const KEY = { host: CONTOSO_HOST, keyName: 'customer-key' };
const DAY_MS = 24 * 3_600_000;
const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const inDays = (days: number): Date => new Date(NOW_MS + days * DAY_MS);

/** What the version in use says of itself from now on. */
const says =
  (change: Partial<VaultKey>): Act =>
  (vaults) => {
    const version = vaults.newestKey(CONTOSO_HOST);
    version.describes = { ...version.describes, ...change };
  };
const inTurn =
  (...acts: readonly Act[]): Act =>
  (vaults) => {
    for (const act of acts) act(vaults);
  };
const makesVersion: Act = (vaults) => void vaults.addKey({ ...KEY, fixture: 'rsa-2048-3' });
const deletesKey: Act = (vaults) => vaults.removeKey(CONTOSO_HOST, KEY.keyName);
const purgesKey: Act = (vaults) => vaults.purgeKey(CONTOSO_HOST, KEY.keyName);

const takesRole: Act = (vaults) => void (vaults.vault(CONTOSO_HOST).roleAssigned = false);
const takesConsent: Act = (vaults) => void vaults.tenants.set(CUSTOMER_TENANT, { consented: false });
const deletesTenant: Act = (vaults) => void vaults.tenants.delete(CUSTOMER_TENANT);
const deletesVault: Act = (vaults) => vaults.removeVault(CONTOSO_HOST);
const movesVault: Act = (vaults) => void (vaults.vault(CONTOSO_HOST).tenantId = '33333333-3333-4333-8333-333333333333');

/** Neither the customer's no nor an outage: tampering, or a vault that is not what it says. */
const LIED = 'unreachable (key-substituted) at check 1, vendor; first refused key-substituted, other serves';

export const LIFE: readonly Row<Act>[] = [
  ['a new version is made', makesVersion, 'healthy at check 1, nobody; first serves, other serves'],
  [
    'a new version is made, and the one in use disabled too early',
    inTurn(says({ enabled: false }), makesVersion),
    'revoked (key-version-disabled) at check 1, azure-admin; first refused key-version-disabled, other refused key-version-disabled',
  ],
  [
    'a new version is made and disabled',
    inTurn(makesVersion, says({ enabled: false })),
    'warning (key-version-not-followed) at check 1, azure-admin; first serves, other serves',
  ],
  [
    'the version in use is disabled',
    says({ enabled: false }),
    'revoked (key-disabled) at check 1, azure-admin; first refused key-disabled, other refused key-disabled',
  ],
  [
    'the key loses the operation unwrapKey',
    says({ keyOps: ['wrapKey'] }),
    'revoked (key-operation-not-permitted) at check 1, azure-admin; first refused key-operation-not-permitted, other refused key-operation-not-permitted',
  ],
  [
    'the key has expired',
    says({ expires: inDays(-1) }),
    'warning (key-expired) at check 1, azure-admin; first serves, other serves',
  ],
  [
    'the key expires in twenty days',
    says({ expires: inDays(20) }),
    'warning (key-expires-in-a-month) at check 1, azure-admin; first serves, other serves',
  ],
  [
    'the key expires in twelve hours',
    says({ expires: inDays(0.5) }),
    'warning (key-expires-in-a-day) at check 1, azure-admin; first serves, other serves',
  ],
  [
    'the key expires in five days',
    says({ expires: inDays(5) }),
    'warning (key-expires-in-a-week) at check 1, azure-admin; first serves, other serves',
  ],
  [
    'the key is not valid yet',
    says({ notBefore: inDays(5) }),
    'warning (key-not-yet-valid) at check 1, azure-admin; first serves, other serves',
  ],
  [
    'purge protection is missing',
    says({ recoveryLevel: 'Recoverable+Purgeable' }),
    'warning (key-purgeable) at check 1, azure-admin; first serves, other serves',
  ],
  [
    'the key is deleted',
    deletesKey,
    'revoked (key-deleted) at check 1, azure-admin; first refused key-deleted, other refused key-deleted',
  ],
  [
    'the key is purged',
    purgesKey,
    'revoked (key-purged) at check 1, azure-admin; first refused key-not-found, other refused key-not-found',
  ],
  [
    'the key is purged, and another is made under its name',
    inTurn(purgesKey, makesVersion),
    'revoked (key-purged) at check 1, azure-admin; first refused key-not-found, other refused key-not-found',
  ],
  [
    'the role is taken away',
    takesRole,
    'revoked (access-denied-rbac) at check 1, azure-admin; first refused access-denied-rbac, other refused access-denied-rbac',
  ],
  [
    'consent is taken away',
    takesConsent,
    'revoked (consent-required) at check 1, company-admin; first refused consent-required, other refused consent-required',
  ],
  [
    'the tenant is deleted',
    deletesTenant,
    'unreachable (entra-tenant-not-found) at check 1, company-admin; first refused entra-tenant-not-found, other serves',
  ],
  [
    'the vault is deleted',
    deletesVault,
    'revoked (vault-deleted) at check 3, azure-admin; first refused vault-deleted, other refused vault-deleted',
  ],
  [
    'the vault is deleted and recovered: its role assignments are gone',
    takesRole,
    'revoked (access-denied-rbac) at check 1, azure-admin; first refused access-denied-rbac, other refused access-denied-rbac',
  ],
  [
    'the vault is moved to another tenant',
    movesVault,
    'revoked (wrong-entra-tenant) at check 1, company-admin; first refused wrong-entra-tenant, other refused wrong-entra-tenant',
  ],
  ...Object.entries(LIES).map(([how, answer]): Row<Act> => [
    `the vault unwraps to ${how}`,
    (vaults) => void lie(vaults, CONTOSO_HOST, answer),
    LIED,
  ]),
];
