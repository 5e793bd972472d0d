// Runs one invocation as the Functions worker does: arguments, pre-invocation hooks, the handler, post-invocation
// hooks, response. Keeps count of what is under way, so that the host can wait for it.
import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import type { RegisteredApp, RegisteredFunction } from './core-api.ts';
import type { CoreInvocationContext, FunctionCallback, InvocationRequest, InvocationResponse } from './core-types.ts';
import type { HostLog } from './host-log.ts';

class FunctionTimeoutError extends Error {
  override readonly name = 'FunctionTimeoutException';
}

export interface Invoker {
  /** Rejects with what the handler threw, or with a FunctionTimeoutError. */
  invoke(target: RegisteredFunction, request: InvocationRequest): Promise<InvocationResponse>;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
}

export function createInvoker(options: {
  readonly app: RegisteredApp;
  readonly log: HostLog;
  readonly timeoutMs: number;
  /** Called after an invocation was given up: what it still does can no longer be trusted. */
  readonly onTimeout: () => void;
}): Invoker {
  const { app, log, timeoutMs, onTimeout } = options;
  const running = new Set<Promise<unknown>>();
  return {
    invoke: async (target, request) => {
      const work = run(app, target, request, log);
      const tracked = work.catch(() => undefined).finally(() => running.delete(tracked));
      running.add(tracked);
      return timeoutMs === Infinity ? await work : await within(timeoutMs, work, target.metadata.name, onTimeout);
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

async function run(
  app: RegisteredApp,
  { metadata, callback }: RegisteredFunction,
  request: InvocationRequest,
  log: HostLog,
): Promise<InvocationResponse> {
  const current: { context?: unknown } = {};
  const hookData = {};
  const core: CoreInvocationContext = {
    invocationId: request.invocationId ?? randomUUID(),
    request,
    metadata,
    state: undefined,
    log: (level, category, message) => {
      const entry: Record<string, unknown> = {
        level,
        message,
        category,
        invocationContext: current.context,
        hookData,
      };
      if (category === 'user') for (const hook of app.logHooks()) hook(entry);
      log(entry['level'] as typeof level, `Function.${metadata.name}`, String(entry['message']));
    },
  };
  const model = app.model().getInvocationModel(core);
  const { context, inputs } = await model.getArguments();
  current.context = context;

  core.state = 'preInvocationHooks';
  const before = {
    hookData,
    appHookData: app.appHookData,
    invocationContext: context,
    functionCallback: callback,
    inputs,
  };
  await app.runHooks('preInvocation', before);

  core.state = 'invocation';
  const after = {
    hookData,
    appHookData: app.appHookData,
    invocationContext: context,
    inputs: before.inputs,
    ...nothingYet(),
  };
  try {
    const handler: FunctionCallback = before.functionCallback;
    after.result = await model.invokeFunction(context, before.inputs, handler);
  } catch (error) {
    after.error = error instanceof Error ? error : new Error(inspect(error));
  }

  core.state = 'postInvocationHooks';
  await app.runHooks('postInvocation', after);
  core.state = undefined;
  if (after.error !== undefined) throw after.error;
  return await model.getResponse(context, after.result);
}

/** A hook may change either. */
function nothingYet(): { result: unknown; error: Error | undefined } {
  return { result: undefined, error: undefined };
}

async function within<T>(ms: number, work: Promise<T>, name: string, onTimeout: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new FunctionTimeoutError(`Timeout value of ${ms} ms was exceeded by function: Functions.${name}`));
      onTimeout();
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
