// The app: settings, then adapters, then every trigger. The only module with side effects. Settings that are not usable end
// the load with everything that is wrong: the host reports that it failed, and runs no function rather than some.
import Module from 'node:module';
import { app } from '@azure/functions';
import { AzureConnectionProbe } from '../shared/adapters/connection-probe.ts';
import { AzureKeyVaults } from '../shared/adapters/key-vaults.ts';
import { AzureSealer } from '../shared/adapters/sealer.ts';
import { AzureTables } from '../shared/adapters/azure-tables.ts';
import { Credentials } from '../shared/adapters/credentials.ts';
import { jsonLog, keepHeapSmall, systemClock, systemEntropy, systemTimers } from '../shared/adapters/system.ts';
import { exportSealer } from '../shared/adapters/export-sealer.ts';
import { createSignIns } from '../shared/adapters/sign-ins.ts';
import { createTokenVerifier } from '../shared/adapters/token-verifier.ts';
import { rememberVerified } from '../shared/adapters/verified-tokens.ts';
import { ServiceBusWorkQueue } from '../shared/adapters/work-queue.ts';
import { VaultPool } from '../shared/adapters/vault-pool.ts';
import type { VaultTarget } from '../shared/domain/provider.ts';
import { DataKeyCalls } from '../shared/operations/audit/data-key-calls.ts';
import { EventLimits } from '../shared/operations/audit/event-limits.ts';
import { ClockGuard } from '../shared/operations/clock-guard.ts';
import { CompanyKeyCache } from '../shared/operations/company-key-cache.ts';
import { KeptKeys } from '../shared/operations/kept-keys.ts';
import { KeyringPlaces } from '../shared/operations/data-keys/keyring-places.ts';
import { ShardWriter } from '../shared/operations/data-keys/shard-writer.ts';
import { WrappedRows } from '../shared/operations/data-keys/wrapped-rows.ts';
import { PatientVaults } from '../shared/operations/patient-vaults.ts';
import { Readiness } from '../shared/operations/readiness.ts';
import { SilentVaults } from '../shared/operations/silent-vaults.ts';
import { pageSlots } from '../shared/operations/switches/page-slots.ts';
import { VaultPermits } from '../shared/operations/switches/vault-permits.ts';
import { WorkerKeys } from '../shared/operations/switches/worker-keys.ts';
import { VaultWaits } from '../shared/operations/vault-waits.ts';
import { parseSettings } from '../shared/settings.ts';
import { CallPlaces } from './http/kernel/call-places.ts';
import { LoopDelay } from './http/kernel/loop-delay.ts';
import { registerReserved, registerRoutes } from './http/kernel/register.ts';
import { routes } from './http/routes.ts';
import { guardStream, type CoreApi } from './http/kernel/stream-guard.ts';
import { invocationLog } from './invocation-log.ts';
import { recordOwnCounts } from './own-counts.ts';
import { registerQueues } from './service-bus/register.ts';
import { registerTimers } from './timer/register.ts';

const MS_PER_HOUR = 3_600_000;

keepHeapSmall();
// Without it the host drops a body that comes in pieces, and the worker holds every other one whole before the app checks the token.
app.setup({ enableHttpStream: true });
registerReserved(app, { entropy: systemEntropy });
const settings = parseSettings(process.env);
const log = jsonLog(invocationLog(app));

