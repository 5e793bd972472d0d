// What a company demands of a key that is to protect something new, beyond what the deployment does.
import type { ReadOptions } from '../../providers/provider.ts';
import { loadCompany } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import { present } from '../../domain/plain-object.ts';

export async function keyRules(
  tables: Pick<Tables, 'read'>,
  { companyId }: { readonly companyId: string },
): Promise<Pick<ReadOptions, 'minRsaBits'>> {
  const company = await loadCompany(tables, companyId);
  return present({ minRsaBits: company?.value.policy?.minRsaBits });
}
