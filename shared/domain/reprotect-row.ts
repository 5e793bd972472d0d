// What a pass does with one data key's row. Pure: row and company keys in, change out. Never drops the last blob that opens: a new blob keeps
// the old one beside it until the second pass has compared the two (invariants 1 and A7).
import type { KeyObject } from 'node:crypto';
import { unwrapDataKey, wrapDataKey, type DataKeyContext } from './data-key-blob.ts';
import type { DataKey, QuarantineReason } from './data-key.ts';
import { sameBytes } from './same-bytes.ts';
import type { Direction } from './shard.ts';

export interface PassContext {
  readonly companyId: string;
  readonly keyringId: string;
  readonly direction: Direction;
  readonly fromVersion: number;
  readonly writeVersion: number;
  readonly fromKey: KeyObject;
  readonly toKey: KeyObject;
  /** Further company keys, by version: kept ones that rows of restored tables name; for a decision on a row, all of them. */
  readonly otherKeys?: ReadonlyMap<number, KeyObject>;
  /** Fresh entropy of DATA_KEY_NONCE_BYTES at every call. */
  readonly nonce: () => Uint8Array;
}

/** `change` undefined: the row stays. What it does to the counts follows from the row before and after (shard-counts.ts). */
export interface RowStep {
  readonly change?: Partial<DataKey>;
  readonly quarantined?: QuarantineReason;
  /** The row leaves quarantine. */
  readonly released?: true;
}

const NOTHING = new Uint8Array(0);
const UNTOUCHED: RowStep = {};

const openAt = (
  pass: PassContext,
  row: DataKey,
  key: KeyObject,
  blob: Uint8Array,
  version: number,
): Buffer | undefined => unwrapDataKey({ companyKey: key, blob, context: placeAt(pass, row, version) });

const placeAt = (pass: PassContext, row: DataKey, version: number): DataKeyContext => ({
  companyId: pass.companyId,
  keyringId: pass.keyringId,
  keyId: row.keyId,
  companyKeyVersion: version,
});

/** First pass: moves a row at `fromVersion` to `writeVersion`. Doing it twice changes nothing. */
export function rewrapRow(pass: PassContext, row: DataKey): RowStep {
  if (row.state === 'tombstone') return UNTOUCHED;
  if (row.state === 'lost') return foundAgain(pass, row);
  if (row.state === 'quarantined')
    return pass.direction === 'back' ? releaseOnTheWayBack(pass, row) : releaseOfUnknown(pass, row);
  if (row.companyKeyVersion === pass.writeVersion) return UNTOUCHED;
  if (keyOf(pass, row.companyKeyVersion) === undefined) return quarantine(row, 'unknown-version');
  return moved(pass, row) ?? quarantine(row, 'does-not-open');
}

/** Undefined if the row does not open. */
function moved(pass: PassContext, row: DataKey): RowStep | undefined {
  const kept = whatItWas(pass, row);
  if (kept) return kept;
  const { companyKeyVersion: version } = row;
  const key = keyOf(pass, version);
  const plaintext = key && openAt(pass, row, key, row.blob, version);
  if (!plaintext) return undefined;
  const context = placeAt(pass, row, pass.writeVersion);
  const blob = wrapDataKey({ companyKey: pass.toKey, context, nonce: pass.nonce(), plaintext });
  plaintext.fill(0);
  return {
    change: { blob, companyKeyVersion: pass.writeVersion, previous: row.blob, previousVersion: version },
  };
}

/** On the way back, the blob that a row came from is still beside it: if it opens, it is the truth and is put back. */
function whatItWas(pass: PassContext, row: DataKey): RowStep | undefined {
  if (row.previousVersion !== pass.writeVersion || row.previous.length === 0) return undefined;
  const plaintext = openAt(pass, row, pass.toKey, row.previous, pass.writeVersion);
  if (!plaintext) return undefined;
  plaintext.fill(0);
  return {
    change: { blob: row.previous, companyKeyVersion: pass.writeVersion, previous: NOTHING, previousVersion: 0 },
  };
}

/** Rows at the version that stays are as they were before the switch; rows at the other version must open to leave quarantine. */
function releaseOnTheWayBack(pass: PassContext, row: DataKey): RowStep {
  if (row.companyKeyVersion === pass.writeVersion) return release(row, UNTOUCHED);
  const step = moved(pass, row);
  return step ? release(row, step) : UNTOUCHED;
}

/** On the way forward, releases only rows whose version was unknown: a row at a kept version leaves quarantine once that key is at hand. */
function releaseOfUnknown(pass: PassContext, row: DataKey): RowStep {
  const isKnown = row.companyKeyVersion === pass.fromVersion || row.companyKeyVersion === pass.writeVersion;
  if (row.quarantineReason !== 'unknown-version' || isKnown) return UNTOUCHED;
  const step = moved(pass, row);
  return step ? release(row, step) : UNTOUCHED;
}

/**
 * Second pass: opens a row at `writeVersion` with the company key, unwrapped again, compares it with the blob that it came from, and drops that
 * blob. A row that differs goes back to what it was, in quarantine.
 */
