// Scene 3: the company's data is that of other tenants too. The switch is ordered, and does not begin before an administrator of each has
// agreed. The last of them does so in scene 4.
import type { SwitchAnswer } from '../answers.ts';
import { CompanySwitch, registerTenant } from '../company.ts';
import { EUROPE, WORKSPACE, type DataTenant } from '../data-tenants.ts';
import type { Demo } from '../demo.ts';
import { tellRefusedVisit, tellVisit } from '../people.ts';
import { count } from '../words.ts';

export interface OrderedSwitch {
  readonly sw: CompanySwitch;
  /** Of the key-vault emulator's request log: the last request before the switch. */
  readonly firstRequest: number;
  /** The link by which the last tenant can be verified. */
  readonly lastLink: string;
}

export async function approvals(demo: Demo): Promise<OrderedSwitch> {
  const { screen, environment } = demo;
  const { contoso } = environment.customers;
  screen.section('3  Contoso orders the switch, which waits for those whose data it is');
  for (const tenant of [EUROPE, WORKSPACE]) await registerTenant(demo, contoso, tenant);
  screen.done(
    `The vendor has found data of two more tenants among Contoso’s, and registers them: ${EUROPE.shownAs} and ${WORKSPACE.shownAs}.`,
  );
  const firstRequest = (await environment.keyVault.requests()).at(-1)?.sequence ?? 0;
  const sw = new CompanySwitch(demo, contoso, 'to-own-key');
  await sw.start();
  await checkWaits(demo, sw, [EUROPE, WORKSPACE]);
  screen.say(
    'Contoso’s admin asks for a link for each. Its page shows the vault, key and tenant that the data goes to.',
  );
  screen.line();

  const lastLink = await sw.askForApproval(WORKSPACE);
  const dan = { name: 'contoso-google-delegated-admin', as: 'a delegated administrator of the Workspace' };
  await tellRefusedVisit(demo, { link: lastLink, ...dan, code: 'google-not-super-admin' });
  screen.line();

  const grace = { name: 'contoso-europe-global-admin', as: `Global Administrator of ${EUROPE.shownAs}` };
  await tellVisit(demo, { link: await sw.askForApproval(EUROPE), ...grace });
  await checkWaits(demo, sw, [WORKSPACE]);
  return { sw, firstRequest, lastLink };
}

async function checkWaits(demo: Demo, sw: CompanySwitch, tenants: readonly DataTenant[]): Promise<void> {
  const now = await sw.get();
  const names = tenants.map(({ shownAs }) => shownAs).join(' and ');
  demo.check(
    now.state === 'pending-verification' && waitsFor(now, tenants) && now.counts.done === 0,
    `The switch is ${now.state}. It waits for ${count(tenants.length, 'tenant')}, ${names}; no data key has moved.`,
    `The switch should wait for ${names}, and is ${now.state}`,
  );
}

/** For these tenants and no others. */
export function waitsFor(now: SwitchAnswer, tenants: readonly DataTenant[]): boolean {
  const ids = now.unverifiedTenants.map(({ tenantId }) => tenantId);
  const isExact = ids.length === tenants.length && tenants.every(({ tenantId }) => ids.includes(tenantId));
  return isExact && now.waitsFor?.reason === 'tenant-unverified';
}
