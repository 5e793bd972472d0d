// Where each row lives. Pure. docs/storage.md describes the tables; this is the only place that spells their keys.
import { NO_COMPANY } from '../../domain/ids.ts';
import type { TenantRef } from '../../domain/tenant.ts';

export const COMPANY_ROW_KEY = 'company';
export const keyringRowKey = (keyringId: string): string => `keyring|${keyringId}`;
/** Zero-padded, so that versions sort as numbers. */
export const companyKeyRowKey = (keyringId: string, version: number): string =>
  `companykey|${keyringId}|${String(version).padStart(10, '0')}`;
/** A company key that a switch has left behind, by its version. */
export const keptKeyRowKey = (keyringId: string, version: number): string =>
  `keptkey|${keyringId}|${String(version).padStart(10, '0')}`;
export const connectionRowKey = (connectionId: string): string => `connection|${connectionId}`;
/** A version of a connection's key that wraps nothing any more, by the hash of its id. */
export const formerVersionRowKey = (connectionId: string, hash: string): string =>
  `formerversion|${connectionId}|${hash}`;
export const exportRowKey = (keyringId: string): string => `export|${keyringId}`;
export const switchRowKey = (keyringId: string, switchId: string): string => `switch|${keyringId}|${switchId}`;
export const TENANT_PREFIX = 'tenant|';
export const tenantRowKey = ({ kind, tenantId }: TenantRef): string => `${TENANT_PREFIX}${kind}|${tenantId}`;
/** Administrators' answers to one approval; `approval` is made by approvalKey. */
export const verificationsPrefix = (approval: string): string => `verification|${approval}|`;
export const verificationRowKey = (approval: string, { kind, tenantId }: TenantRef): string =>
  `${verificationsPrefix(approval)}${kind}|${tenantId}`;
/** Counts the limited calls of a kind in one minute. */
export const limitRowKey = (kind: string): string => `limit|${kind}`;
export const poisonRowKey = (hash: string): string => `poison|${hash}`;
/** Each recorded poison message takes one of the day's slots. */
export const POISON_SLOT_PREFIX = 'poisonslot|';
export const poisonSlotRowKey = (slot: number): string => `${POISON_SLOT_PREFIX}${String(slot).padStart(2, '0')}`;
/** Counts the poison messages that found no free slot. */
export const POISON_COUNT_ROW_KEY = 'poisoncount';

/** Of the `health` table: heartbeats, in the system's partition. */
export const timerRowKey = (timer: string): string => `timer|${timer}`;
export const instanceRowKey = (instance: string): string => `instance|${instance}`;
/** How far the vendor's own key is followed. */
export const VENDOR_KEY_ROW_KEY = 'vendorkey';

/** Of the `health` table: how many data keys a company unwraps. Sorts before every connection's rows. */
export const UNWRAPS_ROW_KEY = '!unwraps';

/** Of the `health` table: the index of how companies stand. No company can have this id. */
export const STANDING_PARTITION = '_companies';
export const standingRowKey = (companyId: string): string => `company|${companyId}`;
export const foundByRowKey = (what: string, value: string, companyId: string): string =>
  `${what}|${value}|${companyId}`;
/** How many companies of one share stand in each state. */
export const STANDING_COUNT_PREFIX = 'count|';
export const standingCountRowKey = (share: string): string => `${STANDING_COUNT_PREFIX}${share}`;

/** Links and one-time states of sign-ins, by the hash of their ticket. */
export const SIGN_IN_PREFIX = 'consent|';
/** How far tidying of those rows has come. */
export const TIDIED_ROW_KEY = 'tidied';
export const linkRowKey = (hash: string): string => `${SIGN_IN_PREFIX}link|${hash}`;
export const stateRowKey = (hash: string): string => `${SIGN_IN_PREFIX}state|${hash}`;
/** Counts how often a link's button was pressed in one minute. Tidied with the others of this prefix. */
export const linkLimitRowKey = (linkHash: string): string => `${SIGN_IN_PREFIX}limit|${linkHash}`;

/** Of the `vaultkeys` table. In lower case, because vault hosts and key names are case-insensitive. */
export const claimPartition = (key: { readonly host: string; readonly keyName: string }): string =>
  `${key.host}|${key.keyName}`.toLowerCase();
export const CLAIM_ROW_KEY = 'claim';

export const WEBHOOK_PREFIX = 'webhook|';
export const webhookRowKey = (webhookId: string): string => `${WEBHOOK_PREFIX}${webhookId}`;
/** Of the `agenda` table: how far one webhook was told of the events of each company, and what was given up. */
export const deliveriesPartition = (place: { readonly companyId: string; readonly webhookId: string }): string =>
  `webhook|${place.companyId}|${place.webhookId}`;
export const CURSOR_PREFIX = 'cursor|';
export const DEAD_LETTER_PREFIX = 'dead|';

/** An event of the company on its way to its chain, in the partition of `companies` where its act was written. */
export const OUTBOX_PREFIX = 'outbox|';
/** The same in a partition of `datakeys`: sorts before `!shard` and before every data key. */
export const SHARD_OUTBOX_PREFIX = '!outbox|';

/** In a partition of `events`. Records are the rows that begin with a digit. */
export const HEAD_ROW_KEY = '!head';
const SEQUENCE_DIGITS = 16;
const padded = (sequence: number): string => String(sequence).padStart(SEQUENCE_DIGITS, '0');
export const recordRowKey = padded;
export const RECORDS_AFTER = '/';
export const RECORDS_BEFORE = ':';
export const MARKER_PREFIX = 'marker|';
export const markerRowKey = (eventId: string): string => `${MARKER_PREFIX}${eventId}`;
export const SIGNED_PREFIX = 'signed|';
export const signedRowKey = (sequence: number): string => `${SIGNED_PREFIX}${padded(sequence)}`;

/** Partition of the `companies` table for what belongs to no company. */
export const SYSTEM_PARTITION = NO_COMPANY;

export const dataKeysPartition = (input: { companyId: string; keyringId: string; shard: number }): string =>
  `${input.companyId}|${input.keyringId}|${input.shard}`;

/** The range of row keys that begin with `prefix`, which ends in `|`: both bounds exclusive for Tables.list. */
export const rowKeysUnder = (prefix: string): { after: string; before: string } => ({
  after: prefix,
  before: `${prefix.slice(0, -1)}}`,
});
