// Tenants verified by the sign-in of their own administrators, and the switch that goes on by itself after the last.
import { beforeEach, describe, expect, it } from 'vitest';
import { approvalKey } from '../../../shared/domain/approval.ts';
import { failure } from '../../../shared/failures.ts';
import type { FailureCode } from '../../../shared/domain/failure.ts';
import {
  connectionRowKey,
  linkRowKey,
  stateRowKey,
  switchRowKey,
  tenantRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import type { TenantRef } from '../../../shared/domain/tenant.ts';
import { parseTicket } from '../../../shared/domain/ticket.ts';
import type { MicrosoftPerson } from '../../../shared/identity/entra/admin.ts';
import type { GooglePerson } from '../../../shared/identity/google/admin.ts';
import { parseExportRecipient } from '../../../shared/domain/export-recipient.ts';
import { exportCompanyKey, type Exporting } from '../../../shared/operations/exports/export-company-key.ts';
import { requestVerification, type AskedApproval } from '../../../shared/operations/sign-ins/request-verification.ts';
import type { SignInDependencies } from '../../../shared/operations/sign-ins/step.ts';
import { cancelSwitch } from '../../../shared/operations/switches/steer.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeExportSealer } from '../../fakes/fake-export-sealer.ts';
import { FakeSignIns } from '../../fakes/fake-sign-ins.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, CUSTOMER_TENANT, KEYRING, place, Rig } from '../switches/rig.ts';
import { ENTRA, GOOGLE, OTHER_ENTRA, register, remove, stateOf, viewOf } from '../tenants/tenant-rig.ts';
import { codeOf, globalAdminOf, valueOf, Walk } from './walk.ts';

const SWITCH = { for: 'switch', keyringId: place('').keyringId, switchId: 's1' } as const;
const SUPER_ADMIN: GooglePerson = {
  subject: '1234567890',
  email: `ada@${GOOGLE.tenantId}`,
  domain: GOOGLE.tenantId,
  isSuperAdmin: true,
  isDelegatedAdmin: false,
  workspace: { customerId: 'C03abc123', isDomainProved: true },
};

const SINCE = '2026-01-01T00:00:00.000Z';
const RECIPIENT = valueOf(parseExportRecipient({ passphrase: 'correct horse battery staple' }));
const exporting = (): Exporting => ({ ...rig.deps, exportSealer: new FakeExportSealer() });

let rig: Rig;
let deps: SignInDependencies & { readonly signIns: FakeSignIns };
let walk: Walk;

beforeEach(async () => {
  rig = await Rig.withDataKeys(6);
  deps = {
    ...rig.deps,
    signIns: new FakeSignIns(rig.clock),
    signInTimes: { linkMs: 3_600_000, stepMs: 600_000 },
  };
  walk = new Walk(deps);
  await register(rig, ENTRA, GOOGLE);
  valueOf(await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN));
  await rig.drain();
});

const linkFor = async (tenant: TenantRef, approval: AskedApproval = SWITCH): Promise<string> => {
  const { companyId } = place('');
  return valueOf(await requestVerification(deps, { companyId, ...tenant, approval }, ADMIN)).ticket.text;
};

type Who =
  | { readonly service: 'microsoft'; readonly person: MicrosoftPerson }
  | { readonly service: 'google'; readonly person: GooglePerson };

const adminOf = (tenant: TenantRef): Who =>
  tenant.kind === 'google-workspace'
    ? { service: 'google', person: { ...SUPER_ADMIN, domain: tenant.tenantId } }
    : { service: 'microsoft', person: globalAdminOf(tenant.tenantId) };

/** Straight from the link's button to the callback: nothing is to be accepted first. */
async function signIn(link: string, who: Who): ReturnType<Walk['comeBack']> {
  const { goTo, cookie } = valueOf(await walk.begin(link));
  return walk.comeBack(deps.signIns.signIn(goTo, who), cookie);
}

async function verify(tenant: TenantRef, approval: AskedApproval = SWITCH): Promise<number> {
  const back = valueOf(await signIn(await linkFor(tenant, approval), adminOf(tenant)));
  if (back.type !== 'question') throw new Error('no question');
  const answered = valueOf(await walk.answer(back.state, { cookie: back.cookie }));
  if (answered.type !== 'verified') throw new Error(`it was ${answered.type}`);
  return answered.tenantsLeft;
}

