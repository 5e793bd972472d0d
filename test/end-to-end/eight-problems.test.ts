// The problems that people have when they bring their own key, as a vendor's help page lists them: what one sees, why it happens, how
// to fix it. Each is provoked on the running app, answered with that cause and fix, and gone when the fix was made.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Customer } from '../../local/environment/customers.ts';
import { Company } from './company.ts';
import { startRun, type Run } from './harness.ts';

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly owner: string;
  readonly cause: string;
  readonly remedy: { readonly text: string; readonly azureCli?: string; readonly portal?: string };
  readonly suggestion?: { readonly vaultUri: string; readonly keyName: string };
}

interface Tested {
  readonly status: string;
  readonly checks: readonly { readonly check: string; readonly outcome: string; readonly failure?: Failure }[];
}

interface Typed {
  readonly vaultUri: string;
  readonly keyName: string;
}

const KEY_VERSION = '0123456789abcdef0123456789abcdef';
const ROLE = 'Key Vault Crypto Service Encryption User';

let run: Run;
let contoso: Customer;
let fabrikam: Customer;
beforeAll(async () => {
  run = await startRun();
  ({ contoso, fabrikam } = run.environment.customers);
});
afterAll(() => run.close());

const credential = { kind: 'federated' };

/** What the form says when it is sent; undefined if the values are taken. */
async function enter(company: Company, typed: Typed): Promise<Failure | undefined> {
  const body = { ...typed, credential };
  const { status, body: answer } = await run.call<{ error?: Failure }>('PUT', `${company.path}/connections/own`, {
    body,
  });
  expect([200, 201, 400]).toContain(status);
  return answer.error;
}

const tested = (company: Company): Promise<Tested> => company.must('POST', `${company.path}/connections/own/test`);

/** What the test of the connection failed with. */
async function failureOf(company: Company): Promise<Failure> {
  const found = (await tested(company)).checks.find(({ outcome }) => outcome === 'failed')?.failure;
  if (!found) throw new Error('the test found nothing wrong');
  return found;
}

/** A company whose tenant has consented to the vendor's app. */
async function consented(companyId: string, customer: Customer, keyName = customer.keyName): Promise<Company> {
  const company = await Company.create(run, companyId);
  await customer.consent();
  expect(await enter(company, { vaultUri: customer.vaultUri, keyName })).toBeUndefined();
  return company;
}

test('the whole URL of the key in the field of the vault', async () => {
  const company = await Company.create(run, 'key-url');
  const { vaultUri, keyName } = contoso;
  const failure = await enter(company, { vaultUri: `${vaultUri}/keys/${keyName}/${KEY_VERSION}`, keyName });
  expect(failure?.code).toBe('vault-uri-contains-key-path');
  expect(failure?.message).toContain('The URI appears to contain the key path');
  expect(failure?.message).toContain("Use only the vault's base URI");
  expect(failure?.cause).toMatch(/whole address of a key/);
  expect(failure?.remedy.text).toBe(`Vault URI: ${vaultUri}, key name: ${keyName}`);
  // The fix, as it is offered.
  expect(failure?.suggestion).toEqual({ vaultUri, keyName });
  expect(await enter(company, { vaultUri, keyName })).toBeUndefined();
});

test('the URL of a secret in place of a key', async () => {
  const company = await Company.create(run, 'secret-url');
  const { vaultUri, keyName } = contoso;
  const failure = await enter(company, { vaultUri: `${vaultUri}/secrets/${keyName}/${KEY_VERSION}`, keyName });
  expect(failure?.code).toBe('vault-uri-is-secret');
  expect(failure?.message).toContain('The URI appears to point to a secret');
  expect(failure?.message).toContain('Secrets and keys are different things');
  expect(failure?.remedy.text).toMatch(/open Keys \(not Secrets.*choose an RSA key/);
  expect(failure?.remedy.portal).toMatch(/Objects > Keys/);
  expect(await enter(company, { vaultUri, keyName })).toBeUndefined();
});

test('a key whose name is mistyped', async () => {
  // Who may use one key only is told of no other: the role is on the vault here, as it is where people meet this.
  const grant = { principalId: contoso.principalId, role: ROLE };
  const roles = `/vaults/${contoso.vaultHost}/role-assignments`;
  await run.environment.keyVault.call('PUT', `${roles}/whole-vault`, grant);
  const company = await consented('mistyped', contoso, 'custmer-key');
  const failure = await failureOf(company);
  expect(failure).toMatchObject({
    code: 'key-not-found',
    message: 'Key not found in the vault.',
    owner: 'azure-admin',
  });
  expect(failure.cause).toMatch(/mistyped, be the name of a secret/);
  expect(failure.remedy.text).toBe("Copy the exact name from the vault's list of keys.");
  expect(failure.remedy.portal).toMatch(/Objects > Keys/);
  expect(await enter(company, { vaultUri: contoso.vaultUri, keyName: contoso.keyName })).toBeUndefined();
  expect((await tested(company)).status).toBe('green');
  await run.environment.keyVault.call('DELETE', `${roles}/whole-vault`);
});

test('consent without the right to use the key', async () => {
  const company = await consented('no-role', contoso);
  const failure = await failureOf(company);
  expect(failure).toMatchObject({ code: 'access-denied-rbac', owner: 'azure-admin' });
  expect(failure.message).toMatch(/^Access denied/);
  expect(failure.cause).toMatch(/no role allows us/);
  expect(failure.remedy.text).toContain(`Assign the role ${ROLE}`);
  expect(failure.remedy.azureCli).toMatch(/^az role assignment create /);
  await contoso.grant();
  expect((await tested(company)).status).toBe('green');
});

test('a vault that uses access policies', async () => {
  const company = await consented('policies', fabrikam);
  const failure = await failureOf(company);
  expect(failure).toMatchObject({ code: 'access-denied-policy', owner: 'azure-admin' });
  expect(failure.message).toContain('The vault uses access policies');
  expect(failure.cause).toContain('on the older permission model');
  expect(failure.remedy.text).toMatch(/switch the vault to Azure role-based access control and assign the role/);
  expect(failure.remedy.portal).toContain('Access configuration > Azure role-based access control');
  // As the page says; an access policy would do here too.
  await fabrikam.changeVault({ permissionModel: 'rbac' });
  expect((await failureOf(company)).code).toBe('access-denied-rbac');
  const grant = { principalId: fabrikam.principalId, role: ROLE, keyName: fabrikam.keyName };
  await run.environment.keyVault.call('PUT', `/vaults/${fabrikam.vaultHost}/role-assignments/own`, grant);
  expect((await tested(company)).status).toBe('green');
});
