// `npm start`: builds the app and brings it up with everything around it on this machine. Ctrl-C stops all of it.
// `--hosts 2` runs two hosts side by side, `--port 7071` gives the first one a fixed address, `--bundle DIR` runs what
// is already built there, `--directory DIR` keeps environment.json and the log somewhere else than in .local/.
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildApp } from '../scripts/build-bundle.ts';
import { startEnvironment, type Environment } from './environment.ts';
import { writeEnvironmentFile } from './environment/environment-file.ts';
import type { FunctionsHost } from './functions-host/host-process.ts';

/** A host that dies sooner than this is not started again: it would only die again. */
const MIN_LIFE_MS = 10_000;

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '1' },
    port: { type: 'string', default: '0' },
    bundle: { type: 'string' },
    directory: { type: 'string', default: fileURLToPath(new URL('../.local', import.meta.url)) },
  },
});
const environmentFile = join(values.directory, 'environment.json');
const logFile = join(values.directory, 'host.log');
let stopping = false;

async function main(): Promise<void> {
  const begun = Date.now();
  await mkdir(values.directory, { recursive: true });
  const [environment] = await Promise.all([startEnvironment(), values.bundle === undefined ? buildApp() : undefined]);
  stopOnSignal(environment);
  const log = createWriteStream(logFile);
  for (let number = 0; number < Number(values.hosts); number += 1) {
    await startHost(environment, number === 0 ? Number(values.port) : 0, (line) => log.write(`${line}\n`));
  }
  await writeEnvironmentFile(environmentFile, environment);
  const [host] = environment.hosts;
  if (host) process.stdout.write(welcome(host, Date.now() - begun));
}

async function startHost(environment: Environment, port: number, onLine: (line: string) => void): Promise<void> {
  const where = values.bundle === undefined ? {} : { bundleDir: values.bundle };
  const host = await environment.startHost({ ...where, port, onLine });
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
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
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
