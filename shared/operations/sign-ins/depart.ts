// Sending a browser to the pages of a sign-in service, for the next step of a sign-in.
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { TenantRef } from '../../domain/tenant.ts';
import { OWNER_OF_VAULTS, tenantKind } from '../../identity/registry/tenant-kinds.ts';
import type { Asked } from './asked.ts';
import type { SignInDependencies } from './step.ts';
import { beginStep } from './states.ts';

/** A browser on its way, with a new cookie. */
export interface Departure {
  readonly goTo: string;
  /** Whose page it goes to. */
  readonly service: string;
  readonly cookie: string;
}

/** Where an administrator accepts the app for the whole tenant. What comes back proves nothing; a sign-in follows. */
export async function departToAdminConsent(
  deps: SignInDependencies,
  asked: Asked,
  callbackUrl: string,
): Promise<Departure> {
  const { companyId } = asked.company;
  const { state, cookie } = await beginStep(deps, { companyId, leg: 'admin-consent', link: asked.linkHash });
  const { tenantId } = asked.subject.target;
  const goTo = deps.signIns.consent.url({ tenantId, redirectUri: callbackUrl, state: state.text });
  return { goTo, service: OWNER_OF_VAULTS.words.service, cookie };
}

/** Where people show who they are. */
export async function departToSignIn(
  deps: SignInDependencies,
  asked: Asked,
  callbackUrl: string,
): Promise<Result<Departure, Failure>> {
  const { companyId } = asked.company;
  const step = await beginStep(deps, { companyId, leg: 'sign-in', link: asked.linkHash });
  const { codeVerifier, nonce, cookie } = step;
  const request = { redirectUri: callbackUrl, state: step.state.text, nonce, codeVerifier };
  const { kind, tenantId } = signInTenant(asked);
  const goTo = await deps.signIns.of(kind).url({ ...request, tenantId });
  return goTo.ok ? ok({ goTo: goTo.value, service: tenantKind(kind).words.service, cookie }) : goTo;
}

/** The tenant whose administrator is asked. */
export const signInTenant = ({ subject }: Asked): TenantRef =>
  subject.purpose === 'consent' ? { kind: OWNER_OF_VAULTS.name, tenantId: subject.target.tenantId } : subject;
