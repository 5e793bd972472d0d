// Brings up everything that Keyswitch meets in Azure, on loopback: one call for tests, the demo and `npm start`. The
// app itself runs in host processes that see real names only.
import { fileURLToPath } from 'node:url';
import { connectControl, type RemoteControl } from './control/remote-control.ts';
import { startEntra, type EntraEmulator } from './entra/entra.ts';
import { appEnvironment, WORK_QUEUE } from './environment/app-environment.ts';
import { createCustomers, type Customer, type CustomerName } from './environment/customers.ts';
import { createHostFleet } from './environment/host-fleet.ts';
import { mintRoleTokens, type RoleTokens } from './environment/role-tokens.ts';
import { createTables, createVendorVault } from './environment/vendor.ts';
import type { FunctionsHost, HostOptions } from './functions-host/host-process.ts';
import {
  ENTRA_HOSTS,
  issuerV1,
  SERVICE_BUS_AUDIENCE,
  SERVICE_BUS_HOST,
  STORAGE_AUDIENCE,
  TABLE_HOST,
  VENDOR_TENANT_ID,
} from './identities.ts';
import { startManagedIdentity } from './managed-identity/managed-identity.ts';
import type { RedirectTable } from './redirect/redirect-table.ts';
import { createCertificateAuthority } from './tls/certificates.ts';
import { startInWorker } from './workers/start-in-worker.ts';

interface EnvironmentOptions {
  /** Where the tables are kept; in memory when left out. */
  readonly tablesFile?: string;
  /** 5 s unless told; a minute in Azure. */
  readonly lockDurationMs?: number;
  readonly maxDeliveryCount?: number;
  /** App settings beside, or in place of, those of the run. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Environment {
  /** The app settings that every host gets. */
  readonly settings: Readonly<Record<string, string>>;
  readonly redirect: RedirectTable;
  readonly entra: RemoteControl;
  readonly managedIdentity: RemoteControl;
  readonly keyVault: RemoteControl;
  readonly serviceBus: RemoteControl;
  readonly tables: RemoteControl;
  readonly customers: Readonly<Record<CustomerName, Customer>>;
  readonly tokens: RoleTokens;
  mintApiToken: EntraEmulator['mintApiToken'];
  /** One more host of the app; `dist/` unless told which. The oldest living one fires the timers. */
  startHost(options?: Partial<Omit<HostOptions, 'redirect' | 'timers'>>): Promise<FunctionsHost>;
  readonly hosts: readonly FunctionsHost[];
  close(): Promise<void>;
}

const LOCK_DURATION_MS = 5_000;
const MAX_DELIVERY_COUNT = 10;
const DUPLICATE_WINDOW_MS = 600_000;
const BUNDLE_DIR = fileURLToPath(new URL('../dist', import.meta.url));

export async function startEnvironment(options: EnvironmentOptions = {}): Promise<Environment> {
  const authority = await createCertificateAuthority();
  const { caPem } = authority;
  const entra = await startEntra({ tls: await authority.issue(ENTRA_HOSTS) });
  const identity = await startManagedIdentity({ signer: entra.signer });
  const signedFor = (audience: string): object => ({
    jwks: entra.signer.jwks,
    issuers: [issuerV1(VENDOR_TENANT_ID)],
    audience,
  });
  const [keyVault, serviceBus, tables] = await Promise.all([
    startInWorker({
      module: moduleUrl('key-vault/key-vault.ts'),
      start: 'startKeyVault',
      options: { tls: await authority.issue(['*.vault.azure.net']), tokenKeys: `${entra.controlUrl}/jwks` },
    }),
    startInWorker({
      module: moduleUrl('service-bus/server.ts'),
      start: 'startServiceBus',
      options: {
        tls: await authority.issue([SERVICE_BUS_HOST]),
        queues: [workQueue(options)],
        issuerKeys: signedFor(SERVICE_BUS_AUDIENCE),
      },
    }),
    startInWorker({
      module: moduleUrl('tables/start-tables.ts'),
      start: 'startTables',
      options: {
        tls: await authority.issue([TABLE_HOST]),
        file: options.tablesFile,
        issuerKeys: signedFor(STORAGE_AUDIENCE),
      },
    }),
  ]);
  const entraControl = connectControl(entra.controlUrl);
  const [customers] = await Promise.all([
    createCustomers(entraControl, keyVault.control),
    createVendorVault(keyVault.control),
    createTables({ port: tables.port, caPem, identity: identity.environment }),
  ]);

  const redirect: RedirectTable = {
    caPem,
    hosts: [
      ...ENTRA_HOSTS.map((name) => ({ name, ports: { 443: entra.port } })),
      { name: '*.vault.azure.net', ports: { 443: keyVault.port }, existsUrl: `${keyVault.control.url}/dns/` },
      { name: SERVICE_BUS_HOST, ports: { 5671: serviceBus.port } },
      { name: TABLE_HOST, ports: { 443: tables.port } },
    ],
  };
  const settings = { ...appEnvironment(identity.environment), ...options.settings };
  const fleet = createHostFleet();
  return {
    settings,
    redirect,
    entra: entraControl,
    managedIdentity: connectControl(identity.controlUrl),
    keyVault: keyVault.control,
    serviceBus: serviceBus.control,
    tables: tables.control,
    customers,
    tokens: mintRoleTokens(entra),
    mintApiToken: (token) => entra.mintApiToken(token),
    startHost: ({ env, ...host } = {}) =>
      fleet.start({ bundleDir: BUNDLE_DIR, ...host, env: { ...settings, ...env }, redirect }),
    hosts: fleet.hosts,
    close: async () => {
      await fleet.close();
      await Promise.all([keyVault, serviceBus, tables, entra, identity].map((part) => part.close()));
    },
  };
}

function moduleUrl(path: string): string {
  return new URL(path, import.meta.url).href;
}

function workQueue({ lockDurationMs, maxDeliveryCount }: EnvironmentOptions): object {
  return {
    name: WORK_QUEUE,
    lockDurationMs: lockDurationMs ?? LOCK_DURATION_MS,
    maxDeliveryCount: maxDeliveryCount ?? MAX_DELIVERY_COUNT,
    duplicateDetectionWindowMs: DUPLICATE_WINDOW_MS,
  };
}
