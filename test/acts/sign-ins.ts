// Acts of a sign-in, and what follows from one: a switch that waited for consent goes on, a vault that was moved is pinned to its new tenant.
import type { SignInDependencies } from '../../shared/operations/sign-ins/step.ts';
import { testConnection } from '../../shared/operations/connections/connection-test.ts';
import { requestConsent } from '../../shared/operations/sign-ins/request-consent.ts';
import { requestVerification } from '../../shared/operations/sign-ins/request-verification.ts';
import { ADMIN } from '../fakes/actors.ts';
import { FakeSignIns } from '../fakes/fake-sign-ins.ts';
import { globalAdminOf, valueOf, Walk } from '../operations/sign-ins/walk.ts';
import { COMPANY, CONTOSO_HOST, CUSTOMER_TENANT, type Rig } from '../operations/switches/rig.ts';
import { ENTRA, register } from '../operations/tenants/tenant-rig.ts';
import { after, isBlocked, ordered, SWITCH, workedUntil, worksUntil, type Host, type Scene } from './scene.ts';

const HOUR_MS = 3_600_000;
const PLACE = { companyId: COMPANY, connectionId: 'contoso' };
const NEW_TENANT = '44444444-4444-4444-8444-444444444444';
const VERIFICATION = { companyId: COMPANY, ...ENTRA, approval: { for: 'switch', ...SWITCH } } as const;

type SigningIn = SignInDependencies & { readonly signIns: FakeSignIns };
const signingIn = (host: Host, signIns: FakeSignIns): SigningIn => ({
  ...host,
  signIns,
  signInTimes: { linkMs: HOUR_MS, stepMs: HOUR_MS },
});
const over = (rig: Rig): SigningIn => signingIn(rig.freshHost(), new FakeSignIns(rig.clock));

/** A person who signed in is asked, and has not answered. */
interface Asked {
  readonly signIns: FakeSignIns;
  readonly state: string;
  readonly cookie: string;
}

async function consentAsked(rig: Rig, tenantId = CUSTOMER_TENANT): Promise<Asked> {
  const deps = over(rig);
  const walk = new Walk(deps);
  return { signIns: deps.signIns, ...(await walk.toQuestion(await walk.link(PLACE), globalAdminOf(tenantId))) };
}

async function verificationAsked(rig: Rig): Promise<Asked> {
  const deps = over(rig);
  const walk = new Walk(deps);
  const { ticket } = valueOf(await requestVerification(deps, VERIFICATION, ADMIN));
  const left = valueOf(await walk.begin(ticket.text));
  const query = deps.signIns.signIn(left.goTo, { service: 'microsoft', person: globalAdminOf(ENTRA.tenantId) });
  const back = valueOf(await walk.comeBack(query, left.cookie));
  if (back.type !== 'question') throw new Error('no question was asked');
  return { signIns: deps.signIns, ...back };
}

const confirms = (host: Host, _rig: Rig, { signIns, state, cookie }: Asked): Promise<unknown> =>
  new Walk(signingIn(host, signIns)).answer(state, { cookie });
const declines = (host: Host, _rig: Rig, { signIns, state, cookie }: Asked): Promise<unknown> =>
  new Walk(signingIn(host, signIns)).answer(state, { cookie, answer: 'decline' });

async function orderedForTenant(rig: Rig): Promise<void> {
  await register(rig, ENTRA);
  await ordered(rig);
}

/** A switch waits for consent, and the person who can give it is asked. */
async function consentAwaited(rig: Rig): Promise<Asked> {
  const tenant = rig.vaults.tenants.get(CUSTOMER_TENANT)!;
  tenant.consented = false;
  await ordered(rig);
  await worksUntil(isBlocked)(rig.freshHost(), rig);
  tenant.consented = true;
  return consentAsked(rig);
}

/** As Azure moves a vault: host, key and versions stay. An administrator of the new tenant has consented. */
async function moved(rig: Rig): Promise<void> {
  await workedUntil('completed')(rig);
  rig.vaults.addVault({ host: CONTOSO_HOST, tenantId: NEW_TENANT });
  rig.vaults.addKey({ host: CONTOSO_HOST, keyName: 'customer-key', fixture: 'rsa-2048-2' });
  valueOf((await confirms(rig.freshHost(), rig, await consentAsked(rig, NEW_TENANT))) as Parameters<typeof valueOf>[0]);
}

export const SIGN_INS: Readonly<Record<string, () => Promise<Scene>>> = {
  'connection.move': after(moved, (host) =>
    testConnection({ ...host, keyPolicy: { propagationMs: HOUR_MS } }, PLACE, ADMIN),
  ),
  'consent.decline': after(consentAsked, declines),
  'consent.grant': after(consentAsked, confirms),
  'consent.request': after(
    (rig) => Promise.resolve(new FakeSignIns(rig.clock)),
    (host, _rig, signIns) => requestConsent(signingIn(host, signIns), PLACE, ADMIN),
  ),
  'switch.unblocked': after(consentAwaited, confirms),
  'tenant.decline': after(async (rig) => {
    await orderedForTenant(rig);
    return verificationAsked(rig);
  }, declines),
  'tenant.request-verification': after(
    async (rig) => {
      await orderedForTenant(rig);
      return new FakeSignIns(rig.clock);
    },
    (host, _rig, signIns) => requestVerification(signingIn(host, signIns), VERIFICATION, ADMIN),
  ),
};
