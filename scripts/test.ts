// The tests, and a closing line that any reader understands: `N passed, N failed`. `npm test` runs what needs no host and no browser,
// `npm run test:deep` (`--deep`) the rest, `npm run test:browser` (`--browser`) only what needs a browser. With other arguments, which go to
// the runner, a part of all of them is run: `npm test -- test/domain`. `--counts FILE` writes `passed failed skipped` to a file, for who
// adds several runs up, and leaves out the closing line.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTests } from './test-run.ts';

/** Projects of vitest.config.ts. */
const IN_PROCESS = ['within a process', 'by itself'];
const PROJECTS: Readonly<Record<string, readonly string[]>> = {
  '--deep': ['deep', 'browser'],
  '--browser': ['browser'],
};
const WITHOUT_BROWSER = [...IN_PROCESS, 'deep'];
const COUNTS = '--counts';

const filters = process.argv.slice(2);
const [first = ''] = filters;
const named = PROJECTS[first];
if (named) filters.shift();
const at = filters.indexOf(COUNTS);
const [, countsFile] = at < 0 ? [] : filters.splice(at, 2);
const projects = named ?? (filters.length > 0 ? WITHOUT_BROWSER : IN_PROCESS);

// Tests start some hundreds of processes; what one of them has compiled serves the next. For this run alone: files in directories that
// are never the same again would fill a cache that stays.
const compileCache = await mkdtemp(join(tmpdir(), 'keyswitch-compile-cache-'));
process.env['NODE_COMPILE_CACHE'] = compileCache;

const { passed, failed, skipped } = await runTests(projects, filters);
if (countsFile === undefined) {
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
} else {
  await writeFile(countsFile, `${passed} ${failed} ${skipped}\n`);
}
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
// A process that is just ending may still write what it has compiled; should one go on doing so, what it leaves there harms nobody.
await rm(compileCache, { recursive: true, maxRetries: 10, retryDelay: 100 }).catch(() => undefined);
