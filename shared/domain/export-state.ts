// Whether the company key of a keyring may be exported without verifying anew. Pure.

export interface ExportState {
  /** How many exports were made on verifications: what was verified for an earlier one counts no more. */
  readonly round: number;
  /** Until then one export needs no verification; absent if there is none to take. */
  readonly allowanceUntil?: string;
}

/** Of a keyring that has no such row yet. */
export const NO_EXPORTS: ExportState = { round: 0 };

/** A time that cannot be read allows nothing. */
export const isAllowed = ({ allowanceUntil }: ExportState, now: Date): boolean =>
  allowanceUntil !== undefined && now.getTime() < Date.parse(allowanceUntil);
