// What `require('@azure/functions-core')` gives to the app in this process: takes down what the app registers.
// Runs nothing by itself.
import type { FunctionCallback, FunctionMetadata, HookCallback, LogLevel, ProgrammingModel } from './core-types.ts';
import type { HostLog } from './host-log.ts';

export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

/** Everything an app has said about itself while it was loaded. */
export interface RegisteredApp {
  readonly functions: ReadonlyMap<string, RegisteredFunction>;
  /** Kept for the whole life of the process and shared by all hooks. */
  readonly appHookData: Record<string, unknown>;
  model(): ProgrammingModel;
  /** Runs every hook of that name in the order of registration, with one context that each may change. */
  runHooks(name: string, context: Record<string, unknown>): Promise<void>;
  logHooks(): readonly HookCallback[];
}

const HOOKS = new Set(['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log']);
const HOST_VERSION = '4.1048.0';

export function createCoreApi(log: HostLog): { readonly api: object; readonly app: RegisteredApp } {
  const functions = new Map<string, RegisteredFunction>();
  const hooks = new Map<string, HookCallback[]>();
  let model: ProgrammingModel | undefined;
  let locked = false;

  const api = {
    version: '4.0.0',
    hostVersion: HOST_VERSION,
    Disposable: disposableClass(),
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) => {
      if (locked) throw new Error('A function can only be registered during app startup.');
      if (functions.has(metadata.name)) throw new Error(`A function named "${metadata.name}" is registered twice.`);
      functions.set(metadata.name, { metadata, callback });
      return new api.Disposable(() => functions.delete(metadata.name));
    },
    registerHook: (name: string, callback: HookCallback) => {
      if (!HOOKS.has(name)) throw new RangeError(`Unrecognized hook "${name}"`);
      const list = hooks.get(name) ?? [];
      list.push(callback);
      hooks.set(name, list);
      return new api.Disposable(() => list.splice(list.indexOf(callback), 1));
    },
    setProgrammingModel: (given: ProgrammingModel) => {
      model = given;
    },
    getProgrammingModel: () => model,
    log: (level: LogLevel, category: string, message: string) => log(level, `Worker.${category}`, message),
  };

  const app: RegisteredApp = {
    functions,
    appHookData: {},
    model: () => {
      locked = true;
      if (!model) throw new Error('The app registered no function through @azure/functions.');
      return model;
    },
    runHooks: async (name, context) => {
      for (const hook of hooks.get(name) ?? []) await hook(context);
    },
    logHooks: () => hooks.get('log') ?? [],
  };
  return { api, app };
}

function disposableClass(): new (dispose: () => unknown) => { dispose(): unknown } {
  return class {
    readonly #dispose: () => unknown;
    constructor(dispose: () => unknown) {
      this.#dispose = dispose;
    }
    dispose(): unknown {
      return this.#dispose();
    }
  };
}
