// The word of a tenant's administrator is for one switch, for one destination, and for nobody to write but them.
import { createHash, type JsonWebKey } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { DATA_TENANTS } from '../../local/environment/persons.ts';
import { exportRowKey, switchRowKey, tenantRowKey, verificationRowKey } from '../../shared/store/rows/row-keys.ts';
import { azure, type Company, type TenantRef } from '../end-to-end/company.ts';
import { LOG_LIMIT } from '../end-to-end/harness.ts';
import { keyFixture } from '../fixtures/key-fixtures.ts';
import type { Attempt } from './raw-request.ts';
import { attack } from './sign-in-attacks.ts';
import { SignInScene } from './sign-in-scene.ts';

const EUROPE: TenantRef = { kind: 'microsoft-365', tenantId: DATA_TENANTS.europe.tenant };
const RESEARCH: TenantRef = { kind: 'microsoft-365', tenantId: DATA_TENANTS.research.tenant };

let signIns: SignInScene;
beforeAll(async () => {
  signIns = await SignInScene.open({ switched: false });
});
afterAll(() => signIns.close());

/** One of its two tenants is verified for the switch `s1`. */
async function halfVerified(): Promise<Company> {
  const company = await signIns.pendingSwitch(EUROPE, RESEARCH);
  const page = await company.verify(EUROPE, 's1', 'contoso-europe-global-admin');
  expect(page.heading).toBe('The tenant is verified');
  expect(await company.view('s1')).toMatchObject({ state: 'pending-verification', unverifiedTenants: [RESEARCH] });
  return company;
}

/** That switch is cancelled, and another one is ordered in its place. */
async function orderAnew(company: Company): Promise<void> {
  await company.must('POST', `${company.switchPath('s1')}/cancel`);
  expect((await company.ends('s1')).state).toBe('cancelled');
  expect((await company.order('s2', azure('azure'))).status).toBe(202);
}

const waits = (unverifiedTenants: readonly TenantRef[]): object => ({
  state: 'pending-verification',
  unverifiedTenants,
});

attack('T36', async () => {
  const company = await halfVerified();
  const old = await signIns.verifyLink(company, EUROPE, 's1');
  const question = await signIns.toQuestion(
    await signIns.verifyLink(company, RESEARCH, 's1'),
    'contoso-research-global-admin',
  );
  await orderAnew(company);
  // What was said of the first is nothing for the second.
  expect(await company.view('s2')).toMatchObject(waits([EUROPE, RESEARCH]));
  await signIns.changesNothing(async () => {
    for (const page of [await signIns.walk(old, 'contoso-europe-global-admin'), await question.press()]) {
      expect([page.status, page.headers['x-ms-error-code']]).toEqual([400, 'link-expired']);
    }
  });
  expect(await company.view('s2')).toMatchObject(waits([EUROPE, RESEARCH]));
});

