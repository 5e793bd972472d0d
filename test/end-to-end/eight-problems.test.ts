// The table "Common issues" of the documented product, row by row: each is provoked in the running app, and answered with that table's
// cause and fix in its own words, so that support can go on working with the page it knows.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Browser } from '../../local/browser/browser.ts';
import { signInAt } from '../../local/browser/sign-in-pages.ts';
import type { CustomerName } from '../../local/environment/customers.ts';
import { DATA_TENANTS } from '../../local/environment/persons.ts';
import { signInAs } from '../../local/environment/sign-in-as.ts';
import { azure, Company, type TenantRef } from './company.ts';
import { startRun } from './harness.ts';
import { until, type Run } from './run.ts';

interface Told {
  readonly code: string;
  readonly message: string;
  readonly cause: string;
  readonly remedy: { readonly text: string; readonly portal?: string; readonly azureCli?: string };
  readonly owner: string;
  readonly target?: string;
  readonly suggestion?: { readonly vaultUri: string; readonly keyName: string };
}

interface Tested {
  readonly status: string;
  readonly checks: readonly { readonly check: string; readonly outcome: string; readonly failure?: Told }[];
}

interface Entered {
  readonly customer?: CustomerName;
  readonly vaultUri?: string;
  readonly keyName?: string;
}

const EUROPE: TenantRef = { kind: 'microsoft-365', tenantId: DATA_TENANTS.europe.tenant };
const RESEARCH: TenantRef = { kind: 'microsoft-365', tenantId: DATA_TENANTS.research.tenant };
const ROLE = 'Key Vault Crypto Service Encryption User';

let run: Run;
let companies = 0;

beforeAll(async () => {
  // So long after consent a denial is told as a grant that may still be on its way; what comes after it is what the table is about.
  run = await startRun({ settings: { KEYSWITCH_PROPAGATION_SECONDS: '1' } });
});
afterAll(() => run.close());

const newCompany = (keys = 0): Promise<Company> => Company.create(run, `problem-${(companies += 1)}`, keys);

function enter(company: Company, entered: Entered): ReturnType<typeof company.run.call<{ error: Told }>> {
  const { customer = 'contoso', keyName = 'customer-key' } = entered;
  const vaultUri = entered.vaultUri ?? run.environment.customers[customer].vaultUri;
  const body = { vaultUri, keyName, credential: { kind: 'federated' } };
  return run.call('PUT', `${company.path}/connections/azure`, { body });
}

/** A company whose connection an administrator has consented to. */
async function consented(entered: Entered): Promise<Company> {
  const company = await newCompany();
  expect((await enter(company, entered)).status).toBe(201);
  await company.consent(run.environment.customers[entered.customer ?? 'contoso'], 'azure');
  return company;
}

const testOf = (company: Company): Promise<Tested> => company.must('POST', `${company.path}/connections/azure/test`);

/** The first check that fails, and what is told of it. */
async function found(company: Company): Promise<{ readonly check: string; readonly told: Told }> {
  const { status, checks } = await until('a verdict', async () => {
    const tested = await testOf(company);
    return tested.status !== 'waiting' && tested;
  });
  expect(status).toBe('failed');
  const failed = checks.find(({ outcome }) => outcome === 'failed');
  if (!failed?.failure) throw new Error('nothing failed');
  return { check: failed.check, told: failed.failure };
}

test('the URI appears to contain the key path: the whole key URL was pasted', async () => {
  const company = await newCompany();
  const vaultUri = 'https://contoso-keys.vault.azure.net/keys/my-key/abc123';
  const { status, body } = await enter(company, { vaultUri, keyName: '' });
  expect([status, body.error.code]).toEqual([400, 'vault-uri-contains-key-path']);
  const { message, remedy, target, suggestion } = body.error;
  expect(message).toContain('The URI appears to contain the key path');
  expect(message).toContain("Use only the vault's base URI and put the key name in its own field");
  expect(target).toBe('body.vaultUri');
  // The way out is typed already.
  const typed = { vaultUri: 'https://contoso-keys.vault.azure.net', keyName: 'my-key' };
  expect(remedy.text).toBe(`Vault URI: ${typed.vaultUri}, key name: ${typed.keyName}`);
  expect(suggestion).toEqual(typed);
  expect((await enter(company, typed)).status).toBe(201);
});

test('the URI appears to point to a secret: a secret URL was pasted', async () => {
  const company = await newCompany();
  const vaultUri = 'https://contoso-keys.vault.azure.net/secrets/my-secret/abc123';
  const { status, body } = await enter(company, { vaultUri });
  expect([status, body.error.code]).toEqual([400, 'vault-uri-is-secret']);
  const { message, remedy } = body.error;
  expect(message).toContain('The URI appears to point to a secret');
  expect(message).toContain('Secrets and keys are different things in Azure Key Vault');
  expect(remedy.text).toContain('open Keys (not Secrets or Certificates), choose an RSA key');
});

test('key not found in the vault: its name is mistyped, or a secret’s', async () => {
  const { keyVault, customers } = run.environment;
  const { vaultHost, principalId } = customers.contoso;
  const keyName = 'custmer-key';
  const company = await consented({ keyName });
  await keyVault.call('PUT', `/vaults/${vaultHost}/role-assignments/vault-wide`, { principalId, role: ROLE });
  const { check, told } = await found(company);
  await keyVault.call('DELETE', `/vaults/${vaultHost}/role-assignments/vault-wide`);
  expect([check, told.code]).toEqual(['key-read', 'key-not-found']);
  expect(told.message).toContain('Key not found in the vault');
  expect(told.cause).toContain(keyName);
  expect(told.cause).toContain('It may be mistyped, be the name of a secret');
  expect(told.remedy.text).toContain("Copy the exact name from the vault's list of keys");
});

