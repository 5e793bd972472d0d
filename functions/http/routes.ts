// The one route table: every call of the API, once.
import { companyRoutes, type CompanyServices } from './companies.ts';
import { connectionRoutes, type ConnectionServices } from './connections.ts';
import { eventRoutes, type EventServices } from './events.ts';
import { exportRoutes, type ExportServices } from './exports.ts';
import { dataKeyRoutes, type DataKeyServices } from './data-keys.ts';
import { healthRoutes, type HealthServices } from './health.ts';
import { keyringRoutes } from './keyrings.ts';
import { metaRoutes, type MetaServices } from './meta.ts';
import type { Route } from './route.ts';
import type { EdgeServices } from './serve.ts';
import { signInRoutes } from './sign-ins.ts';
import { recountRoutes } from './recount.ts';
import { switchRoutes, type SwitchServices } from './switches.ts';
import { vaultClaimRoutes } from './vault-claims.ts';
import { tenantRoutes, type TenantServices } from './tenants.ts';

export type HttpServices = EdgeServices &
  HealthServices &
  MetaServices &
  CompanyServices &
  ConnectionServices &
  DataKeyServices &
  ExportServices &
  SwitchServices &
  EventServices &
  TenantServices;

export const routes: readonly Route<HttpServices>[] = [
  ...companyRoutes,
  ...keyringRoutes,
  ...connectionRoutes,
  ...signInRoutes,
  ...vaultClaimRoutes,
  ...tenantRoutes,
  ...switchRoutes,
  ...recountRoutes,
  ...dataKeyRoutes,
  ...exportRoutes,
  ...eventRoutes,
  ...healthRoutes,
  ...metaRoutes<HttpServices>(() => routes),
];
