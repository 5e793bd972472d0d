// The tests that `npm run mutation` holds each mutant against: those in one process which know the domain, store, providers, identity and operations, some
// of functions/, and a few seeds of the simulation. docs/mutation.md says what is left out, and why.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A mutant is dropped at the first test that fails: the cheap and near ones come first, the simulation last. */
const ORDER = [
  'test/domain/',
  'test/store/',
  'test/providers/',
  'test/identity/',
  'test/fuzz/',
  'test/operations/',
  'test/functions/',
  'test/mutation/',
];

const TESTS = [
  'test/{domain,store,providers,identity,operations}/**/*.test.ts',
  'test/fuzz/{codecs,messages,parsers,rows}.test.ts',
  'test/functions/timers.test.ts',
  'test/functions/service-bus/messages.test.ts',
  'test/functions/http/{events,tenants}.test.ts',
  'test/mutation/seeds.mutation.ts',
];

class CheapestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => ORDER.findIndex((folder) => moduleId.includes(folder));
    return Promise.resolve(files.toSorted((a, b) => place(a) - place(b) || a.moduleId.localeCompare(b.moduleId)));
  }
}

export default defineConfig({
  test: {
    include: process.env['MUTATION_TESTS']?.split('\n') ?? TESTS,
    // Its seeds of a store that loses answers take a third of the time, and the simulation's see the same.
    exclude: ['test/operations/switches/faults.test.ts', 'test/**/*.deep.test.ts'],
    setupFiles: ['test/same-every-time.ts'],
    reporters: [],
    // Ten times what the longest takes. A mutant that waits for ever is given up at this.
    testTimeout: 10_000,
    sequence: { sequencer: CheapestFirst },
    // One process for all files of a mutant: with one for each most of the time would go into starting them.
    isolate: false,
  },
});
