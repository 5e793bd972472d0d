import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseSettings } from '../shared/settings.ts';

type Env = Readonly<Record<string, string | undefined>>;

const { Values: valid } = JSON.parse(readFileSync('local.settings.sample.json', 'utf8')) as { readonly Values: Env };
const { KEYSWITCH_PUBLIC_URL: _, ...withoutAddress } = valid;

/** The lines of what is wrong. */
function faultsOf(env: Env): readonly string[] {
  try {
    parseSettings(env);
  } catch (error) {
    return (error as Error).message.split('\n').slice(1);
  }
  throw new Error('the settings were taken');
}

test('the address of the app is the one that is set', () => {
  expect(parseSettings({ ...valid, WEBSITE_HOSTNAME: 'app.azurewebsites.net' }).publicUrl).toBe(
    'https://keyswitch.example',
  );
});

test('an app without an address of its own has the one that Azure gave it', () => {
  const { publicUrl } = parseSettings({ ...withoutAddress, WEBSITE_HOSTNAME: 'app.azurewebsites.net' });
  expect(publicUrl).toBe('https://app.azurewebsites.net');
});

test('without any address the app is not started', () => {
  expect(faultsOf(withoutAddress)).toEqual(['  - KEYSWITCH_PUBLIC_URL: set it, or WEBSITE_HOSTNAME as Azure does']);
});

test.each(['http://keyswitch.example', 'https://keyswitch.example/base', 'keyswitch.example', ''])(
  'an address that is %j is refused, also where Azure gave another',
  (KEYSWITCH_PUBLIC_URL) => {
    const faults = faultsOf({ ...valid, KEYSWITCH_PUBLIC_URL, WEBSITE_HOSTNAME: 'app.azurewebsites.net' });
    expect(faults).toEqual([expect.stringMatching(/^ {2}- KEYSWITCH_PUBLIC_URL: must be https/)]);
  },
);

test.each(['evil.example/path', 'user@evil.example', ''])('a host name of Azure that is %j is refused', (name) => {
  const faults = faultsOf({ ...withoutAddress, WEBSITE_HOSTNAME: name });
  expect(faults).toEqual([expect.stringMatching(/^ {2}- WEBSITE_HOSTNAME: must be https/)]);
});
