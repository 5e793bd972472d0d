// What every emulator has in common: a log of what was asked of it, faults that can be planted, and a small
// HTTP API on loopback to reach both from another process. Knows nothing of any one emulator.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

/** One request an emulator answered. `operation` is the emulator's own verb (`unwrapkey`, `token`, `send`). */
export interface RequestRecord {
  readonly sequence: number;
  readonly at: string;
  readonly operation: string;
  /** What was acted on: a vault's host and key, a tenant, a queue, a table. */
  readonly target: string;
  /** The HTTP status answered, or the closest to one; 0 when the connection was cut instead. */
  readonly status: number;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

/** What a planted fault does to a request that it meets. Several may be combined, the delay comes first. */
export interface FaultEffect {
  readonly delayMs?: number;
  /** Answer with this status instead of acting. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A JSON value, or a string that is sent as it is. */
  readonly body?: unknown;
  /** Cut the connection: before anything was done, or after it was done and before the answer is sent. */
  readonly drop?: 'before-acting' | 'after-acting';
  /** Never answer (until the client gives up or the emulator closes). */
  readonly hang?: boolean;
  /** Wait until the faults are cleared; then everything goes on as if it had only just come. */
  readonly hold?: boolean;
  /** Act, then stop in the middle of the answer and say nothing more: in the headers, or half-way through the body. */
  readonly stall?: 'headers' | 'body';
  /** Act, then lay these fields over the true JSON answer, objects into objects: another key's id, say. */
  readonly mergeBody?: Readonly<Record<string, unknown>>;
  /** Answer with this many bytes of filler instead of acting; below zero the body never ends. */
  readonly bodyBytes?: number;
}

export interface Fault {
  /** Both are compared whole; left out means any. */
  readonly operation?: string;
  readonly target?: string;
  /** How many matching requests pass unharmed first; 0 unless told. */
  readonly skip?: number;
  /** How many requests it harms before it is spent; for ever unless told. */
  readonly times?: number;
  readonly effect: FaultEffect;
}

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export type ControlRoute = (request: ControlRequest) => unknown;

const texts = z.record(z.string(), z.string());
/** The same as Fault and FaultEffect: what comes over HTTP may be anything. */
const faultShape = z.strictObject({
  operation: z.string().optional(),
  target: z.string().optional(),
  skip: z.number().int().min(0).optional(),
  times: z.number().int().positive().optional(),
  effect: z.strictObject({
    delayMs: z.number().min(0).optional(),
    status: z.number().int().optional(),
    headers: texts.optional(),
    body: z.unknown().optional(),
    drop: z.enum(['before-acting', 'after-acting']).optional(),
    hang: z.boolean().optional(),
    hold: z.boolean().optional(),
    stall: z.enum(['headers', 'body']).optional(),
    mergeBody: z.record(z.string(), z.unknown()).optional(),
    bodyBytes: z.number().int().optional(),
  }),
});

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_RECORDS = 1_000_000;

export class Control {
  #sequence = 0;
  #records: RequestRecord[] = [];
  #faults: { fault: Fault; skip: number; left: number }[] = [];
  #held: (() => void)[] = [];
  #latencyMs = 0;
  readonly #routes = new Map<string, ControlRoute>();
  readonly #operations: ReadonlySet<string>;
  #server: Server | undefined;
  /** Called after each call that may have changed something, before it is answered. */
  onChange: () => void = () => undefined;

