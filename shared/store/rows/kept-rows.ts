// The row of a kept company key. Pure. It has no wrap and no seal: only another company key opens it.
import type { KeptKey } from '../../domain/kept-key.ts';
import type { CompanyKeyContext } from '../../domain/company-key.ts';
import type { KeyringPlace } from '../../domain/keyring.ts';
import { bytes, count, oneOf, text, type Cells } from './cells.ts';
import type { Row, Rows } from './row.ts';
import { keptKeyRowKey } from './row-keys.ts';

const FORMAT = 1;

export const keptKeyCells = ({ under, blob, reason, keptAt, until }: KeptKey): Cells => ({
  format: FORMAT,
  under,
  blob,
  reason,
  keptAt,
  until,
});

/** Undefined if the row cannot be read: it was not written by Keyswitch. */
export function readKeptKey(cells: Cells, context: CompanyKeyContext): KeptKey | undefined {
  const under = count(cells, 'under');
  const blob = bytes(cells, 'blob');
  const reason = oneOf(cells, 'reason', ['completed', 'cancelled']);
  const keptAt = text(cells, 'keptAt');
  const until = text(cells, 'until');
  if (count(cells, 'format') !== FORMAT || under === undefined || blob === undefined) return undefined;
  if (reason === undefined || keptAt === undefined || until === undefined) return undefined;
  const { companyId, keyringId, version } = context;
  return { companyId, keyringId, version, under, blob, reason, keptAt, until };
}

export const keptKeyRow: Row<CompanyKeyContext, KeptKey, KeptKey | undefined> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: ({ keyringId, version }) => keptKeyRowKey(keyringId, version),
  cells: keptKeyCells,
  read: readKeptKey,
};

/** In the order of versions. */
export const keptKeysOf: Rows<KeyringPlace, CompanyKeyContext, KeptKey, KeptKey | undefined> = {
  row: keptKeyRow,
  partition: ({ companyId }) => companyId,
  prefix: ({ keyringId }) => `keptkey|${keyringId}|`,
  place: ({ companyId, keyringId }, version) => ({ companyId, keyringId, version: Number(version) }),
};
