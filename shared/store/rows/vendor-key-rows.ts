// How far the vendor's own key is followed: which version, in which round over the keyrings that it wraps. Pure.
import { isFailureCode } from './failure-cell.ts';
import { json, optionalText, text, type Cells } from './cells.ts';
import type { FailureCode } from '../../domain/failure.ts';
import { present } from '../../domain/plain-object.ts';
import type { Row } from './row.ts';
import { SYSTEM_PARTITION, VENDOR_KEY_ROW_KEY } from './row-keys.ts';

const FORMAT = 1;

export interface VendorKeyState {
  /** The version that is followed. */
  readonly keyId: string;
  /** When the timer first met it. */
  readonly since: string;
  /** When the current round, or the last complete one, began. */
  readonly began: string;
  /** When that round was complete; absent while it goes on. */
  readonly wholeAt?: string;
  /** What its newest version warns of. */
  readonly warnings: readonly FailureCode[];
}

/** Undefined if it cannot be read: then a first round begins. */
function readVendorKey(cells: Cells): VendorKeyState | undefined {
  const keyId = text(cells, 'keyId');
  const since = text(cells, 'since');
  const began = text(cells, 'began');
  const warnings = json(cells, 'warnings');
  if (keyId === undefined || since === undefined || began === undefined) return undefined;
  return {
    keyId,
    since,
    began,
    warnings: (Array.isArray(warnings) ? (warnings as unknown[]) : []).filter(isFailureCode),
    ...present({ wholeAt: optionalText(cells, 'wholeAt') }),
  };
}

export const vendorKeyRow: Row<object, VendorKeyState, VendorKeyState | undefined> = {
  table: 'companies',
  partition: () => SYSTEM_PARTITION,
  key: () => VENDOR_KEY_ROW_KEY,
  cells: ({ warnings, wholeAt, ...state }) => ({
    format: FORMAT,
    ...state,
    warnings: JSON.stringify(warnings),
    wholeAt: wholeAt ?? '',
  }),
  read: readVendorKey,
};
