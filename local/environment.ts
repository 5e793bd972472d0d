// Brings up everything that Keyswitch meets in Azure, on loopback: one call for tests, the demo and `npm start`. The
// app itself runs in host processes that see real names only.
import { fileURLToPath } from 'node:url';
import type { RemoteControl } from './control/remote-control.ts';
import type { EntraEmulator } from './entra/entra.ts';
import { appEnvironment } from './environment/app-environment.ts';
import { createCustomers, type Customer, type CustomerName } from './environment/customers.ts';
import { startEmulators, type EmulatorOptions } from './environment/emulators.ts';
import { createHostFleet } from './environment/host-fleet.ts';
import { createPersons, type EnvironmentPerson } from './environment/persons.ts';
import { forgetCallbacks, registerCallback } from './environment/redirect-uris.ts';
import { mintRoleTokens, type RoleTokens } from './environment/role-tokens.ts';
import { createTables, createVendorVault } from './environment/vendor.ts';
import type { FunctionsHost, HostOptions } from './functions-host/host-process.ts';
import { GOOGLE_SETTINGS } from './identities.ts';
import type { StateFolder } from './state/state-folder.ts';
import type { Receivers } from './receivers/receivers.ts';
import type { RedirectTable } from './redirect/redirect-table.ts';

interface EnvironmentOptions extends Omit<EmulatorOptions, 'stateFiles'> {
  /** What is kept from run to run; without it everything is in memory, and gone with the run. Closed with the environment. */
  readonly state?: StateFolder;
  /** App settings beside, or in place of, those of the run. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Environment {
  /** The app settings that every host gets. */
  readonly settings: Readonly<Record<string, string>>;
  readonly redirect: RedirectTable;
  readonly entra: RemoteControl;
  readonly google: RemoteControl;
  readonly managedIdentity: RemoteControl;
  readonly keyVault: RemoteControl;
  readonly serviceBus: RemoteControl;
  readonly tables: RemoteControl;
  readonly customers: Readonly<Record<CustomerName, Customer>>;
  /** By name: `contoso-global-admin`. */
  readonly persons: Readonly<Record<string, EnvironmentPerson>>;
  /** App settings that name the vendor's OAuth client at Google. */
  readonly googleSettings: Readonly<Record<string, string>>;
  readonly tokens: RoleTokens;
  /** Of webhooks, under any name below `receivers.example.com`. */
  readonly receivers: Receivers;
  mintApiToken: EntraEmulator['mintApiToken'];
  /**
   * One more host of the app; `dist/` unless told which. The oldest living one fires the timers. People may come back
   * to it from a sign-in.
   */
  startHost(options?: Partial<Omit<HostOptions, 'redirect' | 'timers'>>): Promise<FunctionsHost>;
  readonly hosts: readonly FunctionsHost[];
  close(): Promise<void>;
}

const BUNDLE_DIR = fileURLToPath(new URL('../dist', import.meta.url));

export async function startEnvironment(options: EnvironmentOptions = {}): Promise<Environment> {
  const { state } = options;
  const isNew = state?.isNew ?? true;
  const emulators = await startEmulators({ ...options, ...(state && { stateFiles: state.files }) });
  const { controls, redirect, identity } = emulators;
  const [customers] = await Promise.all([
    createCustomers(controls.entra, controls.keyVault, isNew),
    isNew ? createVendorVault(controls.keyVault) : undefined,
    createTables({ port: emulators.tablesPort, caPem: redirect.caPem, identity }),
  ]);
  const persons = await createPersons(controls, customers, isNew);
  // Each host registers its own, and those of an earlier run are gone.
  await forgetCallbacks(controls);
  state?.complete();
  const settings = { ...appEnvironment(identity), ...options.settings };
  const fleet = createHostFleet();
  return {
    settings,
    redirect,
    ...controls,
    customers,
    persons,
    googleSettings: GOOGLE_SETTINGS,
    tokens: mintRoleTokens(emulators),
    receivers: emulators.receivers,
    mintApiToken: emulators.mintApiToken,
    startHost: async ({ env, ...host } = {}) => {
      const started = await fleet.start({ bundleDir: BUNDLE_DIR, ...host, env: { ...settings, ...env }, redirect });
      if (started.functions.length === 0) {
        await started.kill();
        throw new Error(`The app has no functions:\n${started.lines.join('\n')}`);
      }
      await registerCallback(controls, started.url);
      return started;
    },
    hosts: fleet.hosts,
    close: async () => {
      await fleet.close();
      await emulators.close();
      state?.close();
    },
  };
}
