// A process of its own that keeps its tables in the file that is named: for a test that kills it.
import { TABLE_HOST } from '../../../local/identities.ts';
import { startTables } from '../../../local/tables/start-tables.ts';
import { createCertificateAuthority } from '../../../local/tls/certificates.ts';

const [, , file = ''] = process.argv;
const authority = await createCertificateAuthority();
const { port } = await startTables({ tls: await authority.issue([TABLE_HOST]), file });
process.send?.({ port, caPem: authority.caPem });
