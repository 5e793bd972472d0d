// The row that says which company a customer's vault key belongs to. Pure.
import { notFound } from '../../domain/refusal.ts';
import { need, oneOf, text, type Cells } from './cells.ts';
import type { Row } from './row.ts';
import { CLAIM_ROW_KEY, claimPartition } from './row-keys.ts';

const FORMAT = 1;
const CLAIM_STATES = ['held', 'releasing'] as const;

export interface VaultClaim {
  readonly companyId: string;
  /** `releasing`: a release has begun, and may have died. The claim must not be relied on until its company consents again. */
  readonly state: (typeof CLAIM_STATES)[number];
  readonly claimedAt: string;
}

export const claimCells = (claim: VaultClaim): Cells => ({
  format: FORMAT,
  companyId: claim.companyId,
  state: claim.state,
  claimedAt: claim.claimedAt,
});

/** Throws MalformedRow. */
export function readClaim(cells: Cells): VaultClaim {
  const ofClaim = <T>(value: T | undefined, name: string): T => need(value, 'claim', name);
  return {
    companyId: ofClaim(text(cells, 'companyId'), 'companyId'),
    state: ofClaim(oneOf(cells, 'state', CLAIM_STATES), 'state'),
    claimedAt: ofClaim(text(cells, 'claimedAt'), 'claimedAt'),
  };
}

export interface VaultKeyName {
  readonly host: string;
  readonly keyName: string;
}

/** In place of a key's name: the vault as a whole, which no other company may share. No key can be called so. */
export const WHOLE_VAULT = '*';

/** All spellings of one vault key lie in one partition. */
export const claimRow: Row<VaultKeyName, VaultClaim> = {
  table: 'vaultkeys',
  partition: claimPartition,
  key: () => CLAIM_ROW_KEY,
  cells: claimCells,
  read: readClaim,
  missing: ({ host, keyName }) => notFound('vault-claim', `${host}/${keyName}`),
};

/** Only which company it belongs to, even if the rest cannot be read. */
export const claimantRow: Row<VaultKeyName, never, string | undefined> = {
  table: 'vaultkeys',
  partition: claimPartition,
  key: () => CLAIM_ROW_KEY,
  cells: (none) => none,
  read: (cells) => text(cells, 'companyId'),
};
