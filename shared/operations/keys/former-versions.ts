// Writes company keys, and which versions of a customer's key they leave: since when such a version wraps nothing more of them, and until when copies of the
// tables need it. Every act that drops a wrap comes through here: a transaction that drops one without this note throws (store/tx.ts).
import type { CompanyKeyRow } from '../../domain/company-key.ts';
import { leftNow, nameOfVersion, versionsDropped, type FormerVersion } from '../../domain/key-versions.ts';
import type { Clock } from '../../domain/ports.ts';
import { list, type Found } from '../../store/found.ts';
import { formerVersionPlace, formerVersionRow, formerVersionsOf } from '../../store/rows/key-version-rows.ts';
import type { Tables } from '../../store/tables.ts';
import type { Writes } from '../../store/tx.ts';

export interface Leaving {
  readonly tables: Tables;
  readonly clock: Clock;
  /** For so long copies of the tables are kept. */
  readonly keepMs: number;
}

/** What becomes of a company key; without `next` it is deleted. */
export interface CompanyKeyChange {
  readonly held: Found<CompanyKeyRow>;
  readonly next?: CompanyKeyRow;
}

/** In one transaction with those that are noted. */
const MAX_TIDIED = 20;

/** Reads what is noted already. What it answers writes all of it, in a transaction on rows of this company. */
export async function companyKeyWrites(
  { tables, clock, keepMs }: Leaving,
  companyId: string,
  changes: readonly CompanyKeyChange[],
): Promise<(tx: Writes) => void> {
  const before = changes.flatMap(({ held }) => held.value.wraps);
  const after = changes.flatMap(({ next }) => next?.wraps ?? []);
  const dropped = new Map(versionsDropped(before, after).map((version) => [nameOfVersion(version), version]));
  const staying = new Set(after.map(({ ref, keyId }) => nameOfVersion({ ...ref, keyId })));
  const noted = new Map<string, Found<FormerVersion>>();
  for (const connectionId of new Set([...dropped.values()].map((version) => version.connectionId)))
    for (const row of await list(tables, formerVersionsOf, { companyId, connectionId }))
      noted.set(nameOfVersion({ connectionId, keyId: row.value.keyId }), row);
  return (tx) => {
    const now = clock.now();
    for (const { held, next } of changes)
      if (next) tx.replace(held, next);
      else tx.delete(held);
    for (const [name, { connectionId, keyId }] of dropped) {
      const held = noted.get(name);
      const place = formerVersionPlace({ companyId, connectionId }, keyId);
      tx.put(formerVersionRow, place, held, leftNow(keyId, { known: held?.value, now, keepMs }));
    }
    const isOver = (name: string, { copiesUntil }: FormerVersion): boolean =>
      !dropped.has(name) && (staying.has(name) || copiesUntil < now.toISOString());
    const over = [...noted].filter(([name, { value }]) => isOver(name, value));
    for (const [, row] of over.slice(0, MAX_TIDIED)) tx.delete(row);
  };
}
