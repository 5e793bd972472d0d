// `npm run demo`: the main job from beginning to end, on real files, with everything that can go wrong going wrong; and the proof
// that it was done right. Exit status 0 only if all of it held.
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cannotWrite } from '../../scripts/cannot-write.ts';
import { fromCommandLine } from '../../scripts/command-line.ts';
import { WORK_QUEUE } from '../environment/app-environment.ts';
import { readingToken, writeEnvironmentFile } from '../environment/environment-file.ts';
import { damage } from './damage.ts';
import { startDemo, type Demo } from './demo.ts';
import { DEMO, readOptions, USAGE, type DemoOptions } from './options.ts';
import { Parts } from './parts.ts';
import { watchQueue } from './queue-watch.ts';
import { approvals } from './scenes/approvals.ts';
import { changeOfMind } from './scenes/change-of-mind.ts';
import { closingTable } from './scenes/closing-table.ts';
import { dataInUse } from './scenes/data-in-use.ts';
import { companyKeyExport } from './scenes/export.ts';
import { leaks } from './scenes/leaks.ts';
import { mistakes } from './scenes/mistakes.ts';
import { proof } from './scenes/proof.ts';
import { record } from './scenes/record.ts';
import { revocation } from './scenes/revocation.ts';
import { switchUnderLoad } from './scenes/switch-under-load.ts';
import { nowhere, Screen } from './screen.ts';
import { makeDirectory } from './temporary-directory.ts';
import { describe, seconds } from './words.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const INTERRUPTED = 130;
const MAX_ERRORS_SHOWN = 5;

const screen = new Screen(process.stdout);
/** Files that are to go when this process does, however it ends. */
const ours: string[] = [];
process.on('exit', () => ours.forEach((path) => rmSync(path, { recursive: true, force: true })));

async function main(options: DemoOptions): Promise<number> {
  const begun = Date.now();
  const directory = makeDirectory();
  ours.push(directory);
  screen.line(screen.style('Keyswitch: a company takes over the key that protects its data', 'strong'));
  screen.say(
    'All of it on this machine: the product as it is deployed to Azure, through the real Azure SDKs, against stand-ins for ' +
      'Key Vault, Entra ID, Google, Service Bus and Table Storage that answer under the real names. Nothing outside is asked.',
  );
  const parts = new Parts(options.short ? screen : undefined);
  const onSection = (title: string): void => parts.begin(title);
  const scenes = new Screen(options.short ? nowhere() : process.stdout, { onSection });
  const demo = await startDemo(options, { screen: scenes, parts, directory });
  const pids = demo.hosts.map(({ pid }) => pid).join(' and ');
  screen.done(`Two hosts of the product (pid ${pids}) and their Azure are up after ${seconds(Date.now() - begun)}.`);
  try {
    await tellAll(demo);
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

async function tellAll(demo: Demo): Promise<void> {
  const messages = watchQueue(demo.environment.serviceBus, WORK_QUEUE);
  const data = await dataInUse(demo);
  await damage(demo, data);
  await mistakes(demo);
  const ordered = await approvals(demo);
  const report = await switchUnderLoad(demo, data.book, ordered);
  await proof(demo, data);
  await companyKeyExport(demo, data.book);
  await revocation(demo, data.book);
  const second = await changeOfMind(demo);
  await leaks(demo, { books: [data.book, second], messages });
  await record(demo);
  await closingTable(demo, report);
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

const asked = fromCommandLine({ name: DEMO, usage: USAGE, takesPaths: true }, (args) =>
  readOptions(args, { folder: PROJECT }),
);
stopOnSignal();
stopWithReader();
try {
  process.exitCode = await main(asked);
} catch (error) {
  const sentence = cannotWrite(error);
  if (sentence === undefined) throw error;
  console.error(sentence);
  process.exitCode = 1;
}
await Promise.all(ours.map((path) => rm(path, { recursive: true, force: true })));
process.exit();
