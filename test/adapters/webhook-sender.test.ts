// Receivers as strangers choose them: names that lead inside, and servers that answer slowly, endlessly or with a redirect.
import { createServer, type Server as HttpsServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { installRedirect } from '../../local/redirect/install-redirect.ts';
import { createCertificateAuthority } from '../../local/tls/certificates.ts';
import { isPublicAddress } from '../../shared/adapters/webhooks/public-address.ts';
import { HttpsWebhookSender, type Resolve } from '../../shared/adapters/webhooks/webhook-sender.ts';
import { webhookFailure } from '../../shared/domain/webhook-failures.ts';
import { FakeLog } from '../fakes/fake-system.ts';

const HOST = 'hooks.contoso.com';
const PUBLIC = '20.50.60.70';
const sockets = new Set<Socket>();
const servers: Server[] = [];
/** What the receiver was sent. */
const received: { readonly url: string; readonly host: string | undefined; readonly body: string }[] = [];
/** Connections that reached any server here. */
let connections = 0;

type Answer = (response: ServerResponse) => void;
const ANSWERS: Readonly<Record<string, Answer>> = {
  '/taken': (response) => response.writeHead(204).end(),
  '/ok': (response) => response.writeHead(200).end('thank you'),
  '/inside': (response) => response.writeHead(302, { location: 'https://169.254.169.254/' }).end(),
  '/moved': (response) => response.writeHead(308, { location: `https://${HOST}/taken` }).end(),
  '/busy': (response) => response.writeHead(429, { 'retry-after': '120' }).end(),
  '/broken': (response) => response.writeHead(500).end('x'.repeat(1_000)),
  '/gone': (response) => response.writeHead(410).end(),
  '/silent': () => undefined,
  '/endless': (response) => {
    endless(response.writeHead(500));
  },
  '/endless-and-taken': (response) => {
    endless(response.writeHead(200));
  },
  '/long-headers': (response) => response.writeHead(200, { 'x-long': 'x'.repeat(70_000) }).end(),
};

function endless(response: ServerResponse): void {
  const more = (): void => {
    if (!response.destroyed) response.write('x'.repeat(1_000), () => setImmediate(more));
  };
  more();
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.setEncoding('utf8').on('data', (part: string) => (body += part));
  request.on('end', () => {
    received.push({ url: request.url ?? '', host: request.headers.host, body });
    ANSWERS[request.url ?? '']?.(response);
  });
}

async function listen(server: Server | HttpsServer): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const authority = await createCertificateAuthority();
  const { certPem: cert, keyPem: key } = await authority.issue([HOST]);
  const stranger = await (await createCertificateAuthority()).issue(['untrusted.contoso.com']);
  const entry = (name: string, port: number): { name: string; ports: Record<number, number>; seenAs: string } => ({
    name,
    ports: { 443: port },
    seenAs: PUBLIC,
  });
  installRedirect({
    caPem: authority.caPem,
    hosts: [
      entry(HOST, await listen(createServer({ cert, key }, answer))),
      entry('misnamed.contoso.com', await listen(createServer({ cert, key }, answer))),
      entry(
        'untrusted.contoso.com',
        await listen(createServer({ cert: stranger.certPem, key: stranger.keyPem }, answer)),
      ),
      entry('plain.contoso.com', await listen(createTcpServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')))),
      entry('cutting.contoso.com', await listen(createTcpServer((socket) => socket.destroy()))),
      entry('mute.contoso.com', await listen(createTcpServer())),
      { name: 'inside.contoso.com', ports: { 443: 1 } },
    ],
  });
});

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

beforeEach(() => {
  received.length = 0;
  log = new FakeLog();
  connections = 0;
});

const HASTY_MS = 300;
let log = new FakeLog();
const message = { headers: { 'content-type': 'application/json' }, body: '{"some":"event"}' };

async function send(
  url: string,
  options: { readonly resolve?: Resolve; readonly timeoutMs?: number } = {},
): Promise<string> {
  const sent = await new HttpsWebhookSender({ allowedSuffixes: [], log, ...options }).send({ url, ...message });
  return sent.ok ? 'taken' : sent.error.failure.code;
}

const PRIVATE = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '169.254.130.1',
  '168.63.129.16',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.7',
  '203.0.113.7',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::169.254.169.254',
  '::ffff:127.0.0.1',
  '::ffff:a9fe:a9fe',
  '::ffff:8.8.8.8',
  '::ffff:0:169.254.169.254',
  '64:ff9b::7f00:1',
  '64:ff9b::808:808',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:10::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  '3fff::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '2001:4860:4860::8888%eth0',
  'no address',
  '',
];

