// What there is in Entra: tenants with people and service principals, app registrations with credentials. Shapes only.

export interface ClientSecret {
  readonly secretId: string;
  readonly value: string;
  readonly expiresAtMs: number;
}

export interface FederatedCredential {
  readonly name: string;
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  /** Before that it is not there yet: Entra needs minutes to spread a new one. */
  readonly effectiveAtMs: number;
}

export interface AppRegistration {
  readonly appId: string;
  readonly displayName: string;
  readonly homeTenantId: string;
  readonly multiTenant: boolean;
  readonly secrets: Map<string, ClientSecret>;
  readonly federatedCredentials: Map<string, FederatedCredential>;
  /** Compared whole with what a request names. */
  readonly redirectUris: Set<string>;
  /** Of the manifest: whether ID tokens carry the directory roles of a person (`wids`). */
  groupMembershipClaims: GroupMembershipClaims;
  /** Of the manifest: optional claims of ID tokens. `auth_time` alone is known here. */
  optionalIdTokenClaims: readonly OptionalClaim[];
}

export type OptionalClaim = 'auth_time';

export type GroupMembershipClaims = 'None' | 'SecurityGroup' | 'DirectoryRole' | 'All';

export interface ServicePrincipal {
  readonly appId: string;
  /** What role assignments name; another one after consent was withdrawn and given again, as in Azure. */
  readonly objectId: string;
  readonly enabled: boolean;
  /** Only people who are assigned to the app may sign in to it. */
  readonly assignmentRequired: boolean;
}

export interface Tenant {
  readonly tenantId: string;
  readonly displayName: string;
  readonly domains: readonly string[];
  readonly servicePrincipals: Map<string, ServicePrincipal>;
  /** By user principal name, lower case. */
  readonly users: Map<string, User>;
  /** App ids that a Conditional Access policy blocks here. */
  readonly blockedApps: Set<string>;
  /** Resources (audiences) that have no service principal here. */
  readonly missingResources: Set<string>;
  /** Those whose service principal is disabled: by an administrator, or because a subscription lapsed. */
  readonly disabledResources: Set<string>;
  /** By app id: the object id that its first service principal here will have, for scripts that must know it beforehand. */
  readonly principalIds: Map<string, string>;
}

export interface User {
  readonly objectId: string;
  /** The user principal name, as it is shown. */
  readonly userName: string;
  readonly displayName: string;
  /** Role templates of the active roles. */
  readonly roles: readonly string[];
  readonly guest: boolean;
  /** Apps that this person is assigned to, for those that ask for it. */
  readonly assignedApps: readonly string[];
}
