import { expect, it } from 'vitest';
import { parseCustomerVault } from '../../../../shared/providers/azure-key-vault/input/connection-input.ts';

const POLICY = {
  allowedSuffixes: ['vault.azure.net'],
  vendorVaultHost: 'vendor.vault.azure.net',
  sealVaultHost: 'vendor-seal.vault.azure.net',
  connectorClientId: '33333333-3333-4333-8333-333333333333',
  identityClientId: '44444444-4444-4444-8444-444444444444',
  vendorTenantId: '55555555-5555-4555-8555-555555555555',
};

it.each(['vendor', 'vendor-seal'])('the vault %s of the vendor is no customer’s', (name) => {
  const parsed = parseCustomerVault(`https://${name}.vault.azure.net`, POLICY);
  expect(parsed).toMatchObject({ ok: false, error: { code: 'vault-host-not-allowed' } });
});

it('another vault may be a customer’s', () => {
  expect(parseCustomerVault('https://contoso.vault.azure.net', POLICY)).toMatchObject({ ok: true });
});
