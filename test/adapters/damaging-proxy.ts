// Stands between the table adapter and the table emulator, asks the emulator truly, and damages its answers as gateways, proxies and
// faults do before they go on. Over real sockets and TLS.
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TlsIdentity } from '../../local/tls/certificates.ts';

const OF_THE_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding', 'content-length'];

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Announce more than is sent, and cut the connection. */
  readonly isCut?: boolean;
}

export interface DamagingProxy {
  readonly port: number;
  /** What is done to each answer from now on; undefined leaves them as they are. */
  damage: ((answer: Answer) => Answer) | undefined;
  /** The first answer that went through undamaged, since it was last forgotten. */
  first: Answer | undefined;
  close(): Promise<void>;
}

export async function startDamagingProxy(options: {
  readonly tls: TlsIdentity;
  readonly caPem: string;
  readonly host: string;
  readonly port: number;
}): Promise<DamagingProxy> {
  const proxy = { damage: undefined, first: undefined } as Pick<DamagingProxy, 'damage' | 'first'>;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const truth = await ask(request, options);
    if (!proxy.damage) proxy.first ??= truth;
    const { status, headers, body, isCut } = proxy.damage?.(truth) ?? truth;
    const bytes = Buffer.from(body);
    response.writeHead(status, { ...headers, 'content-length': String(bytes.length + (isCut === true ? 10 : 0)) });
    response.write(bytes);
    if (isCut === true) request.socket.destroySoon();
    else response.end();
  };
  const server = createHttpsServer(
    { cert: options.tls.certPem, key: options.tls.keyPem },
    (request, response) => void serve(request, response).catch(() => request.socket.destroy()),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(proxy, {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function ask(
  request: IncomingMessage,
  { caPem, host, port }: { readonly caPem: string; readonly host: string; readonly port: number },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        servername: host,
        ca: caPem,
        method: request.method,
        path: request.url,
        headers: request.headers,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const ofEntity = Object.entries(answer.headersDistinct).filter(([name]) => !OF_THE_CONNECTION.includes(name));
          const headers = Object.fromEntries(ofEntity.map(([name, values]) => [name, values?.[0] ?? '']));
          resolve({ status: answer.statusCode ?? 0, headers, body: Buffer.concat(chunks).toString('utf8') });
        });
      },
    );
    outgoing.on('error', reject);
    request.pipe(outgoing);
  });
}
