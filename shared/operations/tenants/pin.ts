// Which customer owns a tenant's id. Ids of some kinds can come to another owner. For those, the first verification pins the owner under the vendor's
// seal, and an approval by any other owner counts for nothing.
import type { Failure } from '../../domain/failure.ts';
import type { Clock, Sealer } from '../../domain/ports.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealedBytesOfPin } from '../../domain/seal.ts';
import type { Tenant } from '../../domain/tenant.ts';
import { tenantKind } from '../../identity/registry/tenant-kinds.ts';
import { tenantRow, type TenantPlace } from '../../store/rows/tenant-rows.ts';
import { checkSeal, type SealCheck } from '../keys/seals.ts';

/** Who speaks, of kinds that pin it: which customer of the service. */
export interface Speaker {
  readonly customerId?: string;
}

/** The pinned owner; undefined while there is none. `row-forged` if the pin was not written by us. */
export async function pinnedOwner(
  deps: SealCheck,
  place: TenantPlace,
  { pin, registeredAt = '' }: Partial<Tenant>,
): Promise<Result<string | undefined, Failure>> {
  if (!pin) return ok(undefined);
  const { companyId } = place;
  const bytes = sealedBytesOfPin(companyId, { ...place, registeredAt }, pin);
  const sealed = await checkSeal(deps, { companyId, rowKey: tenantRow.key(place), bytes, seal: pin.seal });
  return sealed.ok ? ok(pin.customerId) : sealed;
}

/** Refuses an owner who is not the one that was pinned. */
export async function judgeSpeaker(
  deps: SealCheck,
  place: TenantPlace,
  { tenant, speaker }: { readonly tenant: Tenant; readonly speaker: Speaker },
): Promise<Result<void, Failure>> {
  const { pin } = tenantKind(place.kind);
  if (!pin) return ok(undefined);
  const pinned = await pinnedOwner(deps, place, tenant);
  if (!pinned.ok) return pinned;
  const refused = pin.judge({ tenantId: place.tenantId, pinned: pinned.value, speaks: speaker.customerId });
  return refused ? err(refused) : ok(undefined);
}

/** The tenant with its owner pinned, after the first verification; undefined after any other, or if its kind pins none. */
export async function withPin(
  deps: { readonly sealer: Pick<Sealer, 'sign'>; readonly clock: Clock },
  companyId: string,
  { tenant, speaker }: { readonly tenant: Tenant; readonly speaker: Speaker },
): Promise<Result<Tenant | undefined, Failure>> {
  const { customerId } = speaker;
  if (!tenantKind(tenant.kind).pin || tenant.pin || customerId === undefined) return ok(undefined);
  const pin = { customerId, pinnedAt: deps.clock.now().toISOString() };
  const seal = await deps.sealer.sign(sealedBytesOfPin(companyId, tenant, pin));
  return seal.ok ? ok({ ...tenant, pin: { ...pin, seal: seal.value } }) : seal;
}
