// The suite over the Azure adapter: with Azurite behind our TLS front, or with a real storage account when
// KEYSWITCH_CONTRACT_TABLES_ENDPOINT names one (signed in with the Azure CLI, role Storage Table Data Contributor).
import { AzureCliCredential, type TokenCredential } from '@azure/identity';
import { afterAll, beforeAll } from 'vitest';
import { TABLE_HOST } from '../../local/identities.ts';
import { installRedirect } from '../../local/redirect/install-redirect.ts';
import { startTables, type TablesEmulator } from '../../local/tables/start-tables.ts';
import { createCertificateAuthority } from '../../local/tls/certificates.ts';
import { AzureTables } from '../../shared/adapters/azure-tables.ts';
import { systemClock, systemEntropy, systemTimers } from '../../shared/adapters/system.ts';
import { storageCredential } from '../local/tables/bearer-token.ts';
import { describeTables } from './tables-contract.ts';

const realEndpoint = process.env['KEYSWITCH_CONTRACT_TABLES_ENDPOINT'];
let emulator: TablesEmulator | undefined;
let tables: AzureTables;

const open = (endpoint: string, credential: TokenCredential): AzureTables =>
  new AzureTables({ endpoint, credential, timers: systemTimers, entropy: systemEntropy, clock: systemClock });

async function openEmulator(): Promise<AzureTables> {
  const authority = await createCertificateAuthority();
  emulator = await startTables({ tls: await authority.issue([TABLE_HOST]) });
  installRedirect({ caPem: authority.caPem, hosts: [{ name: TABLE_HOST, ports: { 443: emulator.port } }] });
  return open(`https://${TABLE_HOST}`, storageCredential());
}

beforeAll(async () => {
  tables = realEndpoint === undefined ? await openEmulator() : open(realEndpoint, new AzureCliCredential());
  await tables.createTables();
});

afterAll(() => emulator?.close());

describeTables(() => tables);
