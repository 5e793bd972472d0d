// The HTTP client under every Azure SDK client of this app. Limits the size and the time of a whole answer, from the name's look-up to the last byte;
// follows no redirect; sends nothing twice. The SDK's own client stops its clock at the headers and reads a body of any length. Knows no
// service.
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

/** There was no whole answer. Whether the service acted on the request is unknown. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** Node's code of the socket, DNS or TLS, `ETIMEDOUT` for our own limit, `ANSWER_TOO_LONG`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Closes idle connections before the services' own limits (a minute or more) can close them during a request. */
const IDLE_CONNECTION_MS = 30_000;
/**
 * To one service; all are kept, since opening a connection costs more than an answer. Further requests wait for a free one, within their time
 * limit, so that large calls side by side do not open hundreds.
 */
const CONNECTIONS = 128;
/** To all services together: the tables and the most recently asked vaults. */
const IDLE_CONNECTIONS = 256;
const AGENT_OPTIONS = { maxSockets: CONNECTIONS, maxFreeSockets: CONNECTIONS, timeout: IDLE_CONNECTION_MS };
const httpsAgent = new KeptHttpsConnections({ ...AGENT_OPTIONS, maxIdle: IDLE_CONNECTIONS });
/** For one service only. */
const httpAgent = new HttpAgent({ ...AGENT_OPTIONS, keepAlive: true });

export function boundedHttps(limits: AnswerLimits): HttpClient {
  return { sendRequest: (request) => exchange(request, limits) };
}

function exchange(request: PipelineRequest, limits: AnswerLimits): Promise<PipelineResponse> {
  return new Promise((resolve, reject) => {
    // The caller gave up while we waited for a token and was told that nothing was sent: do not send now.
    if (request.abortSignal?.aborted === true) throw aborted();
    const outgoing = open(request);
    // The one place where the exchange ends: timer and listener go, and whatever comes later is ignored.
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
  // Compression saves little here, and a compressed answer could unpack to more than its limit.
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
