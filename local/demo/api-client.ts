// Calls Keyswitch as a vendor's backend behind a load balancer would: with a bearer token, the hosts in turn, and the next one
// when a connection is refused or breaks. Everything asked here may be asked twice. An answer, whatever it says, is an answer
// and is never asked for again.
import { setTimeout as delay } from 'node:timers/promises';

export interface Call {
  readonly token: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Below `/api/v1`. */
  readonly path: string;
  readonly body?: object;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const MAX_ATTEMPTS = 8;
const PAUSE_MS = 25;
const BROKEN_CONNECTION = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];

export class ApiClient {
  readonly urls: readonly string[];
  #next = 0;
  #brokenConnections = 0;

  constructor(urls: readonly string[]) {
    this.urls = urls;
  }

  /** Connections that were refused or broke; each was followed by a call to the next host. */
  get brokenConnections(): number {
    return this.#brokenConnections;
  }

  /** Throws when no host can be reached. */
  async call({ token, method, path, body }: Call): Promise<Answer> {
    const first = this.#next++;
    for (let attempt = 1; ; attempt += 1) {
      // From the host tried last to the next one, whatever other calls do meanwhile.
      const url = this.urls[(first + attempt - 1) % this.urls.length] ?? '';
      try {
        const response = await fetch(`${url}/api/v1${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
          ...(body ? { body: JSON.stringify(body) } : {}),
        });
        const text = await response.text();
        return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
      } catch (error) {
        if (!isBrokenConnection(error) || attempt === MAX_ATTEMPTS) throw error;
        this.#brokenConnections += 1;
        await delay(PAUSE_MS * attempt);
      }
    }
  }

  /** The body of an answer that must be a success. */
  async must(call: Call): Promise<unknown> {
    const { status, body } = await this.call(call);
    if (status >= 200 && status < 300) return body;
    throw new Error(`${call.method} ${call.path} answered ${status}: ${JSON.stringify(body)}`);
  }
}

function isBrokenConnection(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' && BROKEN_CONNECTION.includes(cause.code);
}
