// Azurite in a thread of its own behind TLS, under Table Storage's real name, as the embedded run has it. Both sides of a benchmark
// show a token and have it checked.
import { STORAGE_ACCOUNT, TABLE_HOST } from '../local/identities.ts';
import { installRedirect } from '../local/redirect/install-redirect.ts';
import { createCertificateAuthority } from '../local/tls/certificates.ts';
import { startInWorker } from '../local/workers/start-in-worker.ts';
import { AzureTables } from '../shared/adapters/azure-tables.ts';
import { systemClock, systemEntropy, systemTimers } from '../shared/adapters/system.ts';
import { storageCredential } from '../test/local/tables/bearer-token.ts';

export const TABLES_ENDPOINT = `https://${STORAGE_ACCOUNT}.table.core.windows.net`;

export interface TablesService {
  readonly tables: AzureTables;
  close(): Promise<void>;
}

export async function startTablesService(): Promise<TablesService> {
  const authority = await createCertificateAuthority();
  const module = new URL('../local/tables/start-tables.ts', import.meta.url).href;
  const emulator = await startInWorker({
    module,
    start: 'startTables',
    options: { tls: await authority.issue([TABLE_HOST]) },
  });
  installRedirect({ caPem: authority.caPem, hosts: [{ name: TABLE_HOST, ports: { 443: emulator.port } }] });
  const credential = storageCredential();
  const tables = new AzureTables({
    endpoint: TABLES_ENDPOINT,
    credential,
    timers: systemTimers,
    entropy: systemEntropy,
    clock: systemClock,
    timeoutMs: 60_000,
  });
  await tables.createTables();
  return { tables, close: () => emulator.close() };
}
