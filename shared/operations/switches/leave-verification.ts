// The gate before the work of a switch: it stays in `pending-verification` until nothing is missing. Whoever supplies what was missing
// sends the message that looks here again, and the timer does if that is lost.
import type { Failure } from '../../domain/failure.ts';
import type { Switch } from '../../domain/switch.ts';
import { loadCompany, type Loaded } from '../control-state.ts';
import { enterPreparing, type Preparing } from './prepare.ts';
import { lackOfProof, type Proving } from './proofs.ts';
import type { SwitchPlace } from './switch-writes.ts';
import { tenantsThatHold, type TenantReading } from './tenants-hold.ts';

interface SideFailure {
  readonly type: 'failed';
  readonly side: 'source' | 'target';
  readonly failure: Failure;
}

type Held = { readonly type: 'waits' } | SideFailure;

export async function leaveVerification(
  deps: TenantReading & Proving & Pick<Preparing, 'tables'>,
  place: SwitchPlace,
  sw: Loaded<Switch>,
): Promise<'moved' | 'lost-race' | Held> {
  // Before anything is looked at: the transaction that leaves is made under its ETag.
  const company = await loadCompany(deps.tables, place.companyId);
  if (!company) return 'lost-race';
  const held = await heldByTenants(deps, place, sw.value);
  if (held) return held;
  // Last, so that a consent is not too old before everything else that takes days is there.
  const lack = await lackOfProof(deps, place.companyId, sw.value);
  if (lack) return { type: 'failed', side: 'target', failure: lack };
  return enterPreparing(deps, place, { company, sw });
}

async function heldByTenants(deps: TenantReading, place: SwitchPlace, sw: Switch): Promise<Held | undefined> {
  const tenants = await tenantsThatHold(deps, { companyId: place.companyId, sw });
  if (!tenants.ok) return { type: 'failed', side: 'target', failure: tenants.error };
  if (tenants.value.length === 0) return undefined;
  const detail = { ...place, tenants: tenants.value.length };
  deps.log.write({ level: 'info', event: 'switch.waits-for-tenants', detail });
  return { type: 'waits' };
}