describe('a switch with a tenant of each kind, and one that is found half-way', () => {
  it('goes on by itself after the last, and completes by itself after the one that came late', async () => {
    expect(await verify(ENTRA)).toBe(1);
    await rig.drain();
    expect(await stateOf(rig, 's1')).toBe('pending-verification');
    expect(await verify(GOOGLE)).toBe(0);
    await rig.drain({ enough: async () => (await stateOf(rig, 's1')) === 're-protecting' });
    await register(rig, OTHER_ENTRA);
    await rig.drain();
    expect(await viewOf(rig, 's1')).toMatchObject({ state: 're-protecting', unverifiedTenants: [OTHER_ENTRA] });
    expect(await verify(OTHER_ENTRA)).toBe(0);
    await rig.drain();
    expect(await stateOf(rig, 's1')).toBe('completed');
    expect(await rig.openByCaller()).toBe(6);
  });

  it('asks Microsoft and Google for no more than a sign-in at the tenant itself', async () => {
    await verify(ENTRA);
    await verify(GOOGLE);
    expect(deps.signIns.calls).toEqual([
      `microsoftUrl ${ENTRA.tenantId}`,
      `redeemMicrosoft ${ENTRA.tenantId}`,
      `googleUrl ${GOOGLE.tenantId}`,
      'redeemGoogle',
    ]);
    expect(rig.vaults.countOf('obtainToken')).toBe(0);
  });
});

describe('the word of somebody else', () => {
  it.each<[string, TenantRef, Who, FailureCode]>([
    [
      'an ordinary user',
      ENTRA,
      { service: 'microsoft', person: { ...globalAdminOf(ENTRA.tenantId), roleTemplateIds: [] } },
      'admin-role-missing',
    ],
    ['an administrator of another tenant', ENTRA, adminOf(OTHER_ENTRA), 'sign-in-wrong-tenant'],
    [
      'a delegated administrator',
      GOOGLE,
      { service: 'google', person: { ...SUPER_ADMIN, isSuperAdmin: false, isDelegatedAdmin: true } },
      'google-not-super-admin',
    ],
    [
      'a super administrator of another Workspace',
      GOOGLE,
      { service: 'google', person: { ...SUPER_ADMIN, domain: 'other.example' } },
      'google-wrong-domain',
    ],
    [
      'a super administrator of a Workspace whose domain nobody has proved',
      GOOGLE,
      {
        service: 'google',
        person: { ...SUPER_ADMIN, workspace: { customerId: 'C03abc123', isDomainProved: false } },
      },
      'google-domain-unproved',
    ],
    [
      'a private account',
      GOOGLE,
      {
        service: 'google',
        person: { subject: '1', email: 'a@gmail.com', isSuperAdmin: false, isDelegatedAdmin: false },
      },
      'google-wrong-domain',
    ],
  ])('%s is refused', async (_who, tenant, who, code) => {
    expect(codeOf(await signIn(await linkFor(tenant), who))).toBe(code);
    expect((await viewOf(rig, 's1')).unverifiedTenants).toHaveLength(2);
  });

  it('is refused where Google tells that the sign-in is an old one, and taken where it tells no time', async () => {
    const old = new Date(rig.clock.now().getTime() - 3_600_000);
    for (const isTold of [true, false]) {
      deps.signIns.tellsAuthTime.google = isTold;
      const { goTo, cookie } = valueOf(await walk.begin(await linkFor(GOOGLE)));
      const back = await walk.comeBack(deps.signIns.signIn(goTo, adminOf(GOOGLE), old), cookie);
      expect(codeOf(back)).toBe(isTold ? 'sign-in-not-fresh' : undefined);
    }
  });

  it('is refused where Google names nobody, or does not answer, and counts for nothing', async () => {
    const link = await linkFor(GOOGLE);
    const nameless = { service: 'google', person: { ...SUPER_ADMIN, subject: '' } } as const;
    expect(codeOf(await signIn(link, nameless))).toBe('id-token-invalid');
    const { goTo, cookie } = valueOf(await walk.begin(link));
    deps.signIns.failNext('redeemGoogle', 'google-unreachable');
    const query = deps.signIns.signIn(goTo, adminOf(GOOGLE));
    expect(codeOf(await walk.comeBack(query, cookie))).toBe('google-unreachable');
    deps.signIns.failNext('googleUrl', 'google-unreachable');
    expect(codeOf(await walk.begin(link))).toBe('google-unreachable');
    expect(chainOf(rig.store).at(-1)).toMatchObject({ action: 'sign-in.refused', target: tenantRowKey(GOOGLE) });
    expect((await viewOf(rig, 's1')).unverifiedTenants).toHaveLength(2);
  });

  it('is kept under the name that Google knows them by', async () => {
    await verify(GOOGLE);
    expect(chainOf(rig.store).findLast(({ action }) => action === 'tenant.verify')).toMatchObject({
      by: `${GOOGLE.tenantId}/${SUPER_ADMIN.subject}`,
    });
  });
});

