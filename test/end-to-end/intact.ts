// What must be true of a company when no switch is under way, whatever happened before. Nobody may write meanwhile.
import { expect } from 'vitest';
import { candidatesIn, opened } from '../../local/demo/wrapped-values.ts';
import { VENDOR_KEY_NAME } from '../../local/environment/vendor.ts';
import { VENDOR_VAULT_HOST } from '../../local/identities.ts';
import type { Company } from './company.ts';
import type { StoredRows } from './stored-rows.ts';

/** The name of a company's own key in the vault of contoso. */
export const ownKeyOf = ({ companyId }: Company): string => `key-of-${companyId}`;

/** Every key opens to the bytes that were handed out, the counts are exact, and one provider alone opens what is stored. */
export async function expectIntact(company: Company, rows: StoredRows): Promise<void> {
  expect(await company.different()).toEqual([]);
  expect(await rows.miscounts(company.companyId)).toEqual([]);
  await opensByOneProviderOnly(company, rows);
}

/** What is stored opens with the key in force, and nothing of it with the other. */
async function opensByOneProviderOnly(company: Company, rows: StoredRows): Promise<void> {
  const { keyVault, customers } = company.run.environment;
  const { provider } = await company.must<{ provider: { provider: string } }>('GET', company.keyring);
  const vendor = { host: VENDOR_VAULT_HOST, name: VENDOR_KEY_NAME };
  const own = { host: customers.contoso.vaultHost, name: ownKeyOf(company) };
  const [inForce, other] = provider.provider === 'managed' ? [vendor, own] : [own, vendor];
  const candidates = (await rows.list('companies', company.companyId)).flatMap(
    ({ partitionKey = '', rowKey = '', ...cells }) => candidatesIn({ table: 'companies', partitionKey, rowKey, cells }),
  );
  expect(await opened(keyVault, inForce, candidates)).toHaveLength(1);
  expect(await opened(keyVault, other, candidates)).toEqual([]);
}
