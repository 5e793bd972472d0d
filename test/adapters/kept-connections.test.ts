import { createServer, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { createCertificateAuthority } from '../../local/tls/certificates.ts';
import { KeptHttpsConnections } from '../../shared/adapters/https/kept-connections.ts';

const SERVICES = 6;
const MAX_IDLE = 3;
const { certPem: cert, keyPem: key } = await (await createCertificateAuthority()).issue(['localhost']);

/** A service of its own: its port, and its connections, those that were closed too. */
async function service(): Promise<{ readonly port: number; readonly connections: Socket[] }> {
  const connections: Socket[] = [];
  const server = createServer({ cert, key }, (_, response) => response.end('answer'));
  server.on('connection', (connection: Socket) => connections.push(connection));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections };
}

async function call(agent: KeptHttpsConnections, port: number): Promise<void> {
  await new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, agent, rejectUnauthorized: false }, (answer) => {
      answer.resume().once('close', resolve);
    })
      .once('error', reject)
      .end();
  });
}

test('of idle connections to many services the ones used last are kept, and used again', async () => {
  const agent = new KeptHttpsConnections({ maxSockets: 4, maxFreeSockets: 4, maxIdle: MAX_IDLE });
  onTestFinished(() => {
    agent.destroy();
  });
  const services = await Promise.all(Array.from({ length: SERVICES }, service));
  const open = (): number[] => services.map(({ connections }) => connections.filter((one) => !one.destroyed).length);
  for (const { port } of services) await call(agent, port);
  await expect.poll(open, { timeout: 20_000 }).toEqual([0, 0, 0, 1, 1, 1]);
  // Used again, the oldest of them is the newest.
  for (let n = 0; n < 20; n += 1) await call(agent, services[3]?.port ?? 0);
  await call(agent, services[0]?.port ?? 0);
  await expect.poll(open, { timeout: 20_000 }).toEqual([1, 0, 0, 1, 0, 1]);
  expect(services.map(({ connections }) => connections.length)).toEqual([2, 1, 1, 1, 1, 1]);
});

test('connections in use are not closed for being many', async () => {
  const agent = new KeptHttpsConnections({ maxSockets: 4, maxFreeSockets: 4, maxIdle: 1 });
  onTestFinished(() => {
    agent.destroy();
  });
  const { port } = await service();
  await Promise.all(Array.from({ length: 20 }, () => call(agent, port)));
});
