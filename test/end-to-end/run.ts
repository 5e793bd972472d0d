// One embedded run: the product's own bundle in hosts that are processes of their own, real HTTP, real AMQP, real tables, and this
// process among them under the same names, so that the real SDKs can be used on what the product leaves behind. Judges nothing, and is no
// test itself: benchmarks run so too.
import { setTimeout as delay } from 'node:timers/promises';
import type { TokenCredential } from '@azure/identity';
import { enterAzure } from '../../local/demo/azure-access.ts';
import { startEnvironment, type Environment } from '../../local/environment.ts';
import type { FunctionsHost, HostProgram } from '../../local/functions-host/host-process.ts';

export interface Call {
  /** Whose token; a vendor admin's unless told. */
  readonly as?: 'vendorAdmin' | 'dataKeys' | 'auditor';
  /** In place of `as`: the token of an admin of this company. */
  readonly asAdminOf?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The oldest living one unless told. */
  readonly host?: FunctionsHost;
}

/** What the tests read of the API's answers. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface ErrorBody {
  readonly error: { readonly code: string; readonly kind?: string; readonly owner?: string; readonly target?: string };
}

export interface Run {
  readonly environment: Environment;
  /** Of the managed identity, for the real SDKs in this process. */
  readonly credential: TokenCredential;
  /** All that any host ever wrote. */
  readonly lines: readonly string[];
  /** `settings` beside, or in place of, those of the run. */
  startHost(settings?: Readonly<Record<string, string>>): Promise<FunctionsHost>;
  /** `path` is below `/api/v1`. Rejects if the answer does not arrive whole. */
  call<T = unknown>(method: string, path: string, call?: Call): Promise<Answer<T>>;
  close(): Promise<void>;
}

const CALL_LIMIT_MS = 90_000;
/** `npm run test:luck`: what every stand-in takes longer, and how late the tests come, as if hosts were that much faster. */
const LATENCY_MS = Number(process.env['KEYSWITCH_TEST_LATENCY_MS'] ?? 0);
const LAG_MS = Number(process.env['KEYSWITCH_TEST_LAG_MS'] ?? 0);

/** Before anything that a test does to hosts, or asks of them. */
export async function comeLate(): Promise<void> {
  if (LAG_MS > 0) await delay(LAG_MS);
}

export interface RunOptions {
  /** Beside, or in place of, those of the embedded run. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly maxDeliveryCount?: number;
  readonly lockDurationMs?: number;
  readonly hosts?: number;
}

/** `program`: the host's own modules unless told. */
export async function beginRun(
  built: { readonly bundleDir: string; readonly program?: HostProgram },
  options: RunOptions = {},
): Promise<Run> {
  const { hosts = 1, ...others } = options;
  const environment = await startEnvironment(others);
  const { keyVault, serviceBus, tables } = environment;
  if (LATENCY_MS > 0) {
    for (const standIn of [keyVault, serviceBus, tables]) await standIn.call('PUT', '/latency', { ms: LATENCY_MS });
  }
  const credential = enterAzure(environment);
  const lines: string[] = [];
  const startHost: Run['startHost'] = (env = {}) =>
    environment.startHost({ ...built, env, onLine: (line) => void lines.push(line) });
  for (let started = 0; started < hosts; started += 1) await startHost();
  return {
    environment,
    credential,
    lines,
    startHost,
    call: (method, path, call = {}) => ask(environment, method, path, call),
    close: () => environment.close(),
  };
}

const tokenOf = (environment: Environment, { as, asAdminOf }: Call): string =>
  asAdminOf === undefined
    ? environment.tokens[as ?? 'vendorAdmin']
    : environment.mintApiToken({ roles: ['Keyswitch.CompanyAdmin'], company: asAdminOf });

async function ask<T>(environment: Environment, method: string, path: string, call: Call): Promise<Answer<T>> {
  await comeLate();
  const host = call.host ?? environment.hosts[0];
  if (!host) throw new Error('no host lives');
  const hasBody = call.body !== undefined;
  const response = await fetch(`${host.url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${tokenOf(environment, call)}`,
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
      ...call.headers,
    },
    ...(hasBody ? { body: JSON.stringify(call.body) } : {}),
    signal: AbortSignal.timeout(CALL_LIMIT_MS),
  });
  const text = await response.text();
  const body = (text === '' ? undefined : JSON.parse(text)) as T;
  return { status: response.status, headers: response.headers, body };
}

const POLL_MS = 50;
const POLL_LIMIT_MS = 90_000;

/** Asks again and again until the answer is there; gives up, naming what was waited for, long after it should have come. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = POLL_LIMIT_MS,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await delay(POLL_MS);
  }
}

/** Lines for whoever reads the run, between those of the test runner. */
export function tell(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
