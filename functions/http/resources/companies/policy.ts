// A company's own demands on its keys and keyrings: its administrators' word, which the vendor can read and not give.
import * as z from 'zod';
import { KEY_SIZES, NO_POLICY, type CompanyPolicy } from '../../../../shared/domain/company-policy.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import { ok } from '../../../../shared/domain/result.ts';
import { getCompany } from '../../../../shared/operations/companies/companies.ts';
import { putPolicy, type PolicyChanging } from '../../../../shared/operations/companies/policy.ts';
import { countCall } from '../../../../shared/store/call-limit.ts';
import { conditionsOf } from '../../kernel/preconditions.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { companyPath } from '../../kernel/schemas/ids.ts';

const PATH = '/companies/{companyId}/policy';

const policyBody = z
  .strictObject({
    vendorKey: z.enum(['allowed', 'forbidden']).meta({
      description: "Whether a keyring may be made under, or switched to, the vendor's own key.",
    }),
    keyringsPerProvider: z.enum(['any', 'one']).meta({
      description: "How many keyrings may be under one provider of the company's own keys.",
    }),
    minRsaBits: z.literal(KEY_SIZES).optional().meta({
      description: 'Of a key that is to protect anything new, if that is more than the deployment demands.',
    }),
  })
  .meta({
    id: 'CompanyPolicy',
    description: 'Judged where something new begins: of what is in force it changes nothing.',
    example: { vendorKey: 'forbidden', keyringsPerProvider: 'any', minRsaBits: 3072 },
  });

const shown = ({ vendorKey, keyringsPerProvider, minRsaBits }: CompanyPolicy): z.input<typeof policyBody> => ({
  vendorKey,
  keyringsPerProvider,
  ...present({ minRsaBits }),
});

export const policyRoutes = [
  defineRoute({
    operationId: 'get-company-policy',
    method: 'GET',
    path: PATH,
    tag: 'companies',
    summary: 'What a company demands of its keys and keyrings',
    roles: ['VendorAdmin', 'CompanyAdmin', 'Auditor'],
    conditions: 'read',
    pathSchema: companyPath,
    refuses: ['company-closed'],
    answers: { 200: 'The policy.' },
    answerSchema: policyBody,
    run: async (deps: PolicyChanging, call) => {
      const company = await getCompany(deps, call.path);
      if (!company.ok) return company;
      const { value, etag } = company.value;
      return ok({ status: 200, body: shown(value.policy ?? NO_POLICY), etag });
    },
  }),
  defineRoute({
    operationId: 'put-company-policy',
    method: 'PUT',
    path: PATH,
    tag: 'companies',
    summary: 'Say what the company demands of its keys and keyrings',
    description: 'In the place of what it demanded before. For its own admins alone. The ETag is that of the company.',
    roles: ['CompanyAdmin'],
    isLimited: true,
    conditions: 'write',
    pathSchema: companyPath,
    bodySchema: policyBody,
    refuses: ['company-closing'],
    fails: ['vault'],
    answers: { 200: 'The policy.' },
    answerSchema: policyBody,
    run: async (deps: PolicyChanging, call) => {
      const allowed = await countCall(deps, { ...call.path, kind: 'policy' });
      if (!allowed.ok) return allowed;
      const put = await putPolicy(deps, { ...call.path, ...conditionsOf(call), policy: call.body }, call.actor);
      return put.ok ? ok({ status: 200, body: shown(put.value.value), etag: put.value.etag }) : put;
    },
  }),
] as const;
