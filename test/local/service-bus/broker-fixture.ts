// A broker, an issuer of tokens and the real SDK pointed at it under the real name of a namespace.
import { ServiceBusClient, type ServiceBusClientOptions } from '@azure/service-bus';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import rhea, { type Connection } from 'rhea';
import tls from 'node:tls';
import { issuerV1, SERVICE_BUS_AUDIENCE, VENDOR_TENANT_ID } from '../../../local/identities.ts';
import type { QueueSettings } from '../../../local/service-bus/queue-model.ts';
import { startServiceBus, type ServiceBusEmulator } from '../../../local/service-bus/server.ts';
import { createCertificateAuthority } from '../../../local/tls/certificates.ts';

export const HOST = 'keyswitch-test.servicebus.windows.net';
const ISSUER = issuerV1(VENDOR_TENANT_ID);

export interface TokenClaims {
  readonly audience?: string;
  readonly issuer?: string;
  readonly lifetimeSeconds?: number;
  readonly signWith?: CryptoKey;
}

export interface BrokerFixture {
  readonly broker: ServiceBusEmulator;
  readonly mint: (claims?: TokenClaims) => Promise<string>;
  /** A client of the real SDK; it does not try again by itself unless the options say so. */
  readonly client: (options?: ServiceBusClientOptions & { readonly token?: TokenClaims }) => ServiceBusClient;
  /** A bare AMQP connection, for what the SDK would not do. */
  readonly connect: () => Connection;
  /** Closes what a test opened, empties the queues, forgets requests and faults. */
  readonly reset: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export const QUEUE: QueueSettings = {
  name: 'work',
  lockDurationMs: 60_000,
  maxDeliveryCount: 10,
  duplicateDetectionWindowMs: 0,
};

export async function startBroker(queues: readonly QueueSettings[]): Promise<BrokerFixture> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'RS256', use: 'sig' };
  const authority = await createCertificateAuthority();
  const broker = await startServiceBus({
    tls: await authority.issue(['*.servicebus.windows.net']),
    queues,
    issuerKeys: { jwks: { keys: [jwk] }, issuers: [ISSUER], audience: SERVICE_BUS_AUDIENCE },
  });
  const restore = redirect(broker.port, authority.caPem);
  let clients: ServiceBusClient[] = [];
  let connections: Connection[] = [];

  const closeClients = async (): Promise<void> => {
    for (const connection of connections) connection.close();
    await Promise.all(clients.map((client) => client.close()));
    clients = [];
    connections = [];
  };
  const mint = async (claims: TokenClaims = {}): Promise<string> => {
    const expiresAtSeconds = Math.floor(Date.now() / 1000) + (claims.lifetimeSeconds ?? 3600);
    return new SignJWT({ tid: VENDOR_TENANT_ID })
      .setProtectedHeader({ alg: 'RS256', kid: 'test' })
      .setIssuer(claims.issuer ?? ISSUER)
      .setAudience(claims.audience ?? SERVICE_BUS_AUDIENCE)
      .setIssuedAt(expiresAtSeconds - 7200)
      .setExpirationTime(expiresAtSeconds)
      .sign(claims.signWith ?? privateKey);
  };
  return {
    broker,
    mint,
    client: ({ token, ...options } = {}) => {
      const credential = {
        getToken: async () => ({ token: await mint(token), expiresOnTimestamp: Date.now() + 3_600_000 }),
      };
      const client = new ServiceBusClient(HOST, credential, { retryOptions: { maxRetries: 0 }, ...options });
      clients.push(client);
      return client;
    },
    connect: () => {
      const container = rhea.create_container();
      for (const event of ['disconnected', 'error']) container.on(event, () => undefined);
      const connection = container.connect({
        host: HOST,
        hostname: HOST,
        port: 5671,
        transport: 'tls',
        reconnect: false,
      });
      connections.push(connection);
      return connection;
    },
    reset: async () => {
      await closeClients();
      for (const { name } of broker.queues()) {
        broker.setPaused(name, false);
        broker.purge(name);
      }
      broker.control.clearRequests();
      broker.control.clearFaults();
    },
    close: async () => {
      await closeClients();
      restore();
      await broker.close();
    },
  };
}

/** The namespace's name leads to the broker, and its certificate is trusted: what `local/redirect` does in a run. */
function redirect(port: number, ca: string): () => void {
  const original = tls.connect;
  const redirected = (
    _port: number,
    host: string,
    options: tls.ConnectionOptions,
    onConnected: () => void,
  ): tls.TLSSocket => {
    if (host !== HOST) throw new Error(`a test tried to reach ${host}`);
    return original({ ...options, port, host: '127.0.0.1', servername: host, ca }, onConnected);
  };
  tls.connect = redirected as typeof tls.connect;
  return () => {
    tls.connect = original;
  };
}

/** Asks until the answer is what is wanted; the test's own time limit ends it. */
export async function eventually<T>(read: () => T | Promise<T>, isWanted: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (isWanted(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
