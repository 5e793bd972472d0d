import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive, until } from '../functions-host/fixture.ts';
import { A_DEMO_MS, DemoFolder, endingOf, flowing, pidsIn, type Demo } from './demo-folder.ts';

let folder: DemoFolder;

beforeEach(async () => {
  folder = await DemoFolder.make();
});
afterEach(() => folder.remove());

const startDemo = (...args: readonly string[]): Demo => folder.start('--dir', join(folder.path, 'files'), ...args);

const PARTS = [
  '1  Data in use, under the vendor’s key',
  '2  Contoso connects its own key, and what goes wrong for most people goes wrong',
  '3  Contoso orders the switch, which waits for those whose data it is',
  '4  The switch, with the product in use and a host killed half-way',
  '5  The proof',
  '6  Contoso takes a copy of its company key, and needs nobody any more',
  '7  Contoso takes its key away, and gives it back',
  '8  Fabrikam begins a switch, and cancels it half-way',
  '9  No key and no token where none belongs',
  '10  The record of it all',
  'The switch in figures',
];

test(
  'it does the whole job and proves it, in plain text, and leaves nothing behind',
  { timeout: A_DEMO_MS },
  async () => {
    const demo = startDemo('--keys', '300');
    expect(await demo.ended, demo.text()).toBe(0);
    const text = flowing(demo);
    for (const line of [
      'the vendor’s key opens 1 of 1',
      '! vault-uri-contains-key-path: ',
      '! vault-uri-is-secret: ',
      '! key-name-invalid: ',
      '! consent-required: ',
      'Need admin approval',
      '! consent-declined: ',
      'Consent is granted',
      '! access-denied-rbac: ',
      '! vault-firewall: ',
      '✓ The test is green: ',
      'It waits for 2 tenants, Microsoft 365 contoso-europe.onmicrosoft.com and Google Workspace',
      '! google-not-super-admin: ',
      'It waits for 1 tenant, Google Workspace contoso.example; no data key has moved.',
      'with everything moved, waits: tenant-unverified.',
      '✓ While it waits, everything can be read: ',
      '✓ All 300 data keys are under Contoso’s own key',
      'was killed with kill -9; a second later a new one',
      '0 errors.',
      '✓ Every file opens: 3 files',
      '✓ With it off, a host started just now',
      'none of 1 opens',
      '✓ Contoso’s own key opens 1 of 1 company key',
      '! key-disabled: ',
      '✓ The vault’s health: revoked (key-disabled).',
      'unwrapping goes on by itself',
      '! key-not-found: ',
      '✓ All 200 rows are at version 1, and every data key has the same bytes as before.',
      'is found in all three',
      '✓ None of 506 data keys and tokens',
      'links, states, cookies and codes of sign-ins',
      'checked: it is whole.',
      '✓ It says who consented, who approved, who was turned away',
      'errors of the reader 0',
      '✓ Contoso’s vault was asked for get and unwrapKey only, and refused nothing.',
      '── In short ─',
      'Everything was as it should be.',
    ]) {
      expect(text).toContain(line);
    }
    expect(endingOf(demo, PARTS.length)).toEqual([
      ...PARTS.map((title) => `✓ ${title}`),
      'Everything was as it should be.',
    ]);
    // The switch has had its own rows and wraps signed, by a key in a vault of its own.
    expect(text).toMatch(/the vendor’s seal \d+ 0 0 [1-9]\d* 0 \d+/);
    expect(await demo.traces()).toEqual({ failures: 0, escapes: 0, files: [], processes: [false, false] });
  },
);

test(
  'a stored data key that was tampered with ends it with 1, by name, told in short too',
  { timeout: A_DEMO_MS },
  async () => {
    const demo = startDemo('--keys', '100', '--break', 'row', '--short');
    expect(await demo.ended, demo.text()).toBe(1);
    expect(flowing(demo)).toMatch(
      /✗ 4 The switch, [^:]+: The demo could not go on: 1 data key set aside as damaged: contoso-\d+ \(does-not-open\)/,
    );
    expect(demo.text()).not.toContain('Everything was as it should be');
    const told = demo
      .text()
      .split('\n')
      .filter((line) => /^ {2}[✓✗] \d+ {2}.* s\)$/.test(line));
    expect(told.map((line) => line.trim().replace(/ \([0-9.]+ s\)$/, ''))).toEqual([
      ...PARTS.slice(0, 3).map((title) => `✓ ${title}`),
      `✗ ${PARTS[3] ?? ''}`,
    ]);
    expect(demo.text()).not.toContain('──');
  },
);

test('Ctrl-C stops all of it', { timeout: A_DEMO_MS }, async () => {
  const demo = startDemo();
  const pids = await until(() => pidsIn(flowing(demo)).length === 2 && pidsIn(flowing(demo)));
  expect(pids.map(isAlive)).toEqual([true, true]);
  demo.process.kill('SIGINT');
  expect(await demo.ended).toBe(130);
  await until(() => !pids.some(isAlive));
  expect(await folder.left()).toEqual([]);
});

test('what cannot be asked is refused before anything starts', async () => {
  const demo = startDemo('--keys', 'many');
  expect(await demo.ended).toBe(2);
  expect(demo.text()).toContain('--keys takes a whole number from 100');
  const nowhere = startDemo('--dir', join(folder.path, 'nowhere'));
  expect(await nowhere.ended).toBe(2);
  expect(nowhere.text()).toContain('--dir takes a folder that is there');
});

test('without a place for its files it says so in one sentence', async () => {
  await rm(join(folder.path, 'temp'), { recursive: true });
  const demo = startDemo('--keys', '100');
  expect([await demo.ended, demo.text()]).toEqual([1, `${join(folder.path, 'temp')} is not there (ENOENT)\n`]);
});

test(
  'when nobody reads on, it ends without a stack trace, and leaves nothing behind',
  { timeout: A_DEMO_MS },
  async () => {
    const demo = startDemo('--keys', '100');
    await until(() => demo.text().includes('takes over the key'));
    demo.process.stdout?.destroy();
    expect(await demo.ended).toBe(1);
    expect(demo.text()).not.toContain('EPIPE');
    expect(await folder.left()).toEqual([]);
  },
);