// What every operation shares: the world.
const clock = systemClock;
const timers = systemTimers;
const entropy = systemEntropy;
const timeoutMs = settings.KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS * 1000;
const connectorClientId = settings.KEYSWITCH_CONNECTOR_CLIENT_ID;
/** Within what time a revocation is felt. */
const ttlMs = settings.KEYSWITCH_COMPANY_KEY_TTL_SECONDS * 1000;
const credentials = new Credentials({
  identityClientId: settings.AZURE_CLIENT_ID,
  connectorClientId,
  authorityHost: settings.KEYSWITCH_AUTHORITY_HOST,
  tokenExchangeAudience: settings.KEYSWITCH_TOKEN_EXCHANGE_AUDIENCE,
  timeoutMs,
  tenantTokenMaxAgeMs: ttlMs,
  clock,
});
const tables = new AzureTables({
  endpoint: settings.KEYSWITCH_TABLES_ENDPOINT,
  credential: credentials.forTables(),
  timers,
  entropy,
  clock,
});
const queue = new ServiceBusWorkQueue({
  fullyQualifiedNamespace: settings.KEYSWITCH_SERVICE_BUS__fullyQualifiedNamespace,
  queueName: settings.KEYSWITCH_WORK_QUEUE,
  credential: credentials.forServiceBus(),
  clock,
  entropy,
});
const pool = new VaultPool({
  credentials,
  connectorClientId,
  vaultSuffixes: settings.KEYSWITCH_VAULT_SUFFIXES,
  timeoutMs,
});
const propagationMs = settings.KEYSWITCH_PROPAGATION_SECONDS * 1000;
const vaults = new PatientVaults(new AzureKeyVaults(pool), { clock, propagationMs });
const managedTarget: VaultTarget = {
  ref: { provider: 'managed' },
  host: settings.KEYSWITCH_VENDOR_VAULT_HOST,
  keyName: settings.KEYSWITCH_VENDOR_KEY_NAME,
  tenantId: settings.KEYSWITCH_VENDOR_TENANT_ID,
};
// With a vault of its own for the seal key, signatures that callers cause use up none of the calls that the KEK's vault answers.
const sealVaultHost = settings.KEYSWITCH_SEAL_VAULT_HOST ?? settings.KEYSWITCH_VENDOR_VAULT_HOST;
const sealTarget = { ...managedTarget, host: sealVaultHost, keyName: settings.KEYSWITCH_SEAL_KEY_NAME };
const sealer = new AzureSealer(pool, sealTarget, clock);

// What is kept between calls. Nothing in it is needed for correctness.
const workerVaults = new SilentVaults(vaults, clock);
const opening = { tables, vaults, sealer, log, managedTarget, clock };
const vaultWaits = new VaultWaits();
const loopDelay = new LoopDelay().start();
const companyKeys = new CompanyKeyCache(opening, { ttlMs, vaultWaits });
const eventLimits = new EventLimits(clock);
const clockGuard = new ClockGuard({ storeClock: tables, clock, log });
const keptKeys = new KeptKeys({ ...opening, timers, entropy, eventLimits }, companyKeys);
const keyringPlaces = new KeyringPlaces({ tables, clock }, { ttlMs });
const wrappedRows = new WrappedRows({ tables, clock }, { rows: settings.KEYSWITCH_DATA_KEY_CACHE_ROWS, ttlMs });

const {
  KEYSWITCH_SECOND_ISSUER: issuer,
  KEYSWITCH_SECOND_AUDIENCE: audience,
  KEYSWITCH_SECOND_JWKS_URI: jwksUri,
} = settings;
const checked = createTokenVerifier({
  authorityHost: settings.KEYSWITCH_AUTHORITY_HOST,
  tenantId: settings.KEYSWITCH_VENDOR_TENANT_ID,
  audience: settings.KEYSWITCH_API_AUDIENCE,
  ...(issuer === undefined || audience === undefined || jwksUri === undefined
    ? {}
    : { secondIssuer: { issuer, audience, jwksUri } }),
});
const verifier = rememberVerified(checked, clock);

const { KEYSWITCH_GOOGLE_CLIENT_ID: clientId, KEYSWITCH_GOOGLE_CLIENT_SECRET: clientSecret } = settings;
const signIns = createSignIns({
  authorityHost: settings.KEYSWITCH_AUTHORITY_HOST,
  connectorClientId,
  credentials,
  googleClient: clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret },
  timeoutMs,
  clock,
});

