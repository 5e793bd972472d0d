// Writes of a company's control rows that many acts share. Each replaces, or guards, what was read. Decides nothing.
import type { Company, Keyring } from '../domain/keyring.ts';
import type { Switch } from '../domain/switch.ts';
import type { Loaded } from './control-state.ts';
import { companyCells } from './rows/company-rows.ts';
import { keyringCells } from './rows/keyring-rows.ts';
import { switchCells } from './rows/switch-rows.ts';
import { COMPANY_ROW_KEY, keyringRowKey, switchRowKey } from './rows/row-keys.ts';
import type { RowWrite } from './tables.ts';

/** Changes nothing, but the transaction fails if the row is not as it was read. */
export const guard = (rowKey: string, etag: string): RowWrite => ({ kind: 'merge', rowKey, cells: {}, etag });

export const guardCompany = (company: Loaded<Company>): RowWrite => guard(COMPANY_ROW_KEY, company.etag);

export const replaceCompany = (company: Loaded<Company>, next: Company): RowWrite => ({
  kind: 'replace',
  rowKey: COMPANY_ROW_KEY,
  cells: companyCells(next),
  etag: company.etag,
});

export const replaceKeyring = (keyring: Loaded<Keyring>, next: Keyring): RowWrite => ({
  kind: 'replace',
  rowKey: keyringRowKey(keyring.value.keyringId),
  cells: keyringCells(next),
  etag: keyring.etag,
});

export const replaceSwitch = (sw: Loaded<Switch>, next: Switch): RowWrite => ({
  kind: 'replace',
  rowKey: switchRowKey(sw.value.keyringId, sw.value.switchId),
  cells: switchCells(next),
  etag: sw.etag,
});
