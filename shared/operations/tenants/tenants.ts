// The tenants of a company as a resource: the vendor registers what it finds in the company's data, at any time. Coming and going merge
// the company's row, so that a commit under its ETag knows them all.
import type { Act, Actor } from '../../domain/audit.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import { keyringsOf } from '../../store/rows/keyring-rows.ts';
import { fitsRemovedTenants, switchRow } from '../../store/rows/switch-rows.ts';
import { tenantRow, type TenantPlace } from '../../store/rows/tenant-rows.ts';
import { isEnded } from '../../domain/switch.ts';
import { MAX_TENANTS_PER_COMPANY, type Tenant } from '../../domain/tenant.ts';
import { tenantKind } from '../../identity/registry/tenant-kinds.ts';
import { act } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import { loadCompany } from '../../store/control-state.ts';
import { find, list, type Loaded } from '../../store/found.ts';
import type { Tables } from '../../store/tables.ts';
import type { Tx } from '../../store/tx.ts';
import { holds, matches, type Preconditions } from '../../domain/preconditions.ts';
import { resealSwitch, type SwitchSealing } from '../keys/switch-seal.ts';
import { listTenants } from './verifications.ts';

interface RequestedTenant {
  readonly companyId: string;
  readonly kind: string;
  /** As typed. */
  readonly tenantId: string;
}

interface PutTenant extends Loaded<Tenant> {
  readonly created: boolean;
}

type TenantRemoving = Auditing & SwitchSealing;

export async function getTenant(
  deps: { readonly tables: Tables },
  request: RequestedTenant,
): Promise<Result<Loaded<Tenant>, Refusal>> {
  const place = placeOf(request);
  if (!place.ok) return place;
  if (!(await loadCompany(deps.tables, request.companyId))) return err(notFound('company', request.companyId));
  const tenant = await find(deps.tables, tenantRow, place.value);
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
  request: RequestedTenant & { readonly condition: Preconditions },
  actor: Actor,
): Promise<Result<PutTenant, Refusal>> {
  const named = placeOf(request);
  if (!named.ok) return named;
  const place = named.value;
  return act<PutTenant>(deps, { actor, ...actOn('tenant.register', place) }, async (tx) => {
    const company = await tx.need(companyRow, place);
    const held = await tx.find(tenantRow, place);
    if (!holds(request.condition, held?.etag)) return err(unmet(place));
    if (held) return ok({ ...held, created: false });
    if ((await listTenants(deps.tables, place.companyId)).length >= MAX_TENANTS_PER_COMPANY) {
      const message = `A company has at most ${MAX_TENANTS_PER_COMPANY} tenants.`;
      return err({ type: 'state', code: 'too-many-tenants', message });
    }
    const { kind, tenantId } = place;
    tx.guard(company);
    const made = tx.insert(tenantRow, place, { kind, tenantId, registeredAt: deps.clock.now().toISOString() });
    return {
      done: () => ({ ...made(), created: true }),
      ifLanded: async () => {
        const now = await find(deps.tables, tenantRow, place);
        return now ? ok({ ...now, created: true }) : err(missing(place));
      },
    };
  });
}

/**
 * Keeps what its administrators approved: that counts for nothing in another switch, and again for the same switch if the tenant is registered again. A
 * switch that was ordered before still waits for the tenant: removing tenants must not let it go on.
 */
export async function deleteTenant(
  deps: TenantRemoving,
  request: RequestedTenant & { readonly condition: Pick<Preconditions, 'ifMatch'> },
  actor: Actor,
): Promise<Result<void, Refusal>> {
  const named = placeOf(request);
  if (!named.ok) return named;
  const place = named.value;
  return act(deps, { actor, ...actOn('tenant.remove', place) }, async (tx) => {
    const company = await tx.need(companyRow, place);
    const held = await tx.need(tenantRow, place);
    if (!matches(request.condition.ifMatch, held.etag)) return err(unmet(place));
    tx.guard(company);
    tx.delete(held);
    const marked = await markRemoved(deps, place, tx);
    if (!marked.ok) return marked;
    tx.detail({ heldSwitches: marked.value });
    return ok(undefined);
  });
}

/**
 * The tenant, as one that holds them all the same, on every unfinished switch of the company; how many there are. No switch begins or ends meanwhile:
 * the company's row and theirs stand in the transaction.
 */
async function markRemoved(
  deps: TenantRemoving,
  { companyId, kind, tenantId }: TenantPlace,
  tx: Tx,
): Promise<Result<number, Refusal>> {
  let marked = 0;
  for (const { place, value } of await list(deps.tables, keyringsOf, { companyId })) {
    const { switchId } = value;
    const sw = switchId === undefined ? undefined : await tx.find(switchRow, { ...place, switchId });
    if (!sw || isEnded(sw.value.state)) continue;
    const others = (sw.value.removedTenants ?? []).filter((one) => one.kind !== kind || one.tenantId !== tenantId);
    const removedTenants = [...others, { kind, tenantId }];
    if (!fitsRemovedTenants(removedTenants)) {
      const message = `Too many tenants were removed since the switch '${sw.value.switchId}' was ordered: it has to end first.`;
      return err({ type: 'state', code: 'too-many-tenants', message });
    }
    const to = { ...sw.value, removedTenants };
    const sealed = await resealSwitch(deps, { ...place, switchId: to.switchId }, { from: sw.value, to });
    if (!sealed.ok) return err(refusedBy(sealed.error));
    tx.replace(sw, sealed.value);
    marked += 1;
  }
  return ok(marked);
}

function placeOf({ companyId, kind, tenantId: typed }: RequestedTenant): Result<TenantPlace, Refusal> {
  const tenantId = tenantKind(kind).parseId(typed);
  if (tenantId.ok) return ok({ companyId, kind, tenantId: tenantId.value });
  return err({ type: 'invalid', target: 'path.tenantId', message: `The id ${tenantId.error}.` });
}

const actOn = (action: string, place: TenantPlace): Act => ({
  action,
  companyId: place.companyId,
  target: tenantRow.key(place),
});

const missing = (place: TenantPlace): Refusal => notFound('tenant', `${place.kind}/${place.tenantId}`);

const unmet = (place: TenantPlace): Refusal => ({
  type: 'precondition-failed',
  what: 'tenant',
  id: `${place.kind}/${place.tenantId}`,
});
