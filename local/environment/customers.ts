// The customers of the embedded run, each with an Entra tenant and a vault of its own: one with roles, one with access
// policies, one behind a firewall. Nobody has consented or granted anything yet; here is how each would.
import type { RemoteControl } from '../control/remote-control.ts';
import { CONNECTOR_APP_ID } from '../identities.ts';

interface CustomerFacts {
  readonly tenantId: string;
  /** The connector's service principal in that tenant, once there is one. */
  readonly principalId: string;
  readonly vaultHost: string;
  readonly vaultSettings: object;
}

export const CUSTOMER_NAMES = ['contoso', 'fabrikam', 'northwind'] as const;
export type CustomerName = (typeof CUSTOMER_NAMES)[number];

export interface Customer {
  readonly name: CustomerName;
  readonly tenantId: string;
  readonly principalId: string;
  readonly vaultHost: string;
  readonly vaultUri: string;
  readonly keyName: string;
  /** What somebody's consent, to whatever company's link, leaves behind in Entra. */
  consent(): Promise<void>;
  withdrawConsent(): Promise<void>;
  /** The least access: `get` and `unwrapKey` on the key, by role or by policy, whichever the vault uses. */
  grant(): Promise<void>;
  revoke(): Promise<void>;
  /** Changes the vault, as its owner would: `{ firewall: null }` takes the firewall away. */
  changeVault(settings: object): Promise<void>;
}

const KEY_NAME = 'customer-key';
const ROLE = 'Key Vault Crypto Service Encryption User';

const FACTS: Readonly<Record<CustomerName, CustomerFacts>> = {
  contoso: facts(1, 'contoso-keys', { permissionModel: 'rbac' }),
  fabrikam: facts(2, 'fabrikam-keys', { permissionModel: 'access-policy' }),
  northwind: facts(3, 'northwind-keys', { permissionModel: 'rbac', firewall: ['203.0.113.0/24'] }),
};

function facts(number: number, vault: string, vaultSettings: object): CustomerFacts {
  return {
    tenantId: `7e5d0000-0000-4000-8000-00000000c00${number}`,
    principalId: `7e5d0000-0000-4000-8000-00000000c01${number}`,
    vaultHost: `${vault}.vault.azure.net`,
    vaultSettings,
  };
}

/** `isNew` is false where an earlier run has made them. */
export async function createCustomers(
  entra: RemoteControl,
  keyVault: RemoteControl,
  isNew: boolean,
): Promise<Readonly<Record<CustomerName, Customer>>> {
  const create = async (name: CustomerName): Promise<Customer> =>
    await createCustomer(name, { entra, keyVault, isNew });
  const [contoso, fabrikam, northwind] = await Promise.all([
    create('contoso'),
    create('fabrikam'),
    create('northwind'),
  ]);
  return { contoso, fabrikam, northwind };
}

async function createCustomer(
  name: CustomerName,
  {
    entra,
    keyVault,
    isNew,
  }: { readonly entra: RemoteControl; readonly keyVault: RemoteControl; readonly isNew: boolean },
): Promise<Customer> {
  const { tenantId, principalId, vaultHost, vaultSettings } = FACTS[name];
  const vaultPath = `/vaults/${vaultHost}`;
  const principalIds = { [CONNECTOR_APP_ID]: principalId };
  const domains = [`${name}.onmicrosoft.com`];
  if (isNew) {
    await entra.call('POST', '/tenants', { tenantId, displayName: name, domains, principalIds });
    const vault = { host: vaultHost, tenantId, resourceGroup: `rg-${name}`, purgeProtection: true, ...vaultSettings };
    await keyVault.call('POST', '/vaults', vault);
    await keyVault.call('POST', `${vaultPath}/keys`, { name: KEY_NAME });
  }
  const principalPath = `/tenants/${tenantId}/service-principals/${CONNECTOR_APP_ID}`;
  const byPolicy = 'permissionModel' in vaultSettings && vaultSettings.permissionModel === 'access-policy';
  const grantPath = byPolicy
    ? `${vaultPath}/access-policies/${principalId}`
    : `${vaultPath}/role-assignments/keyswitch`;
  const grant = byPolicy ? { keys: ['get', 'unwrapKey'] } : { principalId, role: ROLE, keyName: KEY_NAME };
  const ask = (control: RemoteControl, method: string, path: string, body?: object) => async (): Promise<void> => {
    await control.call(method, path, body);
  };
  return {
    name,
    tenantId,
    principalId,
    vaultHost,
    vaultUri: `https://${vaultHost}`,
    keyName: KEY_NAME,
    consent: ask(entra, 'PUT', principalPath, { objectId: principalId }),
    withdrawConsent: ask(entra, 'DELETE', principalPath),
    grant: ask(keyVault, 'PUT', grantPath, grant),
    revoke: ask(keyVault, 'DELETE', grantPath),
    changeVault: async (settings) => {
      await keyVault.call('PATCH', vaultPath, settings);
    },
  };
}
