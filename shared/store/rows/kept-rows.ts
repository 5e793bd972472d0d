// The row of a kept company key. Pure. It carries no wrap and no seal: it opens under another company key, or not at all.
import type { KeptKey } from '../../domain/kept-key.ts';
import type { CompanyKeyContext } from '../../domain/company-key.ts';
import { bytes, count, oneOf, text, type CellRecord } from './cells.ts';

const FORMAT = 1;

export const keptKeyCells = ({ under, blob, reason, keptAt, until }: KeptKey): CellRecord => ({
  format: FORMAT,
  under,
  blob,
  reason,
  keptAt,
  until,
});

/** Undefined if the row cannot be read: somebody wrote it past Keyswitch. */
export function readKeptKey(cells: CellRecord, context: CompanyKeyContext): KeptKey | undefined {
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