export function verifyRow(pass: PassContext & { readonly freshKey: KeyObject }, row: DataKey): RowStep {
  if (row.state === 'lost') return retryRow({ ...pass, toKey: pass.freshKey }, row) ?? UNTOUCHED;
  if (row.state !== 'live' && row.state !== 'deleted') return UNTOUCHED;
  // The first pass moved every such row, so an older one was put back by tampering or a restore. Moved and compared at once: there is no third pass.
  if (row.companyKeyVersion !== pass.writeVersion) {
    if (keyOf(pass, row.companyKeyVersion) === undefined) return quarantine(row, 'unknown-version');
    return movedWhole(pass, row) ?? quarantine(row, 'does-not-open');
  }
  // On the way back such a row was never moved, or was put back: it is as it was before the switch.
  if (row.previous.length === 0 && pass.direction === 'back') return UNTOUCHED;
  const plaintext = openAt(pass, row, pass.freshKey, row.blob, pass.writeVersion);
  if (row.previous.length === 0) {
    plaintext?.fill(0);
    return plaintext ? UNTOUCHED : quarantine(row, 'does-not-open');
  }
  const beforeKey = row.previousVersion === pass.writeVersion ? undefined : keyOf(pass, row.previousVersion);
  const before = beforeKey && openAt(pass, row, beforeKey, row.previous, row.previousVersion);
  const same = plaintext !== undefined && before !== undefined && sameBytes(plaintext, before);
  plaintext?.fill(0);
  before?.fill(0);
  if (same) return { change: { previous: NOTHING, previousVersion: 0 } };
  const quarantined = quarantine(row, 'differs-after-rewrap');
  return before ? putBack(row, quarantined) : quarantined;
}

function putBack(row: DataKey, step: RowStep): RowStep {
  return {
    ...step,
    change: {
      ...step.change,
      blob: row.previous,
      companyKeyVersion: row.previousVersion,
      previous: NOTHING,
      previousVersion: 0,
    },
  };
}

/** An admin's `retry` on a quarantined or lost row: moves it at once, since its shard may be done, or leaves it (undefined). */
export function retryRow(pass: PassContext, row: DataKey): RowStep | undefined {
  const step = movedWhole(pass, row);
  return step && release(row, step);
}

/**
 * The version of the company key that opens one of the row's blobs, whatever version the row names. Undefined if none of the keys at hand
 * opens any.
 */
export function opensAt(pass: PassContext, row: DataKey): number | undefined {
  const truth = truthOf(pass, row);
  truth?.plaintext.fill(0);
  return truth?.version;
}

/** First pass: a row that was given up as lost opens after all and becomes a data key again. */
function foundAgain(pass: PassContext, row: DataKey): RowStep {
  const truth = truthOf(pass, row);
  if (!truth) return UNTOUCHED;
  const { blob, version, plaintext } = truth;
  const moves = version !== pass.writeVersion;
  const context = placeAt(pass, row, pass.writeVersion);
  const wrapped = moves ? wrapDataKey({ companyKey: pass.toKey, context, nonce: pass.nonce(), plaintext }) : blob;
  plaintext.fill(0);
  const kept = moves ? { previous: blob, previousVersion: version } : { previous: NOTHING, previousVersion: 0 };
  return release(row, { change: { blob: wrapped, companyKeyVersion: pass.writeVersion, ...kept } });
}

/** Moves a row and compares it at once, so that the second pass need not. Undefined if none of its blobs opens. */
function movedWhole(pass: PassContext, row: DataKey): RowStep | undefined {
  const truth = truthOf(pass, row);
  if (!truth) return undefined;
  const context = placeAt(pass, row, pass.writeVersion);
  const { plaintext } = truth;
  const moves = truth.version !== pass.writeVersion;
  const blob = moves ? wrapDataKey({ companyKey: pass.toKey, context, nonce: pass.nonce(), plaintext }) : truth.blob;
  const opened = unwrapDataKey({ companyKey: pass.toKey, context, blob });
  const same = opened !== undefined && sameBytes(opened, plaintext);
  plaintext.fill(0);
  opened?.fill(0);
  if (!same) return undefined;
  return {
    change: { blob, companyKeyVersion: pass.writeVersion, previous: NOTHING, previousVersion: 0 },
  };
}

interface Opened {
  readonly blob: Uint8Array;
  readonly version: number;
  readonly plaintext: Buffer;
}

/** Of two blobs, the older one counts if it opens. Its label is tried first, and may be wrong. */
function truthOf(pass: PassContext, row: DataKey): Opened | undefined {
  const blobs = [
    { blob: row.previous, label: row.previousVersion },
    { blob: row.blob, label: row.companyKeyVersion },
  ];
  for (const { blob, label } of blobs) {
    for (const version of new Set([label, pass.writeVersion, pass.fromVersion, ...(pass.otherKeys?.keys() ?? [])])) {
      const key = keyOf(pass, version);
      const plaintext = key && openAt(pass, row, key, blob, version);
      if (plaintext) return { blob, version, plaintext };
    }
  }
  return undefined;
}

function keyOf(pass: PassContext, version: number): KeyObject | undefined {
  if (version === pass.writeVersion) return pass.toKey;
  return version === pass.fromVersion ? pass.fromKey : pass.otherKeys?.get(version);
}

function quarantine(row: DataKey, reason: QuarantineReason): RowStep {
  const before = row.state === 'deleted' ? 'deleted' : 'live';
  return {
    change: { state: 'quarantined', stateBefore: before, quarantineReason: reason },
    quarantined: reason,
  };
}

/** Returns a quarantined or lost row to the state it had before. Only quarantined rows are on the list of those that wait for a decision. */
function release(row: DataKey, step: RowStep): RowStep {
  const state = row.stateBefore ?? 'live';
  const change = { ...step.change, state, stateBefore: undefined, quarantineReason: undefined };
  return row.state === 'lost' ? { change } : { change, released: true };
}
