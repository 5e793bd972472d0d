// Links and states that are long over are taken away when a new link is made: nobody else needs to look for them. What is left behind costs
// nothing but its row, so losing a race here is no harm.
import { optionalText } from '../../domain/rows/cells.ts';
import { rowKeysUnder, SIGN_IN_PREFIX } from '../../domain/rows/row-keys.ts';
import { MAX_WRITES_PER_TRANSACTION, type Clock, type Tables } from '../ports.ts';

/** For so long "expired" can still be told from "never heard of". */
const KEPT_AFTER_MS = 24 * 60 * 60 * 1000;

export async function tidySignIns(
  deps: { readonly tables: Tables; readonly clock: Clock },
  companyId: string,
): Promise<void> {
  const range = { table: 'companies', partitionKey: companyId, ...rowKeysUnder(SIGN_IN_PREFIX) } as const;
  const { rows } = await deps.tables.list({ ...range, limit: 1000 });
  const keptFrom = new Date(deps.clock.now().getTime() - KEPT_AFTER_MS).toISOString();
  const over = rows.filter(({ cells }) => (optionalText(cells, 'expiresAt') ?? '') < keptFrom);
  const deletes = over
    .slice(0, MAX_WRITES_PER_TRANSACTION)
    .map(({ rowKey, etag }) => ({ kind: 'delete', rowKey, etag }) as const);
  if (deletes.length > 0) await deps.tables.write('companies', companyId, deletes);
}
