// One run of the tests, counted.
import { startVitest } from 'vitest/node';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** `projects`: names of those in vitest.config.ts. */
export async function runTests(projects: readonly string[], filters: readonly string[]): Promise<Counts> {
  const vitest = await startVitest([...filters], { watch: false, run: true, project: [...projects] });
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
  await vitest.close();
  return { ...counts, failed: counts.failed + broken };
}
