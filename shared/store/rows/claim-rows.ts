// The row that says which company a customer's vault key belongs to. Pure.
import { need, oneOf, text, type CellRecord } from './cells.ts';

const FORMAT = 1;
const CLAIM_STATES = ['held', 'releasing'] as const;

export interface VaultClaim {
  readonly companyId: string;
  /** `releasing`: somebody is about to take it away, or died over it; nobody may begin to rely on it before its company consents anew. */
  readonly state: (typeof CLAIM_STATES)[number];
  readonly claimedAt: string;
}

export const claimCells = (claim: VaultClaim): CellRecord => ({
  format: FORMAT,
  companyId: claim.companyId,
  state: claim.state,
  claimedAt: claim.claimedAt,
});

/** Throws MalformedRow. */
export function readClaim(cells: CellRecord): VaultClaim {
  const ofClaim = <T>(value: T | undefined, name: string): T => need(value, 'claim', name);
  return {
    companyId: ofClaim(text(cells, 'companyId'), 'companyId'),
    state: ofClaim(oneOf(cells, 'state', CLAIM_STATES), 'state'),
    claimedAt: ofClaim(text(cells, 'claimedAt'), 'claimedAt'),
  };
}
