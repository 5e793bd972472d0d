// A key of a company's own that the vendor hosts: who may enter it, whose it then is, and how far another vault or company gets.
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionTest } from '../../../shared/domain/connection-verdict.ts';
import { COMPANY_ROW_KEY } from '../../../shared/store/rows/row-keys.ts';
import { testConnection } from '../../../shared/operations/connections/connection-test.ts';
import { deleteConnection, putConnection } from '../../../shared/operations/connections/connections.ts';
import { getClaim, releaseClaim } from '../../../shared/operations/connections/vault-claims.ts';
import { requestConsent } from '../../../shared/operations/sign-ins/request-consent.ts';
import type { SignInDependencies } from '../../../shared/operations/sign-ins/step.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { sealedCompanyCells } from '../../fixtures/sealed-company.ts';
import { IDENTITY_APP_ID } from '../../fakes/fake-vault-answers.ts';
import { chainOf } from '../audit/chain.ts';
import {
  COMPANY,
  CONNECTION,
  ConnectionWorld,
  HOST,
  PLACE,
  TENANT,
  VENDOR_HOST,
  VENDOR_TENANT,
} from './connection-world.ts';

const HOSTED = 'hosted-acme.vault.azure.net';
const KEY = 'acme-key';
const RIVAL = 'rival';

let world: ConnectionWorld;
beforeEach(() => {
  world = new ConnectionWorld();
  world.vaults.addVault({ host: HOSTED, tenantId: VENDOR_TENANT });
  world.vaults.addKey({ host: HOSTED, keyName: KEY });
  world.vaults.addKey({ host: HOSTED, keyName: 'second-key' });
  const company = { companyId: RIVAL, displayName: 'Rival', defaultKeyring: 'default', state: 'active' } as const;
  const cells = sealedCompanyCells(world.vaults, { ...company, createdAt: '2026-01-01T00:00:00Z' });
  world.store.tamper('companies', RIVAL, COMPANY_ROW_KEY, cells);
});

interface Entering {
  readonly companyId?: string;
  readonly host?: string;
  readonly keyName?: string;
  readonly kind?: string;
  readonly tenantId?: string;
  readonly byVendor?: boolean;
}

const enter = ({ companyId = COMPANY, host = HOSTED, keyName = KEY, ...more }: Entering = {}): ReturnType<
  typeof putConnection
> => {
  const { kind = 'vendor-hosted', tenantId, byVendor = true } = more;
  const input = { vaultUri: `https://${host}`, keyName, tenantId, credential: { kind } };
  const place = { companyId, connectionId: CONNECTION };
  return putConnection(world.deps, { ...place, input, condition: {}, byVendor }, ADMIN);
};

async function tested(): Promise<ConnectionTest> {
  const test = await testConnection(world.deps, PLACE, ADMIN);
  if (!test.ok) throw new Error(JSON.stringify(test.error));
  return test.value;
}

const holderOf = async (keyName: string, host = HOSTED): Promise<string | undefined> => {
  const claim = await getClaim(world.deps, { host, keyName });
  return claim.ok ? claim.value.value.companyId : undefined;
};
const refusal = (code: string): object => ({ ok: false, error: { type: 'failure', failure: { code } } });

