// The tenants of a company as a resource: the vendor registers what it finds in the company's data, at any time. Coming and going merge
// the company's row, so that a commit under its ETag knows them all.
import type { Act, Actor } from '../../domain/audit.ts';
import type { Company } from '../../domain/keyring.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { fitsRemovedTenants, readKeyring } from '../../store/rows/control-rows.ts';
import { keyringRowKey, rowKeysUnder, tenantRowKey } from '../../store/rows/row-keys.ts';
import { tenantCells } from '../../store/rows/tenant-rows.ts';
import { isEnded } from '../../domain/switch.ts';
import { MAX_TENANTS_PER_COMPANY, type Tenant, type TenantRef } from '../../domain/tenant.ts';
import { tenantKind } from '../../identity/registry/tenant-kinds.ts';
import type { Auditing } from '../../store/append.ts';
import { audited, settleAct, type ActRecord } from '../../store/audited.ts';
import { listAll, loadCompany, loadSwitch, type Loaded } from '../../store/control-state.ts';
import type { RowWrite, Tables } from '../../store/tables.ts';
import { holds, matches, type Preconditions } from '../../domain/preconditions.ts';
import { settleRaces, undecided, type Undecided } from '../../store/races.ts';
import { resealSwitch, type SwitchSealing } from '../keys/switch-seal.ts';
import { guardCompany, replaceSwitch } from '../../store/control-writes.ts';
import { listTenants } from './verifications.ts';
import { loadTenant } from './pin.ts';

interface TenantPlace {
  readonly companyId: string;
  readonly kind: string;
  /** As typed. */
  readonly tenantId: string;
}

type TenantRemoving = Auditing & SwitchSealing;

type Place = TenantRef & { readonly companyId: string };

export async function getTenant(
  deps: { readonly tables: Tables },
  request: TenantPlace,
): Promise<Result<Loaded<Tenant>, Refusal>> {
  const place = placeOf(request);
  if (!place.ok) return place;
  if (!(await loadCompany(deps.tables, request.companyId))) return err(notFound('company', request.companyId));
  const tenant = await loadTenant(deps.tables, place.value);
  return tenant ? ok(tenant) : err(missing(place.value));
}

/** All of them, in the order of kinds and ids. */
export async function listTenantsOf(
  deps: { readonly tables: Tables },
  { companyId }: { readonly companyId: string },
): Promise<Result<readonly Tenant[], Refusal>> {
  if (!(await loadCompany(deps.tables, companyId))) return err(notFound('company', companyId));
  return ok(await listTenants(deps.tables, companyId));
}

/** One that is there already stays as it is. */
export async function putTenant(
  deps: Auditing,
  request: TenantPlace & { readonly condition: Preconditions },
  actor: Actor,
): Promise<Result<Loaded<Tenant> & { readonly created: boolean }, Refusal>> {
  const place = placeOf(request);
  if (!place.ok) return place;
  return audited(deps, actor, actOn('tenant.register', place.value), (record) =>
    settleRaces(deps, () => putOnce(deps, place.value, { condition: request.condition, record })),
  );
}

async function putOnce(
  deps: Auditing,
  place: Place,
  { condition, record }: { readonly condition: Preconditions; readonly record: ActRecord },
): Promise<Result<Loaded<Tenant> & { readonly created: boolean }, Refusal> | Undecided> {
  const company = await openCompany(deps.tables, place.companyId);
  if (!company.ok) return company;
  const held = await loadTenant(deps.tables, place);
  if (held && (await record.landed())) return ok({ ...held, created: true });
  if (!holds(condition, held?.etag)) return err(unmet(place));
  if (held) return ok({ ...held, created: false });
  if ((await listTenants(deps.tables, place.companyId)).length >= MAX_TENANTS_PER_COMPANY) {
    const message = `A company has at most ${MAX_TENANTS_PER_COMPANY} tenants.`;
    return err({ type: 'state', code: 'too-many-tenants', message });
  }
  const tenant: Tenant = {
    kind: place.kind,
    tenantId: place.tenantId,
    registeredAt: deps.clock.now().toISOString(),
  };
  const insert = { kind: 'insert', rowKey: tenantRowKey(place), cells: tenantCells(tenant) } as const;
  const written = await record.write('companies', place.companyId, [guardCompany(company.value), insert]);
  if (written.outcome !== 'committed') return undecided(written);
  return ok({ value: tenant, etag: written.etags[1] ?? '', created: true });
}

