// A company's events as they were recorded, oldest first. They stay when the company is deleted.
import type { AuditRecord } from '../../domain/audit.ts';
import { readRecord } from '../../store/rows/audit-rows.ts';
import { recordRowKey, RECORDS_AFTER, RECORDS_BEFORE, SYSTEM_PARTITION } from '../../store/rows/row-keys.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { listSome, loadCompany } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import { loadHead } from '../../store/append.ts';

export interface EventPage {
  /** A record that cannot be read is left out; the check of the chain names it. */
  readonly records: readonly AuditRecord[];
  /** The last sequence of the page, if there may be more. */
  readonly continuation?: string;
}

export async function listEvents(
  deps: { readonly tables: Tables },
  query: { readonly companyId: string; readonly limit: number; readonly continuation?: string },
): Promise<Result<EventPage, Refusal>> {
  const { companyId, limit, continuation } = query;
  if (continuation !== undefined && !/^\d{1,16}$/.test(continuation)) {
    return err({ type: 'invalid', target: 'continuation', message: 'This is no continuation of this list.' });
  }
  if (!(await hasEvents(deps.tables, companyId))) return err(notFound('company', companyId));
  const after = continuation === undefined ? RECORDS_AFTER : recordRowKey(Number(continuation));
  const range = { table: 'events', partitionKey: companyId, before: RECORDS_BEFORE, after, limit } as const;
  const page = await listSome(deps.tables, range);
  const records = page.rows.flatMap(({ cells }) => readRecord(cells, companyId) ?? []);
  const last = page.continuation === undefined ? undefined : page.rows.at(-1)?.rowKey;
  return ok(last === undefined ? { records } : { records, continuation: String(Number(last)) });
}

/** Whether there is such a company, or was one. */
export async function hasEvents(tables: Tables, companyId: string): Promise<boolean> {
  if (companyId === SYSTEM_PARTITION || (await loadCompany(tables, companyId))) return true;
  return (await loadHead(tables, companyId)).etag !== undefined;
}
