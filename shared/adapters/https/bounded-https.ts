// The HTTP client under every Azure SDK client of this app. An answer has a size and a time limit as a whole, from looking
// the name up to the last byte; a redirect is an answer like any other; nothing is ever sent twice. The SDK's own client
// stops its clock at the headers and reads a body however long it is. Knows no service.
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import { KeptHttpsConnections } from './kept-connections.ts';

export interface AnswerLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** There was no whole answer. Whether the request was acted upon is not known. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** Node's code of the socket, DNS or TLS, `ETIMEDOUT` for our own limit, `ANSWER_TOO_LONG`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Idle connections go before the services' own limits (a minute or more) close them under a request of ours. */
const IDLE_CONNECTION_MS = 30_000;
/**
 * To one service, and all of them are kept: a connection that is closed after one answer costs more than the answer. What does not
 * find one waits its turn, within its time limit, so that large calls side by side do not open hundreds.
 */
const CONNECTIONS = 128;
/** To all services together: those of the tables and of the vaults that were asked last. */
const IDLE_CONNECTIONS = 256;
const AGENT_OPTIONS = { maxSockets: CONNECTIONS, maxFreeSockets: CONNECTIONS, timeout: IDLE_CONNECTION_MS };
const httpsAgent = new KeptHttpsConnections({ ...AGENT_OPTIONS, maxIdle: IDLE_CONNECTIONS });
/** Of one service only. */
const httpAgent = new HttpAgent({ ...AGENT_OPTIONS, keepAlive: true });

export function boundedHttps(limits: AnswerLimits): HttpClient {
  return { sendRequest: (request) => exchange(request, limits) };
}

function exchange(request: PipelineRequest, limits: AnswerLimits): Promise<PipelineResponse> {
  return new Promise((resolve, reject) => {
    // Given up while it waited for its token: it must not go out after its caller was told that it is lost.
    if (request.abortSignal?.aborted === true) throw aborted();
    const outgoing = open(request);
    // The one place where it ends: the timer and the listener go with it, whatever comes later is too late.
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      request.abortSignal?.removeEventListener('abort', onAbort);
      settle();
    };
    const fail = (error: Error): void => {
      outgoing.destroy();
      end(() => reject(error instanceof NoAnswer ? error : noAnswer(error)));
    };
    const timer = setTimeout(
      () => fail(new NoAnswer('ETIMEDOUT', `no whole answer within ${limits.timeoutMs} ms`)),
      limits.timeoutMs,
    );
    const onAbort = (): void => fail(aborted());
    request.abortSignal?.addEventListener('abort', onAbort);
    outgoing.on('error', fail);
    outgoing.once('response', (answer) => {
      collect(answer, limits.maxBytes, fail, (bodyAsText) =>
        end(() => resolve({ request, status: answer.statusCode ?? 0, headers: headersOf(answer), bodyAsText })),
      );
    });
    outgoing.end(bodyOf(request));
  });
}

const aborted = (): NoAnswer => new NoAnswer('ABORT_ERR', 'the call was aborted');

function open(request: PipelineRequest): ClientRequest {
  const url = new URL(request.url);
  // Nothing here is worth compressing, and a compressed answer could be larger than its limit.
  request.headers.delete('accept-encoding');
  const options = { method: request.method, headers: request.headers.toJSON({ preserveCase: true }) };
  if (url.protocol === 'https:') return httpsRequest(url, { ...options, agent: httpsAgent });
  // Only the identity endpoint of App Service speaks plain HTTP, and only its credential allows it.
  if (request.allowInsecureConnection !== true) throw new Error('refusing to send over plain HTTP');
  return httpRequest(url, { ...options, agent: httpAgent });
}

function bodyOf({ body, multipartBody, formData }: PipelineRequest): string | Uint8Array | undefined {
  if (multipartBody || formData) throw new Error('a form where a plain body was expected');
  if (body === null || body === undefined) return undefined;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  throw new Error('a stream where a plain body was expected');
}

function collect(
  answer: IncomingMessage,
  maxBytes: number,
  fail: (error: Error) => void,
  done: (text: string) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  answer.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) fail(new NoAnswer('ANSWER_TOO_LONG', `the answer is longer than ${maxBytes} bytes`));
    else chunks.push(chunk);
  });
  answer.on('error', fail);
  answer.on('close', () => {
    if (!answer.complete) fail(new NoAnswer('ECONNRESET', 'the connection was closed in the middle of the answer'));
  });
  answer.on('end', () => {
    if (answer.complete) done(Buffer.concat(chunks).toString('utf8'));
  });
}

function headersOf(answer: IncomingMessage): PipelineResponse['headers'] {
  const headers = createHttpHeaders();
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    if (values?.[0] !== undefined) headers.set(name, values[0]);
  }
  return headers;
}

function noAnswer(error: Error): NoAnswer {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return new NoAnswer(code, error.message);
}