attack('T37', async () => {
  const company = await halfVerified();
  await orderAnew(company);
  const { rows } = signIns.scene;
  const { companyId } = company;
  const rowKeyOf = (switchId: string, tenant: TenantRef): string =>
    verificationRowKey(`switch|default|${switchId}`, tenant);
  const said = await rows.read('companies', companyId, rowKeyOf('s1', EUROPE));
  const { partitionKey: _partition, rowKey: _row, etag: _etag, timestamp: _time, ...cells } = said;
  // The genuine word for another switch, the same for another tenant, and one that is all made up.
  for (const [tenant, forged] of [
    [EUROPE, cells],
    [RESEARCH, { ...cells, verifiedAt: new Date().toISOString() }],
  ] as const) {
    const place = { partitionKey: companyId, rowKey: rowKeyOf('s2', tenant) };
    await rows.overwrite('companies', place, forged);
  }
  expect(await company.view('s2')).toMatchObject(waits([EUROPE, RESEARCH]));
  const detected = async (): Promise<readonly string[]> =>
    (await signIns.scene.events(companyId))
      .filter(({ action }) => action === 'security.row-forged')
      .map(({ target }) => target);
  await expect
    .poll(detected, LOG_LIMIT)
    .toEqual(expect.arrayContaining([rowKeyOf('s2', EUROPE), rowKeyOf('s2', RESEARCH)]));
  // Whoever is asked again says it again, over the forgery.
  for (const [tenant, name] of [
    [EUROPE, 'contoso-europe-global-admin'],
    [RESEARCH, 'contoso-research-global-admin'],
  ] as const) {
    expect((await company.verify(tenant, 's2', name)).heading).toBe('The tenant is verified');
  }
  expect((await company.ends('s2')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});

attack('T38', async () => {
  const company = await halfVerified();
  const { companyId } = company;
  await signIns.changesNothing(async () => {
    for (const role of ['CompanyAdmin', 'Auditor', 'DataKeys'] as const) {
      const token = signIns.scene.token(role, companyId);
      for (const method of ['PUT', 'DELETE']) {
        for (const { kind, tenantId } of [
          EUROPE,
          RESEARCH,
          { ...RESEARCH, tenantId: signIns.person('fabrikam-user').tenant },
        ]) {
          const path = `${company.path}/tenants/${kind}/${tenantId}`;
          const refused = await signIns.scene.refused(method, path, { token }, [403, 'forbidden']);
          await signIns.scene.recordedAsRefused(refused, companyId);
        }
      }
    }
  });
  expect(await company.view('s1')).toMatchObject(waits([RESEARCH]));
  expect(await signIns.scene.rows.read('companies', companyId, tenantRowKey(RESEARCH))).toMatchObject(RESEARCH);
});

attack('T39', async () => {
  const company = await halfVerified();
  const { contoso, fabrikam } = signIns.scene.run.environment.customers;
  const token = signIns.scene.token('CompanyAdmin', company.companyId);
  const path = `${company.path}/connections/azure`;
  const keyName = `${company.companyId}-key`;
  await signIns.changesNothing(async () => {
    for (const change of [{ keyName: 'mine' }, { vaultUri: fabrikam.vaultUri }, { tenantId: fabrikam.tenantId }]) {
      const body = { vaultUri: contoso.vaultUri, keyName, credential: { kind: 'federated' }, ...change };
      await signIns.scene.refused('PUT', path, { token, body }, [409, 'connection-in-use']);
    }
    await signIns.scene.refused('DELETE', path, { token }, [409, 'connection-in-use']);
    const turned = { token, body: { provider: 'managed' } };
    await signIns.scene.refused('PUT', company.switchPath('s1'), turned, [409, 'switch-exists']);
  });
  expect(await company.view('s1')).toMatchObject(waits([RESEARCH]));
});

const tenantPath = (company: Company, { kind, tenantId }: TenantRef): string =>
  `${company.path}/tenants/${kind}/${tenantId}`;

attack('T41', async () => {
  const company = await halfVerified();
  for (const tenant of [EUROPE, RESEARCH]) await company.must('DELETE', tenantPath(company, tenant));
  await company.must('POST', `${company.switchPath('s1')}/retry`, { body: { direction: 'forward' } });
  expect(await company.view('s1')).toMatchObject({ ...waits([RESEARCH]), waitsFor: { reason: 'tenant-unverified' } });
  const removals = (await signIns.scene.events(company.companyId)).filter(({ action }) => action === 'tenant.remove');
  expect(removals).toHaveLength(2);
});

attack('T42', async () => {
  const company = await halfVerified();
  const { companyId } = company;
  await company.must('POST', `${company.switchPath('s1')}/cancel`);
  for (const tenant of [EUROPE, RESEARCH]) await company.must('DELETE', tenantPath(company, tenant));
  const token = signIns.scene.token('VendorAdmin');
  const ordered = await signIns.scene.attempt('PUT', company.switchPath('s2'), { token, body: azure('azure') });
  expect(ordered.status).toBe(202);
  await signIns.changesNothing(async () => {
    for (const [role, named] of [
      ['VendorAdmin', undefined],
      ['Auditor', companyId],
      ['DataKeys', companyId],
    ] as const) {
      const as = { token: signIns.scene.token(role, named) };
      const path = `${company.switchPath('s2')}/confirm`;
      const refused = await signIns.scene.refused('POST', path, as, [403, 'forbidden']);
      await signIns.scene.recordedAsRefused(refused, named);
    }
  });
  expect(await company.view('s2')).toMatchObject({ ...waits([]), waitsFor: { reason: 'company-admin' } });
  const admin = { token: signIns.scene.token('CompanyAdmin', companyId) };
  expect((await signIns.scene.attempt('POST', `${company.switchPath('s2')}/confirm`, admin)).status).toBe(202);
  expect((await company.ends('s2')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});

attack('T44', async () => {
  const company = await signIns.pendingSwitch(EUROPE);
  await company.verify(EUROPE, 's1', 'contoso-europe-global-admin');
  expect((await company.ends('s1')).state).toBe('completed');
  const [approved, other] = (['ec-p256-1', 'ec-p256-2'] as const).map((name) => {
    const publicKey = keyFixture(name).publicKey.export({ format: 'jwk' });
    return { publicKey, thumbprint: createHash('sha256').update(rfc7638(publicKey)).digest('base64url') };
  });
  const token = signIns.scene.token('CompanyAdmin', company.companyId);
  const to = (recipient: unknown): Attempt => ({ token, body: recipient });
  const path = `${company.keyring}/export`;
  // The one that the switch allows is gone, and no other is left but an approved one.
  const { publicKey } = approved!;
  expect((await signIns.scene.attempt('POST', path, to({ publicKey }))).status).toBe(200);
  const link = await company.exportLink(EUROPE, { type: 'public-key', publicKey });
  const question = await signIns.toQuestion(link, 'contoso-europe-global-admin');
  expect(question.browser.page.text).toContain(approved!.thumbprint);
  expect((await question.press()).heading).toBe('The tenant is verified');
  await signIns.changesNothing(async () => {
    for (const recipient of [{ publicKey: other!.publicKey }, { passphrase: 'a passphrase of some words' }]) {
      const refusal = [409, 'recipient-not-approved'] as const;
      const event = await signIns.scene.recorded(
        await signIns.scene.refused('POST', path, to(recipient), refusal),
        company.companyId,
      );
      expect([event.action, event.outcome]).toEqual(['company-key.export-refused', 'refused']);
      expect(event.detail).toMatchObject({ code: 'recipient-not-approved' });
    }
  });
  expect((await signIns.scene.attempt('POST', path, to({ publicKey }))).status).toBe(200);
  expect((await signIns.scene.attempt('POST', path, to({ publicKey }))).code).toBe('tenants-unverified');
});

const WORKSPACE: TenantRef = { kind: 'google-workspace', tenantId: DATA_TENANTS.workspace.tenant };
const workspaceIs = (told: { readonly customerId?: string; readonly isVerified?: boolean }): Promise<unknown> =>
  signIns.scene.run.environment.google.call('PUT', `/domains/${DATA_TENANTS.workspace.domain}`, told);

attack('T50', async () => {
  await workspaceIs({ customerId: 'C01genuine' });
  const company = await signIns.pendingSwitch(EUROPE, WORKSPACE);
  expect((await company.verify(WORKSPACE, 's1', 'contoso-google-super-admin')).heading).toBe('The tenant is verified');
  // The domain has lapsed, and somebody else has made a Workspace of it.
  await workspaceIs({ customerId: 'C02taken00' });
  try {
    await company.must('POST', `${company.switchPath('s1')}/cancel`);
    expect((await company.order('s2', azure('azure'))).status).toBe(202);
    const link = await signIns.verifyLink(company, WORKSPACE, 's2');
    const page = await signIns.changesNothing(() => signIns.walk(link, 'contoso-google-super-admin'));
    await signIns.refused(page, company, [409, 'google-workspace-changed', 'sign-in']);
    const actions = (await signIns.scene.events(company.companyId)).map(({ action }) => action);
    expect(actions).toContain('security.google-workspace-changed');
    expect(await company.view('s2')).toMatchObject(waits([WORKSPACE, EUROPE]));
    // Unless the vendor has asked, and lets it in, which is recorded.
    await company.must('DELETE', tenantPath(company, WORKSPACE));
    await company.register(WORKSPACE);
    expect((await signIns.walk(link, 'contoso-google-super-admin')).heading).toBe('The tenant is verified');
  } finally {
    await workspaceIs({ customerId: 'C01genuine' });
  }
});

attack('T51', async () => {
  await workspaceIs({ isVerified: false });
  try {
    const company = await signIns.pendingSwitch(WORKSPACE);
    const link = await signIns.verifyLink(company, WORKSPACE);
    const page = await signIns.changesNothing(() => signIns.walk(link, 'contoso-google-super-admin'));
    await signIns.refused(page, company, [400, 'google-domain-unproved', 'sign-in']);
    expect(await company.view('s1')).toMatchObject(waits([WORKSPACE]));
  } finally {
    await workspaceIs({ isVerified: true });
  }
});

/** The members that make an EC key, in the order of their names. */
const rfc7638 = ({ crv, kty, x, y }: JsonWebKey): string => JSON.stringify({ crv, kty, x, y });

attack('T49', async () => {
  const company = await signIns.company();
  const { companyId } = company;
  const { contoso } = signIns.scene.run.environment.customers;
  const { rows } = signIns.scene;
  await company.generate(3);
  await company.connect(contoso, { id: 'azure', keyName: `${companyId}-key` });
  const vendor = { token: signIns.scene.token('VendorAdmin') };
  const ordered = await signIns.scene.attempt('PUT', company.switchPath('s1'), { ...vendor, body: azure('azure') });
  expect(ordered.status).toBe(202);
  const place = { partitionKey: companyId, rowKey: switchRowKey('default', 's1') };
  const calls = await signIns.scene.vaultCallsOf(async () => {
    await rows.overwrite('companies', place, { awaitsConfirmation: false });
    const again = await signIns.scene.attempt('POST', `${company.switchPath('s1')}/retry`, { ...vendor, body: {} });
    expect(again.status).toBe(202);
    await expect
      .poll(() => company.view('s1'), LOG_LIMIT)
      .toMatchObject({ state: 'pending-verification', blocked: { failure: { code: 'row-forged' } } });
  });
  expect(calls.filter((call) => /unwrap|sign/i.test(call))).toEqual([]);
  expect((await signIns.scene.events(companyId)).map(({ action }) => action)).toContain('security.row-forged');
  const admin = { token: signIns.scene.token('CompanyAdmin', companyId) };
  const forward = { ...admin, body: { direction: 'forward' } };
  await signIns.scene.refused('POST', `${company.switchPath('s1')}/retry`, forward, [409, 'row-forged']);
  await rows.overwrite('companies', place, { awaitsConfirmation: true });
  // Nor is an export allowed by a row that somebody else wrote.
  const cells = { format: 1, round: 0, allowanceUntil: '2099-01-01T00:00:00.000Z' };
  await rows.overwrite('companies', { partitionKey: companyId, rowKey: exportRowKey('default') }, cells);
  await company.must('POST', `${company.switchPath('s1')}/cancel`);
  const path = `${company.keyring}/export`;
  const body = { passphrase: 'correct horse battery staple' };
  const refused = await signIns.scene.refused('POST', path, { ...admin, body }, [409, 'row-forged']);
  expect((await signIns.scene.recorded(refused, companyId)).action).toBe('security.row-forged');
});

attack('T52', async () => {
  // The vendor registers a tenant whose administrator it is, and has it agree to everything.
  const company = await signIns.company();
  const { companyId } = company;
  const { contoso } = signIns.scene.run.environment.customers;
  await company.generate(3);
  await company.connect(contoso, { id: 'azure', keyName: `${companyId}-key` });
  await company.register(EUROPE);
  const vendor = { token: signIns.scene.token('VendorAdmin') };
  const ordered = await signIns.scene.attempt('PUT', company.switchPath('s1'), { ...vendor, body: azure('azure') });
  expect(ordered.status).toBe(202);
  const page = await company.verify(EUROPE, 's1', 'contoso-europe-global-admin');
  expect(page.heading).toBe('The tenant is verified');
  await signIns.changesNothing(async () => {
    const confirm = `${company.switchPath('s1')}/confirm`;
    const refused = await signIns.scene.refused('POST', confirm, vendor, [403, 'forbidden']);
    await signIns.scene.recordedAsRefused(refused);
  });
  const forward = { ...vendor, body: { direction: 'forward' } };
  expect((await signIns.scene.attempt('POST', `${company.switchPath('s1')}/retry`, forward)).status).toBe(202);
  expect(await company.view('s1')).toMatchObject({ ...waits([]), waitsFor: { reason: 'company-admin' } });
  const admin = { token: signIns.scene.token('CompanyAdmin', companyId) };
  expect((await signIns.scene.attempt('POST', `${company.switchPath('s1')}/confirm`, admin)).status).toBe(202);
  expect((await company.ends('s1')).state).toBe('completed');
});

attack('T55', async () => {
  const company = await halfVerified();
  const { companyId } = company;
  const place = { partitionKey: companyId, rowKey: switchRowKey('default', 's1') };
  const calls = await signIns.scene.vaultCallsOf(async () => {
    await signIns.scene.rows.overwrite('companies', place, { state: 'preparing', toVersion: 2 });
    await company.must('POST', `${company.switchPath('s1')}/retry`, { body: {} });
    await expect
      .poll(() => company.view('s1'), LOG_LIMIT)
      .toMatchObject({ state: 'preparing', unverifiedTenants: [RESEARCH], waitsFor: { reason: 'tenant-unverified' } });
  });
  expect(calls.filter((call) => /unwrap|sign/i.test(call))).toEqual([]);
  expect((await company.verify(RESEARCH, 's1', 'contoso-research-global-admin')).heading).toBe(
    'The tenant is verified',
  );
  expect((await company.ends('s1')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});
