// Vaults whose name resolves and behind whose name nothing is as it should be: below HTTP, where no emulator answers.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONNECTOR_APP_ID, MANAGED_IDENTITY_CLIENT_ID, VENDOR_TENANT_ID } from '../../local/identities.ts';
import { installRedirect } from '../../local/redirect/install-redirect.ts';
import { createCertificateAuthority } from '../../local/tls/certificates.ts';
import { AzureConnectionProbe } from '../../shared/providers/azure-key-vault/client/connection-probe.ts';
import { Credentials } from '../../shared/identity/entra/credentials/credentials.ts';
import { AzureKeyVaults } from '../../shared/providers/azure-key-vault/client/key-vaults.ts';
import { systemClock } from '../../shared/adapters/system.ts';
import { VaultPool } from '../../shared/providers/azure-key-vault/client/vault-pool.ts';
import { failureOf } from './vault-world.ts';
import { noSecrets } from '../fakes/no-secrets.ts';

/** Only silence runs into a limit: whatever else these do is met long before. */
const TIMEOUT_MS = 30_000;
const HASTY_MS = 300;
const limitOf = (host: string): number => (host.startsWith('silent') ? HASTY_MS : TIMEOUT_MS);
const sockets = new Set<Socket>();
const servers: Server[] = [];

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  const authority = await createCertificateAuthority();
  const stranger = await (await createCertificateAuthority()).issue(['*.vault.azure.net']);
  const other = await authority.issue(['other.example.com']);
  const own = await authority.issue(['*.vault.azure.net']);
  const answering = (text: string): Server =>
    createTlsServer({ cert: own.certPem, key: own.keyPem }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => socket.end(text));
    });
  const ports: Record<string, number> = {
    silent: await listen(createServer()),
    cutting: await listen(createServer((socket) => socket.destroy())),
    plain: await listen(createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'))),
    refusing: await closedPort(),
    untrusted: await listen(createTlsServer({ cert: stranger.certPem, key: stranger.keyPem })),
    misnamed: await listen(createTlsServer({ cert: other.certPem, key: other.keyPem })),
    garbled: await listen(answering('this is no HTTP\r\n\r\n')),
    halved: await listen(answering('HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\nhalf')),
  };
  installRedirect({
    caPem: authority.caPem,
    hosts: Object.entries(ports).map(([name, port]) => ({ name: `${name}.vault.azure.net`, ports: { '443': port } })),
  });
});

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

function pool(host: string): VaultPool {
  const timeoutMs = limitOf(host);
  const credentials = new Credentials({
    tenantTokenMaxAgeMs: 300_000,
    openSecret: noSecrets,
    identityClientId: MANAGED_IDENTITY_CLIENT_ID,
    connectorClientId: CONNECTOR_APP_ID,
    vendorTenantId: VENDOR_TENANT_ID,
    authorityHost: 'https://login.microsoftonline.com',
    timeoutMs,
    clock: systemClock,
  });
  return new VaultPool({
    credentials,
    connectorClientId: CONNECTOR_APP_ID,
    vaultSuffixes: ['vault.azure.net'],
    timeoutMs,
  });
}

const readKey = (host: string): ReturnType<AzureKeyVaults['readKey']> =>
  new AzureKeyVaults(pool(host)).readKey({
    ref: { provider: 'azure-key-vault', connectionId: 'c' },
    host,
    keyName: 'k',
    tenantId: '11111111-1111-4111-8111-111111111111',
    credential: { kind: 'federated', clientId: CONNECTOR_APP_ID },
  });

describe.each(['silent', 'cutting', 'plain', 'refusing', 'untrusted', 'misnamed'])('a %s vault', (name) => {
  const host = `${name}.vault.azure.net`;

  it('is unreachable for a test', async () => {
    const failure = failureOf(await new AzureConnectionProbe(pool(host)).reach(host));
    expect(failure).toMatchObject({ code: 'vault-unreachable', kind: 'transient', facts: { vaultHost: host } });
  });

  it('is unreachable for a call', async () => {
    expect(failureOf(await readKey(host))).toMatchObject({ code: 'vault-unreachable', kind: 'transient' });
  });
});

describe.each([
  ['garbled', 'vault-error'],
  ['halved', 'vault-unreachable'],
])('a vault whose answer is %s', (name, code) => {
  it(`is ${code}, and never a revocation`, async () => {
    expect(failureOf(await readKey(`${name}.vault.azure.net`))).toMatchObject({ code, kind: 'transient' });
  });
});
