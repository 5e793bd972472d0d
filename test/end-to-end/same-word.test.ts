// A key in force that is in trouble, on the running app: whoever meets it, a caller who unwraps or makes keys, the timer's look, a connection test or
// a switch away, is told the same thing, the same remedy and the same owner.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { azure, Company, MANAGED } from './company.ts';
import { startRun } from './harness.ts';
import type { ErrorBody, Run } from './run.ts';

interface Told {
  readonly code: string;
  readonly owner: string;
  readonly message: string;
  readonly remedy: { readonly text: string; readonly azureCli?: string; readonly portal?: string };
}

interface Tested {
  readonly checks: readonly { readonly check: string; readonly outcome: string; readonly failure?: Told }[];
}

const KEY_NAME = 'the-key';
const ROLE = 'Key Vault Crypto Service Encryption User';

let run: Run;
let made = 0;
beforeAll(async () => {
  // So short a life that every call asks the vault, and nothing is excused as on its way.
  run = await startRun({
    settings: { KEYSWITCH_COMPANY_KEY_TTL_SECONDS: '0.001', KEYSWITCH_PROPAGATION_SECONDS: '0.001' },
  });
  await run.environment.customers.contoso.consent();
});
afterEach(() => run.environment.entra.call('DELETE', '/faults'));
afterAll(() => run.close());

interface Scene {
  readonly company: Company;
  readonly host: string;
  /** Of the first version of its key, by which everything is wrapped. */
  readonly version: string;
}

/** A company whose keys are under a key of its own, in a vault of its own. */
async function inForce(): Promise<Scene> {
  const { keyVault, customers } = run.environment;
  const { tenantId, principalId } = customers.contoso;
  const name = `word-${(made += 1)}`;
  const host = `${name}.vault.azure.net`;
  await keyVault.call('POST', '/vaults', { host, tenantId });
  const { version } = (await keyVault.call('POST', `/vaults/${host}/keys`, { name: KEY_NAME })) as { version: string };
  await keyVault.call('PUT', `/vaults/${host}/role-assignments/ours`, { principalId, role: ROLE, keyName: KEY_NAME });
  const company = await Company.create(run, name, 2);
  await company.enter({ id: 'azure', vaultUri: `https://${host}`, keyName: KEY_NAME });
  await company.consent(customers.contoso, 'azure');
  await company.must('POST', `${company.path}/connections/azure/test`);
  expect((await company.switchTo('there', azure('azure'))).state).toBe('completed');
  return { company, host, version };
}

const word = ({ code, owner, message, remedy }: Told): Told => ({ code, owner, message, remedy });

async function allSay({ company }: Scene): Promise<Readonly<Record<string, Told>>> {
  const [keyId = ''] = company.keys.keys();
  const error = async (path: string, body: object): Promise<Told> => {
    const answer = await run.call<ErrorBody>('POST', path, { as: 'dataKeys', body });
    expect(answer.status, JSON.stringify(answer.body)).toBeGreaterThanOrEqual(400);
    return word(answer.body.error as unknown as Told);
  };
  // Before a check has seen the denial: after it, none is taken.
  const { status } = await company.order('back', MANAGED);
  expect(status).toBe(202);
  const { blocked } = await company.reaches('back', (view) => view.blocked !== undefined);
  const unwrap = await error(`${company.keyring}/unwrap`, { keyIds: [keyId] });
  const generate = await error(`${company.keyring}/datakeys`, { keys: [{}] });
  const check = word(await company.must<Told>('POST', `${company.path}/connections/azure/check`));
  const health = await company.must<{ current: Told }>('GET', `${company.path}/connections/azure/health`);
  const { checks } = await company.must<Tested>('POST', `${company.path}/connections/azure/test`);
  const failed = checks.filter(({ outcome }) => outcome === 'failed');
  const met = failed.find((one) => one.check === 'in-use') ?? failed[0];
  return {
    unwrap,
    generate,
    check,
    health: word(health.current),
    test: word(met!.failure!),
    switch: word(blocked!.failure as unknown as Told),
  };
}

const answering = (aadsts: number): object => ({
  status: 400,
  body: { error: 'invalid_request', error_description: `AADSTS${aadsts}: Words of Entra.`, error_codes: [aadsts] },
});
const refusing = (innerCode: string, message: string): object => ({
  status: 403,
  body: { error: { code: 'Forbidden', message, innererror: { code: innerCode } } },
});

test.each<[string, string, (scene: Scene) => Promise<unknown>]>([
  [
    'the version in use was disabled after a newer one was made',
    'key-version-disabled',
    async ({ host, version }) => {
      const key = `/vaults/${host}/keys/${KEY_NAME}`;
      await run.environment.keyVault.call('POST', `${key}/versions`, { enabled: true });
      await run.environment.keyVault.call('PATCH', key, { version, enabled: false });
    },
  ],
  [
    'the version in use may not unwrap any more',
    'key-operation-not-permitted',
    ({ host, version }) =>
      run.environment.keyVault.call('PATCH', `/vaults/${host}/keys/${KEY_NAME}`, { version, keyOps: ['sign'] }),
  ],
  [
    'the key was deleted',
    'key-deleted',
    ({ host }) => run.environment.keyVault.call('DELETE', `/vaults/${host}/keys/${KEY_NAME}`),
  ],
  [
    'the role was taken away',
    'access-denied-rbac',
    ({ host }) => run.environment.keyVault.call('DELETE', `/vaults/${host}/role-assignments/ours`),
  ],
  [
    'a firewall refuses us',
    'vault-firewall',
    ({ host }) => run.environment.keyVault.call('PATCH', `/vaults/${host}`, { firewall: ['203.0.113.0/24'] }),
  ],
  [
    'private endpoints only are let in',
    'vault-private-only',
    ({ host }) => run.environment.keyVault.call('PATCH', `/vaults/${host}`, { privateOnly: true }),
  ],
  [
    'the vault was moved to another tenant',
    'wrong-entra-tenant',
    ({ host }) =>
      run.environment.keyVault.call('POST', `/vaults/${host}/move`, {
        tenantId: run.environment.customers.fabrikam.tenantId,
      }),
  ],
  [
    'a perimeter refuses us',
    'vault-perimeter',
    (scene) => plant(scene, refusing('ForbiddenByNsp', 'The request was forbidden by NSP policy.')),
  ],
  [
    'it refuses for a reason that nobody knows',
    'vault-refused',
    (scene) => plant(scene, refusing('ForbiddenByMoonPhase', 'The moon is wrong.')),
  ],
  ...(
    [
      [700016, 'consent-required'],
      [5000225, 'entra-tenant-blocked'],
      [90002, 'entra-tenant-not-found'],
      [999999, 'entra-refused'],
    ] as const
  ).map(([aadsts, code]): [string, string, () => Promise<unknown>] => [
    `Entra answers AADSTS${aadsts}`,
    code,
    () => run.environment.entra.plant({ operation: 'token', effect: answering(aadsts) }),
  ]),
])('where %s (%s), everybody is told the same', async (_trouble, code, trouble) => {
  const scene = await inForce();
  await trouble(scene);
  const said = await allSay(scene);
  expect(said['unwrap']?.code).toBe(code);
  for (const [who, told] of Object.entries(said)) expect(told, who).toEqual(said['unwrap']);
});

async function plant({ host }: Scene, effect: object): Promise<void> {
  for (const operation of ['get', 'unwrapkey']) {
    await run.environment.keyVault.plant({ operation, target: `${host}/${KEY_NAME}`, effect });
  }
}
