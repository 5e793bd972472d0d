// The row that says whether a keyring's company key may be exported. Pure.
import type { Seal } from '../../domain/company-key.ts';
import { count, json, need, optionalText, present, type CellRecord } from './cells.ts';
import { exportRowKey } from './row-keys.ts';
import { NOBODYS_SEAL, readSeal } from './seal-cell.ts';

const FORMAT = 1;

export interface ExportState {
  /** How many exports were made on verifications: what was verified for an earlier one counts no more. */
  readonly round: number;
  /** Until then one export needs no verification; absent if there is none to take. */
  readonly allowanceUntil?: string;
}

export interface SealedExportState extends ExportState {
  readonly seal: Seal;
}

/** Of a keyring that has no such row yet. */
export const NO_EXPORTS: ExportState = { round: 0 };

export const exportCells = ({ round, allowanceUntil, seal }: SealedExportState): CellRecord => ({
  format: FORMAT,
  round,
  allowanceUntil: allowanceUntil ?? '',
  seal: JSON.stringify(seal),
});

/** Throws MalformedRow: nobody is given a key because of a row that cannot be read. */
export function readExportState(cells: CellRecord, keyringId: string): SealedExportState {
  const row = exportRowKey(keyringId);
  need(count(cells, 'format') === FORMAT ? FORMAT : undefined, row, 'format');
  return {
    round: need(count(cells, 'round'), row, 'round'),
    seal: readSeal(json(cells, 'seal')) ?? NOBODYS_SEAL,
    ...present({ allowanceUntil: optionalText(cells, 'allowanceUntil') }),
  };
}

/** A time that cannot be read allows nothing. */
export const isAllowed = ({ allowanceUntil }: ExportState, now: Date): boolean =>
  allowanceUntil !== undefined && now.getTime() < Date.parse(allowanceUntil);
