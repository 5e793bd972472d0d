// People in Entra's tenants: their directory roles, and what an app's ID token says of them. State and rules only.
import { randomUUID } from 'node:crypto';
import type { AppRegistration, Tenant, User } from './model.ts';

export const DIRECTORY_ROLES = {
  globalAdministrator: '62e90394-69f5-4237-9190-012177145e10',
  privilegedRoleAdministrator: 'e8611ab8-c189-46e8-94e1-60213ab1f814',
  applicationAdministrator: '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3',
  cloudApplicationAdministrator: '158c047a-c907-4556-b7ef-446551a6b5f7',
} as const;

/** Stands in `wids` of everyone who is a member and no guest. */
const MEMBER_ROLE = 'b79fbf4d-3ef9-4689-8143-76b194e85509';
const MAX_USERS_PER_TENANT = 1_000;

type UserChanges = { readonly [name in Exclude<keyof User, 'userName'>]?: User[name] | undefined };

/** Adds a person, or changes what is told; the object id stays. */
export function putUser(tenant: Tenant, userName: string, changes: UserChanges): User {
  const name = userName.toLowerCase();
  const before = tenant.users.get(name);
  if (!before && tenant.users.size >= MAX_USERS_PER_TENANT) throw new Error('too many users');
  const user: User = {
    objectId: changes.objectId ?? before?.objectId ?? randomUUID(),
    userName,
    displayName: changes.displayName ?? before?.displayName ?? userName,
    roles: changes.roles ?? before?.roles ?? [],
    guest: changes.guest ?? before?.guest ?? false,
    assignedApps: changes.assignedApps ?? before?.assignedApps ?? [],
  };
  tenant.users.set(name, user);
  return user;
}

/** Any of these may consent for the whole tenant to an app that asks for no permission of Microsoft Graph's own. */
export function mayConsentForTenant({ roles }: User): boolean {
  const sufficient: readonly string[] = Object.values(DIRECTORY_ROLES);
  return roles.some((role) => sufficient.includes(role));
}

export function rolesInToken({ roles, guest }: User, { groupMembershipClaims }: AppRegistration): readonly string[] {
  if (groupMembershipClaims !== 'All' && groupMembershipClaims !== 'DirectoryRole') return [];
  return guest ? roles : [...roles, MEMBER_ROLE];
}
