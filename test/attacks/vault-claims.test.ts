// Whose a vault key is. Whoever names somebody else's, consents in a tenant of their own or rides on what another company's consent left
// behind gets neither the key nor its claim, and keeps nobody out.
import { afterAll, beforeAll, expect } from 'vitest';
import {
  CONNECTOR_APP_ID,
  MANAGED_IDENTITY_PRINCIPAL_ID,
  SEAL_VAULT_HOST,
  VENDOR_TENANT_ID,
  VENDOR_VAULT_HOST,
} from '../../local/identities.ts';
import { azure, Company } from '../end-to-end/company.ts';
import { LOG_LIMIT } from '../end-to-end/harness.ts';
import { attack } from './sign-in-attacks.ts';
import { SignInScene } from './sign-in-scene.ts';

interface Tested {
  readonly status: string;
  readonly checks: readonly {
    readonly check: string;
    readonly outcome: string;
    readonly failure?: { readonly code: string };
  }[];
}

let signIns: SignInScene;
beforeAll(async () => {
  signIns = await SignInScene.open({ switched: true });
});
afterAll(() => signIns.close());

const claimPath = (keyName: string, customer: 'contoso' | 'fabrikam' = 'contoso'): string =>
  `/vault-claims/${signIns.scene.run.environment.customers[customer].vaultHost}/${keyName}`;

/** Undefined if nobody has. */
async function holderOf(keyName: string, customer: 'contoso' | 'fabrikam' = 'contoso'): Promise<string | undefined> {
  const { status, body } = await signIns.scene.run.call<{ companyId: string }>('GET', claimPath(keyName, customer));
  expect([200, 404]).toContain(status);
  return status === 200 ? body.companyId : undefined;
}

/** What a test of the connection found wrong, and for which tenants a token was asked for meanwhile. */
async function tested(company: Company): Promise<{ readonly found: unknown; readonly tokens: readonly string[] }> {
  const { entra } = signIns.scene.run.environment;
  const last = (await entra.requests()).at(-1)?.sequence ?? 0;
  const { checks } = await company.must<Tested>('POST', `${company.path}/connections/azure/test`);
  const failed = checks.find(({ outcome }) => outcome === 'failed');
  const asked = (await entra.requests(last)).filter(({ operation }) => operation === 'token');
  return { found: [failed?.check, failed?.failure?.code], tokens: asked.map(({ target }) => target) };
}

attack('T29', async () => {
  const { victim } = signIns.scene;
  for (const keyName of ['contoso-key', 'CONTOSO-Key']) {
    const company = await signIns.company();
    await signIns.enter(company, { customer: 'contoso', keyName });
    const question = await signIns.toQuestion(await signIns.link(company));
    const page = await signIns.changesNothing(() => question.press());
    const event = await signIns.refused(page, company, [409, 'vault-key-in-use', 'confirm']);
    const detected = (await signIns.scene.events(company.companyId)).filter(
      ({ action }) => action === 'security.vault-key-in-use',
    );
    expect(detected.map(({ outcome, requestId }) => [outcome, requestId])).toEqual([['detected', event.requestId]]);
    expect(page.text).not.toContain('Contoso data');
    expect((await tested(company)).found).toEqual(['consent', 'consent-required']);
  }
  expect(await holderOf('contoso-key')).toBe('contoso');
  expect(await victim.different()).toEqual([]);
});

attack('T30', async () => {
  const { contoso } = signIns.scene.run.environment.customers;
  const squatter = await signIns.company();
  await signIns.enter(squatter, { customer: 'contoso', keyName: 'wanted-key' });
  // As far as anybody gets who is no administrator of that tenant.
  await signIns.depart(await signIns.link(squatter));
  expect(await holderOf('wanted-key')).toBeUndefined();
  const owner = await signIns.company();
  await owner.generate(2);
  await owner.connect(contoso, { id: 'azure', keyName: 'wanted-key' });
  expect(await holderOf('wanted-key')).toBe(owner.companyId);
  expect((await owner.switchTo('s1', azure('azure'))).state).toBe('completed');
  expect(await owner.different()).toEqual([]);
});

