// What Entra knows in the embedded run: tenants, app registrations with their credentials, and which app has a service
// principal in which tenant (consent). State and its rules only; no token, no HTTP.
import { randomUUID } from 'node:crypto';
import type { AppRegistration, ClientSecret, FederatedCredential, ServicePrincipal, Tenant, User } from './model.ts';

const MAX_SECRETS_PER_APP = 100;
/** Entra's own limit. */
const MAX_FEDERATED_CREDENTIALS_PER_APP = 20;

/** By id. */
export interface KeptDirectory {
  readonly tenants: Map<string, Tenant>;
  readonly apps: Map<string, AppRegistration>;
}

export class Directory {
  readonly #tenants: Map<string, Tenant>;
  readonly #apps: Map<string, AppRegistration>;

  constructor(kept?: KeptDirectory) {
    this.#tenants = kept?.tenants ?? new Map<string, Tenant>();
    this.#apps = kept?.apps ?? new Map<string, AppRegistration>();
  }

  /** All that there is, to be kept. */
  kept(): KeptDirectory {
    return { tenants: this.#tenants, apps: this.#apps };
  }

  /** By id or by a verified domain, both in any case. */
  findTenant(idOrDomain: string): Tenant | undefined {
    const wanted = idOrDomain.toLowerCase();
    return this.#tenants.get(wanted) ?? [...this.#tenants.values()].find((tenant) => tenant.domains.includes(wanted));
  }

  tenant(idOrDomain: string): Tenant {
    const tenant = this.findTenant(idOrDomain);
    if (!tenant) throw new Error(`no tenant ${idOrDomain}`);
    return tenant;
  }

  addTenant(options: {
    readonly tenantId?: string | undefined;
    readonly displayName?: string | undefined;
    readonly domains?: readonly string[] | undefined;
    readonly missingResources?: readonly string[] | undefined;
    readonly principalIds?: Readonly<Record<string, string>> | undefined;
  }): Tenant {
    const tenantId = (options.tenantId ?? randomUUID()).toLowerCase();
    if (this.#tenants.has(tenantId)) throw new Error(`tenant ${tenantId} exists`);
    const tenant: Tenant = {
      tenantId,
      displayName: options.displayName ?? tenantId,
      domains: (options.domains ?? []).map((domain) => domain.toLowerCase()),
      servicePrincipals: new Map(),
      users: new Map(),
      blockedApps: new Set(),
      missingResources: new Set(options.missingResources),
      disabledResources: new Set(),
      principalIds: new Map(Object.entries(options.principalIds ?? {})),
    };
    this.#tenants.set(tenantId, tenant);
    return tenant;
  }

  removeTenant(tenantId: string): void {
    this.#tenants.delete(this.tenant(tenantId).tenantId);
  }

  findApp(appId: string): AppRegistration | undefined {
    return this.#apps.get(appId.toLowerCase());
  }

  /** The tenant that an account lives in, and the account. */
  findAccount(userName: string): { readonly tenant: Tenant; readonly user: User } | undefined {
    for (const tenant of this.#tenants.values()) {
      const user = tenant.users.get(userName.toLowerCase());
      if (user) return { tenant, user };
    }
    return undefined;
  }

  app(appId: string): AppRegistration {
    const app = this.findApp(appId);
    if (!app) throw new Error(`no app ${appId}`);
    return app;
  }

  /** Registers an app, or replaces what it is called; its credentials stay. It gets a principal in its home tenant. */
  putApp(options: {
    readonly appId: string;
    readonly displayName: string;
    readonly homeTenantId: string;
    readonly multiTenant: boolean;
  }): AppRegistration {
    const appId = options.appId.toLowerCase();
    const before = this.findApp(appId);
    const app: AppRegistration = {
      ...options,
      appId,
      secrets: before?.secrets ?? new Map<string, ClientSecret>(),
      federatedCredentials: before?.federatedCredentials ?? new Map<string, FederatedCredential>(),
      redirectUris: before?.redirectUris ?? new Set<string>(),
      groupMembershipClaims: before?.groupMembershipClaims ?? 'None',
      optionalIdTokenClaims: before?.optionalIdTokenClaims ?? [],
    };
    this.#apps.set(appId, app);
    this.putServicePrincipal(options.homeTenantId, appId, {});
    return app;
  }

  removeApp(appId: string): void {
    this.#apps.delete(this.app(appId).appId);
  }

  addSecret(appId: string, secret: ClientSecret): void {
    const { secrets } = this.app(appId);
    if (secrets.size >= MAX_SECRETS_PER_APP) throw new Error('too many secrets');
    secrets.set(secret.secretId, secret);
  }

  putFederatedCredential(appId: string, credential: FederatedCredential): void {
    const { federatedCredentials } = this.app(appId);
    const full = federatedCredentials.size >= MAX_FEDERATED_CREDENTIALS_PER_APP;
    if (full && !federatedCredentials.has(credential.name)) throw new Error('an app has at most 20 of them');
    federatedCredentials.set(credential.name, credential);
  }

  /** Consent: again, it changes nothing but what is told. */
  putServicePrincipal(
    tenantId: string,
    appId: string,
    options: Partial<{ readonly [name in keyof ServicePrincipal]: ServicePrincipal[name] | undefined }>,
  ): ServicePrincipal {
    const tenant = this.tenant(tenantId);
    const app = this.app(appId);
    if (!app.multiTenant && app.homeTenantId !== tenant.tenantId) {
      throw new Error(`app ${appId} is not multitenant and lives in another tenant`);
    }
    const before = tenant.servicePrincipals.get(app.appId);
    const principal: ServicePrincipal = {
      appId: app.appId,
      objectId: options.objectId ?? before?.objectId ?? tenant.principalIds.get(app.appId) ?? randomUUID(),
      enabled: options.enabled ?? before?.enabled ?? true,
      assignmentRequired: options.assignmentRequired ?? before?.assignmentRequired ?? false,
    };
    tenant.servicePrincipals.set(app.appId, principal);
    tenant.principalIds.delete(app.appId);
    return principal;
  }
}
