import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseSettings, SETTING_NAMES } from '../shared/settings.ts';

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
  expect(faultsOf(withoutAddress)).toEqual([
    '  error: KEYSWITCH_PUBLIC_URL: set it, or WEBSITE_HOSTNAME as Azure does',
  ]);
});

test.each(['http://keyswitch.example', 'https://keyswitch.example/base', 'keyswitch.example'])(
  'an address that is %j is refused, also where Azure gave another',
  (KEYSWITCH_PUBLIC_URL) => {
    const faults = faultsOf({ ...valid, KEYSWITCH_PUBLIC_URL, WEBSITE_HOSTNAME: 'app.azurewebsites.net' });
    expect(faults).toEqual([expect.stringMatching(/^ {2}error: KEYSWITCH_PUBLIC_URL: must be https/)]);
  },
);

test.each(['evil.example/path', 'user@evil.example', ''])('a host name of Azure that is %j is refused', (name) => {
  const faults = faultsOf({ ...withoutAddress, WEBSITE_HOSTNAME: name });
  expect(faults).toEqual([expect.stringMatching(/^ {2}error: WEBSITE_HOSTNAME: must be https/)]);
});

test('a call waits for its turn for two seconds unless it is said otherwise, and for a minute at most', () => {
  const { KEYSWITCH_MAX_WAIT_SECONDS: __, ...unsaid } = valid;
  expect(parseSettings(unsaid).KEYSWITCH_MAX_WAIT_SECONDS).toBe(2);
  expect(faultsOf({ ...valid, KEYSWITCH_MAX_WAIT_SECONDS: '0' })).toEqual([
    expect.stringContaining('KEYSWITCH_MAX_WAIT_SECONDS'),
  ]);
  expect(faultsOf({ ...valid, KEYSWITCH_MAX_WAIT_SECONDS: '61' })).toEqual([
    expect.stringContaining('KEYSWITCH_MAX_WAIT_SECONDS'),
  ]);
});

test('10,000 wrapped rows are kept unless it is said otherwise, and more than 100,000 are refused', () => {
  const { KEYSWITCH_DATA_KEY_CACHE_ROWS: __, ...unsaid } = valid;
  expect(parseSettings(unsaid).KEYSWITCH_DATA_KEY_CACHE_ROWS).toBe(10_000);
  expect(parseSettings({ ...valid, KEYSWITCH_DATA_KEY_CACHE_ROWS: '100000' }).KEYSWITCH_DATA_KEY_CACHE_ROWS).toBe(
    100_000,
  );
  expect(faultsOf({ ...valid, KEYSWITCH_DATA_KEY_CACHE_ROWS: '100001' })).toEqual([
    expect.stringContaining('KEYSWITCH_DATA_KEY_CACHE_ROWS'),
  ]);
});

const SCHEDULE = 'must be NCRONTAB with six fields: second minute hour day month weekday';

test.each<readonly [string, string, string]>([
  ...[
    'every minute',
    '0 61 * * * *',
    '* * * * *',
    '00:01:00',
    '0 0 0 30 2 *',
    '0 0 0 * * 7',
    '0 0 0 0 * *',
    '%SCHEDULE%',
  ].map((value) => ['KEYSWITCH_SWEEP_SCHEDULE', value, SCHEDULE] as const),
  ['KEYSWITCH_CHECK_SCHEDULE', '*/0 * * * * *', SCHEDULE],
  ['KEYSWITCH_AUDIT_SCHEDULE', '0 7 * * * * 2026', SCHEDULE],
  ...['keyswitch work', 'a/b', '%X%', '-a', 'a-', 'größe', 'a/$DeadLetterQueue'].map(
    (value) => ['KEYSWITCH_WORK_QUEUE', value, 'must be letters, digits, dots'] as const,
  ),
  ['KEYSWITCH_WORK_QUEUE', 'a'.repeat(261), 'Too big'],
  ['KEYSWITCH_SEAL_VAULT_HOST', 'https://seal.vault.azure.net', 'must be a lower-case host name'],
])('%s = %j is refused in one line', (name, value, why) => {
  expect(faultsOf({ ...valid, [name]: value })).toEqual([expect.stringContaining(`  error: ${name}: ${why}`)]);
});

test.each(['0 */5 * * * *', '*/30 * 8-18 * 1,6 Mon-Fri', '0 0 0 29 2 *', '5/10 0 0 1 jan *'])(
  'the schedule %s is taken',
  (value) => {
    expect(parseSettings({ ...valid, KEYSWITCH_SWEEP_SCHEDULE: value }).KEYSWITCH_SWEEP_SCHEDULE).toBe(value);
  },
);

test.each(Object.keys(valid).filter((name) => SETTING_NAMES.includes(name)))(
  '%s that is empty, or a reference that was not resolved, is named in one line',
  (name) => {
    for (const empty of ['', '  ']) {
      expect(faultsOf({ ...valid, [name]: empty })).toEqual([
        `  error: ${name}: is set, but empty: give it a value or leave it away`,
      ]);
    }
    for (const [reference, service] of [
      ['@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s)', 'Key Vault'],
      ['@Microsoft.AppConfiguration(Endpoint=https://c.azconfig.io; Key=k)', 'App Configuration'],
    ] as const) {
      const faults = faultsOf({ ...valid, [name]: reference });
      expect(faults).toEqual([
        expect.stringContaining(`  error: ${name}: is a reference to ${service} that Azure could not resolve`),
      ]);
    }
  },
);

test('the seal key lies in the vendor’s vault if it has none of its own', () => {
  const { KEYSWITCH_SEAL_VAULT_HOST: _seal, ...without } = valid;
  expect(parseSettings(without).KEYSWITCH_SEAL_VAULT_HOST).toBeUndefined();
  expect(parseSettings(valid).KEYSWITCH_SEAL_VAULT_HOST).toBe('vendor-seal-vault.vault.azure.net');
});
