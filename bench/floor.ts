// Starts floor-server.ts in a process of its own, which meets the embedded run under the real names as a host does, on data keys of
// its own in the same tables.
import { spawn } from 'node:child_process';
import { createSecretKey } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { JSONWebKeySet } from 'jose';
import { MANAGED_IDENTITY_CLIENT_ID } from '../local/identities.ts';
import { REDIRECT_VARIABLE } from '../local/redirect/redirect-table.ts';
import { AzureTables } from '../shared/adapters/azure-tables.ts';
import { systemClock, systemEntropy, systemTimers } from '../shared/adapters/system.ts';
import type { Run } from '../test/end-to-end/run.ts';
import { KEYRING } from './company.ts';
import type { FloorOptions } from './floor-server.ts';
import { dataKeyIds, seedDataKeys } from './seed-data-keys.ts';
import { TABLES_ENDPOINT } from './tables-service.ts';

const COMPANY = 'floor';
const COMPANY_KEY = Buffer.alloc(32, 7);
const PRELOAD = new URL('../local/redirect/preload.ts', import.meta.url).href;
const SERVER = fileURLToPath(new URL('floor-server.ts', import.meta.url));

export interface Floor {
  readonly pid: number;
  readonly url: string;
  close(): Promise<void>;
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

export async function startFloor(
  run: Run,
  options: { readonly shardCount: number; readonly rows: FloorOptions['rows'] },
): Promise<Floor> {
  const { environment } = run;
  const jwks = (await (await fetch(`${environment.entra.url}/jwks`)).json()) as JSONWebKeySet;
  const floor: FloorOptions = {
    ...options,
    endpoint: TABLES_ENDPOINT,
    identityClientId: MANAGED_IDENTITY_CLIENT_ID,
    jwks,
    companyId: COMPANY,
    keyringId: KEYRING,
    companyKey: COMPANY_KEY.toString('hex'),
  };
  const env = {
    ...environment.settings,
    [REDIRECT_VARIABLE]: JSON.stringify(environment.redirect),
    KEYSWITCH_BENCH_FLOOR: JSON.stringify(floor),
  };
  const child = spawn(process.execPath, ['--import', PRELOAD, SERVER], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const ended = exited.then(([code]: unknown[]): never => {
    throw new Error(`the floor ended with ${String(code)}`);
  });
  const line = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>;
  const [url] = await Promise.race([line, ended]);
  return {
    url,
    pid: child.pid ?? 0,
    close: async () => {
      child.kill();
      await exited;
    },
  };
}