  /** `operations`: all that the emulator ever takes faults for. */
  constructor(operations: Iterable<string>) {
    this.#operations = new Set(operations);
    this.route('GET /requests', ({ query }) => this.requests(Number(query.get('since') ?? 0)));
    this.route('DELETE /requests', () => this.clearRequests());
    this.route('POST /faults', ({ body }) => this.plant(body as Fault));
    this.route('DELETE /faults', () => this.clearFaults());
    this.route('GET /held', () => ({ held: this.#held.length }));
    this.route('PUT /latency', ({ body }) => this.setLatency((body as { readonly ms: number }).ms));
  }

  record(entry: Omit<RequestRecord, 'sequence' | 'at'>): void {
    this.#sequence += 1;
    this.#records.push({ sequence: this.#sequence, at: new Date().toISOString(), ...entry });
    if (this.#records.length > MAX_RECORDS) this.#records = this.#records.slice(MAX_RECORDS / 2);
  }

  /** Everything asked after the request numbered `since`. */
  requests(since = 0): readonly RequestRecord[] {
    return this.#records.filter((record) => record.sequence > since);
  }

  clearRequests(): void {
    this.#records = [];
  }

  /** Throws for an operation that this emulator does not have, or a field that no fault has: such a fault would harm nothing. */
  plant(fault: Fault): void {
    faultShape.parse(fault);
    if (fault.operation !== undefined && !this.#operations.has(fault.operation)) {
      throw new Error(`no such operation: ${fault.operation}; there are ${[...this.#operations].join(', ')}`);
    }
    this.#faults.push({ fault, skip: fault.skip ?? 0, left: fault.times ?? Infinity });
  }

  clearFaults(): void {
    this.#faults = [];
    for (const goOn of this.#held.splice(0)) goOn();
  }

  /** For a request that is held. */
  async untilCleared(): Promise<void> {
    await new Promise<void>((resolve) => this.#held.push(resolve));
  }

  /** What every request takes from now on, beside what it takes anyway: a service that is far away, or busy. */
  setLatency(ms: number): void {
    this.#latencyMs = ms;
  }

  get latencyMs(): number {
    return this.#latencyMs;
  }

  /** The effect of the first planted fault that this request meets, counted as used. Throws for an operation that was not named to be planted. */
  take(operation: string, target: string): FaultEffect | undefined {
    if (!this.#operations.has(operation))
      throw new Error(`an operation of which the control was not told: ${operation}`);
    for (const planted of this.#faults) {
      const { fault } = planted;
      if (fault.operation !== undefined && fault.operation !== operation) continue;
      if (fault.target !== undefined && fault.target !== target) continue;
      if (planted.skip > 0) {
        planted.skip -= 1;
        continue;
      }
      planted.left -= 1;
      if (planted.left <= 0) this.#faults = this.#faults.filter((other) => other !== planted);
      return fault.effect;
    }
    return undefined;
  }

  /**
   * Adds a call to the control API: `'POST /vaults'`. A path that ends in `/*` matches everything below it.
   * What the route returns is sent as JSON; what it throws as `400 { error }`.
   */
  route(methodAndPath: string, handler: ControlRoute): void {
    this.#routes.set(methodAndPath, handler);
  }

  /** Starts the control API on an ephemeral loopback port and answers its base URL. */
  async listen(): Promise<string> {
    const server = createServer((request, response) => void this.#serve(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.clearFaults();
    const server = this.#server;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://control');
    const method = request.method ?? 'GET';
    const handler = this.#find(method, url.pathname);
    try {
      if (!handler) throw new Error(`no such call: ${method} ${url.pathname}`);
      const text = await readText(request);
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      const answer = await handler({ method, path: url.pathname, query: url.searchParams, body });
      if (method !== 'GET') this.onChange();
      send(response, 200, answer ?? {});
    } catch (error) {
      send(response, handler ? 400 : 404, { error: error instanceof Error ? error.message : String(error) });
    }
  }

  #find(method: string, path: string): ControlRoute | undefined {
    const exact = this.#routes.get(`${method} ${path}`);
    if (exact) return exact;
    for (const [pattern, handler] of this.#routes) {
      if (pattern.endsWith('/*') && `${method} ${path}`.startsWith(pattern.slice(0, -1))) return handler;
    }
    return undefined;
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES) throw new Error('body over 1 MiB');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
