// A company's own demands on its keys and keyrings: its administrators' word, which the vendor can read and not give.
import * as z from 'zod';
import { KEY_SIZES, NO_POLICY, type CompanyPolicy } from '../../../../shared/domain/company-policy.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import { ok } from '../../../../shared/domain/result.ts';
import { getCompany } from '../../../../shared/operations/companies/companies.ts';
import { putPolicy } from '../../../../shared/operations/companies/policy.ts';
import type { Auditing } from '../../../../shared/store/append.ts';
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
    pathSchema: companyPath,
    refuses: ['company-closed'],
    answers: { 200: 'The policy.' },
    answerSchema: policyBody,
    run: async (deps: Auditing, call) => {
      const company = await getCompany(deps, call.path);
      return company.ok ? ok({ status: 200, body: shown(company.value.value.policy ?? NO_POLICY) }) : company;
    },
  }),
  defineRoute({
    operationId: 'put-company-policy',
    method: 'PUT',
    path: PATH,
    tag: 'companies',
    summary: 'Say what the company demands of its keys and keyrings',
    description: 'In the place of what it demanded before. For its own admins alone.',
    roles: ['CompanyAdmin'],
    pathSchema: companyPath,
    bodySchema: policyBody,
    refuses: ['company-closing'],
    answers: { 200: 'The policy.' },
    answerSchema: policyBody,
    run: async (deps: Auditing, call) => {
      const put = await putPolicy(deps, { ...call.path, policy: call.body }, call.actor);
      return put.ok ? ok({ status: 200, body: shown(put.value) }) : put;
    },
  }),
] as const;
