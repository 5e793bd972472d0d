// Sending a browser to somebody's sign-in page, for the next step of a sign-in.
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Asked } from './asked.ts';
import type { SignInDependencies } from './sign-in-dependencies.ts';
import { beginStep } from './states.ts';

/** A browser on its way, with a new cookie. */
export interface Departure {
  readonly goTo: string;
  readonly service: 'Microsoft' | 'Google';
  readonly cookie: string;
}

/** Where the app is accepted for the whole tenant. What comes back proves nothing; a sign-in follows. */
export async function departToAdminConsent(
  deps: SignInDependencies,
  asked: Asked,
  callbackUrl: string,
): Promise<Departure> {
  const { companyId } = asked.company;
  const { state, cookie } = await beginStep(deps, { companyId, leg: 'admin-consent', link: asked.linkHash });
  const { tenantId } = asked.subject.target;
  const goTo = deps.signIns.adminConsentUrl({ tenantId, redirectUri: callbackUrl, state: state.text });
  return { goTo, service: 'Microsoft', cookie };
}

/** Where it is shown who somebody is: at the tenant's own authority, or at Google. */
export async function departToSignIn(
  deps: SignInDependencies,
  asked: Asked,
  callbackUrl: string,
): Promise<Result<Departure, Failure>> {
  const { companyId } = asked.company;
  const step = await beginStep(deps, { companyId, leg: 'sign-in', link: asked.linkHash });
  const { codeVerifier, nonce, cookie } = step;
  const request = { redirectUri: callbackUrl, state: step.state.text, nonce, codeVerifier };
  const tenant = signInTenant(asked);
  const goTo =
    tenant.kind === 'google-workspace'
      ? await deps.signIns.googleUrl({ ...request, domain: tenant.tenantId })
      : await deps.signIns.microsoftUrl({ ...request, tenantId: tenant.tenantId });
  if (!goTo.ok) return goTo;
  return ok({ goTo: goTo.value, service: tenant.kind === 'google-workspace' ? 'Google' : 'Microsoft', cookie });
}

/** Whose administrator is asked. */
export const signInTenant = ({
  subject,
}: Asked): { readonly kind: 'microsoft-365' | 'google-workspace'; readonly tenantId: string } =>
  subject.purpose === 'consent' ? { kind: 'microsoft-365', tenantId: subject.target.tenantId } : subject;
