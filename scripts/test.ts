// `npm test`: every test, and a closing line that any reader understands: `N passed, N failed`. Arguments go to the runner, so
// `npm test -- test/domain` runs a part.
import { startVitest } from 'vitest/node';

const filters = process.argv.slice(2);
const vitest = await startVitest(filters, { watch: false, run: true });
const files = vitest.state.getTestModules();
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const file of files) {
  for (const test of file.children.allTests()) {
    const { state } = test.result();
    if (state !== 'pending') counts[state] += 1;
    else counts.failed += 1;
  }
}
// A file that could not be loaded, or an error outside of any test, has no test to count.
const broken = files.filter((file) => file.errors().length > 0).length + vitest.state.getUnhandledErrors().length;
const failed = counts.failed + broken;
await vitest.close();
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`\n${counts.passed} passed, ${failed} failed${skipped}`);
process.exitCode = failed > 0 || counts.passed === 0 ? 1 : 0;
