// Starts a Functions host as a child process and holds on to it. The child ends by itself when this process does.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { REDIRECT_VARIABLE, type RedirectTable } from '../redirect/redirect-table.ts';
import type { HostReady, TimersMessage } from './parent-link.ts';

/** The files that the child runs. */
export interface HostProgram {
  readonly main: string;
  /** Installs the redirect before anything else is loaded; a URL. */
  readonly preload: string;
}

export interface HostOptions {
  /** Where host.json, package.json and the built app are. */
  readonly bundleDir: string;
  /** The app's settings; nothing of this process's environment is passed on but PATH, and where Node keeps what it has compiled. */
  readonly env: Readonly<Record<string, string>>;
  /** Without it the child reaches the real network. */
  readonly redirect?: RedirectTable;
  /** Whether this host fires the timers; false unless told. */
  readonly timers?: boolean;
  /** Ephemeral unless told. */
  readonly port?: number;
  /** This folder's own modules unless told. */
  readonly program?: HostProgram;
  readonly onLine?: (line: string) => void;
}

export interface HostExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface FunctionsHost {
  readonly pid: number;
  readonly url: string;
  readonly functions: readonly string[];
  /** Opens HTTP functions of level `function`. */
  readonly functionKey: string;
  /** Opens everything, and `POST /admin/functions/{name}`. */
  readonly masterKey: string;
  /** Everything written so far, standard error included. */
  readonly lines: readonly string[];
  readonly exited: Promise<HostExit>;
  /** SIGTERM unless told: drains, then ends. Resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<HostExit>;
  setTimers(enabled: boolean): void;
  /** A new process in place of this one (which is killed with SIGKILL if it still runs), at the same URL. */
  restart(): Promise<FunctionsHost>;
}

const MAX_LINES = 100_000;
const MODULES: HostProgram = {
  main: fileURLToPath(new URL('main.ts', import.meta.url)),
  preload: new URL('../redirect/preload.ts', import.meta.url).href,
};

/** Rejects with what the host wrote when it ends before it is ready. */
export async function startHost(options: HostOptions): Promise<FunctionsHost> {
  const keys = { functionKey: randomUUID(), masterKey: randomUUID() };
  const { main, preload } = options.program ?? MODULES;
  const imports = options.redirect ? ['--import', preload] : [];
  const child = spawn(process.execPath, [...imports, main, options.bundleDir], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: childEnvironment(options, keys),
  });
  const lines: string[] = [];
  const exited = new Promise<HostExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (lines.push(line) > MAX_LINES) lines.shift();
      options.onLine?.(line);
    });
  }
  const ready = await firstWord(child, exited, lines);
  const kill = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<HostExit> => {
    child.kill(signal);
    return await exited;
  };
  return {
    pid: child.pid ?? 0,
    url: ready.url,
    functions: ready.functions,
    ...keys,
    lines,
    exited,
    kill,
    setTimers: (enabled) => {
      const message: TimersMessage = { type: 'timers', enabled };
      if (child.connected) child.send(message);
    },
    restart: async () => {
      await kill('SIGKILL');
      return await startHost({ ...options, port: Number(new URL(ready.url).port) });
    },
  };
}

function childEnvironment(
  options: HostOptions,
  keys: { readonly functionKey: string; readonly masterKey: string },
): NodeJS.ProcessEnv {
  const compileCache = process.env['NODE_COMPILE_CACHE'];
  return {
    PATH: process.env['PATH'],
    ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
    ...options.env,
    ...(options.redirect ? { [REDIRECT_VARIABLE]: JSON.stringify(options.redirect) } : {}),
    KEYSWITCH_LOCAL_TIMERS: String(options.timers ?? false),
    KEYSWITCH_LOCAL_PORT: String(options.port ?? 0),
    KEYSWITCH_LOCAL_FUNCTION_KEY: keys.functionKey,
    KEYSWITCH_LOCAL_MASTER_KEY: keys.masterKey,
  };
}

async function firstWord(child: ChildProcess, exited: Promise<HostExit>, lines: readonly string[]): Promise<HostReady> {
  const ready = new Promise<HostReady>((resolve, reject) => {
    child.once('message', (message) => resolve(message as HostReady));
    child.once('error', reject);
  });
  const ended = exited.then(({ code, signal }): never => {
    throw new Error(`The Functions host ended with ${signal ?? code ?? 'nothing'}:\n${lines.join('\n')}`);
  });
  return await Promise.race([ready, ended]);
}
