// Builds the fixture app once per test file and starts hosts of it.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { startHost, type FunctionsHost, type HostOptions } from '../../../local/functions-host/host-process.ts';
import { buildBundle } from '../../../scripts/build-bundle.ts';

export interface JournalEntry {
  readonly kind: string;
  readonly pid: number;
  readonly [fact: string]: unknown;
}

export interface Fixture {
  readonly bundleDir: string;
  start(options?: Partial<HostOptions>): Promise<FunctionsHost>;
  journal(): readonly JournalEntry[];
  /** A file that is not there: whoever of the app is told to waits for it. */
  readonly gate: string;
  openGate(): void;
  /** Kills every host started and removes the files. */
  close(): Promise<void>;
}

const HOST_JSON = {
  version: '2.0',
  functionTimeout: '00:00:20',
  extensions: { http: { routePrefix: 'api' }, serviceBus: { maxConcurrentCalls: 4 } },
};

let built: Promise<string> | undefined;

async function buildOnce(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'keyswitch-host-app-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const hostJson = join(directory, 'host.json');
  await writeFile(hostJson, JSON.stringify(HOST_JSON));
  const entryPoint = fileURLToPath(new URL('fixture-app.ts', import.meta.url));
  const outDir = join(directory, 'dist');
  await buildBundle({ entryPoint, hostJson, outDir });
  return outDir;
}

export async function createFixture(): Promise<Fixture> {
  const bundleDir = await (built ??= buildOnce());
  const directory = await mkdtemp(join(tmpdir(), 'keyswitch-host-'));
  const journalFile = join(directory, 'journal');
  const hosts: FunctionsHost[] = [];
  const gate = join(directory, 'gate');
  return {
    bundleDir,
    gate,
    openGate: () => writeFileSync(gate, ''),
    start: async ({ env, ...options } = {}) => {
      const settings = { FIXTURE_JOURNAL: journalFile, FIXTURE_SCHEDULE: '0 0 0 1 1 *', ...env };
      const host = await startHost({ bundleDir, ...options, env: settings });
      hosts.push(host);
      return host;
    },
    journal: () =>
      existsSync(journalFile)
        ? readFileSync(journalFile, 'utf8')
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line) as JournalEntry)
        : [],
    close: async () => {
      await Promise.all(hosts.map((host) => host.kill('SIGKILL')));
      await rm(directory, { recursive: true });
    },
  };
}

/** Asks again and again until the answer is there. */
export async function until<T>(ask: () => T | undefined | false): Promise<T> {
  for (;;) {
    const answer = ask();
    if (answer !== undefined && answer !== false) return answer;
    await delay(20);
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
