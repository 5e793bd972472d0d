// `npm start`: builds the app and brings it up with everything around it on this machine. Ctrl-C stops all of it; what it has stored is there
// again at the next start.
// What it may be asked for is in start-options.ts.
import { createWriteStream, existsSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildApp } from '../scripts/build-bundle.ts';
import { cannotWrite } from '../scripts/cannot-write.ts';
import { fromCommandLine, UsageError } from '../scripts/command-line.ts';
import { startEnvironment, type Environment } from './environment.ts';
import { readingToken, runningApi, writeEnvironmentFile } from './environment/environment-file.ts';
import type { FunctionsHost } from './functions-host/host-process.ts';
import { makeFolder } from './make-folder.ts';
import { readStartOptions, START, USAGE } from './start-options.ts';
import { openStateFolder, StateRefused, type StateFolder } from './state/state-folder.ts';

/** A host that dies sooner than this is not started again: it would only die again. */
const MIN_LIFE_MS = 10_000;

const options = fromCommandLine({ name: START, usage: USAGE, takesPaths: true }, (args) => {
  const read = readStartOptions(args, { directory: fileURLToPath(new URL('../.local', import.meta.url)) });
  if (read === 'help') return read;
  makeFolder(read.directory, '--directory');
  if (read.bundle !== undefined && !existsSync(join(read.bundle, 'host.json'))) {
    throw new UsageError(`--bundle takes a folder that npm run build has made, and ${read.bundle} is none`);
  }
  return read;
});
const environmentFile = join(options.directory, 'environment.json');
const logFile = join(options.directory, 'host.log');
let stopping = false;

async function main(): Promise<void> {
  const begun = Date.now();
  const hindrance = await whyNot();
  if (hindrance !== undefined) {
    console.error(hindrance);
    process.exit(1);
  }
  const state = openState();
  const log = createWriteStream(logFile, { fd: openSync(logFile, 'w') });
  const [environment] = await Promise.all([
    startEnvironment({ state }),
    options.bundle === undefined ? buildApp() : undefined,
  ]);
  stopOnSignal(environment);
  for (let number = 0; number < options.hosts; number += 1) {
    await startHost(environment, number === 0 ? options.port : 0, (line) => log.write(`${line}\n`));
  }
  await writeEnvironmentFile(environmentFile, environment);
  const [host] = environment.hosts;
  if (host) process.stdout.write(welcome(host, state, Date.now() - begun));
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

function openState(): StateFolder {
  try {
    return openStateFolder(join(options.directory, 'state'), options);
  } catch (error) {
    if (!(error instanceof StateRefused)) throw error;
    console.error(error.message);
    process.exit(1);
  }
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
  if (code === 0) console.log('Stopped. What is stored is there again at the next npm start.');
  process.exit(code);
}

function welcome({ url }: FunctionsHost, state: StateFolder, tookMs: number): string {
  return `
Keyswitch is up (${(tookMs / 1000).toFixed(1)} s): ${url}/api/v1
${state.isNew ? 'Begun anew; what is stored now is there again at the next start' : 'What earlier runs have stored is there again'}: ${state.path}
To forget it and begin anew: npm start -- --fresh
Addresses, ids and a token for each role: ${environmentFile}
The host's log: ${logFile}
A first call, as the vendor's administrator:

  ${readingToken(environmentFile)}
  curl -s ${url}/api/v1/health/live
  curl -s -H "Authorization: Bearer $TOKEN" ${url}/api/v1/companies

Ctrl-C stops everything.
`;
}

try {
  await main();
} catch (error) {
  const sentence = error instanceof UsageError ? error.message : cannotWrite(error);
  if (sentence === undefined) throw error;
  console.error(sentence);
  process.exit(1);
}
