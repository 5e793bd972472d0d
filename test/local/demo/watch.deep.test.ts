// The chapter `watch`: what it shows, and that it notices where that is not so.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { A_DEMO_MS, DemoFolder, endingOf, flowing } from './demo-folder.ts';

let folder: DemoFolder;

beforeEach(async () => {
  folder = await DemoFolder.make();
});
afterEach(() => folder.remove());

const PARTS = [
  '1  Contoso is on its own key, and its security team has a webhook',
  '2  Contoso rotates its key',
  '3  Contoso’s vault falls silent: an outage, and no revocation',
  '4  Contoso takes its key away',
  '5  Contoso gives its key back',
  '6  What the receiver heard',
];

test(
  'a rotation is followed, an outage bridged, a revocation felt, a webhook verified, and what is given back goes on by itself',
  { timeout: A_DEMO_MS },
  async () => {
    const demo = folder.start('--chapter', 'watch');
    expect(await demo.ended, demo.text()).toBe(0);
    const text = flowing(demo);
    for (const line of [
      '✓ A webhook to https://127.0.0.1/events is refused (webhook-host-not-public)',
      '✓ A message of type webhook.test is sent: the receiver verifies its signature, and takes it.',
      '✓ It refuses a message that was changed, one that another secret signed, and one that is six minutes old.',
      '✓ Contoso’s 200 data keys are under its own key',
      'in-use default',
      '✓ 5.0 s later, both hosts open the company key with the new version only.',
      'the API says: unreachable (vault-unreachable), and not revoked.',
      '! key-disabled: ',
      'the API says: revoked (key-disabled).',
      'Both hosts unwrap again by themselves',
      'all heard, in their order, each signature verified.',
      '── In short ─',
    ]) {
      expect(text).toContain(line);
    }
    for (const heard of ['key-version.followed', 'vault.unreachable', 'vault.revoked'])
      expect(text).toMatch(new RegExp(`Contoso’s receiver heard of it after [0-9.]+ s: ${heard}`));
    expect(text).toMatch(/s without an answer: [0-9,]+ unwrapped, 0 errors on both hosts/);
    expect(endingOf(demo, PARTS.length)).toEqual([
      ...PARTS.map((title) => `✓ ${title}`),
      'Everything was as it should be.',
    ]);
    expect(await demo.traces()).toEqual({ failures: 0, escapes: 0, files: [], processes: [false, false] });
  },
);

test.each([
  ['webhook', PARTS.slice(0, 1), /the receiver did not take a message of type webhook\.test: webhook-refused/],
  ['revocation', PARTS.slice(0, 4), /unwrapping did not stop within 30\.0 s/],
])(
  'with its %s broken it ends with 1, and names the part and what is wrong',
  { timeout: A_DEMO_MS },
  async (what, parts, why) => {
    const demo = folder.start('--chapter', 'watch', '--short', '--break', what);
    expect(await demo.ended, demo.text()).toBe(1);
    const last = parts.at(-1) ?? '';
    expect(demo.text()).toContain(`✗ ${last} (`);
    expect(flowing(demo)).toContain(`✗ ${last.replace('  ', ' ')}: The demo could not go on: `);
    expect(flowing(demo)).toMatch(why);
    for (const part of parts.slice(0, -1)) expect(demo.text()).toContain(`✓ ${part} (`);
    expect(demo.text()).not.toContain('Everything was as it should be');
  },
);
