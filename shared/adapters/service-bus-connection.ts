// One connection to Service Bus with a sender on it, and how to be rid of it. The SDK bounds the sending alone: a connection or
// link that does not open takes it 60 s and more, and every later call waits behind it (docs/azure.md). So a call here has a
// limit as a whole, and a connection on which one ran out is given up: nobody new gets it, and its socket ends with its last call.
import { ServiceBusClient, type ServiceBusSender } from '@azure/service-bus';
import type { TokenCredential } from '@azure/identity';
import type { TLSSocket } from 'node:tls';

interface ConnectionOptions {
  readonly fullyQualifiedNamespace: string;
  readonly queueName: string;
  readonly credential: TokenCredential;
}

/** The namespace said nothing in time. Whether it has what was sent is not known. */
export class NothingHeard extends Error {
  override readonly name = 'NothingHeard';
}

/** Longer than any limit of a call: it is the call's own that ends it. */
const SDK_TIMEOUT_MS = 10_000;
const RETRY_OPTIONS = {
  maxRetries: 1,
  retryDelayInMs: 500,
  maxRetryDelayInMs: 1_000,
  timeoutInMs: SDK_TIMEOUT_MS,
};

export class ServiceBusConnection {
  readonly #client: ServiceBusClient;
  readonly #sender: ServiceBusSender;
  #calls = 0;
  #isGivenUp = false;

  constructor({ fullyQualifiedNamespace, queueName, credential }: ConnectionOptions) {
    this.#client = new ServiceBusClient(fullyQualifiedNamespace, credential, { retryOptions: RETRY_OPTIONS });
    this.#sender = this.#client.createSender(queueName);
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** `call` must hand the signal to whatever it asks of the sender. Throws NothingHeard after `limitMs`. */
  async use<T>(limitMs: number, call: (sender: ServiceBusSender, abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const aborting = new AbortController();
    const timer = setTimeout(() => {
      // Before the signal: what the SDK then throws comes too late.
      reject(new NothingHeard(`Service Bus said nothing within ${Math.round(limitMs)} ms`));
      this.#isGivenUp = true;
      aborting.abort();
    }, limitMs);
    this.#calls += 1;
    try {
      return await Promise.race([call(this.#sender, aborting.signal), late]);
    } finally {
      clearTimeout(timer);
      this.#calls -= 1;
      if (this.#isGivenUp && this.#calls === 0) this.#drop();
    }
  }

  /** Waits for the namespace's farewell, as a healthy connection gives it at once. */
  async close(): Promise<void> {
    if (!this.#isGivenUp) await this.#client.close();
  }

  /** Without a farewell: closing properly waits for answers, for a minute each. */
  #drop(): void {
    socketOf(this.#client)?.destroy(new Error('given up'));
    this.#client.close().catch(() => undefined);
  }
}

/** Of @azure/service-bus 7.9.5 and rhea-promise 3.0.3, which have no public way to end a socket that does not answer. */
function socketOf(client: ServiceBusClient): TLSSocket | undefined {
  const { _connectionContext: context } = client as unknown as {
    readonly _connectionContext?: { readonly connection?: { getTlsSocket?(): TLSSocket | undefined } };
  };
  return context?.connection?.getTlsSocket?.();
}
