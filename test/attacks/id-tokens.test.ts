// Proofs of sign-in that are wrong in one way each, from Microsoft and from Google, and people at Google who may not speak for the
// Workspace. Each is refused by name and recorded; nobody is verified, and no consent is kept.
import { afterAll, beforeAll, expect } from 'vitest';
import { DATA_TENANTS } from '../../local/environment/persons.ts';
import { issuerV2 } from '../../local/identities.ts';
import type { Company, TenantRef } from '../end-to-end/company.ts';
import { attack } from './sign-in-attacks.ts';
import { SignInScene } from './sign-in-scene.ts';

const WORKSPACE: TenantRef = { kind: 'google-workspace', tenantId: DATA_TENANTS.workspace.tenant };
const STRANGER = '99999999-0000-4000-8000-000000000009';
const TWO_HOURS_SECONDS = 7_200;

/** As local/oidc/planned-tokens.ts has it. */
interface Plan {
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly shiftSeconds?: number;
  readonly signature?: 'unknown-key' | 'wrong-key' | 'none' | 'HS256';
  readonly secret?: string;
}

let signIns: SignInScene;
let pending: Company;
beforeAll(async () => {
  signIns = await SignInScene.open({ switched: false });
  pending = await signIns.pendingSwitch(WORKSPACE);
});
afterAll(() => signIns.close());

const SUPER_ADMIN = 'contoso-google-super-admin';

/** A sign-in that would be right, were it not for the token. */
async function atMicrosoft(plan: Plan, code: string): Promise<void> {
  const company = await signIns.target();
  const left = await signIns.departToSignIn(await signIns.link(company));
  await signIns.scene.run.environment.entra.call('POST', '/id-tokens/next', plan);
  const page = await signIns.changesNothing(() => left.signIn(signIns.person('contoso-global-admin')));
  await signIns.refused(page, company, [409, code, 'sign-in']);
}

async function atGoogle(
  refusal: readonly [number, string],
  { plan, person = SUPER_ADMIN }: { readonly plan?: Plan; readonly person?: string } = {},
): Promise<void> {
  const left = await signIns.depart(await signIns.verifyLink(pending, WORKSPACE));
  if (plan) await signIns.scene.run.environment.google.call('POST', '/id-tokens/next', plan);
  const page = await signIns.changesNothing(() => left.signIn(signIns.person(person)));
  await signIns.refused(page, pending, [...refusal, 'sign-in']);
  expect(await pending.view('s1')).toMatchObject({ state: 'pending-verification', unverifiedTenants: [WORKSPACE] });
}

async function atBoth(plans: readonly Plan[], code: string): Promise<void> {
  for (const plan of plans) {
    await atMicrosoft(plan, code);
    await atGoogle([409, code], { plan });
  }
}

attack('T16', () =>
  atBoth(
    [{ overrides: { aud: STRANGER } }, { overrides: { aud: 'https://vault.azure.net' } }],
    'id-token-wrong-audience',
  ),
);

attack('T17', async () => {
  await atBoth([{ overrides: { iss: 'https://evil.example' } }], 'id-token-wrong-issuer');
  await atMicrosoft({ overrides: { iss: issuerV2(STRANGER), tid: STRANGER } }, 'id-token-wrong-issuer');
  // The right issuer, and another tenant in the claim that would be compared.
  await atMicrosoft({ overrides: { tid: STRANGER } }, 'id-token-wrong-issuer');
});

attack('T18', () => atBoth([{ signature: 'wrong-key' }, { signature: 'unknown-key' }], 'id-token-wrong-key'));

attack('T19', () =>
  atBoth(
    [{ signature: 'none' }, { signature: 'HS256' }, { signature: 'HS256', secret: 'secret' }],
    'id-token-algorithm',
  ),
);

attack('T20', () => atBoth([{ shiftSeconds: -TWO_HOURS_SECONDS }], 'id-token-expired'));

attack('T21', async () => {
  await atMicrosoft({ shiftSeconds: TWO_HOURS_SECONDS }, 'id-token-from-future');
  await atGoogle([409, 'id-token-from-future'], { plan: { shiftSeconds: TWO_HOURS_SECONDS } });
});

attack('T22', () => atBoth([{ overrides: { nonce: 'n'.repeat(43) } }], 'id-token-wrong-nonce'));

attack('T23', async () => {
  await atGoogle([400, 'google-wrong-domain'], { plan: { overrides: { hd: 'evil.example' } } });
  await atGoogle([400, 'google-wrong-domain'], { plan: { overrides: { hd: null } } });
  const { google } = signIns.scene.run.environment;
  await google.call('PUT', '/domains/evil.example');
  for (const userName of ['eve@evil.example', 'eve@gmail.com']) {
    await google.call('PUT', `/users/${userName}`, { isAdmin: true });
    const left = await signIns.depart(await signIns.verifyLink(pending, WORKSPACE));
    const eve = { ...signIns.person(SUPER_ADMIN), userName };
    const page = await signIns.changesNothing(() => left.signIn(eve));
    await signIns.refused(page, pending, [400, 'google-wrong-domain', 'sign-in']);
  }
});

attack('T24', async () => {
  await atGoogle([400, 'google-not-super-admin'], { person: 'contoso-google-delegated-admin' });
  await atGoogle([400, 'google-not-super-admin'], { person: 'contoso-google-user' });
});

attack('T25', async () => {
  const { google } = signIns.scene.run.environment;
  const answered = async (mergeBody: object, refusal: readonly [number, string]): Promise<void> => {
    await google.plant({ operation: 'users.get', times: 1, effect: { mergeBody: { ...mergeBody } } });
    await atGoogle(refusal, { person: 'contoso-google-delegated-admin' });
  };
  await answered({ id: '1', isAdmin: true }, [503, 'google-error']);
  await answered({ isAdmin: 'true' }, [400, 'google-not-super-admin']);
  await answered({ isAdmin: 1 }, [400, 'google-not-super-admin']);
});
