// The tests, and a closing line that any reader understands: `N passed, N failed`. `npm test` runs all that need no browser,
// `npm run test:browser` (`--browser`) those that do, `npm run test:all` (`--all`) both, added up. Other arguments go to the
// runner, so `npm test -- test/domain` runs a part.
import { fileURLToPath } from 'node:url';
import { runTests, type Counts } from './test-run.ts';

const CONFIGS: Readonly<Record<string, readonly string[]>> = {
  '--browser': ['vitest.browser.config.ts'],
  '--all': ['vitest.config.ts', 'vitest.browser.config.ts'],
};

// Tests start some hundreds of processes; what one of them has compiled serves the next.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../.local/compile-cache', import.meta.url));

const [first = '', ...rest] = process.argv.slice(2);
const configs = CONFIGS[first];
const runs: Counts[] = [];
for (const config of configs ?? ['vitest.config.ts']) {
  runs.push(await runTests(config, configs ? rest : process.argv.slice(2)));
}
const sum = (of: keyof Counts): number => runs.reduce((total, counts) => total + counts[of], 0);
const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
process.exitCode = sum('failed') > 0 || sum('passed') === 0 ? 1 : 0;
