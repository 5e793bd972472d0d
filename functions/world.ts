// The world as the settings name it: an adapter for each port that operations and routes use. Makes no calls.
import { AzureConnectionProbe } from '../shared/providers/azure-key-vault/client/connection-probe.ts';
import { AzureKeyVaults } from '../shared/providers/azure-key-vault/client/key-vaults.ts';
import { AzureSealer } from '../shared/providers/azure-key-vault/client/sealer.ts';
import { AzureTables } from '../shared/adapters/azure-tables.ts';
import { Credentials } from '../shared/identity/entra/credentials/credentials.ts';
import { systemClock as clock, systemEntropy as entropy, systemTimers as timers } from '../shared/adapters/system.ts';
import { exportSealer } from '../shared/adapters/export-sealer.ts';
import { createSignInClients } from '../shared/identity/registry/sign-in-clients.ts';
import { signInsOver } from '../shared/identity/registry/tenant-kinds.ts';
import { createTokenVerifier } from '../shared/identity/client/token-verifier.ts';
import { rememberVerified } from '../shared/identity/client/verified-tokens.ts';
import { ServiceBusQueue } from '../shared/adapters/service-bus-queue.ts';
import { ServiceBusWatch } from '../shared/adapters/service-bus-watch.ts';
import { HttpsWebhookSender } from '../shared/adapters/webhooks/webhook-sender.ts';
import { VaultPool } from '../shared/providers/azure-key-vault/client/vault-pool.ts';
import type { KeyTarget } from '../shared/domain/provider.ts';
import { createProviders, VENDORS_REF } from '../shared/providers/registry/providers.ts';
import type { Providers } from '../shared/providers/provider.ts';
import { patient } from '../shared/providers/patient.ts';
import type { WebhookSender } from '../shared/domain/webhook-sender.ts';
import type { ExportSealer, Log } from '../shared/domain/ports.ts';
import type { SignIns, TokenVerifier } from '../shared/identity/identity.ts';
import type { CheckMessage } from '../shared/domain/check-message.ts';
import type { WorkMessage } from '../shared/domain/work-message.ts';
import { ClientSecrets } from '../shared/operations/keys/client-secrets.ts';
import type { Watching } from '../shared/operations/watch/status.ts';
import type { World } from '../shared/operations/world.ts';
import type { Settings } from '../shared/settings.ts';
import type { AppPolicy } from './policy.ts';

export interface AppWorld extends World {
  readonly verifier: TokenVerifier;
  readonly signIns: SignIns;
  readonly exportSealer: ExportSealer;
  readonly webhookSender: WebhookSender;
  readonly queueWatches: Watching['queueWatches'];
  /** The keys by which callers' tokens are checked, before the first caller. */
  fetchIssuersKeys(): Promise<void>;
}

export function createWorld(settings: Settings, policy: AppPolicy, log: Log): AppWorld {
  const timeoutMs = policy.vaultCallTimeoutMs;
  const authorityHost = settings.KEYSWITCH_AUTHORITY_HOST;
  const connectorClientId = settings.KEYSWITCH_CONNECTOR_CLIENT_ID;
  const credentials: Credentials = new Credentials({
    identityClientId: settings.AZURE_CLIENT_ID,
    connectorClientId,
    vendorTenantId: settings.KEYSWITCH_VENDOR_TENANT_ID,
    authorityHost,
    tokenExchangeAudience: settings.KEYSWITCH_TOKEN_EXCHANGE_AUDIENCE,
    timeoutMs,
    tenantTokenMaxAgeMs: policy.keyTtlMs,
    openSecret: (secret, of) => clientSecrets.open(secret, of),
    clock,
  });
  const tables = new AzureTables({
    endpoint: settings.KEYSWITCH_TABLES_ENDPOINT,
    credential: credentials.forTables(),
    timers,
    entropy,
    clock,
  });
  const serviceBus = {
    fullyQualifiedNamespace: settings.KEYSWITCH_SERVICE_BUS__fullyQualifiedNamespace,
    credential: credentials.forServiceBus(),
    clock,
    entropy,
  };
  const queue = new ServiceBusQueue<WorkMessage>({ ...serviceBus, queueName: settings.KEYSWITCH_WORK_QUEUE });
  const checkQueue = new ServiceBusQueue<CheckMessage>({ ...serviceBus, queueName: settings.KEYSWITCH_CHECKS_QUEUE });
  const pool = new VaultPool({
    credentials,
    connectorClientId,
    vaultSuffixes: settings.KEYSWITCH_VAULT_SUFFIXES,
    timeoutMs,
  });
  const { connectionPolicy, keyPolicy } = policy;
  const vendor: KeyTarget = {
    ref: VENDORS_REF,
    host: settings.KEYSWITCH_VENDOR_VAULT_HOST,
    keyName: settings.KEYSWITCH_VENDOR_KEY_NAME,
    tenantId: settings.KEYSWITCH_VENDOR_TENANT_ID,
  };
  const { sealVaultHost } = connectionPolicy;
  const sealTarget = { ...vendor, host: sealVaultHost, keyName: settings.KEYSWITCH_SEAL_KEY_NAME };
  const [vaults, probe] = [new AzureKeyVaults(pool), new AzureConnectionProbe(pool)];
  const checked = verifierOf(settings);
  const { KEYSWITCH_GOOGLE_CLIENT_ID: clientId, KEYSWITCH_GOOGLE_CLIENT_SECRET: clientSecret } = settings;
  const providers: Providers = createProviders({ vaults, probe, clock, connectionPolicy, keyPolicy }, vendor).through(
    (provider) => patient(provider, { clock, propagationMs: keyPolicy.propagationMs }),
  );
  const clientSecrets = new ClientSecrets({ providers }, clock);
  return {
    tables,
    storeClock: tables,
    queue,
    checkQueue,
    providers,
    sealer: new AzureSealer(pool, sealTarget, clock),
    clock,
    timers,
    entropy,
    log,
    instance: entropy.id(),
    verifier: rememberVerified(checked, clock),
    signIns: signInsOver(
      createSignInClients({
        authorityHost,
        connectorClientId,
        credentials,
        googleClient: clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret },
        timeoutMs,
        clock,
      }),
    ),
    exportSealer,
    webhookSender: new HttpsWebhookSender({ allowedSuffixes: policy.webhookHosts, log }),
    queueWatches: {
      work: new ServiceBusWatch({ ...serviceBus, queueName: settings.KEYSWITCH_WORK_QUEUE }),
      checks: new ServiceBusWatch({ ...serviceBus, queueName: settings.KEYSWITCH_CHECKS_QUEUE }),
    },
    fetchIssuersKeys: () => checked.fetchKeys(),
  };
}

function verifierOf(settings: Settings): ReturnType<typeof createTokenVerifier> {
  const {
    KEYSWITCH_SECOND_ISSUER: issuer,
    KEYSWITCH_SECOND_AUDIENCE: audience,
    KEYSWITCH_SECOND_JWKS_URI: jwksUri,
  } = settings;
  return createTokenVerifier({
    authorityHost: settings.KEYSWITCH_AUTHORITY_HOST,
    tenantId: settings.KEYSWITCH_VENDOR_TENANT_ID,
    audience: settings.KEYSWITCH_API_AUDIENCE,
    ...(issuer === undefined || audience === undefined || jwksUri === undefined
      ? {}
      : { secondIssuer: { issuer, audience, jwksUri } }),
  });
}
