// Rows of versions of a customer's key that wrapped company keys and wrap none since. Pure. What wraps something now is told by the company keys' own
// rows, which are sealed; this one only says since when it does not.
import { createHash } from 'node:crypto';
import type { CompanyKeyRow, Wrap } from '../../domain/company-key.ts';
import type { ConnectionPlace } from '../../domain/connection.ts';
import { versionsDropped, type FormerVersion } from '../../domain/key-versions.ts';
import { need, text, type Cells } from './cells.ts';
import type { Row, RowChange, Rows } from './row.ts';
import { formerVersionRowKey } from './row-keys.ts';

const FORMAT = 1;

interface FormerVersionPlace extends ConnectionPlace {
  /** Of the key id, which has characters that no row key may have. */
  readonly hash: string;
}

export const formerVersionPlace = (connection: ConnectionPlace, keyId: string): FormerVersionPlace => ({
  companyId: connection.companyId,
  connectionId: connection.connectionId,
  hash: createHash('sha256').update(keyId).digest('hex'),
});

const readFormerVersion = (cells: Cells): FormerVersion => ({
  keyId: need(text(cells, 'keyId'), 'formerversion', 'keyId'),
  leftAt: need(text(cells, 'leftAt'), 'formerversion', 'leftAt'),
  copiesUntil: need(text(cells, 'copiesUntil'), 'formerversion', 'copiesUntil'),
});

export const formerVersionRow: Row<FormerVersionPlace, FormerVersion> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: ({ connectionId, hash }) => formerVersionRowKey(connectionId, hash),
  cells: (version) => ({ format: FORMAT, ...version }),
  read: readFormerVersion,
};

export const formerVersionsOf: Rows<ConnectionPlace, FormerVersionPlace, FormerVersion> = {
  row: formerVersionRow,
  partition: ({ companyId }) => companyId,
  prefix: ({ connectionId }) => formerVersionRowKey(connectionId, ''),
  place: (connection, hash) => ({ ...connection, hash }),
};

/**
 * The rows that have to be written with these changes of company keys. Copies of the tables may need what wraps nothing any more: who disables a version
 * must have been told until when.
 */
export function versionsToNote(
  changes: readonly RowChange<CompanyKeyRow | undefined, CompanyKeyRow>[],
): readonly string[] {
  const [companyId = ''] = changes.flatMap(({ before }) => before?.companyId ?? []);
  const wraps = (row: CompanyKeyRow | undefined): readonly Wrap[] => row?.wraps ?? [];
  const dropped = versionsDropped(
    changes.flatMap(({ before }) => wraps(before)),
    changes.flatMap(({ after }) => wraps(after)),
  );
  return dropped.map(({ connectionId, keyId }) =>
    formerVersionRow.key(formerVersionPlace({ companyId, connectionId }, keyId)),
  );
}
