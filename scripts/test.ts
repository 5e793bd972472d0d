// The tests, and a closing line that any reader understands: `N passed, N failed`. `npm test` runs what needs no host and no browser,
// `npm run test:deep` (`--deep`) the rest, `npm run test:browser` (`--browser`) only what needs a browser. With other arguments, which go to
// the runner, a part of all of them is run: `npm test -- test/domain`. `--counts FILE` writes `passed failed skipped` to a file, and a line
// for each failure under it, for who adds several runs up, and leaves out the closing lines.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromCommandLine, readCommandLine, UsageError } from './command-line.ts';
import { runTests } from './test-run.ts';

/** Projects of vitest.config.ts. */
const IN_PROCESS = ['within a process', 'by itself'];
const WITHOUT_BROWSER = [...IN_PROCESS, 'deep'];

const TEST = 'npm test --';
const USAGE = `${TEST} [FILE ...] [options]

  FILE           files or folders of tests, of all kinds; without one, what needs no host and no browser
  --deep         hosts, kills, attacks, whole programs and the browser: npm run test:deep
  --browser      only what needs a browser: npm run test:browser
  --counts FILE  write how many passed, failed and were skipped, and a line for each failure, to FILE, in
                 place of the closing lines
  --help         this text
`;

const line = fromCommandLine({ name: TEST, usage: USAGE }, (args) => {
  const read = readCommandLine(args, {
    options: { deep: {}, browser: {}, counts: { takes: 'the file to be written' } },
    words: { takes: 'files or folders', min: 0, max: Number.MAX_SAFE_INTEGER },
  });
  if (read === 'help') return read;
  if (read.has('deep') && read.has('browser')) throw new UsageError('give one of --deep and --browser');
  return read;
});
const filters = line.words;
const countsFile = line.value('counts');
const projects = chosenProjects();

function chosenProjects(): readonly string[] {
  if (line.has('browser')) return ['browser'];
  if (line.has('deep')) return ['deep', 'browser'];
  return filters.length > 0 ? WITHOUT_BROWSER : IN_PROCESS;
}

// Tests start some hundreds of processes; what one of them has compiled serves the next. For this run alone: files in directories that
// are never the same again would fill a cache that stays.
const compileCache = await mkdtemp(join(tmpdir(), 'keyswitch-compile-cache-'));
process.env['NODE_COMPILE_CACHE'] = compileCache;

const { passed, failed, skipped, failures } = await runTests(projects, filters);
if (countsFile === undefined) {
  for (const failure of failures) console.log(`failed: ${failure}`);
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
} else {
  await writeFile(countsFile, `${[`${passed} ${failed} ${skipped}`, ...failures].join('\n')}\n`);
}
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
// A process that is just ending may still write what it has compiled; should one go on doing so, what it leaves there harms nobody.
await rm(compileCache, { recursive: true, maxRetries: 10, retryDelay: 100 }).catch(() => undefined);
