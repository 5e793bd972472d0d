// Deletes links and states that are long over, whenever a new link is made: no timer looks for them. A page at a time, from where the last look
// stopped, so that it reaches rows behind many that still live. Losing a race here is no harm.
import type { Clock } from '../../domain/ports.ts';
import { changeOnce } from '../../store/act.ts';
import { find, listPage } from '../../store/found.ts';
import { signInRowsOf, tidiedRow } from '../../store/rows/sign-in-rows.ts';
import { MAX_WRITES_PER_TRANSACTION, type Tables } from '../../store/tables.ts';

/** For so long "expired" can still be told from "never heard of". */
const KEPT_AFTER_MS = 24 * 60 * 60 * 1000;
const PAGE_ROWS = 1000;
const MAX_DELETES = MAX_WRITES_PER_TRANSACTION - 1;

export async function tidySignIns(
  deps: { readonly tables: Tables; readonly clock: Clock },
  companyId: string,
): Promise<void> {
  const within = { companyId };
  const tidied = await find(deps.tables, tidiedRow, within);
  const from = tidied?.value;
  const page = await listPage(deps.tables, signInRowsOf, within, { ...(from && { after: from }), limit: PAGE_ROWS });
  const keptFrom = new Date(deps.clock.now().getTime() - KEPT_AFTER_MS).toISOString();
  const over = page.rows.filter(({ value }) => value.expiresAt < keptFrom);
  const deletes = over.slice(0, MAX_DELETES);
  // Behind the last row the next look begins at the beginning.
  const stoppedAt = deletes.length < over.length ? deletes.at(-1)?.place : page.last;
  await changeOnce(deps, (tx) => {
    for (const row of deletes) tx.delete(row);
    if (stoppedAt?.rest !== from?.rest) tx.put(tidiedRow, within, tidied, stoppedAt);
    return undefined;
  });
}
