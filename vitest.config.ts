import { defineConfig } from 'vitest/config';

/** Only functions of this process, of which nothing outlives its file: they share a process, since most of their time would go into starting one. */
const WITHIN_A_PROCESS = [
  'domain',
  'operations',
  'functions/http',
  'functions/service-bus',
  'fuzz',
  'model',
  'docs',
  'mutation',
].map((folder) => `test/${folder}/**/*.test.ts`);

const IN_A_BROWSER = 'test/browser/**/*.test.ts';

const BUNDLES = 'test/end-to-end/bundles.ts';

export default defineConfig({
  test: {
    // Emulators, hosts and RSA key generation share two cores on a small machine: generous, never a measure of speed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // As many as a small machine has cores: hosts, locks and timers of the end-to-end tests need them.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'within a process', include: WITHIN_A_PROCESS, isolate: false } },
      {
        extends: true,
        test: {
          name: 'by itself',
          globalSetup: BUNDLES,
          include: ['test/**/*.test.ts'],
          exclude: [...WITHIN_A_PROCESS, IN_A_BROWSER, 'node_modules/**'],
        },
      },
      { extends: true, test: { name: 'browser', globalSetup: BUNDLES, include: [IN_A_BROWSER] } },
    ],
  },
});
