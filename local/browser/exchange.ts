// One request of the browser over the network, without redirects: Node's own client, under the names that the process
// knows (local/redirect). Bounded in time and size.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { PageResponse } from './page.ts';

interface Exchange {
  readonly response: PageResponse;
  readonly setCookies: readonly string[];
}

const TIMEOUT_MS = 60_000;
const MAX_BODY_BYTES = 4 * 1024 * 1024;

export function exchange(options: {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}): Promise<Exchange> {
  const { method, url, headers, body } = options;
  const request = url.startsWith('https:') ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const asking = request(url, { method, headers, agent: false, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BODY_BYTES) response.destroy(new Error(`${url} answers more than ${MAX_BODY_BYTES} bytes`));
        chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          response: {
            url,
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(
              Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const),
            ),
            body: Buffer.concat(chunks).toString('utf8'),
          },
          setCookies: response.headers['set-cookie'] ?? [],
        }),
      );
    });
    asking.on('timeout', () => asking.destroy(new Error(`${url} did not answer within ${TIMEOUT_MS} ms`)));
    asking.on('error', reject);
    asking.end(body);
  });
}
