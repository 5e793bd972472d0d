// Who may speak for an Entra tenant: a Global Administrator or Privileged Role Administrator of that tenant itself. Pure. Judges what a
// verified ID token says; the client verifies it.
import { failure } from './words/failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { SignedIn } from '../../domain/sign-in-link.ts';
import { isSignedInSince, type Asked } from '../judged-sign-in.ts';

export interface MicrosoftPerson {
  /** Lower case, as `objectId` is. */
  readonly tenantId: string;
  readonly objectId: string;
  /** For pages and records. Never a proof: it can be chosen. */
  readonly displayName: string;
  /** `wids`: template ids of the directory roles in force. Absent if the claim is. */
  readonly roleTemplateIds?: readonly string[];
  /** `auth_time`: when they last showed who they are. Absent if the claim is. */
  readonly authenticatedAt?: Date;
}

/** Template ids, the same in every tenant. Microsoft's list of built-in roles names them. */
export const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';
export const PRIVILEGED_ROLE_ADMINISTRATOR = 'e8611ab8-c189-46e8-94e1-60213ab1f814';
const SPEAKING_ROLES = [GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR];

/** The person, if they may speak for the tenant and signed in since the browser was sent there. */
export function judgeMicrosoftAdmin(person: MicrosoftPerson, { tenantId, since }: Asked): Result<SignedIn, Failure> {
  const unfit = lackOfRole(person, tenantId) ?? lackOfFreshness(person, since);
  return unfit ? err(unfit) : ok({ id: `${tenantId}/${person.objectId}`, displayName: person.displayName });
}

function lackOfRole(person: MicrosoftPerson, tenantId: string): Failure | undefined {
  if (person.tenantId !== tenantId) {
    return failure('sign-in-wrong-tenant', { tenantId, detail: `the user's tenant is ${person.tenantId}` });
  }
  const { roleTemplateIds } = person;
  if (roleTemplateIds === undefined) return failure('wids-not-emitted', { tenantId });
  return roleTemplateIds.some((id) => SPEAKING_ROLES.includes(id))
    ? undefined
    : failure('admin-role-missing', { tenantId });
}

/** Our request makes Entra ask for a new sign-in, and the app's manifest makes it tell the time: silence is no proof. */
function lackOfFreshness({ authenticatedAt }: MicrosoftPerson, since: Date): Failure | undefined {
  if (!authenticatedAt) return failure('auth-time-not-emitted');
  return isSignedInSince(authenticatedAt, since) ? undefined : failure('sign-in-not-fresh');
}
