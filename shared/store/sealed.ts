// Rows that carry seals, whatever kind they are of. For sealing them anew: nothing is judged here but by whom and over what a seal is.
import type { Seal } from '../domain/company-key.ts';
import { readListed, type Found } from './found.ts';
import { exportsOf } from './rows/export-rows.ts';
import type { Row, Rows, SealedPart } from './rows/row.ts';
import { companyKeysOfCompany, connectionsOf } from './rows/sealed-rows.ts';
import { switchesOfCompany } from './rows/switch-rows.ts';
import { tenantsOf, verificationsOfCompany } from './rows/tenant-rows.ts';
import type { StoredRow } from './tables.ts';
import type { Writes } from './tx.ts';

export interface SealedRow {
  readonly parts: readonly SealedPart[];
  /** Writes other seals over the same, in the order of the parts. */
  reseal(tx: Writes, seals: readonly Seal[]): void;
}

interface SealedKind {
  readonly row: unknown;
  readonly prefix: string;
  readonly read: (companyId: string, stored: StoredRow) => SealedRow | undefined;
}

/** Undefined if it carries no seal that anybody still looks at. */
export function sealedIn<P, V, R>(row: Row<P, V, R>, place: P, held: Found<R>): SealedRow | undefined {
  const sealed = typeof row.sealed === 'function' ? row.sealed(held.value, place) : undefined;
  return (
    sealed && {
      parts: sealed.parts,
      reseal: (tx, seals) => {
        tx.merge<unknown>(held, sealed.with(seals), sealed.cells);
      },
    }
  );
}

const ofCompany = <P, V, R>(rows: Rows<{ readonly companyId: string }, P, V, R>): SealedKind => ({
  row: rows.row,
  prefix: rows.prefix({ companyId: '' }),
  read: (companyId, stored) => {
    const { place, ...held } = readListed(rows, { companyId }, stored);
    return sealedIn(rows.row, place, held);
  },
});

/** All kinds of them in a company's partition, but those that are over in a day: a test holds that none is left out. */
export const SEALED_KINDS: readonly SealedKind[] = [
  ofCompany(companyKeysOfCompany),
  ofCompany(connectionsOf),
  ofCompany(switchesOfCompany),
  ofCompany(exportsOf),
  ofCompany(tenantsOf),
  ofCompany(verificationsOfCompany),
];

/** Undefined for a row of another kind, whose seal nobody looks at any more, or that counts as forged. Throws MalformedRow. */
export function sealedRow(companyId: string, stored: StoredRow): SealedRow | undefined {
  const kind = SEALED_KINDS.find(({ prefix }) => stored.rowKey.startsWith(prefix));
  return kind?.read(companyId, stored);
}
