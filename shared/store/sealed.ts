// Rows that carry seals, of all kinds, to be re-sealed: tells who sealed what, and judges nothing else.
import type { Seal } from '../domain/company-key.ts';
import { found, readListed, type Found } from './found.ts';
import { companyRow } from './rows/company-rows.ts';
import { exportsOf } from './rows/export-rows.ts';
import type { Row, Rows, SealedPart } from './rows/row.ts';
import { companyKeysOfCompany, connectionsOf } from './rows/sealed-rows.ts';
import { switchesOfCompany } from './rows/switch-rows.ts';
import { tenantsOf, verificationsOfCompany } from './rows/tenant-rows.ts';
import { webhooksOf } from './rows/webhook-rows.ts';
import type { StoredRow } from './tables.ts';
import type { Writes } from './tx.ts';

export interface SealedRow {
  readonly parts: readonly SealedPart[];
  /** Writes new seals over the same bytes, in the order of the parts. */
  reseal(tx: Writes, seals: readonly Seal[]): void;
}

interface SealedKind {
  readonly row: unknown;
  /** Of the keys of its rows; the whole key of a kind that is one row. */
  readonly prefix: string;
  readonly isOne?: true;
  readonly read: (companyId: string, stored: StoredRow) => SealedRow | undefined;
}

/** Undefined if it carries no seal that is still checked. */
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

const ofCompanyItself: SealedKind = {
  row: companyRow,
  prefix: companyRow.key({ companyId: '' }),
  isOne: true,
  read: (companyId, stored) => sealedIn(companyRow, { companyId }, found(companyRow, { companyId }, stored)),
};

/** All such kinds in a company's partition, except rows that last a day: a test holds that none is missing. */
export const SEALED_KINDS: readonly SealedKind[] = [
  ofCompanyItself,
  ofCompany(companyKeysOfCompany),
  ofCompany(connectionsOf),
  ofCompany(switchesOfCompany),
  ofCompany(exportsOf),
  ofCompany(tenantsOf),
  ofCompany(verificationsOfCompany),
  ofCompany(webhooksOf),
];

/** Undefined for a row without a seal, whose seal is no longer checked, or that counts as forged. Throws MalformedRow. */
export function sealedRow(companyId: string, stored: StoredRow): SealedRow | undefined {
  const kind = SEALED_KINDS.find(({ prefix, isOne }) =>
    isOne ? stored.rowKey === prefix : stored.rowKey.startsWith(prefix),
  );
  return kind?.read(companyId, stored);
}
