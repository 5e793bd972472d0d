// Starts every emulator of the run on loopback: Entra, Google and the managed identity in this thread, those with much to
// do in threads of their own. Knows what each is told at its start, and nothing of customers or the app.
import { connectControl, type RemoteControl } from '../control/remote-control.ts';
import { startEntra, type EntraEmulator } from '../entra/entra.ts';
import { startGoogle } from '../google/google.ts';
import {
  ENTRA_HOSTS,
  GOOGLE_HOSTS,
  issuerV1,
  SERVICE_BUS_AUDIENCE,
  SERVICE_BUS_HOST,
  STORAGE_AUDIENCE,
  TABLE_HOST,
  VENDOR_TENANT_ID,
} from '../identities.ts';
import { startManagedIdentity, type ManagedIdentityEmulator } from '../managed-identity/managed-identity.ts';
import { RECEIVERS, RECEIVERS_ADDRESS, startReceivers, type Receivers } from '../receivers/receivers.ts';
import type { RedirectTable } from '../redirect/redirect-table.ts';
import type { StateFolder } from '../state/state-folder.ts';
import { createCertificateAuthority } from '../tls/certificates.ts';
import { startInWorker } from '../workers/start-in-worker.ts';
import { CHECKS_QUEUE, WORK_QUEUE } from './app-environment.ts';

export interface EmulatorOptions {
  /** Where each emulator keeps its state from run to run; in memory only when left out. */
  readonly stateFiles?: StateFolder['files'];
  /** 5 s unless told; a minute in Azure. */
  readonly lockDurationMs?: number;
  readonly maxDeliveryCount?: number;
}

interface Emulators {
  readonly redirect: RedirectTable;
  readonly controls: {
    readonly entra: RemoteControl;
    readonly google: RemoteControl;
    readonly managedIdentity: RemoteControl;
    readonly keyVault: RemoteControl;
    readonly serviceBus: RemoteControl;
    readonly tables: RemoteControl;
  };
  readonly mintApiToken: EntraEmulator['mintApiToken'];
  readonly receivers: Receivers;
  /** What App Service sets for an app with a managed identity. */
  readonly identity: ManagedIdentityEmulator['environment'];
  readonly tablesPort: number;
  close(): Promise<void>;
}

const LOCK_DURATION_MS = 5_000;
const MAX_DELIVERY_COUNT = 10;
const DUPLICATE_WINDOW_MS = 600_000;

export async function startEmulators(options: EmulatorOptions): Promise<Emulators> {
  const { stateFiles } = options;
  const authority = await createCertificateAuthority();
  const { caPem } = authority;
  const entra = await startEntra({ tls: await authority.issue(ENTRA_HOSTS), stateFile: stateFiles?.entra });
  const google = await startGoogle({ tls: await authority.issue(GOOGLE_HOSTS), stateFile: stateFiles?.google });
  const receivers = await startReceivers({ tls: await authority.issue([RECEIVERS]) });
  const identity = await startManagedIdentity({ signer: entra.signer, stateFile: stateFiles?.['managed-identity'] });
  const signedFor = (audience: string): object => ({
    jwks: entra.signer.jwks,
    issuers: [issuerV1(VENDOR_TENANT_ID)],
    audience,
  });
  const [keyVault, serviceBus, tables] = await Promise.all([
    startInWorker({
      module: moduleUrl('key-vault/key-vault.ts'),
      start: 'startKeyVault',
      options: {
        tls: await authority.issue(['*.vault.azure.net']),
        tokenKeys: `${entra.controlUrl}/jwks`,
        stateFile: stateFiles?.['key-vault'],
      },
    }),
    startInWorker({
      module: moduleUrl('service-bus/server.ts'),
      start: 'startServiceBus',
      options: {
        tls: await authority.issue([SERVICE_BUS_HOST]),
        queues: [WORK_QUEUE, CHECKS_QUEUE].map((name) => queueNamed(name, options)),
        issuerKeys: signedFor(SERVICE_BUS_AUDIENCE),
        stateFile: stateFiles?.['service-bus'],
      },
    }),
    startInWorker({
      module: moduleUrl('tables/start-tables.ts'),
      start: 'startTables',
      options: {
        tls: await authority.issue([TABLE_HOST]),
        file: stateFiles?.tables,
        issuerKeys: signedFor(STORAGE_AUDIENCE),
      },
    }),
  ]);

  const redirect: RedirectTable = {
    caPem,
    hosts: [
      ...ENTRA_HOSTS.map((name) => ({ name, ports: { 443: entra.port } })),
      ...GOOGLE_HOSTS.map((name) => ({ name, ports: { 443: google.port } })),
      { name: '*.vault.azure.net', ports: { 443: keyVault.port }, existsUrl: `${keyVault.control.url}/dns/` },
      { name: RECEIVERS, ports: { 443: receivers.port }, seenAs: RECEIVERS_ADDRESS },
      { name: SERVICE_BUS_HOST, ports: { 5671: serviceBus.port } },
      { name: TABLE_HOST, ports: { 443: tables.port } },
    ],
  };
  return {
    redirect,
    controls: {
      entra: connectControl(entra.controlUrl),
      google: connectControl(google.controlUrl),
      managedIdentity: connectControl(identity.controlUrl),
      keyVault: keyVault.control,
      serviceBus: serviceBus.control,
      tables: tables.control,
    },
    receivers,
    mintApiToken: (token) => entra.mintApiToken(token),
    identity: identity.environment,
    tablesPort: tables.port,
    close: async () => {
      await Promise.all([keyVault, serviceBus, tables, entra, google, identity, receivers].map((part) => part.close()));
    },
  };
}

function moduleUrl(path: string): string {
  return new URL(`../${path}`, import.meta.url).href;
}

function queueNamed(name: string, { lockDurationMs, maxDeliveryCount }: EmulatorOptions): object {
  return {
    name,
    lockDurationMs: lockDurationMs ?? LOCK_DURATION_MS,
    maxDeliveryCount: maxDeliveryCount ?? MAX_DELIVERY_COUNT,
    duplicateDetectionWindowMs: DUPLICATE_WINDOW_MS,
  };
}