describe('a key that the vendor hosts', () => {
  it('is claimed as it is entered, and reached by the own identity without consent', async () => {
    expect(await enter()).toMatchObject({
      value: {
        created: true,
        value: { tenantId: VENDOR_TENANT, credential: { kind: 'vendor-hosted', clientId: IDENTITY_APP_ID } },
      },
    });
    expect([await holderOf(KEY), await holderOf('*')]).toEqual([COMPANY, COMPANY]);
    expect(await tested()).toMatchObject({ status: 'green', tenantId: VENDOR_TENANT });
  });

  it('is tested by an admin of the company, who can neither enter, change nor remove it', async () => {
    const refused = { ok: false, error: { type: 'vendor-admin-only', companyId: COMPANY } };
    expect(await enter({ byVendor: false })).toMatchObject(refused);
    await enter();
    const before = await world.cells();
    expect(await enter({ byVendor: false })).toMatchObject(refused);
    expect(await enter({ byVendor: false, host: HOST, kind: 'federated' })).toMatchObject(refused);
    expect(await deleteConnection(world.deps, { ...PLACE, condition: {} }, ADMIN)).toMatchObject(refused);
    expect(await world.cells()).toEqual(before);
    expect((await tested()).status).toBe('green');
    expect(await deleteConnection(world.deps, { ...PLACE, condition: {}, byVendor: true }, ADMIN)).toEqual({
      ok: true,
      value: undefined,
    });
  });

  it('is refused to another company by name, and so is every other key of its vault', async () => {
    await enter();
    world.vaults.calls.length = 0;
    for (const keyName of [KEY, KEY.toUpperCase(), 'second-key'])
      expect(await enter({ companyId: RIVAL, keyName })).toMatchObject(refusal('vault-key-in-use'));
    expect(await world.tables.read('companies', RIVAL, `connection|${CONNECTION}`)).toBeUndefined();
    expect(world.vaults.calls).toEqual([]);
    expect(await holderOf(KEY)).toBe(COMPANY);
  });

  it('is free again once its connection is removed', async () => {
    await enter();
    await deleteConnection(world.deps, { ...PLACE, condition: {}, byVendor: true }, ADMIN);
    expect(await enter({ companyId: RIVAL, keyName: 'second-key' })).toMatchObject({ ok: true });
    expect([await holderOf('second-key'), await holderOf('*')]).toEqual([RIVAL, RIVAL]);
  });

  it('of two companies for which it is entered at once belongs to one, and is reached for that one alone', async () => {
    const [mine, theirs] = await Promise.all([enter(), enter({ companyId: RIVAL })]);
    expect([mine.ok, theirs.ok].filter(Boolean).length).toBeLessThanOrEqual(1);
    const holder = await holderOf(KEY);
    for (const companyId of [COMPANY, RIVAL]) {
      const test = await testConnection(world.deps, { companyId, connectionId: CONNECTION }, ADMIN);
      if (test.ok && companyId !== holder) expect(test.value.status).toBe('failed');
    }
  });

  it('stays one while it is in use: as another kind it would open nothing, and its vault would be free for others', async () => {
    await enter();
    await world.tamper({ usedBy: '["keyring|default"]' });
    expect(await enter({ kind: 'federated' })).toMatchObject({ ok: false, error: { code: 'connection-in-use' } });
    expect(await enter()).toMatchObject({ ok: true });
  });

  it('has what it was before and what it is now recorded, with the kind', async () => {
    await enter();
    await enter({ keyName: 'second-key' });
    const told = chainOf(world.store).map(({ detail }) => JSON.parse(detail) as unknown);
    expect(told).toEqual([
      { created: true, kind: 'vendor-hosted', vaultHost: HOSTED, keyName: KEY },
      {
        created: false,
        kind: 'vendor-hosted',
        vaultHost: HOSTED,
        keyName: 'second-key',
        fromVaultHost: HOSTED,
        fromKeyName: KEY,
      },
    ]);
  });

  it('whose claim was released is not asked for a token, until the vendor enters it again', async () => {
    await enter();
    await releaseClaim(world.deps, { host: HOSTED, keyName: KEY }, ADMIN);
    world.vaults.calls.length = 0;
    const { checks } = await tested();
    expect(checks.find(({ outcome }) => outcome === 'failed')).toMatchObject({
      check: 'consent',
      failure: { code: 'vault-key-unclaimed', owner: 'vendor' },
    });
    expect(world.vaults.calls.map(({ operation }) => operation)).not.toContain('obtainToken');
    await enter();
    expect((await tested()).status).toBe('green');
  });

  it('needs no consent, and asks nobody for it', async () => {
    await enter();
    world.vaults.calls.length = 0;
    const asked = await requestConsent(world.deps as unknown as SignInDependencies, PLACE, ADMIN);
    expect(asked).toMatchObject({ error: { type: 'state', code: 'consent-not-needed' } });
    expect(world.vaults.countOf('challengedTenant')).toBe(0);
  });

  it('leaves no claim where the company is not there', async () => {
    expect(await enter({ companyId: 'nobody' })).toMatchObject({ error: { type: 'not-found' } });
    expect([await holderOf(KEY), await holderOf('*')]).toEqual([undefined, undefined]);
  });
});