const services = {
  ...opening,
  queue,
  timers,
  entropy,
  probe: new AzureConnectionProbe(pool),
  companyKeys,
  keptKeys,
  keyringPlaces,
  wrappedRows,
  callPlaces: new CallPlaces(
    { vaultWaits, loopDelay, clock, log },
    { maxWaitMs: settings.KEYSWITCH_MAX_WAIT_SECONDS * 1000 },
  ),
  shardWriter: new ShardWriter({ tables, companyKeys, timers, entropy, log }),
  workerKeys: new WorkerKeys({ ...opening, vaults: workerVaults }, { ttlMs }),
  pageSlots: pageSlots(clock),
  vaultPermits: new VaultPermits(timers, clock),
  verifier,
  signIns,
  exportSealer,
  eventLimits,
  clockGuard,
  dataKeyCalls: new DataKeyCalls(clock, entropy.id()),
  readiness: new Readiness({ tables, clock, log }),
  companyClaim: settings.KEYSWITCH_API_COMPANY_CLAIM,
  deployment: {
    tokenUrl: `${settings.KEYSWITCH_AUTHORITY_HOST.replace(/\/+$/, '')}/${settings.KEYSWITCH_VENDOR_TENANT_ID}/oauth2/v2.0/token`,
    scope: `${settings.KEYSWITCH_API_AUDIENCE}/.default`,
    vaultSuffixes: settings.KEYSWITCH_VAULT_SUFFIXES,
  },
  publicUrl: settings.publicUrl,
  vendorName: settings.KEYSWITCH_VENDOR_NAME,
  connectionPolicy: {
    allowedSuffixes: settings.KEYSWITCH_VAULT_SUFFIXES,
    vendorVaultHost: settings.KEYSWITCH_VENDOR_VAULT_HOST,
    sealVaultHost,
    connectorClientId,
  },
  keyPolicy: {
    minRsaBits: settings.KEYSWITCH_MIN_RSA_BITS,
    purgeable: settings.KEYSWITCH_PURGEABLE_KEYS,
    propagationMs,
  },
  backOff: {
    firstMs: settings.KEYSWITCH_RETRY_FIRST_SECONDS * 1000,
    lastMs: settings.KEYSWITCH_RETRY_LAST_SECONDS * 1000,
  },
  shardCount: settings.KEYSWITCH_SHARD_COUNT,
  restoreDays: settings.KEYSWITCH_RESTORE_DAYS,
  verificationMs: settings.KEYSWITCH_VERIFICATION_HOURS * MS_PER_HOUR,
  exportAllowanceMs: settings.KEYSWITCH_EXPORT_HOURS * MS_PER_HOUR,
  messageBudgetMs: settings.KEYSWITCH_MESSAGE_BUDGET_SECONDS * 1000,
  // Two company keys are opened at the end of a switch, and a little is lost between them.
  finishClaimMs: 2 * timeoutMs + 5_000,
  keepMs: settings.KEYSWITCH_KEEP_DAYS * 24 * MS_PER_HOUR,
  consentMs: settings.KEYSWITCH_CONSENT_HOURS * MS_PER_HOUR,
  vendorMaySwitch: settings.KEYSWITCH_VENDOR_MAY_SWITCH === 'yes',
  signInTimes: {
    linkMs: settings.KEYSWITCH_LINK_HOURS * MS_PER_HOUR,
    stepMs: settings.KEYSWITCH_SIGN_IN_MINUTES * 60_000,
  },
  stuckAfterMs: settings.KEYSWITCH_STUCK_AFTER_SECONDS * 1000,
  checkConcurrency: settings.KEYSWITCH_CHECK_CONCURRENCY,
};

registerRoutes(app, routes, services);
// The library has told the worker of its model now.
guardStream(coreApi());
registerQueues(app, { ...services, vaults: workerVaults }, { queueName: settings.KEYSWITCH_WORK_QUEUE });
recordOwnCounts(app, services);
registerTimers(app, services, {
  sweep: settings.KEYSWITCH_SWEEP_SCHEDULE,
  checks: settings.KEYSWITCH_CHECK_SCHEDULE,
  audit: settings.KEYSWITCH_AUDIT_SCHEDULE,
});

// What the first caller would wait for, one after the other: tokens, connections, keys. Nobody waits for it, and what fails is met again.
app.hook.appStart(() => {
  void services.readiness.find();
  void checked.fetchKeys();
});

/** Only the worker has this module, and gives it to whoever requires it. */
function coreApi(): CoreApi {
  const give = Reflect.get(Module.prototype, 'require') as (id: string) => unknown;
  return give('@azure/functions-core') as CoreApi;
}
