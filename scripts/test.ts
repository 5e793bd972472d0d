// The tests, and a closing line that any reader understands: `N passed, N failed`. `npm test` runs all that need no browser,
// `npm run test:browser` (`--browser`) those that do, `npm run test:all` (`--all`) both. Other arguments go to the runner, so
// `npm test -- test/domain` runs a part.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTests } from './test-run.ts';

/** Which of the projects of vitest.config.ts. */
const PROJECTS: Readonly<Record<string, string>> = { '--browser': 'browser', '--all': '*' };
const WITHOUT_BROWSER = '!browser';

// Tests start some hundreds of processes; what one of them has compiled serves the next. For this run alone: files in directories that
// are never the same again would fill a cache that stays.
const compileCache = await mkdtemp(join(tmpdir(), 'keyswitch-compile-cache-'));
process.env['NODE_COMPILE_CACHE'] = compileCache;

const [first = '', ...rest] = process.argv.slice(2);
const project = PROJECTS[first];
const counts = await runTests(project ?? WITHOUT_BROWSER, project === undefined ? process.argv.slice(2) : rest);
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`\n${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
// A process that is just ending may still write what it has compiled; should one go on doing so, what it leaves there harms nobody.
await rm(compileCache, { recursive: true, maxRetries: 10, retryDelay: 100 }).catch(() => undefined);
