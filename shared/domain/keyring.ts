// Companies and keyrings. Pure.
import type { Seal } from './company-key.ts';
import type { CompanyPolicy } from './company-policy.ts';
import type { Feature } from './company-features.ts';
import type { ProviderRef } from './provider.ts';

export const DEFAULT_KEYRING = 'default';
/** Table Storage gives 2,000 entities a second per partition and 20,000 per account: 16 shards use all of it. */
export const DEFAULT_SHARD_COUNT = 16;
/** How often rows may be moved back to one company-key version; then only a re-key goes on. Keeps GCM far below its limits. */
export const MAX_ROLL_BACKS_PER_VERSION = 100;
export const MAX_DATA_KEYS_PER_KEYRING = 10_000_000;
/** A company's delete closes every shard of every keyring in one call. */
export const MAX_KEYRINGS_PER_COMPANY = 90;

export interface Company {
  readonly companyId: string;
  readonly displayName: string;
  readonly defaultKeyring: string;
  /** The only ones that the vendor lets it have; absent: all. */
  readonly features?: readonly Feature[] | undefined;
  /** Over `features`, or that there are none; undefined if it cannot be read. */
  readonly featuresSeal?: Seal | undefined;
  /** What it demands itself; absent: nothing beyond the deployment. */
  readonly policy?: CompanyPolicy | undefined;
  /** Over `policy`, or that there is none; undefined if it cannot be read. */
  readonly policySeal?: Seal | undefined;
  /** `closing` while a delete decides and removes; then `closed` for ever: an id is never used again. */
  readonly state: 'active' | 'closing' | 'closed';
  readonly createdAt: string;
  /** Of a `closing` company. */
  readonly closing?: Closing | undefined;
  readonly closedAt?: string | undefined;
}

export interface Closing {
  /** No data key is in use or restorable, so the delete cannot be undone any more. */
  readonly decided: boolean;
  /** The worker that has claimed the delete until `until`, so that others leave it alone. Empty if there is none. */
  readonly worker: string;
  readonly until: string;
}

export interface KeyringPlace {
  readonly companyId: string;
  readonly keyringId: string;
}

export interface Keyring {
  readonly keyringId: string;
  /** `creating` until all of its `!shard` rows exist. */
  readonly state: 'creating' | 'ready';
  readonly shardCount: number;
  readonly provider: ProviderRef;
  /** The company-key version that is in force. */
  readonly activeVersion: number;
  /** The highest version ever reserved. A version number is never used again, also after a cancel. */
  readonly highVersion: number;
  /** Generation of the last turn. Only goes up. */
  readonly generation: number;
  /** How often rows were moved back to `activeVersion`; each time they are encrypted under it again. */
  readonly rollBacks: number;
  /** The unfinished switch, if there is one. At most one at a time. */
  readonly switchId?: string;
  readonly createdAt: string;
}

/** A keyring without its unfinished switch. */
export function withoutSwitch(keyring: Keyring): Keyring {
  const { switchId: _ended, ...rest } = keyring;
  return rest;
}