describe('a link to verify a tenant', () => {
  it('is void when the switch has ended, or the tenant is gone', async () => {
    const link = await linkFor(ENTRA);
    const other = await linkFor(GOOGLE);
    await remove(rig, GOOGLE);
    expect(codeOf(await walk.begin(other))).toBe('link-expired');
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    expect(await walk.begin(link)).toMatchObject({
      error: {
        refusal: { failure: { code: 'link-expired', facts: { detail: 'the switch that it asks about has ended' } } },
      },
    });
  });

  it('is not made for a tenant or a switch that there is not', async () => {
    const { companyId } = place('');
    const asking = (tenant: TenantRef, approval: AskedApproval): ReturnType<typeof requestVerification> =>
      requestVerification(deps, { companyId, ...tenant, approval }, ADMIN);
    expect(await asking(OTHER_ENTRA, SWITCH)).toEqual({
      ok: false,
      error: { type: 'not-found', what: 'tenant', id: OTHER_ENTRA.tenantId },
    });
    expect(codeOf(await asking(ENTRA, { ...SWITCH, switchId: 'none' }))).toBe('not-found');
  });

  it('is recorded with what is to be approved', async () => {
    await linkFor(ENTRA);
    const { action, target, detail } = chainOf(rig.store).at(-1)!;
    expect({ action, target }).toEqual({ action: 'tenant.request-verification', target: tenantRowKey(ENTRA) });
    expect(JSON.parse(detail)).toEqual({ approval: approvalKey({ ...SWITCH }) });
  });

  it('leads to the service of the tenant', async () => {
    expect(valueOf(await walk.begin(await linkFor(ENTRA)))).toMatchObject({ service: 'Microsoft' });
    expect(valueOf(await walk.begin(await linkFor(GOOGLE)))).toMatchObject({ service: 'Google' });
  });

  it('verifies once, though its answer is given twice at once', async () => {
    const back = valueOf(await signIn(await linkFor(ENTRA), adminOf(ENTRA)));
    if (back.type !== 'question') throw new Error('no question');
    const answers = await Promise.all([0, 1].map(() => walk.answer(back.state, { cookie: back.cookie })));
    expect(answers.map(codeOf).toSorted()).toEqual(['sign-in-used', undefined]);
  });

  it('can be declined', async () => {
    const back = valueOf(await signIn(await linkFor(ENTRA), adminOf(ENTRA)));
    if (back.type !== 'question') throw new Error('no question');
    expect(valueOf(await walk.answer(back.state, { cookie: back.cookie, answer: 'decline' })).type).toBe('declined');
    expect((await viewOf(rig, 's1')).unverifiedTenants).toHaveLength(2);
    expect(chainOf(rig.store).at(-1)).toMatchObject({ action: 'tenant.decline', target: tenantRowKey(ENTRA) });
  });
});

describe('another Workspace of the same domain than the one that spoke first', () => {
  const taken = { ...SUPER_ADMIN, subject: '999', workspace: { customerId: 'C09taken99', isDomainProved: true } };
  const eve = { service: 'google', person: taken } as const;

  it('is refused when its Super Admin signs in, and that is a security event', async () => {
    await verify(GOOGLE);
    expect(codeOf(await signIn(await linkFor(GOOGLE), eve))).toBe('google-workspace-changed');
    const events = chainOf(rig.store, COMPANY).slice(-2);
    expect(events.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['sign-in.refused', 'refused'],
      ['security.google-workspace-changed', 'detected'],
    ]);
  });

  it('is refused when it answers, if it signed in before the first had spoken', async () => {
    const back = valueOf(await signIn(await linkFor(GOOGLE), eve));
    if (back.type !== 'question') throw new Error('no question');
    await verify(GOOGLE);
    expect(codeOf(await walk.answer(back.state, { cookie: back.cookie }))).toBe('google-workspace-changed');
    expect((await viewOf(rig, 's1')).unverifiedTenants).toEqual([ENTRA]);
  });

  it('cannot be made the first by a row of somebody who signed in', async () => {
    const back = valueOf(await signIn(await linkFor(GOOGLE), eve));
    if (back.type !== 'question') throw new Error('no question');
    await verify(GOOGLE);
    const rowKey = stateRowKey(parseTicket(back.state)!.hash);
    const { cells } = rig.store.peek('companies', COMPANY, rowKey)!;
    const person = String(cells['person']).replace('C09taken99', 'C03abc123');
    rig.store.tamper('companies', COMPANY, rowKey, { ...cells, person });
    expect(codeOf(await walk.answer(back.state, { cookie: back.cookie }))).toBe('row-forged');
  });
});

