// Who may speak for a Google Workspace: a Super Admin of the Workspace that has proved the domain to Google. Pure. Judges what a verified ID
// token and Google's directory say; the client verifies and asks.
import { failure } from './words/failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { SignedIn } from '../../domain/sign-in-link.ts';
import { isSignedInSince, type Asked } from '../judged-sign-in.ts';
import { DELEGATED_ADMIN, PERSONAL_GOOGLE_ACCOUNT } from './words/workspace-failures.ts';

export interface GooglePerson {
  readonly subject: string;
  /** For pages and records. */
  readonly email: string;
  /** `hd`, lower case: the Workspace. Absent for private accounts, of which the directory is not asked. */
  readonly domain?: string;
  /** What the Workspace's own directory says of them. */
  readonly isSuperAdmin: boolean;
  readonly isDelegatedAdmin: boolean;
  /** The Workspace itself, told to its Super Admins. */
  readonly workspace?: GoogleWorkspace;
  /** `auth_time`, where the vendor has Google tell it. */
  readonly authenticatedAt?: Date;
}

export interface GoogleWorkspace {
  /** Google's own id of its customer: another for each Workspace, whatever its domain. */
  readonly customerId: string;
  /** The Workspace has shown Google that the domain is its own. Anyone with an e-mail address of a domain can make a Workspace that has not. */
  readonly isDomainProved: boolean;
}

/** The person, if they may speak for the Workspace of `tenantId`, a domain in lower case, and signed in since the browser was sent there. */
export function judgeGoogleAdmin(person: GooglePerson, { tenantId, since }: Asked): Result<SignedIn, Failure> {
  const { subject, email, workspace } = person;
  const unfit = lackOfRole(person, tenantId) ?? lackOfProof(workspace) ?? lackOfFreshness(person, since);
  if (unfit) return err(unfit);
  if (subject === '') return err(failure('id-token-invalid'));
  const id = `${tenantId}/${subject}`;
  return ok({ id, displayName: email, ...(workspace && { customerId: workspace.customerId }) });
}

function lackOfRole(person: GooglePerson, domain: string): Failure | undefined {
  if (person.domain === undefined) return failure('google-wrong-domain', { detail: PERSONAL_GOOGLE_ACCOUNT });
  if (person.domain !== domain) {
    return failure('google-wrong-domain', { detail: `the account belongs to ${person.domain}, not to ${domain}` });
  }
  if (person.isSuperAdmin) return undefined;
  return failure('google-not-super-admin', person.isDelegatedAdmin ? { detail: DELEGATED_ADMIN } : {});
}

/** If Google does not tell a Super Admin that the domain is proved, it is not. */
const lackOfProof = (workspace: GoogleWorkspace | undefined): Failure | undefined =>
  workspace?.isDomainProved === true ? undefined : failure('google-domain-unproved');

/** Google cannot be asked for a new sign-in, and tells its time only if the vendor set that up: silence counts as fresh. */
const lackOfFreshness = ({ authenticatedAt }: GooglePerson, since: Date): Failure | undefined =>
  !authenticatedAt || isSignedInSince(authenticatedAt, since) ? undefined : failure('sign-in-not-fresh');
