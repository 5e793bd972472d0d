// The company's own demands on its keys and keyrings.
import type { Actor } from '../../domain/audit.ts';
import type { CompanyPolicy } from '../../domain/company-policy.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ok, type Result } from '../../domain/result.ts';
import { act } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import { companyRow } from '../../store/rows/company-rows.ts';

const isSame = (a: CompanyPolicy | undefined, b: CompanyPolicy): boolean =>
  a?.vendorKey === b.vendorKey && a.keyringsPerProvider === b.keyringsPerProvider && a.minRsaBits === b.minRsaBits;

/** In the place of what it was; the same again changes nothing. Of what is in force it changes nothing either. */
export const putPolicy = (
  deps: Auditing,
  { companyId, policy }: { readonly companyId: string; readonly policy: CompanyPolicy },
  actor: Actor,
): Promise<Result<CompanyPolicy, Refusal>> =>
  act<CompanyPolicy>(
    deps,
    { actor, action: 'company.policy', companyId, target: companyRow.key({ companyId }) },
    async (tx) => {
      const company = await tx.need(companyRow, { companyId });
      if (isSame(company.value.policy, policy)) return ok(policy);
      tx.replace(company, { ...company.value, policy });
      tx.detail({ ...policy });
      return ok(policy);
    },
  );
