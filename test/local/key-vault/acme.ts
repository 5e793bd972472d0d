// A customer tenant with a key officer's app (client secret) and the vendor's connector consented to, for the tests of
// the Key Vault emulator.
import { ClientAssertionCredential, ClientSecretCredential, ManagedIdentityCredential } from '@azure/identity';
import { CONNECTOR_APP_ID, FEDERATION_AUDIENCE, MANAGED_IDENTITY_CLIENT_ID } from '../../../local/identities.ts';
import { control, startLocalAzure, type LocalAzure } from '../real-names.ts';

export const TENANT = '11111111-1111-4111-8111-111111111111';
export const OTHER_TENANT = '33333333-3333-4333-8333-333333333333';
const OFFICER_APP = '22222222-2222-4222-8222-222222222222';
export const NO_RETRIES = { retryOptions: { maxRetries: 0 } };

export interface Acme {
  readonly azure: LocalAzure;
  readonly officer: ClientSecretCredential;
  readonly officerOid: string;
  readonly connectorOid: string;
  vaultCall<T>(method: string, path: string, body?: unknown): Promise<T>;
  entraCall<T>(method: string, path: string, body?: unknown): Promise<T>;
}

export async function startAcme(): Promise<Acme> {
  const azure = await startLocalAzure();
  const entraCall = <T>(method: string, path: string, body?: unknown): Promise<T> =>
    control<T>(azure.entra.controlUrl, method, path, body);
  await entraCall('POST', '/tenants', { tenantId: TENANT, displayName: 'Acme' });
  await entraCall('POST', '/tenants', { tenantId: OTHER_TENANT, displayName: 'Other' });
  await entraCall('PUT', `/apps/${OFFICER_APP}`, { homeTenantId: TENANT, displayName: 'officer', multiTenant: true });
  const { value } = await entraCall<{ value: string }>('POST', `/apps/${OFFICER_APP}/secrets`);
  const consent = async (tenant: string, app: string): Promise<string> => {
    const path = `/tenants/${tenant}/service-principals/${app}`;
    return (await entraCall<{ objectId: string }>('PUT', path)).objectId;
  };
  await consent(OTHER_TENANT, OFFICER_APP);
  return {
    azure,
    officer: new ClientSecretCredential(TENANT, OFFICER_APP, value, { additionallyAllowedTenants: ['*'] }),
    officerOid: await consent(TENANT, OFFICER_APP),
    connectorOid: await consent(TENANT, CONNECTOR_APP_ID),
    vaultCall: (method, path, body) => control(azure.keyVault.controlUrl, method, path, body),
    entraCall,
  };
}

/** The vendor's connector in the customer's tenant, proved by the managed identity, as Keyswitch does it. */
export function connectorCredential(tenantId = TENANT): ClientAssertionCredential {
  const identity = new ManagedIdentityCredential({ clientId: MANAGED_IDENTITY_CLIENT_ID });
  return new ClientAssertionCredential(tenantId, CONNECTOR_APP_ID, async () => {
    const { token } = await identity.getToken(`${FEDERATION_AUDIENCE}/.default`);
    return token;
  });
}
