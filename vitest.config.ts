import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Emulators, hosts and RSA key generation share two cores on a small machine: generous, never a measure of speed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // More than the cores of a small machine: much of the end-to-end tests is waiting for locks, timers and hosts.
    maxWorkers: 3,
  },
});