describe('a vault that may be none of a company', () => {
  it.each([
    VENDOR_HOST,
    VENDOR_HOST.toUpperCase(),
    `${VENDOR_HOST}.`,
    `${VENDOR_HOST}:443`,
    VENDOR_HOST.replace('.vault.', '.vaultcore.'),
    VENDOR_HOST.replace('.vault.', '.privatelink.vaultcore.'),
    VENDOR_HOST.replace('keyswitch', 'ｋeyswitch'),
  ])('is the vendor’s own, also typed as %s: nothing is sent, and nothing claimed', async (host) => {
    expect(await enter({ host })).toMatchObject(refusal('vault-host-not-allowed'));
    expect(world.vaults.calls).toEqual([]);
    expect(await holderOf(KEY, VENDOR_HOST)).toBeUndefined();
  });

  it.each(['xn--keyswitch-vendor-9za.vault.azure.net', 'keyswitch-vendor.vault.azure.cn'])(
    'is none of this deployment, typed as %s',
    async (host) => {
      const entered = await enter({ host });
      expect(entered).toMatchObject({ ok: false, error: { type: 'failure', failure: { kind: 'input' } } });
      expect(world.vaults.calls).toEqual([]);
    },
  );

  it('is that of another tenant: it gets no token of the own identity', async () => {
    expect(await enter({ host: HOST, keyName: 'main-key', tenantId: TENANT })).toMatchObject({
      error: { type: 'invalid', target: 'body.tenantId' },
    });
    await enter({ host: HOST, keyName: 'main-key' });
    const { checks } = await tested();
    expect(checks.find(({ outcome }) => outcome === 'failed')).toMatchObject({
      check: 'challenge',
      failure: { code: 'wrong-entra-tenant', owner: 'vendor' },
    });
    expect(world.vaults.calls.map(({ operation }) => operation)).not.toContain('obtainToken');
  });

  it('is a hosted one by another kind of connection, whoever would consent', async () => {
    expect(await enter({ kind: 'federated', tenantId: VENDOR_TENANT, byVendor: false })).toMatchObject(
      refusal('vault-of-vendor'),
    );
    expect(world.vaults.calls).toEqual([]);
    await enter({ kind: 'federated', byVendor: false });
    const { checks } = await tested();
    expect(checks.find(({ outcome }) => outcome === 'failed')).toMatchObject({
      check: 'challenge',
      failure: { code: 'vault-of-vendor' },
    });
    expect(await requestConsent(world.deps as unknown as SignInDependencies, PLACE, ADMIN)).toMatchObject(
      refusal('vault-of-vendor'),
    );
    expect(world.vaults.calls.map(({ operation }) => operation)).not.toContain('obtainToken');
  });
});

describe('what fails at a vault that the vendor hosts', () => {
  const failing = async (): Promise<unknown> => {
    const found = (await tested()).checks.find(({ outcome }) => outcome === 'failed')?.failure;
    return found && { code: found.code, owner: found.owner, text: found.remedy.text };
  };

  it('is the vendor’s move where it is the vault, and the company’s where it is the key', async () => {
    await enter();
    expect((await tested()).status).toBe('green');
    world.vaults.fail({ operation: 'readKey', failure: 'access-denied-rbac', host: HOSTED, times: 1 });
    expect(await failing()).toMatchObject({ code: 'access-denied-rbac', owner: 'vendor' });
    world.vaults.removeKey(HOSTED, KEY);
    expect(await failing()).toMatchObject({
      code: 'key-deleted',
      owner: 'company-admin',
      text: expect.stringMatching(/^In the company's key manager: recover the key/) as string,
    });
    world.vaults.removeVault(HOSTED);
    expect(await failing()).toMatchObject({ code: 'vault-not-found', owner: 'vendor' });
  });
});
