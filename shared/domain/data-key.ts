// One data key's row. Pure.
export type DataKeyState =
  /** In use. */
  | 'live'
  /** Soft-deleted: restorable until `purgeAfter`. */
  | 'deleted'
  /** Did not open during a pass: left unchanged, listed by name, waiting for an admin's decision. */
  | 'quarantined'
  /** Given up by a vendor admin; kept. A pass that can open it makes it live again. */
  | 'lost'
  /** Past its restore time: no blob and no version, only the id, which is never used again. */
  | 'tombstone';

export type QuarantineReason = 'does-not-open' | 'unknown-version' | 'differs-after-rewrap';

export interface DataKey {
  readonly keyId: string;
  readonly state: DataKeyState;
  readonly origin: 'generated' | 'imported';
  /** Empty for a tombstone. */
  readonly blob: Uint8Array;
  /** 0 for a tombstone. */
  readonly companyKeyVersion: number;
  /** The blob under `previousVersion`, kept from the first pass to the second; empty otherwise. */
  readonly previous: Uint8Array;
  readonly previousVersion: number;
  /** The state that a quarantined row returns to. */
  readonly stateBefore?: 'live' | 'deleted' | undefined;
  readonly quarantineReason?: QuarantineReason | undefined;
  /** The requests that created it and last wrote it: after a lost answer they show whose write it was. */
  readonly createdBy: string;
  readonly writtenBy: string;
  readonly createdAt: string;
  readonly deletedAt?: string | undefined;
  readonly purgeAfter?: string | undefined;
}
