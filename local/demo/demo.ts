// What every scene of the demo works with: the embedded run, the API as a vendor's backend calls it, the screen, and the list of
// what was not as it should be.
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import type { TokenCredential } from '@azure/identity';
import { buildBundle } from '../../scripts/build-bundle.ts';
import { startEnvironment, type Environment } from '../environment.ts';
import type { FunctionsHost } from '../functions-host/host-process.ts';
import { Admissions } from './admissions.ts';
import { ApiClient } from './api-client.ts';
import { enterAzure } from './azure-access.ts';
import type { DataKeyAccess } from './data-keys.ts';
import type { DemoOptions } from './options.ts';
import type { Parts } from './parts.ts';
import type { Screen } from './screen.ts';

export interface Demo {
  readonly options: DemoOptions;
  readonly screen: Screen;
  readonly environment: Environment;
  /** The vendor's managed identity, for the real SDKs in this process. */
  readonly credential: TokenCredential;
  /** A folder of our own, gone when the demo ends. */
  readonly directory: string;
  /** Both hosts in turn. */
  readonly api: ApiClient;
  readonly dataKeys: DataKeyAccess;
  /** What has admitted people's browsers so far. */
  readonly admissions: Admissions;
  /** Every host that was ever started, with all that it wrote. */
  readonly hosts: readonly FunctionsHost[];
  startHost(): Promise<FunctionsHost>;
  /** Kills a host with SIGKILL. What comes back in its place, later, is a new process at the same address. */
  kill(host: FunctionsHost): Promise<() => Promise<FunctionsHost>>;
  /** Shows the claim with a tick; or `otherwise`, and the demo will end with 1. */
  readonly check: (holds: boolean, claim: string, otherwise?: string) => void;
  /** What was not as it should be, and in which part. */
  readonly failures: readonly string[];
}

/** The promised revocation time of the demo; five minutes unless set. */
export const CACHE_LIFETIME_MS = 5_000;
const HOSTS = 2;

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export async function startDemo(
  options: DemoOptions,
  {
    screen,
    parts,
    directory,
    settings,
  }: {
    readonly screen: Screen;
    readonly parts: Parts;
    readonly directory: string;
    /** App settings of the hosts, beside the demo's own. */
    readonly settings: Readonly<Record<string, string>>;
  },
): Promise<Demo> {
  const bundleDir = join(directory, 'app');
  const [environment] = await Promise.all([
    startEnvironment({
      settings: { KEYSWITCH_COMPANY_KEY_TTL_SECONDS: String(CACHE_LIFETIME_MS / 1000), ...settings },
    }),
    buildBundle({ entryPoint: fromRoot('functions/main.ts'), hostJson: fromRoot('host.json'), outDir: bundleDir }),
  ]);
  const hosts: FunctionsHost[] = [];
  const keep = (host: FunctionsHost): FunctionsHost => {
    hosts.push(host);
    return host;
  };
  const startHost = async (): Promise<FunctionsHost> =>
    keep(await environment.startHost({ bundleDir, env: environment.googleSettings }));
  await Promise.all(Array.from({ length: HOSTS }, startHost));
  const credential = enterAzure(environment);
  const api = new ApiClient(hosts.map(({ url }) => url));
  const failures: string[] = [];
  return {
    options,
    screen,
    environment,
    credential,
    directory,
    api,
    dataKeys: { api, token: environment.tokens.dataKeys },
    admissions: new Admissions(),
    hosts,
    startHost,
    kill: async (host) => {
      await host.kill('SIGKILL');
      return async () => keep(await host.restart());
    },
    check: (holds, claim, otherwise = `Not so: ${claim}`) => {
      if (holds) {
        screen.done(claim);
        return;
      }
      const part = parts.fail();
      failures.push(part === undefined ? otherwise : `${part}: ${otherwise}`);
      screen.failed(otherwise);
    },
    failures,
  };
}
