import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They have a command of their own: vitest.browser.config.ts.
    exclude: ['test/browser/**', 'node_modules/**'],
    // Emulators, hosts and RSA key generation share two cores on a small machine: generous, never a measure of speed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // As many as a small machine has cores: hosts, locks and timers of the end-to-end tests need them.
    maxWorkers: 2,
  },
});
