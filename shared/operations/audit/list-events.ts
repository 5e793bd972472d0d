// A company's events as they were recorded, oldest first. They stay when the company is deleted.
import type { AuditRecord } from '../../domain/audit.ts';
import { NO_COMPANY } from '../../domain/ids.ts';
import { present } from '../../domain/plain-object.ts';
import { recordRow, recordsOf } from '../../store/rows/audit-rows.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { loadCompany } from '../../store/control-state.ts';
import { find, listPage } from '../../store/found.ts';
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
  const after = continuation === undefined ? undefined : { companyId, sequence: Number(continuation) };
  const { rows, last } = await listPage(deps.tables, recordsOf, { companyId }, { limit, ...present({ after }) });
  const records = rows.flatMap(({ value }) => value ?? []);
  return ok(last === undefined ? { records } : { records, continuation: String(last.sequence) });
}

/** One event, by its place in its chain. */
export async function getEvent(
  { tables }: { readonly tables: Tables },
  place: { readonly companyId: string; readonly sequence: number },
): Promise<Result<AuditRecord, Refusal>> {
  const record = (await find(tables, recordRow, place))?.value;
  return record ? ok(record) : err(notFound('event', String(place.sequence)));
}

/** Whether there is such a company, or was one. */
export async function hasEvents(tables: Tables, companyId: string): Promise<boolean> {
  if (companyId === NO_COMPANY || (await loadCompany(tables, companyId))) return true;
  return (await loadHead(tables, companyId)).etag !== undefined;
}
