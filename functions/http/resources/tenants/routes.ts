// Tenants found in a company's data: registered and removed by the vendor alone, at any time.
import type * as z from 'zod';
import { ok } from '../../../../shared/domain/result.ts';
import { askRefresh } from '../../../../shared/operations/tenants/ask-refresh.ts';
import { deleteTenant, getTenant, listTenantsOf, putTenant } from '../../../../shared/operations/tenants/tenants.ts';
import { countCall } from '../../../../shared/store/call-limit.ts';
import { requestVerification } from '../../../../shared/operations/sign-ins/request-verification.ts';
import type { SignInDependencies } from '../../../../shared/operations/sign-ins/step.ts';
import { conditionsOf } from '../../kernel/preconditions.ts';
import type { Role } from '../../kernel/roles.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { linkToBody } from '../../kernel/links.ts';
import { companyPath, noFields } from '../../kernel/schemas/ids.ts';
import { pageOf, pageQuery, sliceOf } from '../../kernel/schemas/pages.ts';
import { linkBody } from '../../kernel/schemas/sign-in-link.ts';
import { approvalInput, askedApproval, shown, tenantBody, tenantPath } from './bodies.ts';

export type TenantServices = SignInDependencies;

const READS: readonly Role[] = ['VendorAdmin', 'CompanyAdmin', 'Auditor'];
const VERIFIES: readonly Role[] = ['VendorAdmin', 'CompanyAdmin'];
const COLLECTION = '/companies/{companyId}/tenants';
const ONE = `${COLLECTION}/{kind}/{tenantId}`;

export const tenantRoutes = [
  defineRoute({
    operationId: 'list-tenants',
    method: 'GET',
    path: COLLECTION,
    tag: 'tenants',
    summary: 'The tenants whose administrators must agree to a switch of the company',
    roles: READS,
    pathSchema: companyPath,
    querySchema: pageQuery,
    answers: { 200: 'A page, in the order of kinds and ids.' },
    answerSchema: pageOf(tenantBody),
    run: async (deps: TenantServices, call) => {
      const tenants = await listTenantsOf(deps, call.path);
      if (!tenants.ok) return tenants;
      const collectionUrl = `${call.baseUrl}/companies/${call.path.companyId}/tenants`;
      const idOf = ({ kind, tenantId }: z.input<typeof tenantBody>): string => `${kind}|${tenantId}`;
      return ok({ status: 200, body: sliceOf(tenants.value.map(shown), { idOf, query: call.query, collectionUrl }) });
    },
  }),
  defineRoute({
    operationId: 'ask-tenants-refresh',
    method: 'POST',
    path: `${COLLECTION}/refresh`,
    tag: 'tenants',
    summary: "Ask the vendor to look again which tenants are in the company's data",
    description:
      'Recorded as `tenants.refresh-asked`, which webhooks tell. What the vendor then finds, it registers; nothing changes by this call alone.',
    roles: VERIFIES,
    isLimited: true,
    pathSchema: companyPath,
    bodySchema: noFields,
    answers: { 204: 'Recorded.' },
    run: async (deps: TenantServices, call) => {
      const allowed = await countCall(deps, { ...call.path, kind: 'refresh' });
      if (!allowed.ok) return allowed;
      const asked = await askRefresh(deps, call.path, call.actor);
      return asked.ok ? ok({ status: 204 }) : asked;
    },
  }),
  defineRoute({
    operationId: 'put-tenant',
    method: 'PUT',
    path: ONE,
    tag: 'tenants',
    summary: "Register a tenant that was found in the company's data",
    description:
      'At any time. A switch that has begun its work goes on, and completes only when this tenant is verified too.',
    roles: ['VendorAdmin'],
    conditions: 'write',
    pathSchema: tenantPath,
    bodySchema: noFields,
    refuses: ['company-closing', 'too-many-tenants'],
    fails: ['vault'],
    answers: { 200: 'It was there.', 201: 'Registered.' },
    answerSchema: tenantBody,
    run: async (deps: TenantServices, call) => {
      const put = await putTenant(deps, { ...call.path, condition: conditionsOf(call) }, call.actor);
      if (!put.ok) return put;
      const { value, etag, created } = put.value;
      return ok({ status: created ? 201 : 200, body: shown(value), etag });
    },
  }),
  defineRoute({
    operationId: 'get-tenant',
    method: 'GET',
    path: ONE,
    tag: 'tenants',
    summary: 'A tenant',
    roles: READS,
    conditions: 'read',
    pathSchema: tenantPath,
    refuses: ['tenant-not-found'],
    answers: { 200: 'The tenant.' },
    answerSchema: tenantBody,
    run: async (deps: TenantServices, call) => {
      const tenant = await getTenant(deps, call.path);
      return tenant.ok ? ok({ status: 200, body: shown(tenant.value.value), etag: tenant.value.etag }) : tenant;
    },
  }),
  defineRoute({
    operationId: 'request-verification',
    method: 'POST',
    path: `${ONE}/verify`,
    tag: 'tenants',
    summary: 'A link that asks an administrator of the tenant to approve a pending switch, or the next export',
    description:
      'Leads to a page of ours that shows the destination, and of an export its recipient. What is approved there holds for this destination or recipient, and for nothing else.',
    roles: VERIFIES,
    isLimited: true,
    pathSchema: tenantPath,
    bodySchema: approvalInput,
    refuses: [
      'tenant-not-found',
      'keyring-not-found',
      'switch-not-found',
      'connection-not-found',
      'nothing-to-verify',
      'switch-ended',
      'company-closing',
    ],
    fails: ['vault'],
    answers: { 200: 'The link, to be sent to the administrator.' },
    answerSchema: linkBody,
    run: async (deps: TenantServices, call) => {
      const approval = askedApproval(call.body);
      if (!approval.ok) return approval;
      const allowed = await countCall(deps, { ...call.path, kind: 'verify' });
      if (!allowed.ok) return allowed;
      const made = await requestVerification(deps, { ...call.path, approval: approval.value }, call.actor);
      return made.ok
        ? ok({ status: 200, body: linkToBody(made.value, { origin: call.origin, asksFor: 'verification' }) })
        : made;
    },
  }),
  defineRoute({
    operationId: 'delete-tenant',
    method: 'DELETE',
    path: ONE,
    tag: 'tenants',
    summary: "Remove a tenant that is not in the company's data",
    description:
      'A switch that was ordered before waits for this tenant all the same: it can be registered again and verified, or the switch be cancelled.',
    roles: ['VendorAdmin'],
    conditions: 'delete',
    pathSchema: tenantPath,
    refuses: ['tenant-not-found', 'company-closing'],
    fails: ['vault'],
    answers: { 204: 'Gone.' },
    run: async (deps: TenantServices, call) => {
      const deleted = await deleteTenant(deps, { ...call.path, condition: conditionsOf(call) }, call.actor);
      return deleted.ok ? ok({ status: 204 }) : deleted;
    },
  }),
] as const;
