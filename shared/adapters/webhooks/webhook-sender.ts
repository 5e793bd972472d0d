// Sends one event to a webhook, whose address a stranger chose. The name is resolved here, each of its addresses must be public, and the connection
// is made to these and no others, so a name that changes meanwhile leads nowhere else. No redirect, no proxy, no kept connection; the answer's
// body is not read.
import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Failure } from '../../domain/failure.ts';
import type { Log } from '../../domain/ports.ts';
import { err, ok } from '../../domain/result.ts';
import { webhookFailure } from '../../domain/webhook-failures.ts';
import { parseWebhookUrl } from '../../domain/webhook-url.ts';
import type { WebhookAnswer, WebhookRequest, WebhookSender } from '../../domain/webhook-sender.ts';
import { Deadline } from '../https/deadline.ts';
import { isPublicAddress } from './public-address.ts';

/** All addresses of a name. Throws what `dns.lookup` gives. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

interface SenderOptions {
  /** For the vendor, who may know what a receiver's owner may not: why a name was refused. */
  readonly log: Log;
  readonly allowedSuffixes: readonly string[];
  /** For the whole of it, from the name's look-up to the answer's headers. */
  readonly timeoutMs?: number;
  readonly resolve?: Resolve;
}

/** Standard Webhooks: 15 to 30 seconds. Failures name it in words. */
const TIMEOUT_MS = 15_000;
const MAX_HEADER_BYTES = 16_384;
const LONGEST_RETRY_AFTER_SECONDS = 36_000;

export class HttpsWebhookSender implements WebhookSender {
  readonly #options: SenderOptions;
  readonly #resolve: Resolve;
  /** Of its own: the global one takes a proxy from the environment if Node is told to. */
  readonly #agent = new Agent({ keepAlive: false });

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#resolve = options.resolve ?? resolveBySystem;
  }

  async send(message: WebhookRequest): Promise<WebhookAnswer> {
    const url = parseWebhookUrl(message.url, this.#options.allowedSuffixes);
    if (!url.ok) return refused(url.error);
    const { hostname: webhookHost } = url.value;
    const deadline = new Deadline(this.#options.timeoutMs ?? TIMEOUT_MS);
    let isFound = false;
    const late = (): WebhookAnswer =>
      isFound ? refused(webhookFailure('webhook-timed-out', { webhookHost })) : this.#notFound(webhookHost, 'late');
    return deadline.race(async (abortSignal) => {
      const addresses = await this.#publicAddresses(webhookHost);
      // The time was up while the name was looked up, and the caller was told that nothing was sent.
      if (abortSignal.aborted) return late();
      if (typeof addresses === 'string') return this.#notFound(webhookHost, addresses);
      isFound = true;
      return this.#post(url.value, message, { addresses, abortSignal });
    }, late);
  }

  /** The same for a name that there is not and for one that leads inside: only the vendor is told which. */
  #notFound(webhookHost: string, reason: string): WebhookAnswer {
    const detail = { host: webhookHost, reason };
    this.#options.log.write({ level: 'warning', event: 'webhook.address-refused', detail });
    return refused(webhookFailure('webhook-no-public-address', { webhookHost }));
  }

  /** Or why not. One address that is not public is enough to refuse: the next look-up may put it first. */
  async #publicAddresses(webhookHost: string): Promise<readonly LookupAddress[] | string> {
    try {
      const addresses = await this.#resolve(webhookHost);
      if (addresses.length === 0) return 'ENOTFOUND';
      return addresses.every(({ address }) => isPublicAddress(address)) ? addresses : 'not-public';
    } catch (error) {
      return codeOf(error);
    }
  }

  #post(
    url: URL,
    { headers, body }: WebhookRequest,
    to: { readonly addresses: readonly LookupAddress[]; readonly abortSignal: AbortSignal },
  ): Promise<WebhookAnswer> {
    const { hostname: webhookHost } = url;
    return new Promise((resolve) => {
      const outgoing = request(url, {
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        agent: this.#agent,
        lookup: pinnedTo(to.addresses),
        signal: to.abortSignal,
        rejectUnauthorized: true,
        maxHeaderSize: MAX_HEADER_BYTES,
      });
      outgoing.once('response', (answer) => {
        resolve(judged(answer, webhookHost));
        // The status says all; the rest may be endless.
        outgoing.destroy();
      });
      outgoing.on('error', (error) => resolve(refused(failureOf(error, webhookHost))));
      outgoing.end(body);
    });
  }
}

const resolveBySystem: Resolve = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true, order: 'verbatim' }, (error, addresses) =>
      error ? reject(error) : resolve(addresses),
    );
  });

const pinnedTo =
  (addresses: readonly LookupAddress[]): LookupFunction =>
  (_host, { all }, done) => {
    const [first] = addresses;
    if (all === true) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family);
  };

const refused = (failure: Failure, retryAfterMs?: number): WebhookAnswer =>
  err({ failure, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });

function judged({ statusCode: status = 0, headers }: IncomingMessage, webhookHost: string): WebhookAnswer {
  if (status >= 200 && status < 300) return ok(undefined);
  if (status >= 300 && status < 400) return refused(webhookFailure('webhook-redirected', { webhookHost }));
  if (status === 410) return refused(webhookFailure('webhook-gone', { webhookHost }));
  const found = webhookFailure('webhook-refused', { webhookHost, detail: `it answered ${status}` });
  return refused(found, secondsIn(headers['retry-after']));
}

/** A date instead of seconds is left aside: the schedule serves as well. */
function secondsIn(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined || !/^\d{1,9}$/.test(retryAfter)) return undefined;
  return Math.min(Number(retryAfter), LONGEST_RETRY_AFTER_SECONDS) * 1000;
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';

const unreachable = (webhookHost: string, detail: string): Failure =>
  webhookFailure('webhook-unreachable', { webhookHost, detail });

/** Codes of OpenSSL's verification, and of Node's comparison of names. */
const OF_CERTIFICATES =
  /^(?:CERT_|ERR_TLS_CERT|ERR_SSL|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;

function failureOf(error: Error, webhookHost: string): Failure {
  const code = codeOf(error);
  if (code === 'ABORT_ERR') return webhookFailure('webhook-timed-out', { webhookHost });
  if (OF_CERTIFICATES.test(code)) return webhookFailure('webhook-certificate-refused', { webhookHost, detail: code });
  return unreachable(webhookHost, code);
}
