// Keeps a request that the Functions host passes through (`enableHttpStream`) from being waited for without end. The library waits for it
// with no limit, and answers nothing if an invocation fails: one call with a header that .NET does not forward would hang until
// functionTimeout, when the host ends the worker. And it tells the app of the headers that were sent, whatever the host took for them. What is
// passed in is `@azure/functions-core`, so that nothing happens on import.
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { makeHearable } from './methods.ts';
import { tellSentHeaders, type Told } from './sent-headers.ts';

/** The host sends it before, or right after, it tells of the invocation; it tries ten times, for about two seconds. */
const ARRIVAL_LIMIT_MS = 10_000;
const ID_HEADER = 'x-ms-invocation-id';
/** Requests whose invocation was never told of. */
const MAX_UNCLAIMED = 1_000;

interface Invocation {
  getArguments(): Promise<unknown>;
  invokeFunction(context: unknown, inputs: unknown[], callback: unknown): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<unknown>;
}

interface CoreContext {
  readonly invocationId: string;
  readonly request: { readonly triggerMetadata?: Record<string, Told> | null };
  readonly metadata: { readonly bindings: Readonly<Record<string, { readonly type: string }>> };
}

interface Model {
  getInvocationModel(context: CoreContext): Invocation;
}

/** What is used of `@azure/functions-core`. */
export interface CoreApi {
  getProgrammingModel(): Model | undefined;
}

export function guardStream(core: CoreApi, { limitMs = ARRIVAL_LIMIT_MS }: { readonly limitMs?: number } = {}): void {
  const model = core.getProgrammingModel();
  if (!model) throw new Error('no function is registered yet: there is no model to guard');
  const arrivals = new Arrivals(limitMs);
  const gated = new WeakSet<Server>();
  // Node publishes it before the server's own listeners hear of the request.
  subscribe('http.server.request.start', (message) => {
    const { request, server } = message as { readonly request: IncomingMessage; readonly server: Server };
    if (gated.has(server) || request.headers[ID_HEADER] === undefined) return;
    gated.add(server);
    gate(server, arrivals);
  });
  const inner = model.getInvocationModel.bind(model);
  model.getInvocationModel = (context) => {
    const invocation = inner(context);
    const isHttp = Object.values(context.metadata.bindings).some(({ type }) => type.toLowerCase() === 'httptrigger');
    if (isHttp) guard(invocation, context, arrivals);
    return invocation;
  };
}

interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** To the library, which keeps a request for ever if no invocation fetches it. */
  handOn(): void;
}

/** Not every id is one of the host's: before 4.1040 it left one that the caller had sent as it was (`TryAdd` of DefaultHttpProxyService). */
function gate(server: Server, arrivals: Arrivals): void {
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const handOn = (): void =>
      listeners.forEach((listener) => void Reflect.apply(listener, server, [request, response]));
    const id = request.headers[ID_HEADER];
    if (typeof id === 'string') arrivals.add(id, { request, response, handOn });
    else handOn();
  });
}

function guard(invocation: Invocation, { invocationId, request: told }: CoreContext, arrivals: Arrivals): void {
  let arrival: Arrival | undefined;
  const orAnswer = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      // The caller gets an answer now: the host reports the failure only after it.
      if (arrival) answerNothing(arrival, 500);
      throw error;
    }
  };
  const getArguments = invocation.getArguments.bind(invocation);
  const invokeFunction = invocation.invokeFunction.bind(invocation);
  const getResponse = invocation.getResponse.bind(invocation);
  invocation.getArguments = async () => {
    arrival = await arrivals.wait(invocationId);
    makeHearable(arrival.request);
    arrival.handOn();
    if (told.triggerMetadata) tellSentHeaders(told.triggerMetadata, arrival.request);
    return await orAnswer(getArguments);
  };
  invocation.invokeFunction = (...call) => orAnswer(() => invokeFunction(...call));
  invocation.getResponse = (...call) => orAnswer(() => getResponse(...call));
}

/** Requests and invocations find each other, whichever comes first. One that is not fetched is answered, and forgotten. */
class Arrivals {
  readonly #limitMs: number;
  readonly #unclaimed = new Map<string, { readonly arrival: Arrival; readonly late: NodeJS.Timeout }>();
  readonly #awaited = new Map<string, (arrival: Arrival) => void>();

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  add(id: string, arrival: Arrival): void {
    const awaited = this.#awaited.get(id);
    if (awaited) {
      awaited(arrival);
      return;
    }
    this.#turnAway(id);
    const late = setTimeout(() => this.#turnAway(id), this.#limitMs);
    late.unref();
    this.#unclaimed.set(id, { arrival, late });
    const [oldest = ''] = this.#unclaimed.keys();
    if (this.#unclaimed.size > MAX_UNCLAIMED) this.#turnAway(oldest);
  }

  async wait(id: string): Promise<Arrival> {
    const there = this.#unclaimed.get(id);
    this.#unclaimed.delete(id);
    clearTimeout(there?.late);
    if (there) return there.arrival;
    return await new Promise<Arrival>((resolve, reject) => {
      const late = setTimeout(() => {
        this.#awaited.delete(id);
        reject(new Error(`the host did not pass the request of invocation ${id} through`));
      }, this.#limitMs);
      this.#awaited.set(id, (arrival) => {
        clearTimeout(late);
        this.#awaited.delete(id);
        resolve(arrival);
      });
    });
  }

  #turnAway(id: string): void {
    const there = this.#unclaimed.get(id);
    if (!there) return;
    this.#unclaimed.delete(id);
    clearTimeout(there.late);
    answerNothing(there.arrival, 400);
  }
}

function answerNothing({ request, response }: Arrival, status: number): void {
  if (!response.headersSent) response.writeHead(status, { 'content-length': 0 });
  response.end();
  request.resume();
}
