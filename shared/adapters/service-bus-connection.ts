// One connection to Service Bus with what goes over it, and how to drop it. The SDK limits only the sending: a connection or link that does not open blocks for
// 60 s and more, with every later call behind it (docs/azure.md). So a call here has a limit as a whole; when it runs out, the connection is given up:
// new calls get another one, and its socket closes with its last call.
import { ServiceBusClient } from '@azure/service-bus';
import type { TokenCredential } from '@azure/identity';
import type { TLSSocket } from 'node:tls';

interface ConnectionOptions {
  readonly fullyQualifiedNamespace: string;
  readonly credential: TokenCredential;
}

/** The namespace did not answer in time. Whether it received the message is unknown. */
export class NothingHeard extends Error {
  override readonly name = 'NothingHeard';
}

/** Longer than the limit of any call, so that the call's own limit ends it. */
const SDK_TIMEOUT_MS = 10_000;
const RETRY_OPTIONS = {
  maxRetries: 1,
  retryDelayInMs: 500,
  maxRetryDelayInMs: 1_000,
  timeoutInMs: SDK_TIMEOUT_MS,
};

export class ServiceBusConnection<Links> {
  readonly #client: ServiceBusClient;
  readonly #links: Links;
  #calls = 0;
  #isGivenUp = false;

  /** `open` makes senders and receivers, which connect when they are first used. */
  constructor({ fullyQualifiedNamespace, credential }: ConnectionOptions, open: (client: ServiceBusClient) => Links) {
    this.#client = new ServiceBusClient(fullyQualifiedNamespace, credential, { retryOptions: RETRY_OPTIONS });
    this.#links = open(this.#client);
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** `call` must pass the signal to each request that it makes. Throws NothingHeard after `limitMs`. */
  async use<T>(limitMs: number, call: (links: Links, abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const aborting = new AbortController();
    const timer = setTimeout(() => {
      // Rejected before the abort, so that what the SDK then throws is ignored.
      reject(new NothingHeard(`Service Bus said nothing within ${Math.round(limitMs)} ms`));
      this.#isGivenUp = true;
      aborting.abort();
    }, limitMs);
    this.#calls += 1;
    try {
      return await Promise.race([call(this.#links, aborting.signal), late]);
    } finally {
      clearTimeout(timer);
      this.#calls -= 1;
      if (this.#isGivenUp && this.#calls === 0) this.#drop();
    }
  }

  /** Waits for the namespace to confirm the close, which a healthy connection does at once. */
  async close(): Promise<void> {
    if (!this.#isGivenUp) await this.#client.close();
  }

  /** Destroys the socket: a proper close waits for answers, for a minute each. */
  #drop(): void {
    socketOf(this.#client)?.destroy(new Error('given up'));
    this.#client.close().catch(() => undefined);
  }
}

/** For @azure/service-bus 7.9.5 and rhea-promise 3.0.3, which have no public way to close a socket that does not answer. */
function socketOf(client: ServiceBusClient): TLSSocket | undefined {
  const { _connectionContext: context } = client as unknown as {
    readonly _connectionContext?: { readonly connection?: { getTlsSocket?(): TLSSocket | undefined } };
  };
  return context?.connection?.getTlsSocket?.();
}
