// Which Google Workspace is behind a domain. A domain can lapse, be bought, and be made a Workspace anew by whoever has it then; so the
// first verification pins the Workspace's own id, under the vendor's seal, and a word from another one is worth nothing.
import { failure } from '../../domain/failure-catalogue.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { readTenant, tenantCells } from '../../store/rows/tenant-rows.ts';
import { tenantRowKey } from '../../store/rows/row-keys.ts';
import { sealedBytesOfPin } from '../../domain/seal.ts';
import type { Tenant, TenantRef } from '../../domain/tenant.ts';
import type { Loaded } from '../../store/control-state.ts';
import type { RowWrite, Tables } from '../../store/tables.ts';
import type { Clock, Sealer } from '../../domain/ports.ts';
import { checkSeal, type SealCheck } from '../keys/seals.ts';

/** Who speaks: of a Google Workspace also which one, by its customer id; of an Entra tenant that is its own id. */
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

/** The Workspace that was pinned; undefined if none was yet. `row-forged` if somebody else wrote it. */
export async function pinnedWorkspace(
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

/** `google-workspace-changed` if another Workspace speaks for the domain than the one that did first. */
export async function judgeSpeaker(
  deps: SealCheck,
  companyId: string,
  { tenant, speaker }: { readonly tenant: Tenant; readonly speaker: Speaker },
): Promise<Result<void, Failure>> {
  if (tenant.kind !== 'google-workspace') return ok(undefined);
  const pinned = await pinnedWorkspace(deps, companyId, tenant);
  if (!pinned.ok) return pinned;
  const { customerId } = speaker;
  if (customerId === undefined) return err(failure('google-error', { detail: 'no customer id' }));
  return pinned.value === undefined || pinned.value === customerId
    ? ok(undefined)
    : err(failure('google-workspace-changed', { detail: tenant.tenantId }));
}

/** What is written beside the first word of a Workspace; nothing for any later one, or for an Entra tenant. */
export async function pinWrites(
  deps: { readonly sealer: Pick<Sealer, 'sign'>; readonly clock: Clock },
  companyId: string,
  { tenant, speaker }: { readonly tenant: Loaded<Tenant>; readonly speaker: Speaker },
): Promise<Result<readonly RowWrite[], Failure>> {
  const { value, etag } = tenant;
  const { customerId } = speaker;
  if (value.kind !== 'google-workspace' || value.pin || customerId === undefined) return ok([]);
  const pin = { customerId, pinnedAt: deps.clock.now().toISOString() };
  const seal = await deps.sealer.sign(sealedBytesOfPin(companyId, value, pin));
  if (!seal.ok) return seal;
  const cells = tenantCells({ ...value, pin: { ...pin, seal: seal.value } });
  return ok([{ kind: 'replace', rowKey: tenantRowKey(value), cells, etag }]);
}