attack('T31', async () => {
  const { contoso, fabrikam } = signIns.scene.run.environment.customers;
  const wrong = { status: 409, body: { error: { code: 'wrong-entra-tenant' } } };
  const typed = await signIns.company();
  const body = { vaultUri: fabrikam.vaultUri, keyName: 'their-key', credential: { kind: 'federated' } };
  await typed.must('PUT', `${typed.path}/connections/azure`, { body: { ...body, tenantId: contoso.tenantId } });
  // The same by a tenant that was learnt from a vault of one's own.
  const learnt = await signIns.target('contoso');
  const open = await signIns.link(learnt);
  await learnt.must('PUT', `${learnt.path}/connections/azure`, { body });
  // A test notes on the connection what it found, and nothing else.
  for (const company of [typed, learnt])
    expect(await tested(company)).toEqual({ found: ['challenge', 'wrong-entra-tenant'], tokens: [] });
  await signIns.changesNothing(async () => {
    for (const company of [typed, learnt]) {
      const path = `${company.path}/connections/azure/consent`;
      expect(await signIns.scene.run.call('POST', path)).toMatchObject(wrong);
    }
    const page = await signIns.walk(open, 'contoso-global-admin');
    expect([page.status, page.headers['x-ms-error-code']]).toEqual([400, 'link-expired']);
  });
  expect(await holderOf('their-key', 'fabrikam')).toBeUndefined();
});

attack('T32', async () => {
  const { contoso, fabrikam } = signIns.scene.run.environment.customers;
  const company = await signIns.target();
  const question = await signIns.toQuestion(await signIns.link(company));
  expect((await question.press()).heading).toBe('Consent is granted');
  const token = signIns.scene.token('CompanyAdmin', company.companyId);
  const body = { vaultUri: contoso.vaultUri, keyName: `${company.companyId}-key`, credential: { kind: 'federated' } };
  const path = `${company.path}/connections/azure`;
  await signIns.changesNothing(async () => {
    const attempt = { token, body: { ...body, tenantId: fabrikam.tenantId } };
    const refused = await signIns.scene.refused('PUT', path, attempt, [400, 'invalid-request']);
    expect(refused.text).toContain('body.tenantId');
  });
  // To a vault there it can be pointed: the consent is gone, and the tenant is still the first.
  const moved = await signIns.scene.attempt('PUT', path, { token, body: { ...body, vaultUri: fabrikam.vaultUri } });
  expect(JSON.parse(moved.text)).toMatchObject({ tenantId: contoso.tenantId });
  expect(JSON.parse(moved.text)).not.toHaveProperty('consentedAt');
  expect(await tested(company)).toEqual({ found: ['challenge', 'wrong-entra-tenant'], tokens: [] });
});

attack('T33', async () => {
  const { keyVault, customers } = signIns.scene.run.environment;
  // Everything is there that Azure asks for: the app in the tenant, and even the role on the key.
  const company = await signIns.target();
  const keyName = `${company.companyId}-key`;
  const vault = `/vaults/${customers.contoso.vaultHost}`;
  await keyVault.call('POST', `${vault}/keys`, { name: keyName });
  const role = 'Key Vault Crypto Service Encryption User';
  const grant = { principalId: customers.contoso.principalId, role, keyName };
  await keyVault.call('PUT', `${vault}/role-assignments/${keyName}`, grant);
  expect(await tested(company)).toEqual({ found: ['consent', 'consent-required'], tokens: [] });
  await company.generate(2);
  const calls = await signIns.scene.vaultCallsOf(async () => {
    const ordered = await company.order('s1', azure('azure'));
    expect([ordered.status, ordered.body.error.code]).toEqual([409, 'connection-not-tested']);
  });
  expect(calls.filter((call) => call.includes(keyName))).toEqual([]);
  expect(await company.different()).toEqual([]);
});

attack('T34', async () => {
  const intruder = await signIns.company();
  await signIns.changesNothing(async () => {
    const token = signIns.scene.token('CompanyAdmin', intruder.companyId);
    for (const method of ['GET', 'DELETE']) {
      const refused = await signIns.scene.refused(method, claimPath('contoso-key'), { token }, [403, 'forbidden']);
      await signIns.scene.recordedAsRefused(refused, intruder.companyId);
    }
    // Not even one's own.
    const own = signIns.scene.token('CompanyAdmin', 'contoso');
    const refused = await signIns.scene.refused('DELETE', claimPath('contoso-key'), { token: own }, [403, 'forbidden']);
    await signIns.scene.recordedAsRefused(refused, 'contoso');
  });
});

