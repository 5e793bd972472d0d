// What a company demands of a key that is to protect something new, beyond what the deployment does.
import type { ReadOptions } from '../../providers/provider.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import { loadCompany } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import { present } from '../../domain/plain-object.ts';
import { policyOf } from './company-terms.ts';
import type { SealCheck } from './seals.ts';

export async function keyRules(
  reading: SealCheck & { readonly tables: Pick<Tables, 'read'> },
  { companyId }: { readonly companyId: string },
): Promise<Result<Pick<ReadOptions, 'minRsaBits'>, Failure>> {
  const company = await loadCompany(reading.tables, companyId);
  if (!company) return ok({});
  const policy = await policyOf(reading, company);
  return policy.ok ? ok(present({ minRsaBits: policy.value.minRsaBits })) : policy;
}
