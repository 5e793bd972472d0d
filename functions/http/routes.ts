// The one route table: every call of the API, once.
import { companyRoutes, type CompanyServices } from './resources/companies/routes.ts';
import { policyRoutes } from './resources/companies/policy.ts';
import { connectionRoutes, type ConnectionServices } from './resources/connections/routes.ts';
import { eventRoutes, type EventServices } from './resources/events/routes.ts';
import { exportRoutes, type ExportServices } from './resources/exports/routes.ts';
import { dataKeyRoutes, type DataKeyServices } from './resources/data-keys/routes.ts';
import { healthRoutes, type HealthServices } from './resources/health/routes.ts';
import { keyringRoutes } from './resources/keyrings/routes.ts';
import { metaRoutes, type MetaServices } from './resources/meta/routes.ts';
import { operationsRoutes, type OperationsServices } from './resources/operations/routes.ts';
import type { Route } from './kernel/route.ts';
import type { EdgeServices } from './kernel/serve.ts';
import { signInRoutes } from './pages/sign-in/routes.ts';
import { recountRoutes } from './resources/keyrings/recount.ts';
import { switchRoutes, type SwitchServices } from './resources/switches/routes.ts';
import { vaultClaimRoutes } from './resources/vault-claims/routes.ts';
import { tenantRoutes, type TenantServices } from './resources/tenants/routes.ts';

import { webhookRoutes, type WebhookServices } from './resources/webhooks/routes.ts';

export type HttpServices = EdgeServices &
  HealthServices &
  OperationsServices &
  MetaServices &
  CompanyServices &
  ConnectionServices &
  DataKeyServices &
  ExportServices &
  SwitchServices &
  EventServices &
  WebhookServices &
  TenantServices;

export const routes: readonly Route<HttpServices>[] = [
  ...companyRoutes,
  ...policyRoutes,
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
  ...operationsRoutes,
  ...webhookRoutes,
  ...healthRoutes,
  ...metaRoutes<HttpServices>(() => routes),
];
