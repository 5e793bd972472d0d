import { describe, expect, it } from 'vitest';
import { companyCells } from '../../../shared/store/rows/company-rows.ts';
import { COMPANY_ROW_KEY, tenantRowKey } from '../../../shared/store/rows/row-keys.ts';
import { MAX_TENANTS_PER_COMPANY, type TenantRef } from '../../../shared/domain/tenant.ts';
import { loadCompany } from '../../../shared/store/control-state.ts';
import type { Preconditions } from '../../../shared/domain/preconditions.ts';
import { deleteTenant, getTenant, listTenantsOf, putTenant } from '../../../shared/operations/tenants/tenants.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, Rig } from '../switches/rig.ts';
import { ENTRA, GOOGLE, OTHER_ENTRA, register, remove } from './tenant-rig.ts';

const put = (rig: Rig, tenant: TenantRef, condition: Preconditions = {}): ReturnType<typeof putTenant> =>
  putTenant(rig.deps, { companyId: COMPANY, ...tenant, condition }, ADMIN);
const drop = (rig: Rig, tenant: TenantRef, ifMatch: string): ReturnType<typeof deleteTenant> =>
  deleteTenant(rig.deps, { companyId: COMPANY, ...tenant, condition: { ifMatch } }, ADMIN);

async function listed(rig: Rig): Promise<readonly string[]> {
  const tenants = await listTenantsOf(rig.deps, { companyId: COMPANY });
  return tenants.ok ? tenants.value.map(({ kind, tenantId }) => `${kind} ${tenantId}`) : [];
}
const actions = (rig: Rig): string[] => chainOf(rig.store).map(({ action, target }) => `${action} ${target}`);
const companyEtag = async (rig: Rig): Promise<string | undefined> => (await loadCompany(rig.store, COMPANY))?.etag;

async function closing(rig: Rig): Promise<void> {
  const company = (await loadCompany(rig.store, COMPANY))!.value;
  rig.store.tamper('companies', COMPANY, COMPANY_ROW_KEY, companyCells({ ...company, state: 'closing' }));
}

describe('registering a tenant', () => {
  it('stores it under its id in lower case, once, and records it', async () => {
    const rig = await Rig.withDataKeys(0);
    const first = await put(rig, { ...ENTRA, tenantId: ENTRA.tenantId.toUpperCase() });
    expect(first).toMatchObject({
      ok: true,
      value: { created: true, value: { ...ENTRA, registeredAt: '2026-01-01T00:00:00.000Z' } },
    });
    rig.clock.advance(1_000);
    const again = await put(rig, ENTRA);
    expect(again).toEqual({ ok: true, value: { ...(first.ok ? first.value : {}), created: false } });
    expect(await getTenant(rig.deps, { companyId: COMPANY, ...ENTRA })).toMatchObject({ value: { value: ENTRA } });
    expect(await listed(rig)).toEqual([`microsoft-365 ${ENTRA.tenantId}`]);
    expect(actions(rig)).toEqual([`tenant.register tenant|microsoft-365|${ENTRA.tenantId}`]);
  });

  it('merges the company’s row, so that a commit that read it before fails', async () => {
    const rig = await Rig.withDataKeys(0);
    const before = await companyEtag(rig);
    await put(rig, ENTRA);
    const between = await companyEtag(rig);
    await remove(rig, ENTRA);
    expect(new Set([before, between, await companyEtag(rig)]).size).toBe(3);
  });

  it.each([
    [{ kind: 'microsoft-365', tenantId: 'contoso.com' }, 'The id must be the GUID of an Entra tenant.'],
    [
      { kind: 'google-workspace', tenantId: 'gmail.com' },
      'The id is where personal accounts are, and no Google Workspace.',
    ],
  ] as const)('refuses %j', async (tenant, message) => {
    const rig = await Rig.withDataKeys(0);
    const refusal = { ok: false, error: { type: 'invalid', target: 'path.tenantId', message } };
    expect(await put(rig, tenant)).toEqual(refusal);
    expect(await getTenant(rig.deps, { companyId: COMPANY, ...tenant })).toEqual(refusal);
    expect(await drop(rig, tenant, '*')).toEqual(refusal);
    expect(await listed(rig)).toEqual([]);
  });

  it('honours If-None-Match and If-Match', async () => {
    const rig = await Rig.withDataKeys(0);
    const unmet = { error: { type: 'precondition-failed', what: 'tenant', id: 'google-workspace/contoso.com' } };
    expect(await put(rig, GOOGLE, { ifMatch: '*' })).toMatchObject(unmet);
    const made = await put(rig, GOOGLE, { ifNoneMatch: '*' });
    expect(await put(rig, GOOGLE, { ifNoneMatch: '*' })).toMatchObject(unmet);
    expect(await put(rig, GOOGLE, { ifMatch: 'W/"another"' })).toMatchObject(unmet);
    expect(await drop(rig, GOOGLE, 'W/"another"')).toMatchObject(unmet);
    expect(await drop(rig, GOOGLE, made.ok ? made.value.etag : '')).toEqual({ ok: true, value: undefined });
  });

  it('is refused for a company that does not exist, or is being deleted', async () => {
    const rig = await Rig.withDataKeys(0);
    const nobody = { companyId: 'nobody', ...ENTRA, condition: {} };
    const missing = { error: { type: 'not-found', what: 'company', id: 'nobody' } };
    expect(await putTenant(rig.deps, nobody, ADMIN)).toMatchObject(missing);
    expect(await deleteTenant(rig.deps, nobody, ADMIN)).toMatchObject(missing);
    expect(await getTenant(rig.deps, nobody)).toMatchObject(missing);
    expect(await listTenantsOf(rig.deps, nobody)).toMatchObject(missing);
    await closing(rig);
    expect(await put(rig, ENTRA)).toMatchObject({ error: { type: 'state', code: 'company-closing' } });
    expect(await drop(rig, ENTRA, '*')).toMatchObject({ error: { code: 'company-closing' } });
  });

  it('is refused beyond 200, of which those that are there stay as they are', async () => {
    const rig = await Rig.withDataKeys(0);
    const domain = (index: number): TenantRef => ({ kind: 'google-workspace', tenantId: `c${index}.example` });
    for (let index = 0; index < MAX_TENANTS_PER_COMPANY; index += 1) {
      const cells = { format: 1, ...domain(index), registeredAt: 'then' };
      rig.store.tamper('companies', COMPANY, tenantRowKey(domain(index)), cells);
    }
    expect(await put(rig, ENTRA)).toMatchObject({ error: { type: 'state', code: 'too-many-tenants' } });
    expect(await put(rig, domain(7))).toMatchObject({ ok: true, value: { created: false } });
    await remove(rig, domain(7));
    expect(await put(rig, ENTRA)).toMatchObject({ ok: true, value: { created: true } });
  });

  it('of the last that there is room for, by two at once, succeeds for one', async () => {
    const slow = { lostBefore: 0, lostAfter: 0, unavailable: 0 };
    const rig = await Rig.withDataKeys(0, {
      wrapTables: (tables) => new FaultyTables(tables, { seed: 1, faults: slow }),
    });
    for (let index = 1; index < MAX_TENANTS_PER_COMPANY; index += 1) {
      const tenant = { kind: 'google-workspace', tenantId: `c${index}.example` } as const;
      rig.store.tamper('companies', COMPANY, tenantRowKey(tenant), { format: 1, ...tenant, registeredAt: 'then' });
    }
    const both = await Promise.all([put(rig, ENTRA), put(rig, OTHER_ENTRA)]);
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await listed(rig)).toHaveLength(MAX_TENANTS_PER_COMPANY);
  });
});