attack('T35', async () => {
  const { victim, run } = signIns.scene;
  const token = signIns.scene.token('VendorAdmin');
  await signIns.changesNothing(async () => {
    await signIns.scene.refused('DELETE', claimPath('contoso-key'), { token }, [409, 'vault-claim-in-use']);
  });
  expect(await victim.different()).toEqual([]);
  // One that nothing depends on can be released, and its consent is then worth nothing.
  const company = await signIns.company();
  await company.generate(2);
  await company.connect(run.environment.customers.contoso, { id: 'azure', keyName: 'free-key' });
  expect((await signIns.scene.attempt('DELETE', claimPath('free-key'), { token })).status).toBe(204);
  const released = (await signIns.scene.events(company.companyId)).map(({ action }) => action);
  expect(released).toContain('vault-claim.release');
  expect((await company.order('s1', azure('azure'))).status).toBe(202);
  const { blocked } = await company.reaches('s1', (view) => view.blocked !== undefined);
  expect(blocked?.failure?.code).toBe('consent-required');
  expect(await company.different()).toEqual([]);
});

/** A company under a key in a vault of its own, which is then another tenant's: moved there, or made anew by somebody who took its name. */
async function underMovedVault(name: string, how: { readonly otherKey: boolean }): Promise<Company> {
  const { keyVault, customers } = signIns.scene.run.environment;
  const { contoso, fabrikam } = customers;
  const vaultHost = `${name}.vault.azure.net`;
  const vault = { host: vaultHost, tenantId: contoso.tenantId, permissionModel: 'rbac' };
  await keyVault.call('POST', '/vaults', vault);
  const company = await signIns.company();
  await company.generate(3);
  const customer = { ...contoso, vaultHost, vaultUri: `https://${vaultHost}` };
  await company.connect(customer, { id: 'azure', keyName: 'the-key' });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  await keyVault.call('POST', `/vaults/${vaultHost}/move`, { tenantId: fabrikam.tenantId });
  if (how.otherKey) {
    await keyVault.call('DELETE', `/vaults/${vaultHost}/keys/the-key`);
    await keyVault.call('DELETE', `/vaults/${vaultHost}/deleted-keys/the-key`);
    await keyVault.call('POST', `/vaults/${vaultHost}/keys`, { name: 'the-key' });
  }
  const grant = { principalId: fabrikam.principalId, role: 'Key Vault Crypto Service Encryption User' };
  await keyVault.call('PUT', `/vaults/${vaultHost}/role-assignments/theirs`, grant);
  return company;
}

const tenantNow = async (company: Company): Promise<string> =>
  (await company.must<{ tenantId: string }>('GET', `${company.path}/connections/azure`)).tenantId;

attack('T46', async () => {
  const { contoso } = signIns.scene.run.environment.customers;
  const company = await underMovedVault('taken-over', { otherKey: true });
  const path = `${company.path}/connections/azure/consent`;
  const { link } = await company.must<{ link: string }>('POST', path, { asAdminOf: company.companyId });
  // Whoever had the vault is no administrator of that tenant; whoever has its name now is, and consents.
  expect((await signIns.walk(link, 'contoso-global-admin')).status).not.toBe(200);
  expect((await signIns.walk(link, 'fabrikam-global-admin')).heading).toBe('Consent is granted');
  expect((await tested(company)).found).toEqual(['in-use', 'key-not-found']);
  expect(await company.check('azure')).toMatchObject({ code: 'key-not-found' });
  expect(await tenantNow(company)).toBe(contoso.tenantId);
  const events = await signIns.scene.events(company.companyId);
  expect(events.map(({ action }) => action)).not.toContain('connection.move');
});

attack('T47', async () => {
  const { contoso } = signIns.scene.run.environment.customers;
  const company = await underMovedVault('moved-away', { otherKey: false });
  const token = signIns.scene.token('VendorAdmin');
  await signIns.changesNothing(async () => {
    const path = `${company.path}/connections/azure/consent`;
    await signIns.scene.refused('POST', path, { token }, [403, 'company-admin-only']);
  });
  expect((await tested(company)).found).toEqual(['challenge', 'wrong-entra-tenant']);
  expect(await tenantNow(company)).toBe(contoso.tenantId);
});

