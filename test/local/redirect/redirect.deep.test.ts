import { execFile } from 'node:child_process';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REDIRECT_VARIABLE, type RedirectTable } from '../../../local/redirect/redirect-table.ts';
import { createCertificateAuthority } from '../../../local/tls/certificates.ts';

const run = promisify(execFile);
const authority = await createCertificateAuthority();
const { certPem: cert, keyPem: key } = await authority.issue(['*.vault.azure.net', 'n.servicebus.windows.net']);
const servers: Server[] = [];
let table: RedirectTable;
let later: RedirectTable;

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const vaults = createHttpsServer({ cert, key }, (request, response) => {
    response.end(`sni=${String(Reflect.get(request.socket, 'servername'))} host=${request.headers.host ?? ''}`);
  });
  const bus = createTlsServer({ cert, key }, (socket) => {
    socket.on('error', () => socket.destroy()).end(`sni=${String(Reflect.get(socket, 'servername'))}`);
  });
  const laterBus = createTlsServer({ cert, key }, (socket) => {
    socket.on('error', () => socket.destroy()).end('the later one');
  });
  const control: HttpServer = createHttpServer((request, response) => {
    if (request.url === '/dns/broken.vault.azure.net') response.statusCode = 500;
    response.end(JSON.stringify({ exists: request.url === '/dns/acme.vault.azure.net' }));
  });
  table = {
    caPem: authority.caPem,
    hosts: [
      {
        name: '*.vault.azure.net',
        ports: { 443: await listen(vaults) },
        existsUrl: `http://127.0.0.1:${await listen(control)}/dns/`,
      },
      { name: 'n.servicebus.windows.net', ports: { 5671: await listen(bus) } },
    ],
  };
  later = {
    caPem: authority.caPem,
    hosts: [{ name: 'n.servicebus.windows.net', ports: { 5671: await listen(laterBus) } }],
  };
});

afterAll(() => {
  for (const server of servers) server.close();
});

interface Met {
  readonly answer?: string;
  readonly code?: string;
  readonly message?: string;
}

async function ask(...questions: string[]): Promise<Met[]> {
  const preload = new URL('../../../local/redirect/preload.ts', import.meta.url).href;
  const script = new URL('./redirected-process.ts', import.meta.url).pathname;
  const { stdout } = await run(process.execPath, ['--import', preload, script, ...questions], {
    env: {
      ...process.env,
      [REDIRECT_VARIABLE]: JSON.stringify(table),
      KEYSWITCH_TEST_LATER_TABLE: JSON.stringify(later),
    },
  });
  return JSON.parse(stdout) as Met[];
}

test('every way of opening TLS to a real name reaches the emulator, which sees the real SNI and Host', async () => {
  const met = await ask('fetch acme.vault.azure.net', 'https acme.vault.azure.net', 'tls5671 n.servicebus.windows.net');
  expect(met.map((one) => one.answer)).toEqual([
    'sni=acme.vault.azure.net host=acme.vault.azure.net',
    'sni=acme.vault.azure.net host=acme.vault.azure.net',
    'sni=n.servicebus.windows.net',
  ]);
});

test('a later table takes the place of the one before', async () => {
  const bus = 'tls5671 n.servicebus.windows.net';
  const vault = 'lookup acme.vault.azure.net';
  const [before, , after, gone] = await ask(bus, 'redirectTo later', bus, vault);
  expect([before?.answer, after?.answer, gone?.code]).toEqual([
    'sni=n.servicebus.windows.net',
    'the later one',
    'ENOTFOUND',
  ]);
});

test('lookup gives loopback for a vault that exists and ENOTFOUND for one that does not', async () => {
  const met = await ask(
    'lookup acme.vault.azure.net',
    'lookupPromise acme.vault.azure.net',
    'lookup gone.vault.azure.net',
    'https gone.vault.azure.net',
    'fetch gone.vault.azure.net',
    'lookup broken.vault.azure.net',
  );
  expect(met[0]?.answer).toBe('[{"address":"127.0.0.1","family":4}]');
  expect(met[1]?.answer).toBe('127.0.0.1');
  expect(met.slice(2).map((one) => one.code)).toEqual(['ENOTFOUND', 'ENOTFOUND', 'ENOTFOUND', 'EAI_AGAIN']);
  expect(met[2]?.message).toBe('getaddrinfo ENOTFOUND gone.vault.azure.net');
});

test('a name of the table has no alias, one that does not exist is not found, and a resolver that fails says neither', async () => {
  const met = await ask(
    'aliases acme.vault.azure.net',
    'aliases gone.vault.azure.net',
    'aliases broken.vault.azure.net',
  );
  expect(met.map((one) => one.code)).toEqual(['ENODATA', 'ENOTFOUND', 'ESERVFAIL']);
});

test('other names, other ports, outside addresses and resolvers are refused and the error says so', async () => {
  const met = await ask(
    'fetch example.com',
    'https a.b.vault.azure.net',
    'tls5671 acme.vault.azure.net',
    'net 169.254.169.254',
    'resolve example.com',
  );
  expect(met.map((one) => one.code)).toEqual(['ENOTFOUND', 'ENOTFOUND', 'ECONNREFUSED', 'ECONNREFUSED', 'undefined']);
  expect(met[0]?.message).toContain('the embedded run reaches no outside name');
  expect(met[2]?.message).toContain('the embedded run reaches nothing outside');
  expect(met[3]?.message).toContain('169.254.169.254:80');
  expect(met[4]?.message).toBe('the embedded run asks no resolver');
});
