// The row that says whether a keyring's company key may be exported. Pure.
import type { ExportState } from '../../domain/export-state.ts';
import type { Seal } from '../../domain/company-key.ts';
import type { KeyringPlace } from '../../domain/keyring.ts';
import { count, json, need, optionalText, type Cells } from './cells.ts';
import { present } from '../../domain/plain-object.ts';
import { sealedBytesOfExports } from '../../domain/seal.ts';
import type { Row, Rows } from './row.ts';
import { exportRowKey } from './row-keys.ts';
import { NOBODYS_SEAL, readSeal } from './seal-cell.ts';

const FORMAT = 1;

export interface SealedExportState extends ExportState {
  readonly seal: Seal;
}

export const exportCells = ({ round, allowanceUntil, seal }: SealedExportState): Cells => ({
  format: FORMAT,
  round,
  allowanceUntil: allowanceUntil ?? '',
  seal: JSON.stringify(seal),
});

/** Throws MalformedRow: a row that cannot be read permits no export. */
export function readExportState(cells: Cells, keyringId: string): SealedExportState {
  const row = exportRowKey(keyringId);
  need(count(cells, 'format') === FORMAT ? FORMAT : undefined, row, 'format');
  return {
    round: need(count(cells, 'round'), row, 'round'),
    seal: readSeal(json(cells, 'seal')) ?? NOBODYS_SEAL,
    ...present({ allowanceUntil: optionalText(cells, 'allowanceUntil') }),
  };
}

export const exportRow: Row<KeyringPlace, SealedExportState> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: ({ keyringId }) => exportRowKey(keyringId),
  cells: exportCells,
  read: (cells, { keyringId }) => readExportState(cells, keyringId),
  sealed: (state, place) => ({
    parts: [{ bytes: sealedBytesOfExports(place, state), seal: state.seal }],
    with: ([seal = state.seal]) => ({ ...state, seal }),
    cells: ['seal'],
  }),
};

export const exportsOf: Rows<{ readonly companyId: string }, KeyringPlace, SealedExportState> = {
  row: exportRow,
  partition: ({ companyId }) => companyId,
  prefix: () => exportRowKey(''),
  place: ({ companyId }, keyringId) => ({ companyId, keyringId }),
};