// That a consent is kept for 24 hours cannot be waited for here, and its time is sealed: test/operations/connections/connection-test.test.ts has a clock.
test('Azure AD admin consent is required: the step was skipped', async () => {
  const company = await newCompany();
  await enter(company, { keyName: 'skipped-key' });
  const { check, told } = await found(company);
  expect([check, told.code, told.owner]).toEqual(['consent', 'consent-required', 'company-admin']);
  expect(told.message).toContain('Azure AD admin consent is required');
  expect(told.cause).toContain('No administrator has granted consent for this connection yet');
  expect(told.remedy.text).toContain('Global Administrator or Privileged Role Administrator');
  // What it says helps: the flow is completed, and the next check is another one.
  await company.consent(run.environment.customers.contoso, 'azure');
  expect((await found(company)).told.code).not.toBe('consent-required');
});

test('access denied during the connection test: there is consent, and no permission on the key yet', async () => {
  const { keyVault, customers } = run.environment;
  const { vaultHost, principalId } = customers.contoso;
  const keyName = 'denied-key';
  await keyVault.call('POST', `/vaults/${vaultHost}/keys`, { name: keyName });
  const company = await consented({ keyName });
  const { check, told } = await found(company);
  expect([check, told.code, told.owner]).toEqual(['key-read', 'access-denied-rbac', 'azure-admin']);
  expect(told.message).toContain('Access denied');
  expect(told.remedy.text).toContain(`Assign the role ${ROLE}`);
  expect(told.remedy.azureCli).toContain(`--assignee-object-id ${principalId}`);
  await keyVault.call('PUT', `/vaults/${vaultHost}/role-assignments/${keyName}`, { principalId, role: ROLE, keyName });
  expect((await testOf(company)).status).toBe('green');
});

test('the vault uses access policies: it is on the older permission model', async () => {
  const company = await consented({ customer: 'fabrikam' });
  const { told } = await found(company);
  expect([told.code, told.owner]).toEqual(['access-denied-policy', 'azure-admin']);
  expect(told.message).toContain('The vault uses access policies');
  expect(told.remedy.text).toContain(`switch the vault to Azure role-based access control and assign the role ${ROLE}`);
  expect(told.remedy.portal).toContain('Azure role-based access control');
});

test('the consent flow returns an error for whoever is no administrator of the right role', async () => {
  const { environment } = run;
  const company = await newCompany();
  await enter(company, { keyName: 'flow-key' });
  const link = (): Promise<string> => company.consentLink('azure');
  // Microsoft enforces it itself, and sends them back.
  const returned = await signInAs(environment, await link(), 'contoso-user');
  expect([returned.status, returned.headers['x-ms-error-code']]).toEqual([400, 'consent-declined']);
  expect(returned.text).toContain('sign in as Global Administrator or Privileged Role Administrator');
  // Somebody else has accepted, and then they sign in.
  const browser = new Browser();
  const { 'contoso-global-admin': admin, 'contoso-user': user } = environment.persons;
  if (!admin || !user) throw new Error('they are not there');
  const isSignIn = ({ url }: { readonly url: string }): boolean => url.includes('/oauth2/v2.0/authorize');
  await signInAt(browser, await link(), admin, { until: isSignIn });
  browser.fill('loginfmt', user.userName);
  const page = await browser.press('Sign in');
  expect([page.status, page.headers['x-ms-error-code']]).toEqual([400, 'admin-role-missing']);
  expect(page.text).toContain('neither Global Administrator nor Privileged Role Administrator');
  expect(page.text).toContain('Send the link to an administrator who holds one of the two roles');
  await company.consent(environment.customers.contoso, 'azure');
});

test('tenants keep showing as unverified: one was added during set-up, one was verified by nobody who may', async () => {
  const company = await newCompany(5);
  await company.connect(run.environment.customers.contoso, { id: 'azure', keyName: 'tenants-key' });
  await company.register(EUROPE);
  expect((await company.order('s1', azure('azure'))).body.state).toBe('pending-verification');
  await company.register(RESEARCH);
  const waiting = { state: 'pending-verification', waitsFor: { reason: 'tenant-unverified', owner: 'company-admin' } };
  // The list is fresh, and names both.
  expect(await company.view('s1')).toMatchObject({ ...waiting, unverifiedTenants: [EUROPE, RESEARCH] });
  const user = await company.verify(EUROPE, 's1', 'contoso-europe-user');
  expect([user.status, user.headers['x-ms-error-code']]).toEqual([400, 'admin-role-missing']);
  expect(user.text).toContain('neither Global Administrator nor Privileged Role Administrator');
  expect(await company.view('s1')).toMatchObject({ ...waiting, unverifiedTenants: [EUROPE, RESEARCH] });
  expect((await company.verify(EUROPE, 's1', 'contoso-europe-global-admin')).status).toBe(200);
  expect(await company.view('s1')).toMatchObject({ ...waiting, unverifiedTenants: [RESEARCH] });
  expect((await company.verify(RESEARCH, 's1', 'contoso-research-global-admin')).status).toBe(200);
  expect((await company.ends('s1')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});
