// Entra's calls of the control API: what an administrator would do in the portal, and tokens minted on demand.
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { named, type PathNames, type RoutePatterns } from '../control/route-patterns.ts';
import { VENDOR_TENANT_ID } from '../identities.ts';
import { apiClaims, withOverrides } from './claims.ts';
import type { EntraState } from './entra-routes.ts';
import { makeSecretValue } from './secret-value.ts';

const tenantBody = z.strictObject({
  tenantId: z.guid().optional(),
  displayName: z.string().optional(),
  domains: z.array(z.string()).optional(),
  missingResources: z.array(z.string()).optional(),
  principalIds: z.record(z.guid(), z.guid()).optional(),
});
const principalBody = z.strictObject({
  objectId: z.guid().optional(),
  enabled: z.boolean().optional(),
  assignmentRequired: z.boolean().optional(),
});
/** A service of Microsoft's, by its audience. */
const resourceBody = z.strictObject({ resource: z.url(), state: z.enum(['enabled', 'disabled', 'missing']) });
const appBody = z.strictObject({
  displayName: z.string().default('app'),
  homeTenantId: z.guid().default(VENDOR_TENANT_ID),
  multiTenant: z.boolean().default(false),
});
const secretBody = z.strictObject({
  secretId: z.guid().default(randomUUID),
  value: z.string().min(1).default(makeSecretValue),
  expiresInSeconds: z.number().default(180 * 86_400),
});
const credentialBody = z.strictObject({
  issuer: z.string(),
  subject: z.string(),
  audience: z.string(),
  effectiveAfterMs: z.number().min(0).default(0),
});
const apiTokenBody = z.strictObject({
  tenantId: z.guid().default(VENDOR_TENANT_ID),
  roles: z.array(z.string()),
  company: z.string().optional(),
  objectId: z.guid().default(randomUUID),
  callerAppId: z.guid().default('7e5d0000-0000-4000-8000-0000000000b1'),
  expiresInSeconds: z.number().default(3_600),
  overrides: z.record(z.string(), z.unknown()).default({}),
});
const claimsBody = z.strictObject({ claims: z.record(z.string(), z.unknown()) });
const rotateBody = z.strictObject({ forget: z.boolean().default(false) });
const settingsBody = z.strictObject({
  tokenLifetimeSeconds: z.number().int().positive().optional(),
  /** Of authorization codes; 0 makes every code expire before it can be redeemed. */
  codeLifetimeSeconds: z.number().int().min(0).optional(),
});

export type ApiTokenOptions = z.input<typeof apiTokenBody>;

/** A bearer token for Keyswitch's own API. */
export function mintApiToken({ signer }: EntraState, options: ApiTokenOptions): string {
  const { overrides, expiresInSeconds, company, ...rest } = apiTokenBody.parse(options);
  const lifetime = { nowMs: Date.now(), seconds: expiresInSeconds };
  return signer.sign(withOverrides(apiClaims({ ...rest, company, tokenId: randomUUID(), lifetime }), overrides));
}

export function addEntraCalls(routes: RoutePatterns, state: EntraState): void {
  const { directory, signer, settings } = state;
  const tenant = (names: PathNames): string => named(names, 'tenant');
  const app = (names: PathNames): string => named(names, 'app').toLowerCase();
  routes
    .withBody('POST /tenants', tenantBody, (body) => ({ tenantId: directory.addTenant(body).tenantId }))
    .on('DELETE /tenants/:tenant', (names) => directory.removeTenant(tenant(names)))
    .withBody('PUT /tenants/:tenant/service-principals/:app', principalBody, (body, names) =>
      directory.putServicePrincipal(tenant(names), app(names), body),
    )
    .on('GET /tenants/:tenant/service-principals/:app', (names) => {
      const found = directory.tenant(tenant(names)).servicePrincipals.get(app(names));
      if (!found)
        throw new Error(
          `Resource '${app(names)}' does not exist or one of its queried reference-property objects are not present.`,
        );
      return found;
    })
    .withBody('PUT /tenants/:tenant/resources', resourceBody, ({ resource, state: wanted }, names) => {
      const { missingResources, disabledResources } = directory.tenant(tenant(names));
      for (const one of [missingResources, disabledResources]) one.delete(resource);
      if (wanted !== 'enabled') (wanted === 'missing' ? missingResources : disabledResources).add(resource);
    })
    .on('GET /apps/:app/federated-credentials', (names) => [...directory.app(app(names)).federatedCredentials.values()])
    .on('DELETE /tenants/:tenant/service-principals/:app', (names) => ({
      removed: directory.tenant(tenant(names)).servicePrincipals.delete(app(names)),
    }))
    .on('PUT /tenants/:tenant/conditional-access/:app', (names) => {
      directory.tenant(tenant(names)).blockedApps.add(app(names));
    })
    .on('DELETE /tenants/:tenant/conditional-access/:app', (names) => {
      directory.tenant(tenant(names)).blockedApps.delete(app(names));
    })
    .withBody('PUT /apps/:app', appBody, (body, names) => {
      directory.putApp({ appId: app(names), ...body });
    })
    .on('DELETE /apps/:app', (names) => directory.removeApp(app(names)))
    .withBody('POST /apps/:app/secrets', secretBody, ({ secretId, value, expiresInSeconds }, names) => {
      directory.addSecret(app(names), { secretId, value, expiresAtMs: Date.now() + expiresInSeconds * 1000 });
      return { secretId, value };
    })
    .on('DELETE /apps/:app/secrets/:id', (names) => {
      directory.app(app(names)).secrets.delete(named(names, 'id'));
    })
    .withBody('PUT /apps/:app/federated-credentials/:name', credentialBody, (body, names) => {
      const { effectiveAfterMs, ...rest } = body;
      const effectiveAtMs = Date.now() + effectiveAfterMs;
      directory.putFederatedCredential(app(names), { name: named(names, 'name'), ...rest, effectiveAtMs });
    })
    .on('DELETE /apps/:app/federated-credentials/:name', (names) => {
      directory.app(app(names)).federatedCredentials.delete(named(names, 'name'));
    })
    .withBody('POST /api-tokens', apiTokenBody, (body) => ({ token: mintApiToken(state, body) }))
    .withBody('POST /tokens', claimsBody, ({ claims }) => ({ token: signer.sign(claims) }))
    .on('GET /jwks', () => signer.jwks)
    .withBody('POST /signing-keys/rotate', rotateBody, (body) => signer.rotate(body))
    .withBody('PATCH /settings', settingsBody, (body) => {
      Object.assign(settings, body);
    });
}
