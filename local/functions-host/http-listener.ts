// The address of a host, before there is an app: its settings name it, so the socket is taken first. Who calls in the meantime
// waits until the app is there, as in Azure.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpListener {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** From now on, and for those who wait. */
  serve(listener: RequestListener): void;
  /** Takes no new connection; those open are closed when their answer is out. */
  close(): void;
}

/** An ephemeral port if `port` is 0. */
export async function listenOnLoopback(port: number): Promise<HttpListener> {
  const { promise: served, resolve: serve } = Promise.withResolvers<RequestListener>();
  const server = createServer((request, response) => {
    void served.then((listener) => listener(request, response));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve,
    close: () => void server.close(),
  };
}
