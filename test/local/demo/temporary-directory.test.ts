import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const MODULE = new URL('../../../local/demo/temporary-directory.ts', import.meta.url).href;
/** Of no process: above the highest that Linux gives. */
const NOBODYS_PID = 2 ** 22 + 1;
const ANOTHER_USER = 65_534;

let temp: string;
let left: string;

beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'keyswitch-temp-test-'));
  chmodSync(temp, 0o1777);
  left = join(temp, `keyswitch-demo-${NOBODYS_PID}-abc`);
  mkdirSync(join(left, 'app'), { recursive: true });
});
afterEach(() => rmSync(temp, { recursive: true }));

/** The folder that a demo of its own process makes. */
function made(options: { readonly uid?: number } = {}): string {
  const program = `console.log((await import(${JSON.stringify(MODULE)})).makeDirectory())`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: temp },
    cwd: fileURLToPath(new URL('.', MODULE)),
    encoding: 'utf8',
    ...options,
  });
  return stdout.trim() + stderr;
}

test('what a killed demo has left goes with the next one', () => {
  expect(existsSync(made())).toBe(true);
  expect(existsSync(left)).toBe(false);
});

test.skipIf(process.getuid?.() !== 0)('what the killed demo of another user has left is in nobody’s way', () => {
  expect(existsSync(made({ uid: ANOTHER_USER }))).toBe(true);
  expect(existsSync(left)).toBe(true);
});