describe('an export', () => {
  it('is approved by the tenants for the next time only', async () => {
    for (const tenant of [ENTRA, GOOGLE]) await verify(tenant);
    await rig.drain();
    expect(await stateOf(rig, 's1')).toBe('completed');
    const place = { companyId: COMPANY, keyringId: KEYRING, recipient: RECIPIENT };
    expect(codeOf(await exportCompanyKey(exporting(), place, ADMIN))).toBeUndefined();
    expect(codeOf(await exportCompanyKey(exporting(), place, ADMIN))).toBe('tenants-unverified');
    const next = { for: 'export', keyringId: KEYRING, recipient: { type: 'passphrase' } } as const;
    const late = await linkFor(GOOGLE, next);
    expect(await verify(ENTRA, next)).toBe(1);
    expect(await verify(GOOGLE, next)).toBe(0);
    expect(codeOf(await exportCompanyKey(exporting(), place, ADMIN))).toBeUndefined();
    expect(codeOf(await exportCompanyKey(exporting(), place, ADMIN))).toBe('tenants-unverified');
    expect(codeOf(await walk.begin(late))).toBe('link-expired');
    for (const tenant of [ENTRA, GOOGLE]) await verify(tenant, next);
    expect(codeOf(await exportCompanyKey(exporting(), place, ADMIN))).toBeUndefined();
  });

  it('is approved for the recipient that the page showed, whatever row is put in the place of the link', async () => {
    const toKey = (letter: string): AskedApproval & { readonly for: 'export' } => ({
      for: 'export',
      keyringId: KEYRING,
      recipient: { type: 'public-key', thumbprint: letter.repeat(43) },
    });
    const [shown, other] = [await linkFor(ENTRA, toKey('A')), await linkFor(ENTRA, toKey('E'))];
    const back = valueOf(await signIn(shown, adminOf(ENTRA)));
    if (back.type !== 'question') throw new Error('no question');
    const [to, from] = [shown, other].map((link) => linkRowKey(parseTicket(link)!.hash));
    rig.store.tamper('companies', COMPANY, to!, rig.store.peek('companies', COMPANY, from!)!.cells);
    expect(codeOf(await walk.answer(back.state, { cookie: back.cookie }))).toBe('row-forged');
    expect([...rig.store.dump()].some(({ rowKey }) => rowKey.startsWith('verification|export|'))).toBe(false);
  });
});

describe('consent to the vault of a switch that waits for it', () => {
  const CONTOSO_PLACE = { companyId: COMPANY, connectionId: 'contoso' };

  beforeEach(async () => {
    rig.queue.clear();
    await rig.tamperSwitch('s1', {
      blocked: { reason: 'provider', since: SINCE, side: 'target', failure: failure('consent-required', {}) },
    });
    const row = rig.store.peek('companies', COMPANY, connectionRowKey('contoso'))!;
    const usedBy = JSON.stringify([switchRowKey(KEYRING, 's1')]);
    rig.store.tamper('companies', COMPANY, row.rowKey, { ...row.cells, usedBy });
  });

  it('lets the switch go on', async () => {
    expect(valueOf(await walk.through(CONTOSO_PLACE, globalAdminOf(CUSTOMER_TENANT))).type).toBe('granted');
    expect(rig.queue.take()).toMatchObject({ kind: 'advance', switchId: 's1' });
  });

  it('lets nothing go on if it could not be kept', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(CONTOSO_PLACE), globalAdminOf(CUSTOMER_TENANT));
    rig.vaults.fail({ operation: 'sign', failure: 'throttled', times: 1 });
    expect(codeOf(await walk.answer(state, { cookie }))).toBe('throttled');
    expect(rig.queue.size).toBe(0);
  });
});
