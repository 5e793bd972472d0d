// The issue of trust at its whole length: a company whose data lies in two Microsoft 365 tenants and a Google Workspace, one of them
// found while the switch is at work. Their administrators go through the pages of links; who is none is refused there and changes
// nothing. The switch asks for nobody's help in between.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DATA_TENANTS } from '../../local/environment/persons.ts';
import { GOOGLE_SETTINGS } from '../../local/identities.ts';
import { azure, Company, type TenantRef } from './company.ts';
import { startRun } from './harness.ts';
import { holdInTheMiddle } from './hold.ts';
import type { Run } from './run.ts';
import { Load } from './load.ts';
import { StoredRows } from './stored-rows.ts';

const EUROPE: TenantRef = { kind: 'microsoft-365', tenantId: DATA_TENANTS.europe.tenant };
const RESEARCH: TenantRef = { kind: 'microsoft-365', tenantId: DATA_TENANTS.research.tenant };
const WORKSPACE: TenantRef = { kind: 'google-workspace', tenantId: DATA_TENANTS.workspace.tenant };
const KEYS = 800;
const TIMEOUT_MS = 180_000;

interface RecordedEvent {
  readonly action: string;
  readonly outcome: string;
  readonly target: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

let run: Run;

beforeAll(async () => {
  run = await startRun({ settings: GOOGLE_SETTINGS });
});
afterAll(() => run.close());

async function eventsOf(company: Company, action: string): Promise<RecordedEvent[]> {
  const path = `${company.path}/events?maxpagesize=500`;
  const { value } = await company.must<{ value: RecordedEvent[] }>('GET', path);
  return value.filter((event) => event.action === action);
}

test(
  'a switch with three tenants, one of them found half-way, completes by itself when the last is verified',
  async () => {
    const { customers } = run.environment;
    const company = await Company.create(run, 'contoso', KEYS);
    await company.connect(customers.contoso, { id: 'azure', keyName: 'contoso-key' });
    await company.register(EUROPE);
    await company.register(WORKSPACE);
    const before = new Load([company], Math.random);

    const ordered = await company.order('s1', azure('azure'));
    expect([ordered.status, ordered.body.state]).toEqual([202, 'pending-verification']);
    const waiting = {
      state: 'pending-verification',
      waitsFor: { reason: 'tenant-unverified', owner: 'company-admin' },
      unverifiedTenants: [WORKSPACE, EUROPE],
      counts: { done: 0 },
    };
    expect(await company.view('s1')).toMatchObject(waiting);

    const delegated = await company.verify(WORKSPACE, 's1', 'contoso-google-delegated-admin');
    expect([delegated.status, delegated.headers['x-ms-error-code']]).toEqual([400, 'google-not-super-admin']);
    expect(delegated.text).toContain('google-not-super-admin');
    expect(delegated.text).toContain('is a delegated administrator');
    const ordinary = await company.verify(EUROPE, 's1', 'contoso-europe-user');
    expect([ordinary.status, ordinary.headers['x-ms-error-code']]).toEqual([400, 'admin-role-missing']);
    expect(ordinary.text).toContain('admin-role-missing');
    expect(await company.view('s1')).toMatchObject(waiting);
    expect(
      (await eventsOf(company, 'sign-in.refused')).map(({ outcome, target, detail }) => [outcome, target, detail]),
    ).toEqual([
      ['refused', `tenant|google-workspace|${WORKSPACE.tenantId}`, { code: 'google-not-super-admin', step: 'sign-in' }],
      ['refused', `tenant|microsoft-365|${EUROPE.tenantId}`, { code: 'admin-role-missing', step: 'sign-in' }],
    ]);

    const europe = await company.verify(EUROPE, 's1', 'contoso-europe-global-admin');
    expect([europe.status, europe.heading]).toEqual([200, 'The tenant is verified']);
    expect(europe.text).toContain('One more tenant of this company must be verified.');
    expect(await company.view('s1')).toMatchObject({ state: 'pending-verification', unverifiedTenants: [WORKSPACE] });

    const reports = [await before.stop()];
    const letGo = await holdInTheMiddle(run);
    const google = await company.verify(WORKSPACE, 's1', 'contoso-google-super-admin');
    expect([google.status, google.heading]).toEqual([200, 'The tenant is verified']);
    expect(google.text).toContain('the switch goes on by itself');
    await company.reaches('s1', ({ state, counts }) => state === 're-protecting' && counts.done > 0);
    await company.register(RESEARCH);
    const halfWay = await company.view('s1');
    expect(halfWay).toMatchObject({ state: 're-protecting', unverifiedTenants: [RESEARCH] });
    expect(halfWay.counts.done).toBeGreaterThan(0);
    expect(halfWay.counts.done).toBeLessThan(halfWay.counts.total);
    const after = new Load([company], Math.random);
    await letGo();

    // The work is not held, only its end.
    const held = await company.reaches(
      's1',
      ({ counts, waitsFor }) => counts.checked >= KEYS && waitsFor !== undefined,
    );
    expect(held).toMatchObject({ state: 're-protecting', waitsFor: { reason: 'tenant-unverified' } });
    expect(held.unverifiedTenants).toEqual([RESEARCH]);
    const user = await company.verify(RESEARCH, 's1', 'contoso-research-user');
    expect(user.headers['x-ms-error-code']).toBe('admin-role-missing');
    expect(await company.view('s1')).toMatchObject({ state: 're-protecting', unverifiedTenants: [RESEARCH] });

    const research = await company.verify(RESEARCH, 's1', 'contoso-research-privileged-role-admin');
    expect([research.status, research.heading]).toEqual([200, 'The tenant is verified']);
    const ended = await company.ends('s1');
    expect(ended).toMatchObject({ state: 'completed', unverifiedTenants: [], counts: { quarantined: 0, lost: 0 } });

    reports.push(await after.stop());
    expect(reports.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(Math.min(...reports.map(({ reads }) => reads))).toBeGreaterThan(0);
    expect(company.keys.size).toBeGreaterThan(KEYS);
    expect(await company.different()).toEqual([]);
    expect(await new StoredRows(run.credential).miscounts('contoso')).toEqual([]);
    const verified = await eventsOf(company, 'tenant.verify');
    expect(verified.map(({ outcome, target }) => [outcome, target])).toEqual(
      [EUROPE, WORKSPACE, RESEARCH].map(({ kind, tenantId }) => ['done', `tenant|${kind}|${tenantId}`]),
    );
  },
  TIMEOUT_MS,
);
