// Who is behind the id of a tenant. Some kinds have ids that can come to another owner. For those the first verification pins the owner, under
// the vendor's seal, and the word of any other owner is worth nothing.
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { readTenant, tenantCells } from '../../store/rows/tenant-rows.ts';
import { tenantRowKey } from '../../store/rows/row-keys.ts';
import { sealedBytesOfPin } from '../../domain/seal.ts';
import type { Tenant, TenantRef } from '../../domain/tenant.ts';
import { tenantKind } from '../../identity/registry/tenant-kinds.ts';
import type { Loaded } from '../../store/control-state.ts';
import type { RowWrite, Tables } from '../../store/tables.ts';
import type { Clock, Sealer } from '../../domain/ports.ts';
import { checkSeal, type SealCheck } from '../keys/seals.ts';

/** Who speaks, of kinds that pin it: which customer of the service. */
export interface Speaker {
  readonly customerId?: string;
}

export async function loadTenant(
  tables: Pick<Tables, 'read'>,
  place: TenantRef & { readonly companyId: string },
): Promise<Loaded<Tenant> | undefined> {
  const row = await tables.read('companies', place.companyId, tenantRowKey(place));
  return row && { value: readTenant(row.cells, row.rowKey), etag: row.etag };
}

/** The pinned owner; undefined while there is none. `row-forged` if the row was not written by us. */
export async function pinnedOwner(
  deps: SealCheck,
  companyId: string,
  tenant: TenantRef & Partial<Tenant>,
): Promise<Result<string | undefined, Failure>> {
  const { pin, registeredAt = '' } = tenant;
  if (!pin) return ok(undefined);
  const bytes = sealedBytesOfPin(companyId, { ...tenant, registeredAt }, pin);
  const sealed = await checkSeal(deps, { companyId, rowKey: tenantRowKey(tenant), bytes, seal: pin.seal });
  return sealed.ok ? ok(pin.customerId) : sealed;
}

/** Refuses an owner who is not the one that was pinned. */
export async function judgeSpeaker(
  deps: SealCheck,
  companyId: string,
  { tenant, speaker }: { readonly tenant: Tenant; readonly speaker: Speaker },
): Promise<Result<void, Failure>> {
  const { pin } = tenantKind(tenant.kind);
  if (!pin) return ok(undefined);
  const pinned = await pinnedOwner(deps, companyId, tenant);
  if (!pinned.ok) return pinned;
  const refused = pin.judge({ tenantId: tenant.tenantId, pinned: pinned.value, speaks: speaker.customerId });
  return refused ? err(refused) : ok(undefined);
}

/** What is written beside the first verification of a tenant whose kind pins its owner; nothing beside any other. */
export async function pinWrites(
  deps: { readonly sealer: Pick<Sealer, 'sign'>; readonly clock: Clock },
  companyId: string,
  { tenant, speaker }: { readonly tenant: Loaded<Tenant>; readonly speaker: Speaker },
): Promise<Result<readonly RowWrite[], Failure>> {
  const { value, etag } = tenant;
  const { customerId } = speaker;
  if (!tenantKind(value.kind).pin || value.pin || customerId === undefined) return ok([]);
  const pin = { customerId, pinnedAt: deps.clock.now().toISOString() };
  const seal = await deps.sealer.sign(sealedBytesOfPin(companyId, value, pin));
  if (!seal.ok) return seal;
  const cells = tenantCells({ ...value, pin: { ...pin, seal: seal.value } });
  return ok([{ kind: 'replace', rowKey: tenantRowKey(value), cells, etag }]);
}
