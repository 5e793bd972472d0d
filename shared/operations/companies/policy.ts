// The company's own demands on its keys and keyrings. Sealed, so that a writer of the tables cannot lift them.
import type { Actor } from '../../domain/audit.ts';
import type { CompanyPolicy } from '../../domain/company-policy.ts';
import type { Sealer } from '../../domain/ports.ts';
import { holds, type Preconditions } from '../../domain/preconditions.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { act } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import type { Loaded } from '../../store/found.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import { policyOf, sealPolicy } from '../keys/company-terms.ts';
import { getCompany } from './companies.ts';

export interface PolicyChanging extends Auditing {
  readonly sealer: Sealer;
}

interface PolicyInput extends Preconditions {
  readonly companyId: string;
  readonly policy: CompanyPolicy;
}

const isSame = (a: CompanyPolicy | undefined, b: CompanyPolicy): boolean =>
  a?.vendorKey === b.vendorKey && a.keyringsPerProvider === b.keyringsPerProvider && a.minRsaBits === b.minRsaBits;

/**
 * In the place of what it was, also of one that is forged: so the company mends it. The same again changes nothing, and of what is in force it changes
 * nothing either. The ETag is that of the company's row. One `sign`.
 */
export const putPolicy = (
  deps: PolicyChanging,
  input: PolicyInput,
  actor: Actor,
): Promise<Result<Loaded<CompanyPolicy>, Refusal>> =>
  act<Loaded<CompanyPolicy>>(
    deps,
    { actor, action: 'company.policy', companyId: input.companyId, target: companyRow.key(input) },
    async (tx) => {
      const { companyId, policy } = input;
      const company = await tx.need(companyRow, { companyId });
      if (!holds(input, company.etag)) return err({ type: 'precondition-failed', what: 'company', id: companyId });
      if (isSame(company.value.policy, policy)) {
        const held = await policyOf(deps, company);
        if (held.ok) return ok({ value: policy, etag: company.etag });
        if (held.error.code !== 'row-forged') return err(refusedBy(held.error));
      }
      const sealed = await sealPolicy(deps, companyId, policy);
      if (!sealed.ok) return sealed;
      const written = tx.replace(company, { ...company.value, ...sealed.value });
      tx.detail({ ...policy });
      return {
        done: () => ({ value: policy, etag: written().etag }),
        ifLanded: async () => {
          const now = await getCompany(deps, { companyId });
          return now.ok ? ok({ value: policy, etag: now.value.etag }) : now;
        },
      };
    },
  );
