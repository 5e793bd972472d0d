// The row that says whether a keyring's company key may be exported: read, and written under what was read. Decides nothing.
import { exportCells, NO_EXPORTS, readExportState, type ExportState } from '../domain/rows/export-rows.ts';
import { exportRowKey } from '../domain/rows/row-keys.ts';
import type { KeyringPlace } from './data-keys/keyring-places.ts';
import type { RowWrite, Tables } from './ports.ts';

export interface LoadedExportState {
  readonly value: ExportState;
  /** Undefined while there is no such row: a keyring has none before its first switch. */
  readonly etag: string | undefined;
}

export async function loadExportState(
  tables: Pick<Tables, 'read'>,
  { companyId, keyringId }: KeyringPlace,
): Promise<LoadedExportState> {
  const row = await tables.read('companies', companyId, exportRowKey(keyringId));
  return row
    ? { value: readExportState(row.cells, keyringId), etag: row.etag }
    : { value: NO_EXPORTS, etag: undefined };
}

export function writeExportState(keyringId: string, { etag }: LoadedExportState, next: ExportState): RowWrite {
  const rowKey = exportRowKey(keyringId);
  const cells = exportCells(next);
  return etag === undefined ? { kind: 'insert', rowKey, cells } : { kind: 'replace', rowKey, cells, etag };
}
