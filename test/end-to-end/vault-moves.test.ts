// A customer's subscription goes to another Entra tenant, and its vault with it, while the company's data is under its key: nothing opens, the
// remedy names a way out, and that way leads out.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signInAs } from '../../local/environment/sign-in-as.ts';
import { azure, Company, MANAGED } from './company.ts';
import { startRun } from './harness.ts';
import { until, type Run } from './run.ts';

const KEY_NAME = 'moving-key';
const ROLE = 'Key Vault Crypto Service Encryption User';

interface Tested {
  readonly status: string;
  readonly checks: readonly {
    readonly check: string;
    readonly outcome: string;
    readonly failure?: {
      readonly code: string;
      readonly remedy: { readonly text: string; readonly azureCli?: string };
    };
  }[];
}

let run: Run;
let company: Company;
beforeAll(async () => {
  // So short a life that every call asks the vault.
  run = await startRun({ settings: { KEYSWITCH_COMPANY_KEY_TTL_SECONDS: '0.001' } });
  company = await Company.create(run, 'moving', 20);
  await company.connect(run.environment.customers.contoso, { id: 'azure', keyName: KEY_NAME });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
});
afterAll(() => run.close());

async function tested(): Promise<{ readonly status: string; readonly failed: Tested['checks'][number] | undefined }> {
  const { status, checks } = await company.must<Tested>('POST', `${company.path}/connections/azure/test`);
  return { status, failed: checks.find(({ outcome }) => outcome === 'failed') };
}

test('a vault in force that was moved opens again once its new tenant has consented, and can be left', async () => {
  const { keyVault, customers } = run.environment;
  const { contoso, fabrikam } = customers;
  const vault = `/vaults/${contoso.vaultHost}`;
  await keyVault.call('POST', `${vault}/move`, { tenantId: fabrikam.tenantId });

  const [keyId = ''] = company.keys.keys();
  expect((await company.unwrapOne(keyId)).failure).toMatchObject({
    code: 'wrong-entra-tenant',
    owner: 'company-admin',
  });
  const moved = await tested();
  expect(moved.failed).toMatchObject({ check: 'challenge', failure: { code: 'wrong-entra-tenant' } });
  expect(moved.failed?.failure?.remedy.text).toContain('consent link');

  const path = `${company.path}/connections/azure/consent`;
  const { link } = await company.must<{ link: string }>('POST', path, { asAdminOf: 'moving' });
  const page = await signInAs(run.environment, link, 'fabrikam-global-admin');
  expect([page.status, page.heading]).toEqual([200, 'Consent is granted']);
  expect(page.text).toContain(contoso.tenantId);

  const withoutRole = await tested();
  expect(withoutRole).toMatchObject({
    status: 'waiting',
    failed: { check: 'in-use', failure: { code: 'access-denied-rbac' } },
  });
  expect(withoutRole.failed?.failure?.remedy.azureCli).toContain(fabrikam.principalId);
  expect((await company.unwrapOne(keyId)).failure?.code).toBe('wrong-entra-tenant');

  const grant = { principalId: fabrikam.principalId, role: ROLE, keyName: KEY_NAME };
  await keyVault.call('PUT', `${vault}/role-assignments/${KEY_NAME}`, grant);
  expect((await tested()).status).toBe('green');
  expect(await company.different()).toEqual([]);
  const connection = await company.must('GET', `${company.path}/connections/azure`);
  expect(connection).toMatchObject({ tenantId: fabrikam.tenantId, movedFrom: [contoso.tenantId] });

  // Until a check has seen that it opens again, no switch away from it is taken: the green test has asked for that check.
  await until('the switch to be taken', async () => (await company.order('s2', MANAGED)).status === 202);
  expect((await company.ends('s2')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});
