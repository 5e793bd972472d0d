// Starts floor-app.ts in a Functions host of its own, on data keys of its own in the same tables.
import { createSecretKey } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { JSONWebKeySet } from 'jose';
import type { FunctionsHost } from '../local/functions-host/host-process.ts';
import { MANAGED_IDENTITY_CLIENT_ID } from '../local/identities.ts';
import { AzureTables } from '../shared/adapters/azure-tables.ts';
import { systemClock, systemEntropy, systemTimers } from '../shared/adapters/system.ts';
import { buildBundle } from '../scripts/build-bundle.ts';
import type { Run } from '../test/end-to-end/run.ts';
import { GAUGED } from './harness/host-gauge.ts';
import { KEYRING } from './seeded-company.ts';
import type { FloorOptions } from './floor-app.ts';
import { dataKeyIds, seedDataKeys } from './seed-data-keys.ts';
import { TABLES_ENDPOINT } from './tables-service.ts';

const COMPANY = 'floor';
const APP = fileURLToPath(new URL('floor-app.ts', import.meta.url));
const COMPANY_KEY = Buffer.alloc(32, 7);

export interface Floor {
  readonly host: FunctionsHost;
  readonly url: string;
  close(): Promise<void>;
}

/** The bare app as one bundle, as the product is; where it is. */
export async function buildFloor(): Promise<string> {
  const fromRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
  const outDir = fromRoot('.local/floor-app');
  await buildBundle({ entryPoint: APP, hostJson: fromRoot('host.json'), outDir });
  return outDir;
}

/** The ids of the floor's data keys. */
export async function seedFloor(run: Run, count: number, shardCount: number): Promise<string[]> {
  const tables = new AzureTables({
    endpoint: TABLES_ENDPOINT,
    credential: run.credential,
    timers: systemTimers,
    entropy: systemEntropy,
    clock: systemClock,
  });
  const ids = dataKeyIds(count, shardCount);
  await seedDataKeys(tables, { companyId: COMPANY, companyKey: createSecretKey(COMPANY_KEY), ids });
  return ids.flat();
}

/** `bundleDir`: what `buildFloor` answered. */
export async function startFloor(
  run: Run,
  options: { readonly bundleDir: string; readonly shardCount: number; readonly rows: FloorOptions['rows'] },
): Promise<Floor> {
  const { environment } = run;
  const { bundleDir, ...others } = options;
  const jwks = (await (await fetch(`${environment.entra.url}/jwks`)).json()) as JSONWebKeySet;
  const floor: FloorOptions = {
    ...others,
    endpoint: TABLES_ENDPOINT,
    identityClientId: MANAGED_IDENTITY_CLIENT_ID,
    jwks,
    companyId: COMPANY,
    keyringId: KEYRING,
    companyKey: COMPANY_KEY.toString('hex'),
  };
  const env = { KEYSWITCH_BENCH_FLOOR: JSON.stringify(floor) };
  const host = await environment.startHost({ bundleDir, env, program: GAUGED });
  return {
    host,
    url: `${host.url}/unwrap`,
    close: async () => {
      await host.kill();
    },
  };
}