/**
 * What its administrators approved stays: it is worth nothing for another switch, and good for the same one if the tenant is registered
 * again. A switch that was ordered before waits for the tenant all the same: whoever removes tenants must not move their company by it.
 */
export async function deleteTenant(
  deps: TenantRemoving,
  request: TenantPlace & { readonly condition: Pick<Preconditions, 'ifMatch'> },
  actor: Actor,
): Promise<Result<void, Refusal>> {
  const place = placeOf(request);
  if (!place.ok) return place;
  return audited(deps, actor, actOn('tenant.remove', place.value), (record) =>
    settleAct(deps, record, () => deleteOnce(deps, place.value, { condition: request.condition, record })),
  );
}

async function deleteOnce(
  deps: TenantRemoving,
  place: Place,
  { condition, record }: { readonly condition: Pick<Preconditions, 'ifMatch'>; readonly record: ActRecord },
): Promise<Result<void, Refusal> | Undecided> {
  if (await record.landed()) return ok(undefined);
  const company = await openCompany(deps.tables, place.companyId);
  if (!company.ok) return company;
  const held = await loadTenant(deps.tables, place);
  if (!held) return err(missing(place));
  if (!matches(condition.ifMatch, held.etag)) return err(unmet(place));
  const remove = { kind: 'delete', rowKey: tenantRowKey(place), etag: held.etag } as const;
  const marks = await markRemoved(deps, place);
  if (!marks.ok) return marks;
  const writes = [guardCompany(company.value), remove, ...marks.value];
  const written = await record.write('companies', place.companyId, writes, { heldSwitches: marks.value.length });
  return written.outcome === 'committed' ? ok(undefined) : undecided(written);
}

/** The tenant, as one that holds them all the same, on every unfinished switch of the company. No switch begins or ends meanwhile: the company's row and theirs stand in the transaction. */
async function markRemoved(
  deps: TenantRemoving,
  { companyId, kind, tenantId }: Place,
): Promise<Result<RowWrite[], Refusal>> {
  const { tables } = deps;
  const range = { table: 'companies', partitionKey: companyId, ...rowKeysUnder(keyringRowKey('')) } as const;
  const marks: RowWrite[] = [];
  for (const row of await listAll(tables, range)) {
    const { keyringId, switchId } = readKeyring(row.cells);
    const sw = switchId === undefined ? undefined : await loadSwitch(tables, { companyId, keyringId, switchId });
    if (!sw || isEnded(sw.value.state)) continue;
    const others = (sw.value.removedTenants ?? []).filter((one) => one.kind !== kind || one.tenantId !== tenantId);
    const removedTenants = [...others, { kind, tenantId }];
    if (!fitsRemovedTenants(removedTenants)) {
      const message = `Too many tenants were removed since the switch '${sw.value.switchId}' was ordered: it has to end first.`;
      return err({ type: 'state', code: 'too-many-tenants', message });
    }
    const to = { ...sw.value, removedTenants };
    const sealed = await resealSwitch(deps, { companyId, keyringId, switchId: to.switchId }, { from: sw.value, to });
    if (!sealed.ok) return err(refusedBy(sealed.error));
    marks.push(replaceSwitch(sw, sealed.value));
  }
  return ok(marks);
}

function placeOf({ companyId, kind, tenantId: typed }: TenantPlace): Result<Place, Refusal> {
  const tenantId = tenantKind(kind).parseId(typed);
  if (tenantId.ok) return ok({ companyId, kind, tenantId: tenantId.value });
  return err({ type: 'invalid', target: 'path.tenantId', message: `The id ${tenantId.error}.` });
}

async function openCompany(tables: Tables, companyId: string): Promise<Result<Loaded<Company>, Refusal>> {
  const company = await loadCompany(tables, companyId);
  if (!company) return err(notFound('company', companyId));
  if (company.value.state === 'active') return ok(company);
  return err({ type: 'state', code: 'company-closing', message: 'The company is being deleted.' });
}

const actOn = (action: string, place: Place): Act => ({
  action,
  companyId: place.companyId,
  target: tenantRowKey(place),
});

const missing = (place: Place): Refusal => notFound('tenant', `${place.kind}/${place.tenantId}`);

const unmet = (place: Place): Refusal => ({
  type: 'precondition-failed',
  what: 'tenant',
  id: `${place.kind}/${place.tenantId}`,
});
