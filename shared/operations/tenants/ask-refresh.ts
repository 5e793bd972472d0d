// A company's admin asks the vendor to look again which tenants are in the company's data: only the vendor can see that, and registers them. It is an event
// of the record and changes nothing: the vendor's webhooks bring it to whatever looks.
import type { Actor } from '../../domain/audit.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { loadCompany } from '../../store/control-state.ts';
import { recordEvent, type Recording } from '../../store/record-event.ts';
import { companyRow } from '../../store/rows/company-rows.ts';

export async function askRefresh(
  deps: Recording,
  { companyId }: { readonly companyId: string },
  actor: Actor,
): Promise<Result<undefined, Refusal>> {
  if (!(await loadCompany(deps.tables, companyId))) return err(notFound('company', companyId));
  const target = companyRow.key({ companyId });
  const asked = { action: 'tenants.refresh-asked', companyId, target, outcome: 'done' } as const;
  return (await recordEvent(deps, actor, asked)) ? ok(undefined) : err({ type: 'busy', retryAfterSeconds: 1 });
}
