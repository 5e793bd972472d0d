// A customer who takes their key away while a switch away from it is under way: neither the vendor alone nor a writer of the tables goes on over that.
import { afterAll, beforeAll, expect } from 'vitest';
import { DATA_TENANTS } from '../../local/environment/persons.ts';
import { VENDOR_KEY_NAME } from '../../local/environment/vendor.ts';
import { VENDOR_VAULT_HOST } from '../../local/identities.ts';
import { azure, type Company, MANAGED, type SwitchView, type TenantRef } from '../end-to-end/company.ts';
import { holdInTheMiddle } from '../end-to-end/hold.ts';
import { attack } from './sign-in-attacks.ts';
import { SignInScene } from './sign-in-scene.ts';

const EUROPE: TenantRef = { kind: 'microsoft-365', tenantId: DATA_TENANTS.europe.tenant };
/** As the runs have it: what is cached longer is over its time. */
const TTL_MS = 2_000;
const DISABLED = { reason: 'provider', side: 'source', failure: { code: 'key-disabled' } };

let signIns: SignInScene;
beforeAll(async () => {
  signIns = await SignInScene.open({ switched: false });
});
afterAll(() => signIns.close());

/** Under a key of its own vault, and in the middle of its way to the vendor's. */
async function leaving(): Promise<Company> {
  const company = await signIns.company();
  const { contoso } = signIns.scene.run.environment.customers;
  await company.generate(100);
  await company.connect(contoso, { id: 'azure', keyName: `${company.companyId}-key` });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  const letGo = await holdInTheMiddle(signIns.scene.run);
  expect((await company.order('s2', MANAGED)).status).toBe(202);
  await company.reaches('s2', ({ state, counts }) => state === 're-protecting' && counts.done > 0);
  await company.must('POST', `${company.switchPath('s2')}/pause`);
  await letGo();
  return company;
}

/** The customer disables the key, and whoever had it has it no longer. */
async function revoke({ companyId }: Company, isEnabled = false): Promise<void> {
  const { keyVault, customers } = signIns.scene.run.environment;
  const path = `/vaults/${customers.contoso.vaultHost}/keys/${companyId}-key`;
  await keyVault.call('PATCH', path, { enabled: isEnabled });
  const nowMs = Date.now();
  await expect.poll(() => Date.now() - nowMs, { timeout: 5 * TTL_MS }).toBeGreaterThan(TTL_MS);
}

const isStopped = ({ blocked }: SwitchView): boolean => blocked !== undefined;
const opens = async (company: Company): Promise<string | undefined> => {
  const { outcome, failure } = await company.unwrapOne([...company.keys.keys()][0] ?? '');
  return failure?.code ?? outcome;
};

attack('T56', async () => {
  const company = await leaving();
  // The vendor registers a tenant of its own while the work goes on: its word is the last that the end waits for, whenever it comes.
  await company.register(EUROPE);
  await company.must('POST', `${company.switchPath('s2')}/resume`);
  await company.reaches('s2', ({ waitsFor, counts }) => waitsFor !== undefined && counts.checked === counts.total);
  await revoke(company);
  expect((await company.verify(EUROPE, 's2', 'contoso-europe-global-admin')).heading).toBe('The tenant is verified');
  expect((await company.reaches('s2', isStopped)).blocked).toMatchObject(DISABLED);
  const vendor = { token: signIns.scene.token('VendorAdmin') };
  const retry = `${company.switchPath('s2')}/retry`;
  const forward = { ...vendor, body: { direction: 'forward' } };
  const refused = await signIns.scene.refused('POST', retry, forward, [403, 'company-admin-only']);
  await signIns.scene.recordedAsRefused(refused, company.companyId);
  expect((await signIns.scene.attempt('POST', retry, { ...vendor, body: {} })).status).toBe(202);
  expect((await company.reaches('s2', isStopped)).state).toBe('re-protecting');
  expect(await opens(company)).toBe('key-disabled');
  // The company's own admin may.
  await company.must('POST', retry, { body: { direction: 'forward' }, asAdminOf: company.companyId });
  expect((await company.ends('s2')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});

attack('T57', async () => {
  const company = await leaving();
  const { companyId } = company;
  await revoke(company);
  const { rows, run } = signIns.scene;
  const stored = await rows.companyKeys(companyId);
  expect(stored).toHaveLength(2);
  for (const { rowKey = '', wraps } of stored) {
    // The vendor's wrap is called the one in force, by whatever says so.
    const [own, guard] = JSON.parse(String(wraps)) as [object, object & { guard?: true }];
    const { guard: _word, ...served } = guard;
    const cells = { wraps: JSON.stringify([served, { ...own, guard: true }]), inForce: 'managed' };
    await rows.overwrite('companies', { partitionKey: companyId, rowKey }, cells);
  }
  const calls = await signIns.scene.vaultCallsOf(async () => {
    expect(await opens(company)).toBe('row-forged');
    await company.must('POST', `${company.switchPath('s2')}/resume`);
    expect((await company.reaches('s2', isStopped)).blocked?.failure?.code).toBe('row-forged');
  });
  expect(calls.filter((call) => call.includes(`${VENDOR_VAULT_HOST}/${VENDOR_KEY_NAME}`))).toEqual([]);
  expect((await signIns.scene.events(companyId)).map(({ action }) => action)).toContain('security.row-forged');
  for (const { rowKey = '', wraps } of stored)
    await rows.overwrite('companies', { partitionKey: companyId, rowKey }, { wraps });
  await revoke(company, true);
  await company.must('POST', `${company.switchPath('s2')}/retry`, { body: {} });
  expect((await company.ends('s2')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
  expect(run.lines.filter((line) => line.includes('"security.row-forged"')).length).toBeGreaterThan(0);
});
