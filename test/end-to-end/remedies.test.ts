// Every command of a remedy, run at the stand-ins as it was told, and the same connection test after it: it is green, or names the next thing.
// Nothing that the failure catalogue can tell goes untried.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FunctionsHost } from '../../local/functions-host/host-process.ts';
import { CONNECTOR_APP_ID, VAULT_AUDIENCE } from '../../local/identities.ts';
import { failure, FAILURE_CODES } from '../../shared/failures.ts';
import type { FailureFacts } from '../../shared/domain/failure.ts';
import { APP_DISABLED } from '../../shared/identity/entra/words/consent-failures.ts';
import { NO_KEY_VAULT_PRINCIPAL } from '../../shared/identity/entra/words/tenant-failures.ts';
import { AzureCli, shapesOf, vendorsCli } from '../az/azure-cli.ts';
import { azure, Company } from './company.ts';
import { startRun } from './harness.ts';
import type { Run } from './run.ts';

interface Told {
  readonly code: string;
  readonly remedy: { readonly text: string; readonly azureCli?: string };
}

interface Tested {
  readonly status: string;
  readonly checks: readonly { readonly check: string; readonly outcome: string; readonly failure?: Told }[];
}

const KEY_NAME = 'the-key';
const ROLE = 'Key Vault Crypto Service Encryption User';
const SECOND_MS = 1000;

let run: Run;
let cli: AzureCli;
let ofVendor: AzureCli;
let made = 0;

beforeAll(async () => {
  // So short a life that every call asks the vault, and nothing is excused as on its way.
  run = await startRun({
    settings: { KEYSWITCH_COMPANY_KEY_TTL_SECONDS: '0.001', KEYSWITCH_PROPAGATION_SECONDS: '0.001' },
  });
  const { contoso } = run.environment.customers;
  await contoso.consent();
  cli = new AzureCli(run.environment, contoso.tenantId);
  ofVendor = vendorsCli(run.environment);
});
afterAll(() => run.close());

interface Setting {
  readonly vault?: object;
  readonly key?: object;
  readonly role?: boolean;
  readonly customer?: 'contoso' | 'fabrikam';
}

class Scene {
  readonly host: string;
  readonly company: Company;
  readonly principalId: string;
  /** Of the first version of the key. */
  readonly version: string;

  constructor(
    company: Company,
    vault: { readonly host: string; readonly principalId: string; readonly version: string },
  ) {
    this.company = company;
    this.host = vault.host;
    this.principalId = vault.principalId;
    this.version = vault.version;
  }

  /** A company with a connection to a vault of its own, consented to. */
  static async set({ vault = {}, key = {}, role = true, customer = 'contoso' }: Setting = {}): Promise<Scene> {
    const { keyVault, customers } = run.environment;
    const name = `remedy-${(made += 1)}`;
    const host = `${name}.vault.azure.net`;
    const { tenantId, principalId } = customers[customer];
    await keyVault.call('POST', '/vaults', { host, tenantId, ...vault });
    const { version } = (await keyVault.call('POST', `/vaults/${host}/keys`, { name: KEY_NAME, ...key })) as {
      version: string;
    };
    if (role) {
      const grant = { principalId, role: ROLE, keyName: KEY_NAME };
      await keyVault.call('PUT', `/vaults/${host}/role-assignments/ours`, grant);
    }
    const company = await Company.create(run, name);
    const scene = new Scene(company, { host, principalId, version });
    await scene.enter(KEY_NAME);
    await company.consent(customers[customer], 'azure');
    return scene;
  }

  enter(keyName: string): Promise<void> {
    return this.company.enter({ id: 'azure', vaultUri: `https://${this.host}`, keyName });
  }

  change(settings: object): Promise<unknown> {
    return run.environment.keyVault.call('PATCH', `/vaults/${this.host}`, settings);
  }

  changeKey(change: object): Promise<unknown> {
    return run.environment.keyVault.call('PATCH', `/vaults/${this.host}/keys/${KEY_NAME}`, change);
  }