attack('T48', async () => {
  const { contoso } = signIns.scene.run.environment.customers;
  const { entra, keyVault } = signIns.scene.run.environment;
  const company = await signIns.company();
  await company.generate(1);
  await company.connect(contoso, { id: 'azure', keyName: `${company.companyId}-key` });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  const [keyId = ''] = company.keys.keys();
  const principal = `/tenants/${contoso.tenantId}/service-principals/${CONNECTOR_APP_ID}`;
  // The role on the key stays, and the vault takes any token of that object id until it ends: an hour.
  await entra.call('PUT', principal, { enabled: false });
  try {
    const codeOf = async (): Promise<string | undefined> => (await company.unwrapOne(keyId)).failure?.code;
    await expect.poll(codeOf, LOG_LIMIT).toBe('consent-required');
    const last = (await keyVault.requests()).at(-1)?.sequence ?? 0;
    await signIns.changesNothing(async () => expect(await codeOf()).toBe('consent-required'));
    const asked = (await keyVault.requests(last)).filter(({ target }) => target.startsWith(contoso.vaultHost));
    expect(asked.map(({ operation }) => operation)).toEqual([]);
  } finally {
    await entra.call('PUT', principal, { enabled: true });
  }
  await expect.poll(() => company.different(), LOG_LIMIT).toEqual([]);
});

attack('T53', async () => {
  const keyName = 'left-key';
  const first = await signIns.company();
  await signIns.enter(first, { customer: 'contoso', keyName });
  await (await signIns.toQuestion(await signIns.link(first))).press();
  expect(await holderOf(keyName)).toBe(first.companyId);
  const second = await signIns.company();
  await signIns.enter(second, { customer: 'contoso', keyName });
  const refused = await (await signIns.toQuestion(await signIns.link(second))).press();
  await signIns.refused(refused, second, [409, 'vault-key-in-use', 'confirm']);
  await signIns.enter(first, { customer: 'contoso', keyName: 'another-key' });
  const granted = await (await signIns.toQuestion(await signIns.link(second))).press();
  expect([granted.status, await holderOf(keyName)]).toEqual([200, second.companyId]);
  const events = await signIns.scene.events(second.companyId);
  expect(events.map(({ action }) => action)).toContain('consent.grant');
});

const HOSTED_KEY = 'hosted-key';

/** A vault in the vendor's tenant, with a key that the app's identity may use. */
async function hostVault(name: string): Promise<string> {
  const { keyVault } = signIns.scene.run.environment;
  const host = `${name}.vault.azure.net`;
  await keyVault.call('POST', '/vaults', { host, tenantId: VENDOR_TENANT_ID });
  await keyVault.call('POST', `/vaults/${host}/keys`, { name: HOSTED_KEY });
  const grant = { principalId: MANAGED_IDENTITY_PRINCIPAL_ID, role: 'Key Vault Crypto Service Encryption User' };
  await keyVault.call('PUT', `/vaults/${host}/role-assignments/app`, grant);
  return host;
}

const bodyOf = (host: string, kind = 'vendor-hosted', keyName = HOSTED_KEY): object => ({
  vaultUri: `https://${host}`,
  keyName,
  credential: { kind },
});

attack('T58', async () => {
  const host = await hostVault('hosted-t58');
  const company = await signIns.company();
  const path = `${company.path}/connections/azure`;
  const token = signIns.scene.token('CompanyAdmin', company.companyId);
  const alone = [403, 'vendor-admin-only'] as const;
  await signIns.changesNothing(async () => {
    const made = await signIns.scene.refused('PUT', path, { token, body: bodyOf(host) }, alone);
    await signIns.scene.recordedAsRefused(made, company.companyId);
  });
  await company.must('PUT', path, { body: bodyOf(host) });
  const { contoso } = signIns.scene.run.environment.customers;
  await signIns.changesNothing(async () => {
    for (const body of [bodyOf(host), bodyOf(host, 'vendor-hosted', 'k'), bodyOf(contoso.vaultHost, 'federated')])
      await signIns.scene.refused('PUT', path, { token, body }, alone);
    await signIns.scene.refused('DELETE', path, { token }, alone);
    await signIns.scene.refused('POST', `${path}/consent`, { token }, [409, 'consent-not-needed']);
  });
  // What is left to the company: to look, to test, and to switch to it.
  await company.generate(2);
  const shown = JSON.parse((await signIns.scene.attempt('GET', path, { token })).text) as { readonly notice?: string };
  expect(shown.notice).toMatch(/administrators of the vendor/);
  expect(JSON.parse((await signIns.scene.attempt('POST', `${path}/test`, { token })).text)).toMatchObject({
    status: 'green',
  });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});

