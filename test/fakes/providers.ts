// The product's own providers over vaults in memory.
import type { Clock } from '../../shared/domain/ports.ts';
import type { KeyTarget, VaultKey } from '../../shared/domain/provider.ts';
import { ok } from '../../shared/domain/result.ts';
import type { AzureKeyVaultWorld } from '../../shared/providers/azure-key-vault/azure-key-vault.ts';
import type { ConnectionProbe, KeyVaults } from '../../shared/providers/azure-key-vault/vaults.ts';
import type { KeyProvider, Providers, ReadKey } from '../../shared/providers/provider.ts';
import { createProviders } from '../../shared/providers/registry/providers.ts';
import { CONNECTOR_APP_ID, IDENTITY_APP_ID } from './fake-vault-answers.ts';

type ProvidersOver = Partial<Pick<AzureKeyVaultWorld, 'keyPolicy'>> & {
  readonly vaults: KeyVaults;
  readonly vendor: KeyTarget;
  readonly clock: Clock;
  /** Of vaults that are not both. */
  readonly probe?: ConnectionProbe;
  readonly connectionPolicy?: Partial<AzureKeyVaultWorld['connectionPolicy']>;
  readonly others?: readonly KeyProvider[];
};

export function providersOver({ vaults, vendor, clock, others = [], ...over }: ProvidersOver): Providers {
  const { probe = nobodysProbe(vaults), keyPolicy = { minRsaBits: 2048, purgeable: 'warn' } } = over;
  const connectionPolicy = {
    allowedSuffixes: ['vault.azure.net'],
    vendorVaultHost: vendor.host,
    connectorClientId: CONNECTOR_APP_ID,
    identityClientId: IDENTITY_APP_ID,
    vendorTenantId: vendor.tenantId,
    ...over.connectionPolicy,
  };
  return createProviders({ vaults, probe, clock, keyPolicy, connectionPolicy }, vendor, others);
}

/** The vaults' own, if they have one. */
const nobodysProbe = (vaults: KeyVaults & Partial<ConnectionProbe>): ConnectionProbe => ({
  admits: (credential) => vaults.admits?.(credential) ?? ok(undefined),
  federationShown: (credential) => vaults.federationShown?.(credential) ?? Promise.resolve(undefined),
  reach: (...call) => vaults.reach!(...call),
  challengedTenant: (...call) => vaults.challengedTenant!(...call),
  obtainToken: (...call) => vaults.obtainToken!(...call),
});

/** A key that nothing is wrong with. */
export const asRead = (key: VaultKey): ReadKey => ({ ...key, dates: {}, denials: [], warnings: [] });