describe('an address on the internet', () => {
  it.each(PRIVATE)('is not %j', (address) => expect(isPublicAddress(address)).toBe(false));

  it.each(['8.8.8.8', '20.50.60.70', '100.63.0.1', '172.15.0.1', '172.32.0.1', '192.0.1.1', '223.255.255.255'])(
    'may be %s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
  it.each(['2001:4860:4860::8888', '2603:1030::1', '2a00:1450::1', '2606:4700::1111'])('may be %s', (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );
});

describe('an event', () => {
  it('is sent to a public name, with its own host, and taken with any answer from 200 to 299', async () => {
    expect(await send(`https://${HOST}/taken`)).toBe('taken');
    expect(await send(`https://${HOST}/ok`)).toBe('taken');
    expect(received).toEqual([
      { url: '/taken', host: HOST, body: message.body },
      { url: '/ok', host: HOST, body: message.body },
    ]);
  });

  it.each(PRIVATE.slice(0, -2).map((address) => [address]))('goes nowhere if its name leads to %s', async (address) => {
    const family = address.includes(':') ? 6 : 4;
    const resolve: Resolve = () => Promise.resolve([{ address, family }]);
    expect(await send(`https://${HOST}/taken`, { resolve })).toBe('webhook-no-public-address');
    expect(connections).toBe(0);
  });

  it('goes nowhere if one of several addresses is not public', async () => {
    const resolve: Resolve = () =>
      Promise.resolve([
        { address: PUBLIC, family: 4 },
        { address: '10.0.0.1', family: 4 },
      ]);
    expect(await send(`https://${HOST}/taken`, { resolve })).toBe('webhook-no-public-address');
    expect(connections).toBe(0);
  });

  it('goes nowhere by a name of the real look-up that leads to this machine', async () => {
    expect(await send('https://inside.contoso.com/')).toBe('webhook-no-public-address');
  });

  it('is sent to the addresses that were checked: its name is looked up once', async () => {
    let lookups = 0;
    const resolve: Resolve = () => {
      lookups += 1;
      return Promise.resolve([{ address: lookups === 1 ? PUBLIC : '127.0.0.1', family: 4 }]);
    };
    expect(await send(`https://${HOST}/taken`, { resolve })).toBe('taken');
    expect(lookups).toBe(1);
  });

  it.each([
    ['/inside', 'webhook-redirected'],
    ['/moved', 'webhook-redirected'],
    ['/busy', 'webhook-refused'],
    ['/broken', 'webhook-refused'],
    ['/gone', 'webhook-gone'],
    ['/endless', 'webhook-refused'],
    ['/endless-and-taken', 'taken'],
    ['/long-headers', 'webhook-unreachable'],
  ])('answered at %s: %s, after one call', async (path, code) => {
    expect(await send(`https://${HOST}${path}`)).toBe(code);
    expect(received).toHaveLength(1);
    expect(connections).toBe(1);
  });

  it.each([
    ['untrusted.contoso.com', 'webhook-certificate-refused'],
    ['misnamed.contoso.com', 'webhook-certificate-refused'],
    ['plain.contoso.com', 'webhook-certificate-refused'],
    ['cutting.contoso.com', 'webhook-unreachable'],
    ['unknown.contoso.com', 'webhook-no-public-address'],
  ])('is not told to %s: %s', async (host, code) => {
    expect(await send(`https://${host}/taken`)).toBe(code);
    expect(received).toEqual([]);
  });

  it.each([`https://${HOST}/silent`, 'https://mute.contoso.com/'])(
    'is given up at %s when the time is up',
    async (url) => {
      expect(await send(url, { timeoutMs: HASTY_MS })).toBe('webhook-timed-out');
    },
  );

  it('is given up when the time is up before its name was found, and is not sent later', async () => {
    const { promise, resolve: found } = Promise.withResolvers<{ address: string; family: number }[]>();
    expect(await send(`https://${HOST}/taken`, { resolve: () => promise, timeoutMs: HASTY_MS })).toBe(
      'webhook-no-public-address',
    );
    found([{ address: PUBLIC, family: 4 }]);
    await promise;
    expect(connections).toBe(0);
  });

  it.each<[string, Resolve]>([
    ['not-public', () => Promise.resolve([{ address: '10.0.0.4', family: 4 }])],
    ['ENOTFOUND', () => Promise.resolve([])],
    ['ENOTFOUND', () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' }))],
    ['EAI_AGAIN', () => Promise.reject(Object.assign(new Error(), { code: 'EAI_AGAIN' }))],
    ['late', () => new Promise(() => undefined)],
  ])(
    'that finds no public address (%s) tells the same of it whatever DNS says; the log tells the vendor',
    async (reason, resolve) => {
      const sender = new HttpsWebhookSender({ allowedSuffixes: [], log, resolve, timeoutMs: HASTY_MS });
      expect(await sender.send({ url: `https://${HOST}/`, ...message })).toEqual({
        ok: false,
        error: { failure: webhookFailure('webhook-no-public-address', { webhookHost: HOST }) },
      });
      expect(log.entries).toEqual([
        { level: 'warning', event: 'webhook.address-refused', detail: { host: HOST, reason } },
      ]);
    },
  );

  it('waits as long as the receiver asks, and never longer than ten hours', async () => {
    const sender = new HttpsWebhookSender({ allowedSuffixes: [], log });
    const busy = await sender.send({ url: `https://${HOST}/busy`, ...message });
    expect(busy).toMatchObject({ ok: false, error: { retryAfterMs: 120_000 } });
  });

  it('takes no proxy from the environment', async () => {
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:1';
    process.env['NODE_USE_ENV_PROXY'] = '1';
    try {
      expect(await send(`https://${HOST}/taken`)).toBe('taken');
    } finally {
      delete process.env['HTTPS_PROXY'];
      delete process.env['NODE_USE_ENV_PROXY'];
    }
  });
});
