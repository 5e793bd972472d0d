// `npm start`: builds the app and brings it up with everything around it on this machine. Ctrl-C stops all of it.
// What it may be asked for is in start-options.ts.
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildApp } from '../scripts/build-bundle.ts';
import { startEnvironment, type Environment } from './environment.ts';
import { runningApi, writeEnvironmentFile } from './environment/environment-file.ts';
import type { FunctionsHost } from './functions-host/host-process.ts';
import { readStartOptions, USAGE, type StartOptions } from './start-options.ts';

/** A host that dies sooner than this is not started again: it would only die again. */
const MIN_LIFE_MS = 10_000;
const USAGE_ERROR = 2;

const options = readOptions();
const environmentFile = join(options.directory, 'environment.json');
const logFile = join(options.directory, 'host.log');
let stopping = false;

function readOptions(): StartOptions {
  const directory = fileURLToPath(new URL('../.local', import.meta.url));
  try {
    const read = readStartOptions(process.argv.slice(2), { directory });
    if (read !== 'help') return read;
    process.stdout.write(USAGE);
    process.exit();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(USAGE_ERROR);
  }
}

async function main(): Promise<void> {
  const begun = Date.now();
  const hindrance = await whyNot();
  if (hindrance !== undefined) {
    console.error(hindrance);
    process.exit(1);
  }
  await mkdir(options.directory, { recursive: true });
  const [environment] = await Promise.all([startEnvironment(), options.bundle === undefined ? buildApp() : undefined]);
  stopOnSignal(environment);
  const log = createWriteStream(logFile);
  for (let number = 0; number < options.hosts; number += 1) {
    await startHost(environment, number === 0 ? options.port : 0, (line) => log.write(`${line}\n`));
  }
  await writeEnvironmentFile(environmentFile, environment);
  const [host] = environment.hosts;
  if (host) process.stdout.write(welcome(host, Date.now() - begun));
}

/** What a person can set right, before anything is built or overwritten. */
async function whyNot(): Promise<string | undefined> {
  const other = await runningApi(environmentFile);
  if (other !== undefined) {
    return `Keyswitch is up already, at ${other}, with its addresses in ${environmentFile}.
Stop it first, or let this one keep its files elsewhere: npm start -- --directory FOLDER`;
  }
  if (options.port === 0 || (await canListen(options.port))) return undefined;
  return `Port ${options.port} is in use, or not ours to take. Give another: npm start -- --port N`;
}

async function canListen(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = createServer();
  probe.once('error', () => resolve(false));
  probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  return await promise;
}

async function startHost(environment: Environment, port: number, onLine: (line: string) => void): Promise<void> {
  const where = options.bundle === undefined ? {} : { bundleDir: options.bundle };
  const env = environment.googleSettings;
  const host = await environment.startHost({ ...where, port, onLine, env });
  const startedAt = Date.now();
  void host.exited.then(async ({ code, signal }) => {
    if (stopping) return;
    console.error(`Host ${host.pid} ended with ${signal ?? code ?? 'nothing'}:`);
    console.error(host.lines.slice(-20).join('\n'));
    if (Date.now() - startedAt < MIN_LIFE_MS) {
      if (environment.hosts.length === 0) await stop(environment, 1);
      return;
    }
    await startHost(environment, Number(new URL(host.url).port), onLine);
    await writeEnvironmentFile(environmentFile, environment);
    console.error('It was started again.');
  });
}

function stopOnSignal(environment: Environment): void {
  const onSignal = (): void => {
    if (stopping) process.exit(1);
    void stop(environment, 0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
}

async function stop(environment: Environment, code: number): Promise<void> {
  stopping = true;
  await environment.close();
  await rm(environmentFile, { force: true });
  process.exit(code);
}

function welcome({ url }: FunctionsHost, tookMs: number): string {
  return `
Keyswitch is up (${(tookMs / 1000).toFixed(1)} s): ${url}/api/v1
Addresses, ids and a token for each role: ${environmentFile}
The host's log: ${logFile}
A first call, as the vendor's administrator:

  TOKEN=$(node -p "JSON.parse(fs.readFileSync('${environmentFile}')).tokens.partnerAdmin")
  curl -s ${url}/api/v1/health/live
  curl -s -H "Authorization: Bearer $TOKEN" ${url}/api/v1/companies

Ctrl-C stops everything.
`;
}

await main();
