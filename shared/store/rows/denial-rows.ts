// Which connections in force are denied by their vaults, for every process to read at once: one row each, all in one partition. A row only takes
// away: a process that reads it drops what is cached, and then asks the vault. So it needs no seal, and one that cannot be read counts as well. Pure.
import type { ConnectionPlace } from '../../domain/connection.ts';
import { NO_COMPANY } from '../../domain/ids.ts';
import { text, type Cells } from './cells.ts';
import type { Row, Rows } from './row.ts';

export const DENIAL_PREFIX = 'denied|';
const FORMAT = 1;

export interface Denial {
  /** The failure that the vault, or its directory, denied with. */
  readonly code: string;
  readonly deniedAt: string;
}

export const denialCells = (denial: Denial): Cells => ({ format: FORMAT, ...denial });

const readDenial = (cells: Cells): Denial => ({
  code: text(cells, 'code') ?? '',
  deniedAt: text(cells, 'deniedAt') ?? '',
});

export const denialRow: Row<ConnectionPlace, Denial> = {
  table: 'health',
  partition: () => NO_COMPANY,
  key: ({ companyId, connectionId }) => `${DENIAL_PREFIX}${companyId}|${connectionId}`,
  cells: denialCells,
  read: readDenial,
};

export const everyDenial: Rows<object, ConnectionPlace, Denial> = {
  row: denialRow,
  partition: () => NO_COMPANY,
  prefix: () => DENIAL_PREFIX,
  place: (_, rest) => {
    const [companyId = '', connectionId = ''] = rest.split('|');
    return { companyId, connectionId };
  },
};
