// One run of the tests: counted, and what failed named.
import { startVitest } from 'vitest/node';

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** A line each: file, test and the beginning of what it says. */
  readonly failures: readonly string[];
}

/** So that a line names what is wrong and its end still fits a screen. */
const MAX_MESSAGE_CHARS = 300;

/** `projects`: names of those in vitest.config.ts. */
export async function runTests(projects: readonly string[], filters: readonly string[]): Promise<Outcome> {
  const vitest = await startVitest([...filters], { watch: false, run: true, project: [...projects] });
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failures: string[] = [];
  for (const file of vitest.state.getTestModules()) {
    // Where a file cannot be loaded or a hook fails, the tests are not run, and count as skipped.
    for (const suite of [file, ...file.children.allSuites()]) {
      const name = suite.type === 'module' ? file.relativeModuleId : `${file.relativeModuleId} > ${suite.fullName}`;
      if (suite.errors().length > 0) failures.push(failure(name, suite.errors()));
    }
    for (const test of file.children.allTests()) {
      const { state, errors } = test.result();
      if (state === 'passed' || state === 'skipped') counts[state] += 1;
      else
        failures.push(
          failure(`${file.relativeModuleId} > ${test.fullName}`, errors ?? [{ message: 'it never ended' }]),
        );
    }
  }
  failures.push(...vitest.state.getUnhandledErrors().map((error) => failure('outside of any test', [error])));
  await vitest.close();
  return { ...counts, failed: failures.length, failures };
}

function failure(name: string, errors: readonly unknown[]): string {
  const [first] = errors;
  const said = typeof first === 'object' && first !== null && 'message' in first ? String(first.message) : 'no message';
  return `${name}: ${said.replaceAll(/\s+/g, ' ').slice(0, MAX_MESSAGE_CHARS)}`;
}
