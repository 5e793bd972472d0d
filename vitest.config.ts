import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Only functions of this process, of which nothing outlives its file: they share a process, since most of their time would go into starting one. */
const WITHIN_A_PROCESS = [
  'domain',
  'store',
  'providers',
  'identity',
  'operations',
  'functions/http',
  'functions/service-bus',
  'fuzz',
  'model',
  'docs',
  'mutation',
  'acts',
].map((folder) => `test/${folder}/**/*.test.ts`);

/** Hosts, kills, attacks, whole programs, the simulation and the models at length: `npm run test:deep`. */
const DEEP = ['test/end-to-end/**/*.test.ts', 'test/attacks/**/*.test.ts', 'test/**/*.deep.test.ts'];
const IN_A_BROWSER = 'test/browser/**/*.test.ts';
const ELSEWHERE = 'node_modules/**';

/** They begin first, so that neither core has nothing to do at the end. The runner knows only how long files are. */
const LONGEST = ['kill-points-two-hosts', 'kill-points-one-worker', 'planted-bugs', 'demo.deep', 'kills', 'at-length'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => moduleId.includes(`/${name}`));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

const BUNDLES = 'test/end-to-end/bundles.ts';

export default defineConfig({
  test: {
    // Emulators, hosts and RSA key generation share two cores on a small machine: generous, never a measure of speed.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    setupFiles: ['test/same-every-time.ts'],
    // As many as a small machine has cores: hosts, locks and timers of the end-to-end tests need them.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { name: 'within a process', include: WITHIN_A_PROCESS, exclude: [...DEEP, ELSEWHERE], isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'by itself',
          include: ['test/**/*.test.ts'],
          exclude: [...WITHIN_A_PROCESS, ...DEEP, IN_A_BROWSER, ELSEWHERE],
        },
      },
      { extends: true, test: { name: 'deep', globalSetup: BUNDLES, include: DEEP } },
      { extends: true, test: { name: 'browser', globalSetup: BUNDLES, include: [IN_A_BROWSER] } },
    ],
  },
});
