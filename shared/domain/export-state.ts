// Whether a keyring's company key may be exported without new verifications. Pure.

export interface ExportState {
  /** How many exports were made on verifications: those for an earlier round no longer count. */
  readonly round: number;
  /** Until then one export needs no verification; absent if there is no such allowance. */
  readonly allowanceUntil?: string;
}

/** For a keyring without such a row. */
export const NO_EXPORTS: ExportState = { round: 0 };

/** An unreadable time allows nothing. */
export const isAllowed = ({ allowanceUntil }: ExportState, now: Date): boolean =>
  allowanceUntil !== undefined && now.getTime() < Date.parse(allowanceUntil);
