// Keeps a request that the Functions host passes through (`enableHttpStream`) from being waited for without end. The library waits for it
// with no limit, and answers nothing if an invocation fails: one call with a header that .NET does not forward would hang until
// functionTimeout, when the host ends the worker. What is passed in is `@azure/functions-core`, so that nothing happens on import.
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

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
  const arrivals = new Arrivals();
  // Node publishes it before the server's own listeners hear of the request.
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as { readonly request: IncomingMessage; readonly response: ServerResponse };
    const id = request.headers[ID_HEADER];
    if (typeof id === 'string') arrivals.add(id, response);
  });
  const inner = model.getInvocationModel.bind(model);
  model.getInvocationModel = (context) => {
    const invocation = inner(context);
    const isHttp = Object.values(context.metadata.bindings).some(({ type }) => type.toLowerCase() === 'httptrigger');
    if (isHttp) guard(invocation, (ms) => arrivals.wait(context.invocationId, ms), limitMs);
    return invocation;
  };
}

function guard(invocation: Invocation, arrival: (ms: number) => Promise<ServerResponse>, limitMs: number): void {
  let response: ServerResponse | undefined;
  const orAnswer = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      // The caller gets an answer now: the host reports the failure only after it.
      if (response && !response.headersSent) response.writeHead(500, { 'content-length': 0 });
      response?.end();
      throw error;
    }
  };
  const getArguments = invocation.getArguments.bind(invocation);
  const invokeFunction = invocation.invokeFunction.bind(invocation);
  const getResponse = invocation.getResponse.bind(invocation);
  invocation.getArguments = async () => {
    response = await arrival(limitMs);
    return await orAnswer(getArguments);
  };
  invocation.invokeFunction = (...call) => orAnswer(() => invokeFunction(...call));
  invocation.getResponse = (...call) => orAnswer(() => getResponse(...call));
}

/** Requests and invocations find each other, whichever comes first. */
class Arrivals {
  readonly #unclaimed = new Map<string, ServerResponse>();
  readonly #awaited = new Map<string, (response: ServerResponse) => void>();

  add(id: string, response: ServerResponse): void {
    const awaited = this.#awaited.get(id);
    if (awaited) {
      awaited(response);
      return;
    }
    this.#unclaimed.set(id, response);
    if (this.#unclaimed.size <= MAX_UNCLAIMED) return;
    const [oldest = ''] = this.#unclaimed.keys();
    this.#unclaimed.delete(oldest);
  }

  async wait(id: string, limitMs: number): Promise<ServerResponse> {
    const there = this.#unclaimed.get(id);
    this.#unclaimed.delete(id);
    if (there) return there;
    return await new Promise<ServerResponse>((resolve, reject) => {
      const late = setTimeout(() => {
        this.#awaited.delete(id);
        reject(new Error(`the host did not pass the request of invocation ${id} through`));
      }, limitMs);
      this.#awaited.set(id, (response) => {
        clearTimeout(late);
        this.#awaited.delete(id);
        resolve(response);
      });
    });
  }
}
