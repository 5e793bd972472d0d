import { afterAll, beforeAll } from 'vitest';
import { TABLE_HOST } from '../../local/identities.ts';
import { installRedirect } from '../../local/redirect/install-redirect.ts';
import { startTables, type TablesEmulator } from '../../local/tables/start-tables.ts';
import { createCertificateAuthority } from '../../local/tls/certificates.ts';
import { AzureTables } from '../../shared/adapters/azure-tables.ts';
import { systemEntropy, systemTimers } from '../../shared/adapters/system.ts';
import { storageCredential } from '../local/tables/bearer-token.ts';
import { describeTables } from './tables-contract.ts';

let emulator: TablesEmulator;
let tables: AzureTables;

beforeAll(async () => {
  const authority = createCertificateAuthority();
  emulator = await startTables({ tls: authority.issue([TABLE_HOST]) });
  installRedirect({ caPem: authority.caPem, hosts: [{ name: TABLE_HOST, ports: { 443: emulator.port } }] });
  tables = new AzureTables({
    endpoint: `https://${TABLE_HOST}`,
    credential: storageCredential(),
    timers: systemTimers,
    entropy: systemEntropy,
  });
  await tables.createTables();
});

afterAll(() => emulator.close());

describeTables(() => tables);
