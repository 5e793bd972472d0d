// A vendor who finds tenants in the company's data while switches run, and takes them away again; and their administrators, who agree to a
// switch and are at times late: what they were shown may be over when they agree.
import type { Approval } from '../../shared/domain/approval.ts';
import type { TenantRef } from '../../shared/domain/tenant.ts';
import { destinationOf } from '../../shared/operations/tenants/destination.ts';
import { deleteTenant, putTenant } from '../../shared/operations/tenants/tenants.ts';
import { verifyTenant } from '../../shared/operations/switches/verify-tenant.ts';
import { ADMIN } from '../fakes/actors.ts';
import { COMPANY, KEYRING } from '../operations/switches/rig.ts';
import { speakerOf } from '../operations/tenants/tenant-rig.ts';
import { call } from './callers.ts';
import { Chance } from './chance.ts';
import type { Actor } from './scheduler.ts';
import type { World } from './world.ts';

const PEOPLE: Actor = { role: 'people of tenants' };
const FOUND: readonly TenantRef[] = [
  { kind: 'microsoft-365', tenantId: 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa' },
  { kind: 'microsoft-365', tenantId: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb' },
  { kind: 'google-workspace', tenantId: 'contoso.example' },
];

function pause(world: World, chance: Chance): Promise<void> {
  const isLong = chance.happens(0.2);
  const dueMs = world.clock.now().getTime() + chance.below(30_000);
  const afterStep = world.scheduler.steps + chance.below(150);
  return world.turn(PEOPLE, { text: 'waits', ...(isLong ? { dueMs } : { afterStep }) });
}

/** Until a worker is about to commit: the worst moment at which a tenant can be found. */
function theWorstMoment(world: World): Promise<void> {
  const dueMs = world.clock.now().getTime() + 30_000;
  const ready = (): boolean => world.control.running?.lease !== undefined;
  return Promise.race([
    world.turn(PEOPLE, { text: 'waits for a commit', ready }),
    world.turn(PEOPLE, { text: 'has waited long enough', dueMs }),
  ]);
}

export async function findTenants(world: World): Promise<void> {
  const chance = new Chance(world.plan.seed, 'tenants');
  for (let turn = 0; turn < world.plan.tenantTurns; turn += 1) {
    const isUnlucky = chance.happens(0.3);
    await (isUnlucky ? theWorstMoment(world) : pause(world, chance));
    const tenant = chance.pick(FOUND);
    const choice = isUnlucky ? 0 : chance.below(10);
    const request = { companyId: COMPANY, ...tenant, condition: {} };
    const host = world.anyHost(chance);
    const { admin } = host.services;
    if (choice < 4) await call(world, host, () => putTenant(admin, request, ADMIN));
    else if (choice < 5) await call(world, host, () => deleteTenant(admin, request, ADMIN));
    else for (const one of FOUND) await agree(world, chance, one);
  }
}

/** The administrator of a tenant opens the link to the switch that runs, looks at where it leads, and agrees some time later. */
export async function agree(world: World, chance: Chance, tenant: TenantRef): Promise<void> {
  const sw = world.control.running;
  if (!sw) return;
  const approval: Approval = { for: 'switch', keyringId: KEYRING, switchId: sw.switchId };
  const shownBy = world.anyHost(chance);
  const shown = await call(world, shownBy, () =>
    destinationOf(shownBy.services.admin, { companyId: COMPANY, approval }),
  );
  if (!shown?.ok) return;
  if (world.stormy) await pause(world, chance);
  const destination = shown.value.digest;
  const verified = {
    companyId: COMPANY,
    approval,
    ...tenant,
    destination,
    admin: { id: `${tenant.tenantId}/an-admin`, name: 'Ann', ...speakerOf(tenant) },
  };
  const host = world.anyHost(chance);
  await call(world, host, () => verifyTenant(host.services.admin, verified, ADMIN));
}