describe('removing a tenant', () => {
  it('takes it away, and records it', async () => {
    const rig = await Rig.withDataKeys(0);
    await register(rig, ENTRA, GOOGLE);
    expect(await remove(rig, ENTRA)).toEqual({ ok: true, value: undefined });
    expect(await listed(rig)).toEqual(['google-workspace contoso.com']);
    expect(actions(rig).at(-1)).toBe(`tenant.remove tenant|microsoft-365|${ENTRA.tenantId}`);
    expect(await remove(rig, ENTRA)).toMatchObject({ error: { type: 'not-found', what: 'tenant' } });
    expect(await getTenant(rig.deps, { companyId: COMPANY, ...ENTRA })).toMatchObject({
      error: { type: 'not-found', what: 'tenant', id: `microsoft-365/${ENTRA.tenantId}` },
    });
  });
});

it.each(['lostBefore', 'lostAfter'] as const)('coming and going are recorded once, with answers %s', async (fault) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const rig = await Rig.withDataKeys(0);
    const faults = { lostBefore: 0, lostAfter: 0, unavailable: 0, [fault]: 0.4 };
    const faulty = new FaultyTables(rig.store, { seed, faults });
    rig.deps = rig.freshHost(
      tablesBut(rig.store, {
        write: (table, ...rest) => (table === 'companies' ? faulty : rig.store).write(table, ...rest),
      }),
    );
    expect(await put(rig, ENTRA, { ifNoneMatch: '*' })).toMatchObject({ ok: true, value: { created: true } });
    expect(await remove(rig, ENTRA)).toEqual({ ok: true, value: undefined });
    expect(actions(rig)).toEqual(
      ['tenant.register', 'tenant.remove'].map((action) => `${action} tenant|microsoft-365|${ENTRA.tenantId}`),
    );
  }
});

it('a tenant’s row that cannot be read is a bug, not a tenant less', async () => {
  const rig = await Rig.withDataKeys(0);
  rig.store.tamper('companies', COMPANY, tenantRowKey(ENTRA), { format: 1 });
  await expect(listTenantsOf(rig.deps, { companyId: COMPANY })).rejects.toThrow('tenant|microsoft-365|');
});
