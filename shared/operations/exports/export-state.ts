// The row that says whether a keyring's company key may be exported: read, checked, and written under what was read. Decides nothing.
import type { KeyringPlace } from '../../domain/keyring.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import { exportRow, type SealedExportState } from '../../store/rows/export-rows.ts';
import { find, type Found } from '../../store/found.ts';
import type { Writes } from '../../store/tx.ts';
import { NO_EXPORTS, type ExportState } from '../../domain/export-state.ts';
import { sealedBytesOfExports } from '../../domain/seal.ts';
import type { Tables } from '../../store/tables.ts';
import type { Sealer } from '../../domain/ports.ts';
import { checkSeal, type SealCheck } from '../keys/seals.ts';

export interface LoadedExportState {
  readonly value: ExportState;
  /** Undefined while there is no such row: a keyring has none before its first switch. */
  readonly held: Found<SealedExportState> | undefined;
}

/** `row-forged` if we have not written it: such a row permits no export. */
export async function loadExportState(
  deps: SealCheck & { readonly tables: Pick<Tables, 'read'> },
  { companyId, keyringId }: KeyringPlace,
): Promise<Result<LoadedExportState, Failure>> {
  const place = { companyId, keyringId };
  const held = await find(deps.tables, exportRow, place);
  if (!held) return ok({ value: NO_EXPORTS, held });
  const { seal, ...value } = held.value;
  const bytes = sealedBytesOfExports(place, value);
  const checked = await checkSeal(deps, { companyId, rowKey: exportRow.key(place), bytes, seal });
  return checked.ok ? ok({ value, held }) : checked;
}

/** What a transaction adds to write it. Fails as the vendor's vault does, which seals it. */
export async function putExportState(
  { sealer }: { readonly sealer: Sealer },
  { companyId, keyringId }: KeyringPlace,
  { from, to }: { readonly from: LoadedExportState; readonly to: ExportState },
): Promise<Result<(tx: Writes) => void, Failure>> {
  const place = { companyId, keyringId };
  const seal = await sealer.sign(sealedBytesOfExports(place, to));
  if (!seal.ok) return seal;
  return ok((tx) => void tx.put(exportRow, place, from.held, { ...to, seal: seal.value }));
}

/** What a transaction adds so that one export of the company key is allowed until then. */
export async function allowExport(
  deps: SealCheck & { readonly tables: Pick<Tables, 'read'>; readonly sealer: Sealer },
  place: KeyringPlace,
  until: Date,
): Promise<Result<(tx: Writes) => void, Failure>> {
  const from = await loadExportState(deps, place);
  if (!from.ok) return from;
  return putExportState(deps, place, {
    from: from.value,
    to: { ...from.value.value, allowanceUntil: until.toISOString() },
  });
}
