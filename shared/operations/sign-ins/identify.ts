// Who came back from a sign-in, and whether they may speak for the tenant.
import { failure } from '../../domain/failure-catalogue.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { SignedIn } from '../../domain/sign-in-link.ts';
import { judgeFreshness, judgeGoogleAdmin, judgeMicrosoftAdmin, judgeWorkspace } from '../../identity/sign-in.ts';
import type { TenantRef } from '../../domain/tenant.ts';
import type { SignInCallback, SignIns } from '../../identity/identity.ts';

interface Arrived extends SignInCallback {
  /** When the browser was sent to sign in. */
  readonly since: Date;
}

/** Redeems the code, once, and judges whom it was given for, and that they signed in for this: not before the browser was sent there. */
export async function identify(
  { signIns }: { readonly signIns: SignIns },
  tenant: TenantRef,
  callback: Arrived,
): Promise<Result<SignedIn, Failure>> {
  return tenant.kind === 'google-workspace'
    ? identifyAtGoogle(signIns, tenant.tenantId, callback)
    : identifyAtMicrosoft(signIns, tenant.tenantId, callback);
}

async function identifyAtMicrosoft(
  signIns: SignIns,
  tenantId: string,
  callback: Arrived,
): Promise<Result<SignedIn, Failure>> {
  const person = await signIns.redeemMicrosoft({ ...callback, tenantId });
  if (!person.ok) return person;
  const unfit =
    judgeMicrosoftAdmin(person.value, tenantId) ??
    judgeFreshness(person.value.authenticatedAt, { since: callback.since, at: 'microsoft' });
  if (unfit) return err(unfit);
  return ok({ id: `${tenantId}/${person.value.objectId}`, displayName: person.value.displayName });
}

async function identifyAtGoogle(
  signIns: SignIns,
  domain: string,
  callback: Arrived,
): Promise<Result<SignedIn, Failure>> {
  const person = await signIns.redeemGoogle(callback);
  if (!person.ok) return person;
  const unfit =
    judgeGoogleAdmin(person.value, domain) ??
    judgeWorkspace(person.value.workspace) ??
    judgeFreshness(person.value.authenticatedAt, { since: callback.since, at: 'google' });
  if (unfit) return err(unfit);
  const { subject, email, workspace } = person.value;
  if (subject === '') return err(failure('id-token-invalid'));
  return ok({ id: `${domain}/${subject}`, displayName: email, ...(workspace && { customerId: workspace.customerId }) });
}