attack('T59', async () => {
  const company = await signIns.company();
  const token = signIns.scene.token('VendorAdmin');
  const spellings = [VENDOR_VAULT_HOST, SEAL_VAULT_HOST].flatMap((host) => [
    host,
    host.toUpperCase(),
    `${host}.`,
    `${host}:443`,
    host.replace('.vault.', '.privatelink.vaultcore.'),
    host.replace('k', '\uff4b'),
  ]);
  const calls = await signIns.scene.vaultCallsOf(() =>
    signIns.changesNothing(async () => {
      for (const host of spellings) {
        const answer = await signIns.scene.attempt('PUT', `${company.path}/connections/azure`, {
          token,
          body: bodyOf(host),
        });
        expect([host, answer.status, answer.code]).toEqual([host, 400, 'vault-host-not-allowed']);
      }
    }),
  );
  expect(calls).toEqual([]);
});

attack('T60', async () => {
  const host = await hostVault('hosted-t60');
  const owner = await signIns.company();
  await owner.must('PUT', `${owner.path}/connections/azure`, { body: bodyOf(host) });
  const rival = await signIns.company();
  const token = signIns.scene.token('VendorAdmin');
  const calls = await signIns.scene.vaultCallsOf(() =>
    signIns.changesNothing(async () => {
      for (const keyName of [HOSTED_KEY, HOSTED_KEY.toUpperCase(), 'another-key']) {
        const body = bodyOf(host, 'vendor-hosted', keyName);
        await signIns.scene.refused('PUT', `${rival.path}/connections/azure`, { token, body }, [
          409,
          'vault-key-in-use',
        ]);
      }
    }),
  );
  expect(calls).toEqual([]);
  // Nor by one that is another company's by consent.
  const theirs = bodyOf(signIns.scene.run.environment.customers.contoso.vaultHost, 'vendor-hosted', 'contoso-key');
  const asked = await signIns.scene.vaultCallsOf(async () => {
    const attempt = { token, body: theirs };
    await signIns.scene.refused('PUT', `${rival.path}/connections/azure`, attempt, [409, 'vault-key-in-use']);
  });
  expect([asked, await holderOf('contoso-key')]).toEqual([[], 'contoso']);
  const detected = (await signIns.scene.events(rival.companyId)).map(({ action }) => action);
  expect(detected).toContain('security.vault-key-in-use');
});

attack('T61', async () => {
  const host = await hostVault('hosted-t61');
  const company = await signIns.company();
  const token = signIns.scene.token('CompanyAdmin', company.companyId);
  const path = `${company.path}/connections/azure`;
  const typed = { ...bodyOf(host, 'federated'), tenantId: VENDOR_TENANT_ID };
  await signIns.changesNothing(() =>
    signIns.scene.refused('PUT', path, { token, body: typed }, [409, 'vault-of-vendor']),
  );
  // Without a tenant the vault is asked for it, and says whose it is.
  await company.must('PUT', path, { body: bodyOf(host, 'federated') });
  expect(await tested(company)).toEqual({ found: ['challenge', 'vault-of-vendor'], tokens: [] });
  await signIns.scene.refused('POST', `${path}/consent`, { token }, [409, 'vault-of-vendor']);
});

attack('T62', async () => {
  const { run } = signIns.scene;
  const { contoso } = run.environment.customers;
  const keyName = 'squatted-key';
  const squatter = await signIns.company();
  const partner = run.environment.mintApiToken({
    roles: ['Keyswitch.VendorAdmin'],
    overrides: { extension_companies: [squatter.companyId] },
  });
  const body = bodyOf(contoso.vaultHost, 'vendor-hosted', keyName);
  const entered = await signIns.scene.attempt('PUT', `${squatter.path}/connections/azure`, { token: partner, body });
  expect([entered.status, await holderOf(keyName)]).toEqual([201, squatter.companyId]);
  const owner = await signIns.company();
  await owner.generate(2);
  await owner.connect(contoso, { id: 'azure', keyName });
  expect(await holderOf(keyName)).toBe(owner.companyId);
  expect((await owner.switchTo('s1', azure('azure'))).state).toBe('completed');
  expect(await owner.different()).toEqual([]);
  expect(await tested(squatter)).toEqual({ found: ['challenge', 'wrong-entra-tenant'], tokens: [] });
  await signIns.scene.refused('PUT', `${squatter.path}/connections/azure`, { token: partner, body }, [
    409,
    'vault-key-in-use',
  ]);
});
