// Links and states that are long over are taken away when a new link is made: nobody else needs to look for them. A page at a time, from where the
// last look stopped, so that those behind many that still live have their turn too. Losing a race here is no harm.
import { optionalText, text } from '../../store/rows/cells.ts';
import { rowKeysUnder, SIGN_IN_PREFIX, TIDIED_ROW_KEY } from '../../store/rows/row-keys.ts';
import { MAX_WRITES_PER_TRANSACTION, type RowWrite, type StoredRow, type Tables } from '../../store/tables.ts';
import type { Clock } from '../../domain/ports.ts';

/** For so long "expired" can still be told from "never heard of". */
const KEPT_AFTER_MS = 24 * 60 * 60 * 1000;
const PAGE_ROWS = 1000;
const MAX_DELETES = MAX_WRITES_PER_TRANSACTION - 1;

export async function tidySignIns(
  deps: { readonly tables: Tables; readonly clock: Clock },
  companyId: string,
): Promise<void> {
  const tidied = await deps.tables.read('companies', companyId, TIDIED_ROW_KEY);
  const whole = rowKeysUnder(SIGN_IN_PREFIX);
  const from = tidied && text(tidied.cells, 'after');
  const after = from?.startsWith(SIGN_IN_PREFIX) ? from : whole.after;
  const range = { table: 'companies', partitionKey: companyId, before: whole.before, after } as const;
  const page = await deps.tables.list({ ...range, limit: PAGE_ROWS });
  const keptFrom = new Date(deps.clock.now().getTime() - KEPT_AFTER_MS).toISOString();
  const over = page.rows.filter(({ cells }) => (optionalText(cells, 'expiresAt') ?? '') < keptFrom);
  const deletes = over.slice(0, MAX_DELETES);
  const stoppedAt = deletes.length < over.length ? deletes.at(-1)?.rowKey : nextPageFrom(page);
  const writes: RowWrite[] = deletes.map(({ rowKey, etag }) => ({ kind: 'delete', rowKey, etag }));
  if ((stoppedAt ?? '') !== (from ?? '')) writes.push(cursorWrite(tidied, stoppedAt ?? ''));
  if (writes.length > 0) await deps.tables.write('companies', companyId, writes);
}

/** A page without rows that is not the last says nothing of where it ends: the next look begins at the beginning. */
const nextPageFrom = (page: {
  readonly rows: readonly StoredRow[];
  readonly continuation?: string;
}): string | undefined => (page.continuation === undefined ? undefined : page.rows.at(-1)?.rowKey);

function cursorWrite(tidied: StoredRow | undefined, after: string): RowWrite {
  const cells = { format: 1, after };
  return tidied
    ? { kind: 'replace', rowKey: TIDIED_ROW_KEY, cells, etag: tidied.etag }
    : { kind: 'insert', rowKey: TIDIED_ROW_KEY, cells };
}
