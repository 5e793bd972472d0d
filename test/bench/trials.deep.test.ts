// Benchmarks are run by hand, and what they use changes meanwhile: each must at least work.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
const run = promisify(execFile);

it.each([
  ['unwrap-cold', 'p99 beyond the vault'],
  ['reprotect-store', 'keys re-protected: ours / bare'],
  ['reprotect-null', 'peak more than 100 by'],
  ['cold-start', 'until it answered: unbundled / bundle'],
  ['unwrap-http', "batches of 1,000, rows kept, host's processor: ours / bare"],
  ['mixed', '16 connections, rows kept as by default: errors'],
  ['many-customers', 'more for many'],
  ['vault-rounds', 'notes of that round'],
])('%s works', async (name, last) => {
  const { stdout } = await run(process.execPath, [MAIN, name, '--trial']);
  expect(stdout).toContain(`${name} {`);
  expect(stdout).toContain(last);
});

it('a benchmark that there is not is answered with those that there are', async () => {
  await expect(run(process.execPath, [MAIN, 'none'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('reprotect-null, reprotect-store') as string,
  });
});
