// Every company key of a keyring that something depends on. A list alone must not decide: an administrator who is told that no wrap names a key version
// disables it.
import type { CompanyKeyRow } from '../../domain/company-key.ts';
import type { Failure } from '../../domain/failure.ts';
import type { KeyringPlace } from '../../domain/keyring.ts';
import type { Log } from '../../domain/ports.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { listCompanyKeyRows, loadKeyring, loadSwitch, type Found } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import { forged } from './seals.ts';

/** `isWhole`: false if the list lacks one that the keyring or its switch needs. Then look again. */
export interface CompanyKeysOfKeyring {
  readonly rows: readonly Found<CompanyKeyRow>[];
  readonly isWhole: boolean;
}

export async function companyKeysOfKeyring(
  deps: { readonly tables: Tables; readonly log: Log },
  { companyId, keyringId }: KeyringPlace,
): Promise<Result<CompanyKeysOfKeyring, Failure>> {
  const rows: Found<CompanyKeyRow>[] = [];
  const listed = await listCompanyKeyRows(deps.tables, { companyId, keyringId });
  for (const { value, ...found } of listed) {
    if (!value) return err(forged(deps.log, { companyId, rowKey: `companykey|${keyringId}` }));
    rows.push({ ...found, value });
  }
  const versions = new Set(listed.map(({ version }) => version));
  // Read after the list: for a key that was added or removed meanwhile, look again.
  const needed = await versionsNeeded(deps.tables, { companyId, keyringId });
  return ok({ rows, isWhole: needed.every((version) => versions.has(version)) });
}

async function versionsNeeded(tables: Tables, place: KeyringPlace): Promise<readonly number[]> {
  const keyring = await loadKeyring(tables, place);
  if (!keyring) return [];
  const { activeVersion, switchId } = keyring.value;
  const sw = switchId === undefined ? undefined : await loadSwitch(tables, { ...place, switchId });
  const isBetween = sw?.value.state === 're-protecting' || sw?.value.state === 'rolling-back';
  return isBetween ? [sw.value.fromVersion, sw.value.toVersion] : [activeVersion];
}
