// Since when a version of a customer's key wraps nothing, and until when copies of the tables need it: written in the transaction that replaces its wrap.
import type { ConnectionPlace } from '../../domain/connection.ts';
import type { FormerVersion } from '../../domain/key-versions.ts';
import type { Clock } from '../../domain/ports.ts';
import type { ProviderRef } from '../../domain/provider.ts';
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

/** Those of one connection that are written down. */
export interface VersionsLeft {
  readonly connection: ConnectionPlace;
  readonly rows: readonly Found<FormerVersion>[];
}

/** In one transaction with those that are written. */
const MAX_TIDIED = 20;

/** Undefined for the vendor's own key, whose versions are the operator's own. */
export async function versionsLeft(
  { tables }: Leaving,
  { companyId, ref: { connectionId } }: { readonly companyId: string; readonly ref: ProviderRef },
): Promise<VersionsLeft | undefined> {
  if (connectionId === undefined) return undefined;
  const connection = { companyId, connectionId };
  return { connection, rows: await list(tables, formerVersionsOf, connection) };
}

/** Writes down that `keyId` was left, `instead` is in use again, and forgets those that no copy needs any more. */
export function leaveVersion(
  { clock, keepMs }: Leaving,
  tx: Pick<Writes, 'put' | 'delete'>,
  { connection, rows }: VersionsLeft,
  { keyId, instead }: { readonly keyId: string; readonly instead: string },
): void {
  const now = clock.now();
  const held = rows.find(({ value }) => value.keyId === keyId);
  const left: FormerVersion = {
    keyId,
    leftAt: now.toISOString(),
    copiesUntil: new Date(now.getTime() + keepMs).toISOString(),
  };
  tx.put(formerVersionRow, formerVersionPlace(connection, keyId), held, left);
  const isOver = ({ value }: Found<FormerVersion>): boolean =>
    value.keyId === instead || value.copiesUntil < left.leftAt;
  for (const row of rows.filter((one) => one !== held && isOver(one)).slice(0, MAX_TIDIED)) tx.delete(row);
}
