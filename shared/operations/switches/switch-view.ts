// A switch as people see it: exact counts, rate, time left, what it waits for. Reads only.
import type { Keyring } from '../../domain/keyring.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { readSwitch } from '../../domain/rows/control-rows.ts';
import { rowKeysUnder } from '../../domain/rows/row-keys.ts';
import { progressOf, type Progress } from '../../domain/progress.ts';
import { isTurnedTo, type Shard } from '../../domain/shard.ts';
import { isEnded, turnOf, type Switch } from '../../domain/switch.ts';
import type { TenantRef } from '../../domain/tenant.ts';
import { listAll, loadKeyring, loadSwitch } from '../control-state.ts';
import { loadShards } from '../shard-rows.ts';
import { nameQuarantined, type QuarantinedRow } from './name-quarantined.ts';
import type { SwitchPlace } from './switch-writes.ts';
import { tenantsOf, tenantsThatHold, type TenantReading } from './tenants-hold.ts';

export type ViewDependencies = TenantReading;

export interface SwitchView extends Switch {
  readonly progress: Progress;
  /** The first quarantined rows by name; `progress.quarantined` is their exact number. */
  readonly quarantine: readonly QuarantinedRow[];
  /** All tenants whose administrators must agree before it can go on, or end. */
  readonly unverifiedTenants: readonly TenantRef[];
  /** Present while it stands still for something that is no failure. */
  readonly waitsFor?: 'company-admin' | 'tenants';
}

export async function getSwitch(deps: ViewDependencies, place: SwitchPlace): Promise<Result<SwitchView, Refusal>> {
  const [keyring, sw] = await Promise.all([loadKeyring(deps.tables, place), loadSwitch(deps.tables, place)]);
  if (!keyring || !sw) return err(notFound('switch', place.switchId));
  return ok(await viewOf(deps, place.companyId, keyring.value, sw.value));
}

/** Every switch of a keyring, in the order of their ids. */
export async function listSwitches(
  deps: ViewDependencies,
  place: { readonly companyId: string; readonly keyringId: string },
): Promise<Result<SwitchView[], Refusal>> {
  const keyring = await loadKeyring(deps.tables, place);
  if (!keyring) return err(notFound('keyring', place.keyringId));
  const range = rowKeysUnder(`switch|${place.keyringId}|`);
  const rows = await listAll(deps.tables, { table: 'companies', partitionKey: place.companyId, ...range });
  const views = rows.map(({ cells }) => viewOf(deps, place.companyId, keyring.value, readSwitch(cells)));
  return ok(await Promise.all(views));
}

async function viewOf(deps: ViewDependencies, companyId: string, keyring: Keyring, sw: Switch): Promise<SwitchView> {
  const place = { companyId, keyringId: keyring.keyringId, shardCount: keyring.shardCount };
  const shards = isEnded(sw.state)
    ? []
    : (await loadShards(deps.tables, place)).flatMap((shard) => (shard ? [shard.value] : []));
  const progress = progressOf(sw, shards, deps.clock.now());
  const unverified = await unverifiedOf(deps, companyId, sw);
  const waits = unverified.length > 0 && progress.quarantined === 0 && standsStill(sw, shards);
  return {
    ...sw,
    progress,
    quarantine: await nameQuarantined(deps.tables, place, shards),
    unverifiedTenants: unverified.map(({ kind, tenantId }) => ({ kind, tenantId })),
    ...(isEnded(sw.state) || !sw.awaitsConfirmation
      ? waits
        ? { waitsFor: 'tenants' }
        : {}
      : { waitsFor: 'company-admin' }),
  };
}

/** Nothing is left to do but to begin, or to commit. */
const standsStill = (sw: Switch, shards: readonly Shard[]): boolean =>
  !sw.blocked &&
  (sw.state === 'pending-verification' ||
    shards.every((shard) => isTurnedTo(shard, turnOf(sw)) && shard.phase === 'done'));

/** Where it cannot be told who is verified, nobody is shown as verified: the switch itself goes no further either. */
async function unverifiedOf(deps: ViewDependencies, companyId: string, sw: Switch): Promise<readonly TenantRef[]> {
  const held = await tenantsThatHold(deps, { companyId, sw });
  return held.ok ? held.value : tenantsOf(deps.tables, { companyId, sw });
}
