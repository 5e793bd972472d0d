// The app settings of the embedded run: the same names as in Azure, with nothing that says where it runs.
import {
  API_APP_ID,
  CONNECTOR_APP_ID,
  MANAGED_IDENTITY_CLIENT_ID,
  SEAL_VAULT_HOST,
  SERVICE_BUS_HOST,
  TABLE_HOST,
  VENDOR_NAME,
  VENDOR_TENANT_ID,
  VENDOR_VAULT_HOST,
} from '../identities.ts';
import { SEAL_KEY_NAME, VENDOR_KEY_NAME } from './vendor.ts';

export const WORK_QUEUE = 'keyswitch-work';
export const CHECKS_QUEUE = 'keyswitch-checks';

export function appEnvironment(identity: {
  readonly IDENTITY_ENDPOINT: string;
  readonly IDENTITY_HEADER: string;
}): Record<string, string> {
  return {
    ...identity,
    AzureWebJobsDisableHomepage: 'true',
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '4194304',
    AZURE_CLIENT_ID: MANAGED_IDENTITY_CLIENT_ID,
    KEYSWITCH_TABLES_ENDPOINT: `https://${TABLE_HOST}`,
    KEYSWITCH_SERVICE_BUS__fullyQualifiedNamespace: SERVICE_BUS_HOST,
    KEYSWITCH_SERVICE_BUS__credential: 'managedidentity',
    KEYSWITCH_SERVICE_BUS__clientId: MANAGED_IDENTITY_CLIENT_ID,
    KEYSWITCH_WORK_QUEUE: WORK_QUEUE,
    KEYSWITCH_CHECKS_QUEUE: CHECKS_QUEUE,
    KEYSWITCH_VENDOR_NAME: VENDOR_NAME,
    KEYSWITCH_VENDOR_VAULT_HOST: VENDOR_VAULT_HOST,
    KEYSWITCH_VENDOR_KEY_NAME: VENDOR_KEY_NAME,
    KEYSWITCH_SEAL_VAULT_HOST: SEAL_VAULT_HOST,
    KEYSWITCH_SEAL_KEY_NAME: SEAL_KEY_NAME,
    KEYSWITCH_VENDOR_TENANT_ID: VENDOR_TENANT_ID,
    KEYSWITCH_CONNECTOR_CLIENT_ID: CONNECTOR_APP_ID,
    KEYSWITCH_API_AUDIENCE: API_APP_ID,
  };
}
