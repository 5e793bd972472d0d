// The app as a host loads it: a process of its own, with the real @azure/functions.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { METHODS } from 'node:http';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { SETTING_NAMES } from '../../shared/settings.ts';

const run = promisify(execFile);

/** What the Functions host itself asks of an app's settings. */
const HOST_SETTINGS = [
  'FUNCTIONS_WORKER_RUNTIME',
  'AzureWebJobsDisableHomepage',
  'AzureWebJobsStorage',
  'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
];

interface SampleSettings {
  readonly IsEncrypted: boolean;
  readonly Values: Readonly<Record<string, string>>;
  readonly _AzureTakes: Readonly<Record<string, string>>;
  readonly _OnlyInAzure: Readonly<Record<string, string>>;
}

const sample = JSON.parse(readFileSync('local.settings.sample.json', 'utf8')) as SampleSettings;

/** Registrations as the host's core API receives them, printed by a stand-in for it. */
const LOADER = `
  import Module from 'node:module';
  const original = Module.prototype.require;
  const names = [];
  const hooks = [];
  let model;
  class Disposable {}
  const core = {
    version: '1.0.0', hostVersion: '4.0.0', Disposable, log() {}, setProgrammingModel: (given) => { model = given; }, getProgrammingModel: () => model,
    registerHook: (name) => { hooks.push(name); return new Disposable(); },
    registerFunction: ({ name, bindings }) => {
      const [binding] = Object.values(bindings);
      names.push({ name, type: binding.type, route: binding.route, methods: binding.methods, authLevel: binding.authLevel });
      return new Disposable();
    },
  };
  Module.prototype.require = function (id) {
    return id === '@azure/functions-core' ? core : Reflect.apply(original, this, arguments);
  };
  await import('./functions/main.ts');
  console.log(JSON.stringify(names));
  console.log(JSON.stringify(hooks));
`;

interface Registration {
  readonly name: string;
  readonly type: string;
  readonly route?: string;
  readonly methods?: readonly string[];
  readonly authLevel?: string;
}

const load = (env: Readonly<Record<string, string>>): Promise<{ stdout: string; stderr: string }> =>
  run(process.execPath, ['--input-type=module', '-e', LOADER], { env: { ...env } });

test('with usable settings every trigger is registered, each route once, and nothing keeps the process alive', async () => {
  const { stdout } = await load(sample.Values);
  const registered = JSON.parse(stdout.split('\n')[0] ?? '') as Registration[];
  expect(new Set(registered.map(({ name }) => name)).size).toBe(registered.length);
  const http = registered.filter(({ type }) => type === 'httpTrigger');
  expect(new Set(http.map(({ authLevel }) => authLevel))).toEqual(new Set(['anonymous']));
  const places = http.map(({ route, methods }) => `${methods?.join('|') ?? ''} ${route ?? ''}`);
  expect(places).toContain('GET|HEAD api/v1/companies/{companyId}');
  expect(places).toContain('PUT api/v1/companies/{companyId}');
  expect(places).toContain(`${METHODS.filter((method) => method !== 'CONNECT').join('|')} api/{*rest}`);
  expect(new Set(places).size).toBe(places.length);
  const rest = registered.filter(({ type }) => type !== 'httpTrigger').map(({ name, type }) => `${type} ${name}`);
  expect(rest.sort()).toEqual([
    'serviceBusTrigger check-dead-letters',
    'serviceBusTrigger checks',
    'serviceBusTrigger dead-letters',
    'serviceBusTrigger work',
    'timerTrigger audit',
    'timerTrigger notifications',
    'timerTrigger sweep',
    'timerTrigger vault-checks',
  ]);
});

test('what the first caller would wait for is asked for when the app starts, and not when it is loaded', async () => {
  const { stdout } = await load(sample.Values);
  expect(JSON.parse(stdout.split('\n')[1] ?? '')).toContain('appStart');
});

test('with settings that are not usable the load fails and lists everything that is wrong', async () => {
  const env: Record<string, string> = { ...sample.Values, KEYSWITCH_SHARD_COUNT: 'many', AZURE_CLIENT_ID: 'me' };
  delete env['KEYSWITCH_API_AUDIENCE'];
  delete env['KEYSWITCH_GOOGLE_CLIENT_SECRET'];
  const failed: unknown = await load(env).catch((error: unknown) => error);
  const { stderr } = failed as { stderr: string };
  expect(stderr).toContain('InvalidSettings');
  for (const name of ['KEYSWITCH_SHARD_COUNT', 'AZURE_CLIENT_ID', 'KEYSWITCH_API_AUDIENCE']) {
    expect(stderr).toContain(`error: ${name}:`);
  }
  expect(stderr).toContain('KEYSWITCH_GOOGLE_CLIENT_ID, KEYSWITCH_GOOGLE_CLIENT_SECRET: set all of them or none');
});

test('the sample of local settings names exactly the settings of the app and of its host', () => {
  expect(sample.IsEncrypted).toBe(false);
  expect(Object.keys(sample.Values).sort()).toEqual([...SETTING_NAMES, ...HOST_SETTINGS].sort());
});

test('the sample says beside each name whether Azure takes it, and which others Azure needs', () => {
  expect(Object.keys(sample._AzureTakes).sort()).toEqual(Object.keys(sample.Values).sort());
  for (const told of Object.values(sample._AzureTakes)) expect(told).toMatch(/^(yes|no)\b/);
  expect(Object.keys(sample._OnlyInAzure).filter((name) => name in sample.Values)).toEqual([]);
  expect(sample._AzureTakes['FUNCTIONS_WORKER_RUNTIME']).toMatch(/^no on Flex Consumption/);
  for (const name of ['APPLICATIONINSIGHTS_CONNECTION_STRING', 'FUNCTIONS_EXTENSION_VERSION']) {
    expect(sample._OnlyInAzure).toHaveProperty(name);
  }
});

test('what carries the record, security events and signed heads is never sampled away', () => {
  const host = JSON.parse(readFileSync('host.json', 'utf8')) as {
    logging: { applicationInsights: { samplingSettings: { isEnabled: boolean; excludedTypes?: string } } };
  };
  const { isEnabled, excludedTypes = '' } = host.logging.applicationInsights.samplingSettings;
  if (isEnabled) expect(excludedTypes.split(';')).toEqual(expect.arrayContaining(['Trace', 'Exception']));
});

test('the host renews a message lock for as long as a function may run', () => {
  const host = JSON.parse(readFileSync('host.json', 'utf8')) as {
    functionTimeout: string;
    extensions: { http: { routePrefix: string }; serviceBus: Record<string, unknown> };
  };
  expect(host.extensions.http.routePrefix).toBe('');
  expect(host.extensions.serviceBus['autoCompleteMessages']).toBe(true);
  expect(host.extensions.serviceBus['maxAutoLockRenewalDuration']).toBe(host.functionTimeout);
});