  /** What is told by the first check that found anything; undefined if it is green, without a warning. */
  async told(host?: FunctionsHost): Promise<Told | undefined> {
    const path = `${this.company.path}/connections/azure/test`;
    const tested = await this.company.must<Tested>('POST', path, host ? { host } : {});
    const found = (outcome: string): Told | undefined => tested.checks.find((one) => one.outcome === outcome)?.failure;
    const told = found('failed') ?? found('warning');
    expect(tested.status === 'green').toBe(found('failed') === undefined);
    return told;
  }

  /** The same test again and again, each time after what it told was done, until it is green. Answers what each told. */
  async mended(host?: FunctionsHost): Promise<readonly string[]> {
    const codes: string[] = [];
    for (let told = await this.told(host); told; told = await this.told(host)) {
      expect(codes, 'after its remedy it tells the same again').not.toContain(told.code);
      codes.push(told.code);
      await cli.run(commandsOf(told));
    }
    return codes;
  }
}

/** Of two ways the first. */
function commandsOf({ code, remedy }: Told): string {
  const { azureCli } = remedy;
  if (azureCli === undefined) throw new Error(`${code} has no command: ${remedy.text}`);
  return azureCli.split(/^# or: .*$/m)[0] ?? '';
}

const theOtherWay = ({ remedy }: Told): string => remedy.azureCli?.split(/^# or: .*$/m)[1] ?? '';

describe('after its remedy a connection test is green or names the next thing', () => {
  test.each<[string, Setting, (scene: Scene) => Promise<unknown>, readonly string[]]>([
    ['no role', { role: false }, nothing, ['access-denied-rbac']],
    ['no access policy', { vault: { permissionModel: 'access-policy' } }, nothing, ['access-denied-policy']],
    ['a disabled key', {}, (scene) => scene.changeKey({ enabled: false }), ['key-disabled']],
    ['a key without unwrapKey', { key: { keyOps: ['encrypt', 'wrapKey'] } }, nothing, ['key-operation-not-permitted']],
    ['a key without any operation', { key: { keyOps: [] } }, nothing, ['key-operation-not-permitted']],
    ['a key that has expired', { key: { expires: Math.floor(Date.now() / SECOND_MS) - 60 } }, nothing, ['key-expired']],
    [
      'a key of next year',
      { key: { notBefore: Math.floor(Date.now() / SECOND_MS) + 31_536_000 } },
      nothing,
      ['key-not-yet-valid'],
    ],
    ['no purge protection', { vault: { purgeProtection: false } }, nothing, ['key-purgeable']],
    ['a firewall', { vault: { firewall: ['203.0.113.0/24'] } }, nothing, ['vault-firewall']],
    ['private endpoints only', { vault: { privateOnly: true } }, nothing, ['vault-private-only', 'vault-firewall']],
    [
      'private endpoints only, behind a firewall, without a role',
      { role: false, vault: { privateOnly: true, firewall: [] } },
      nothing,
      ['vault-private-only', 'vault-firewall', 'access-denied-rbac'],
    ],
  ])('%s', async (_what, setting, trouble, codes) => {
    const scene = await Scene.set(setting);
    await trouble(scene);
    expect(await scene.mended()).toEqual(codes);
  });

  function nothing(): Promise<void> {
    return Promise.resolve();
  }

  test.each(['rbac', 'access-policy'] as const)(
    'no %s, where no answer has told any id: the commands ask for them',
    async (permissionModel) => {
      const scene = await Scene.set({ role: false, vault: { permissionModel } });
      const code = permissionModel === 'rbac' ? 'access-denied-rbac' : 'access-denied-policy';
      expect((await scene.told())?.code).toBe(code);
      const facts = { vaultHost: scene.host, keyName: KEY_NAME, appId: CONNECTOR_APP_ID };
      await cli.run(commandsOf(failure(code, facts)));
      expect(await scene.told()).toBeUndefined();
    },
  );

  test('a key in force that is refused: what a look of the timer tells is the way back', async () => {
    const { keyVault } = run.environment;
    const scene = await Scene.set();
    await scene.company.generate(2);
    expect(await scene.told()).toBeUndefined();
    expect((await scene.company.switchTo('s1', azure('azure'))).state).toBe('completed');
    await keyVault.call('DELETE', `/vaults/${scene.host}/role-assignments/ours`);
    const check = (): Promise<{ state: string } & Told> =>
      scene.company.must('POST', `${scene.company.path}/connections/azure/check`);
    const looked = await check();
    expect(looked.code).toBe('access-denied-rbac');
    await cli.run(commandsOf(looked));
    expect((await check()).state).toBe('healthy');
    expect(await scene.company.different()).toEqual([]);
  });

  test('access policies, given up for roles', async () => {
    const scene = await Scene.set({ role: false, vault: { permissionModel: 'access-policy' } });
    const told = await scene.told();
    expect(told?.code).toBe('access-denied-policy');
    await cli.run(theOtherWay(told!));
    expect(await scene.told()).toBeUndefined();
    // Which is why the two ways are alternatives.
    await expect(cli.run(commandsOf(told!))).rejects.toThrow('Cannot set policies to a vault');
  });

  test('a deleted key, and its version in use', async () => {
    const scene = await Scene.set();
    expect(await scene.told()).toBeUndefined();
    await run.environment.keyVault.call('DELETE', `/vaults/${scene.host}/keys/${KEY_NAME}`);
    expect(await scene.mended()).toEqual(['key-deleted']);
  });

  test('an older version in use that was disabled, or may not unwrap: the newest one is left as it is', async () => {
    const { keyVault } = run.environment;
    const scene = await Scene.set();
    await scene.company.generate(2);
    expect(await scene.told()).toBeUndefined();
    expect((await scene.company.switchTo('s1', azure('azure'))).state).toBe('completed');
    const key = `/vaults/${scene.host}/keys/${KEY_NAME}`;
    const { version } = scene;
    await keyVault.call('POST', `${key}/versions`, { enabled: true, keyOps: ['wrapKey', 'unwrapKey'] });
    await keyVault.call('PATCH', key, { version, enabled: false });
    expect(await scene.mended()).toEqual(['key-version-disabled']);
    await keyVault.call('PATCH', key, { version, keyOps: ['sign'] });
    expect(await scene.mended()).toEqual(['key-operation-not-permitted']);
    // A date of its own keeps it from nothing, and the warning is of this version too.
    const nextYear = Math.floor(Date.now() / SECOND_MS) + 31_536_000;
    await keyVault.call('PATCH', key, { version, notBefore: nextYear });
    expect(await scene.mended()).toEqual(['key-not-yet-valid']);
    expect(await scene.company.different()).toEqual([]);
  });

  test('a vault that was deleted: Azure gives back no roles with it', async () => {
    const { keyVault } = run.environment;
    const scene = await Scene.set();
    await keyVault.call('DELETE', `/vaults/${scene.host}`);
    const told = await scene.told();
    expect(told?.code).toBe('vault-not-found');
    const [look = '', there = '', ...rest] = told?.remedy.azureCli?.split('\n') ?? [];
    expect(look).toBe('# is it there?');
    await expect(cli.run(there)).rejects.toThrow('no vault');
    await cli.run(rest.join('\n'));
    expect(await scene.mended()).toEqual(['access-denied-rbac']);
  });

  test('a vault in use that was deleted: it comes back, and then its role', async () => {
    const { keyVault } = run.environment;
    const scene = await Scene.set();
    const told = failure('vault-deleted', { vaultHost: scene.host, keyName: KEY_NAME, appId: CONNECTOR_APP_ID });
    await keyVault.call('DELETE', `/vaults/${scene.host}`);
    await cli.run(commandsOf(told));
    expect(await scene.told()).toBeUndefined();
    // Of one that was purged the first command says that there is none.
    await keyVault.call('PATCH', `/vaults/${scene.host}`, { purgeProtection: false });
    await keyVault.call('DELETE', `/vaults/${scene.host}`);
    await keyVault.call('DELETE', `/deleted-vaults/${scene.host}`);
    await expect(cli.run(commandsOf(told))).rejects.toThrow('no deleted vault');
  });

  test('a mistyped name: the list holds the right one', async () => {
    const scene = await Scene.set({ role: false });
    const grant = { principalId: scene.principalId, role: ROLE };
    await run.environment.keyVault.call('PUT', `/vaults/${scene.host}/role-assignments/all`, grant);
    await scene.enter('teh-key');
    await scene.company.consent(run.environment.customers.contoso, 'azure');
    const told = await scene.told();
    expect(told?.code).toBe('key-not-found');
    const names = await cli.run(commandsOf(told!));
    expect(names.split('\n')).toEqual([KEY_NAME]);
    await scene.enter(names);
    await scene.company.consent(run.environment.customers.contoso, 'azure');
    expect(await scene.told()).toBeUndefined();
  });

  test.each([
    ['EC', 'RSA'],
    ['EC-HSM', 'RSA-HSM'],
  ])('a key of the type %s: one of its own name beside it, of the type %s', async (kty, kind) => {
    const scene = await Scene.set({ key: { kty } });
    const told = await scene.told();
    expect(told?.code).toBe('key-type-unsupported');
    const printed = JSON.parse(await cli.run(commandsOf(told!))) as { key: { kty: string; kid: string } };
    expect(printed.key.kty).toBe(kind);
    await scene.enter(`${KEY_NAME}-rsa`);
    await scene.company.consent(run.environment.customers.contoso, 'azure');
    expect(await scene.mended()).toEqual(['access-denied-rbac']);
  });

  test.each(['RSA', 'RSA-HSM'])('a key of the type %s that is too small keeps its type', async (kty) => {
    const scene = await Scene.set({ key: { kty } });
    const strict = await run.startHost({ KEYSWITCH_MIN_RSA_BITS: '3072' });
    expect(await scene.mended(strict)).toEqual(['key-too-small']);
    // It would have an opinion on the keys of the other tests as well.
    await strict.kill('SIGKILL');
    const key = JSON.parse(
      await cli.run(`az keyvault key show --vault-name ${scene.host.split('.')[0]} --name ${KEY_NAME}`),
    ) as unknown;
    expect(key).toMatchObject({ key: { kty } });
  });

  test('an app that was switched off, and one that was taken away', async () => {
    const { entra, customers } = run.environment;
    const scene = await Scene.set({ customer: 'fabrikam' });
    const principal = `/tenants/${customers.fabrikam.tenantId}/service-principals/${CONNECTOR_APP_ID}`;
    const there = new AzureCli(run.environment, customers.fabrikam.tenantId);
    await entra.call('PUT', principal, { enabled: false });
    const off = await scene.told();
    expect(off?.code).toBe('consent-required');
    await there.run(commandsOf(off!));
    expect(await scene.told()).toBeUndefined();
    await entra.call('DELETE', principal);
    const gone = await scene.told();
    expect(gone?.code).toBe('consent-required');
    await there.run(commandsOf(gone!));
    // It has another object id now, as in Azure.
    const next = await scene.told();
    expect(next?.code).toBe('access-denied-rbac');
    await there.run(commandsOf(next!));
    expect(await scene.told()).toBeUndefined();
    for (const shape of there.tried) cli.tried.add(shape);
  });

  test.each(['disabled', 'missing'] as const)('Key Vault’s own principal is %s in the tenant', async (state) => {
    const { entra, customers } = run.environment;
    const scene = await Scene.set();
    const path = `/tenants/${customers.contoso.tenantId}/resources`;
    await entra.call('PUT', path, { resource: VAULT_AUDIENCE, state });
    expect(await scene.mended()).toEqual(['entra-resource-disabled']);
  });

  test('a vault that belongs to another tenant: it is named', async () => {
    const { keyVault, customers } = run.environment;
    const scene = await Scene.set();
    await keyVault.call('POST', `/vaults/${scene.host}/move`, { tenantId: customers.fabrikam.tenantId });
    const told = await scene.told();
    expect(told?.code).toBe('wrong-entra-tenant');
    expect(await cli.run(commandsOf(told!))).toBe(customers.fabrikam.tenantId);
  });

  test('a refusal that nobody knows: the vault is there to be looked at', async () => {
    const scene = await Scene.set();
    const effect = {
      status: 403,
      body: { error: { code: 'Forbidden', message: 'No.', innererror: { code: 'ForbiddenByMoon' } } },
    };
    await run.environment.keyVault.plant({ operation: 'get', target: `${scene.host}/${KEY_NAME}`, times: 1, effect });
    const told = await scene.told();
    expect(told?.code).toBe('vault-refused');
    expect(await cli.run(commandsOf(told!))).toContain(scene.host);
    expect(await scene.told()).toBeUndefined();
  });

  test('the vendor’s own: an ID token without roles, a federated credential that is another', async () => {
    const { entra } = run.environment;
    const scene = await Scene.set();
    await entra.call('PATCH', `/apps/${CONNECTOR_APP_ID}/manifest`, { groupMembershipClaims: 'None' });
    await expect(scene.company.consent(run.environment.customers.contoso, 'azure')).rejects.toThrow('wids');
    await ofVendor.run(commandsOf(failure('wids-not-emitted', { appId: CONNECTOR_APP_ID })));
    await scene.company.consent(run.environment.customers.contoso, 'azure');
    await entra.call('PATCH', `/apps/${CONNECTOR_APP_ID}/manifest`, { optionalIdTokenClaims: [] });
    await expect(scene.company.consent(run.environment.customers.contoso, 'azure')).rejects.toThrow('auth_time');
    await ofVendor.run(commandsOf(failure('auth-time-not-emitted', { appId: CONNECTOR_APP_ID })));
    await scene.company.consent(run.environment.customers.contoso, 'azure');
    const listed = await ofVendor.run(commandsOf(failure('federation-mismatch', { appId: CONNECTOR_APP_ID })));
    expect(listed).toContain('login.microsoftonline.com');
    const value = await ofVendor.run(commandsOf(failure('client-secret-wrong', { appId: CONNECTOR_APP_ID })));
    expect(value).toMatch(/\S{30}/);
    expect(await scene.told()).toBeUndefined();
  });

  test('a tenant that nobody has named', async () => {
    const told = failure('entra-tenant-not-found');
    expect(await cli.run(commandsOf(told))).toBe(run.environment.customers.contoso.tenantId);
  });
});

test('the stand-ins refuse what Azure refuses', async () => {
  const { host } = await Scene.set();
  const name = host.split('.')[0] ?? '';
  for (const address of ['10.0.1.4', '172.20.0.1', '192.168.1.1', '100.64.0.1', '2001:db8::1']) {
    const command = `az keyvault network-rule add --name ${name} --ip-address ${address}`;
    await expect(cli.run(command)).rejects.toThrow('Invalid value found');
  }
  await expect(cli.run(`az keyvault update --name ${name} --enable-purge-protection false`)).rejects.toThrow(
    'irreversible',
  );
  await expect(cli.run(`az ad sp create --id ${CONNECTOR_APP_ID}`)).rejects.toThrow('already in use');
  await expect(cli.run(`az keyvault recover --name ${name}`)).rejects.toThrow('no deleted vault');
  await expect(cli.run('az keyvault destroy')).rejects.toThrow('misspelled');
});

const FACTS: FailureFacts = {
  vaultHost: 'contoso.vault.azure.net',
  keyName: 'main-key',
  tenantId: '11111111-0000-4000-8000-000000000001',
  appId: '22222222-0000-4000-8000-000000000002',
  clientAddress: '203.0.113.7',
};
const { tenantId: _tenant, ...WITHOUT_TENANT } = FACTS;
const VARIANTS: readonly FailureFacts[] = [
  {},
  FACTS,
  WITHOUT_TENANT,
  { ...FACTS, principalId: '33333333-0000-4000-8000-000000000003' },
  { ...FACTS, resourceId: '/subscriptions/4/resourcegroups/keys/providers/microsoft.keyvault/vaults/contoso' },
  { ...FACTS, keySeen: true },
  { ...FACTS, keySeen: true, inUse: true, keyVersion: '0123456789abcdef0123456789abcdef' },
  { ...FACTS, isHsm: true },
  { ...FACTS, onlyImports: true },
  { ...FACTS, denyAssignmentId: '5' },
  ...[APP_DISABLED, NO_KEY_VAULT_PRINCIPAL].map((detail) => ({ ...FACTS, detail })),
];

test('no command of the catalogue is left untried', async () => {
  const told = new Set<string>();
  for (const code of FAILURE_CODES)
    for (const facts of VARIANTS)
      for (const shape of await shapesOf(failure(code, facts).remedy.azureCli ?? '')) told.add(shape);
  const tried = new Set([...cli.tried, ...ofVendor.tried]);
  expect(told.size).toBeGreaterThan(20);
  expect([...told].filter((shape) => !tried.has(shape))).toEqual([]);
});
