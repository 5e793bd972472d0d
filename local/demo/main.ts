// `npm run demo`: tells a chapter, the main job unless another is named. Exit status 0 only if all of it held.
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cannotWrite } from '../../scripts/cannot-write.ts';
import { fromCommandLine } from '../../scripts/command-line.ts';
import { readingToken, writeEnvironmentFile } from '../environment/environment-file.ts';
import type { Chapter } from './chapter.ts';
import { SWITCH } from './chapters/switch.ts';
import { WATCH } from './chapters/watch.ts';
import { startDemo, type Demo } from './demo.ts';
import { DEMO, readOptions, usageOf, type DemoOptions } from './options.ts';
import { Parts } from './parts.ts';
import { nowhere, Screen } from './screen.ts';
import { makeDirectory } from './temporary-directory.ts';
import { describe, seconds } from './words.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const CHAPTERS: readonly [Chapter, ...Chapter[]] = [SWITCH, WATCH];
const INTERRUPTED = 130;
const MAX_ERRORS_SHOWN = 5;

const screen = new Screen(process.stdout);
/** Files that are to go when this process does, however it ends. */
const ours: string[] = [];
process.on('exit', () => ours.forEach((path) => rmSync(path, { recursive: true, force: true })));

async function main(chapter: Chapter, options: DemoOptions): Promise<number> {
  const begun = Date.now();
  const directory = makeDirectory();
  ours.push(directory);
  screen.line(screen.style(chapter.title, 'strong'));
  screen.say(
    'All of it on this machine: the product as it is deployed to Azure, through the real Azure SDKs, against stand-ins for ' +
      'Key Vault, Entra ID, Google, Service Bus and Table Storage that answer under the real names. Nothing outside is asked.',
  );
  const parts = new Parts(options.short ? screen : undefined);
  const onSection = (title: string): void => parts.begin(title);
  const scenes = new Screen(options.short ? nowhere() : process.stdout, { onSection });
  const demo = await startDemo(options, { screen: scenes, parts, directory, settings: chapter.settings });
  const pids = demo.hosts.map(({ pid }) => pid).join(' and ');
  screen.done(`Two hosts of the product (pid ${pids}) and their Azure are up after ${seconds(Date.now() - begun)}.`);
  try {
    await chapter.tell(demo);
  } catch (error) {
    demo.check(false, '', `The demo could not go on: ${describe(error)}`);
  }
  parts.end();
  if (!options.short) {
    screen.section('In short');
    parts.tellAll(screen);
  }
  tellVerdict(demo, Date.now() - begun);
  if (options.serve) await serve(demo);
  await demo.environment.close();
  return demo.failures.length === 0 ? 0 : 1;
}

function tellVerdict({ failures, hosts }: Demo, elapsedMs: number): void {
  screen.line();
  if (failures.length === 0) {
    screen.line(screen.style(`Everything was as it should be. The demo took ${seconds(elapsedMs)}.`, 'good'));
    return;
  }
  screen.line(screen.style(`Not everything was as it should be (${seconds(elapsedMs)}):`, 'bad'));
  for (const failure of failures) screen.failed(failure);
  const errors = hosts.flatMap(({ lines }) => lines.filter((line) => line.includes('"level":"error"')));
  if (errors.length > 0) screen.say('The last errors in the logs of the hosts:');
  for (const line of errors.slice(-MAX_ERRORS_SHOWN)) screen.command(line);
}

/** Until Ctrl-C. */
async function serve({ environment, api, directory }: Demo): Promise<void> {
  // Not where `npm start` keeps its own: both may be up.
  const file = join(directory, 'environment.json');
  await writeEnvironmentFile(file, environment);
  screen.line(`
It goes on running, at ${api.urls.map((url) => `${url}/api/v1`).join(' and ')}
Addresses, ids and a token for each role: ${file}

  ${readingToken(file)}
  curl -s -H "Authorization: Bearer $TOKEN" ${api.urls[0] ?? ''}/api/v1/companies/contoso/keyrings/default

Ctrl-C stops everything.`);
  await new Promise(() => undefined);
}

/** Hosts end with the pipe to this process, the stand-ins are threads of it, and our files go on exit. */
function stopOnSignal(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      screen.line('\nStopped. Nothing is left running.');
      process.exit(INTERRUPTED);
    });
  }
}

/** Whoever reads us may go (`| head`): nothing more can be told then, and nothing is left running. */
function stopWithReader(): void {
  process.stdout.on('error', () => process.exit(1));
}

const asked = fromCommandLine({ name: DEMO, usage: usageOf(CHAPTERS), takesPaths: true }, (args) =>
  readOptions(args, { folder: PROJECT, chapters: CHAPTERS }),
);
stopOnSignal();
stopWithReader();
try {
  process.exitCode = await main(asked.chapter, asked.options);
} catch (error) {
  const sentence = cannotWrite(error);
  if (sentence === undefined) throw error;
  console.error(sentence);
  process.exitCode = 1;
}
await Promise.all(ours.map((path) => rm(path, { recursive: true, force: true })));
process.exit();
