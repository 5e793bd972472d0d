import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { unwrapDataKey, wrapDataKey } from '../../shared/domain/data-key-blob.ts';
import type { DataKey } from '../../shared/domain/data-key.ts';
import { retryRow, rewrapRow, verifyRow, type PassContext } from '../../shared/domain/reprotect-row.ts';

const KEYS = new Map([1, 2].map((version) => [version, createSecretKey(Buffer.alloc(32, version))]));
const PLACE = { companyId: 'acme', keyringId: 'default', keyId: 'key-1' };
const PLAINTEXT = Buffer.alloc(32, 9);
const OTHER = Buffer.alloc(32, 8);
const NOTHING = new Uint8Array(0);

const blobAt = (version: number, plaintext: Uint8Array = PLAINTEXT): Uint8Array =>
  wrapDataKey({
    companyKey: KEYS.get(version)!,
    context: { ...PLACE, companyKeyVersion: version },
    nonce: randomBytes(12),
    plaintext,
  });

const openedAt = (version: number, blob: Uint8Array | undefined): Buffer | undefined =>
  blob && unwrapDataKey({ companyKey: KEYS.get(version)!, context: { ...PLACE, companyKeyVersion: version }, blob });

const row = (change: Partial<DataKey> = {}): DataKey => ({
  keyId: PLACE.keyId,
  state: 'live',
  origin: 'generated',
  blob: blobAt(1),
  companyKeyVersion: 1,
  previous: NOTHING,
  previousVersion: 0,
  createdBy: 'request',
  writtenBy: 'request',
  createdAt: '2026-01-01T00:00:00.000Z',
  ...change,
});

function pass(direction: 'forward' | 'back'): PassContext & { freshKey: PassContext['toKey'] } {
  const [fromVersion, writeVersion] = direction === 'forward' ? [1, 2] : [2, 1];
  return {
    companyId: PLACE.companyId,
    keyringId: PLACE.keyringId,
    direction,
    fromVersion,
    writeVersion,
    fromKey: KEYS.get(fromVersion)!,
    toKey: KEYS.get(writeVersion)!,
    freshKey: KEYS.get(writeVersion)!,
    nonce: () => randomBytes(12),
  };
}

describe('the first pass', () => {
  it('moves a row and keeps the blob that it came from', () => {
    const before = row();
    const { change, counts } = rewrapRow(pass('forward'), before);
    expect(change).toMatchObject({ companyKeyVersion: 2, previous: before.blob, previousVersion: 1 });
    expect(openedAt(2, change?.blob)).toEqual(PLAINTEXT);
    expect(counts).toEqual({ done: 1 });
  });

  it('leaves a row that is there already alone', () => {
    expect(rewrapRow(pass('forward'), row({ companyKeyVersion: 2, blob: blobAt(2) }))).toEqual({ counts: {} });
  });

  it.each(['lost', 'tombstone'] as const)('skips a row that is %s', (state) => {
    expect(rewrapRow(pass('forward'), row({ state }))).toEqual({ counts: {} });
  });

  it('moves a soft-deleted row too', () => {
    expect(rewrapRow(pass('forward'), row({ state: 'deleted' })).change?.companyKeyVersion).toBe(2);
  });

  it('that turns round puts back the blob from before, whatever the new one says', () => {
    const truth = blobAt(1);
    const moved = row({ companyKeyVersion: 2, blob: blobAt(2, OTHER), previous: truth, previousVersion: 1 });
    expect(rewrapRow(pass('back'), moved).change).toMatchObject({
      blob: truth,
      companyKeyVersion: 1,
      previousVersion: 0,
    });
  });

  it('that turns forward again does the same', () => {
    const truth = blobAt(2);
    const moved = row({ companyKeyVersion: 1, blob: blobAt(1, OTHER), previous: truth, previousVersion: 2 });
    expect(rewrapRow(pass('forward'), moved).change).toMatchObject({ blob: truth, companyKeyVersion: 2 });
  });
});

describe('the second pass', () => {
  it('drops the former blob once both open to the same bytes', () => {
    const moved = row({ companyKeyVersion: 2, blob: blobAt(2), previous: blobAt(1), previousVersion: 1 });
    expect(verifyRow(pass('forward'), moved)).toEqual({
      change: { previous: NOTHING, previousVersion: 0 },
      counts: {},
    });
  });

  it('puts a row that differs back to what it was, in quarantine', () => {
    const truth = blobAt(1);
    const moved = row({ companyKeyVersion: 2, blob: blobAt(2, OTHER), previous: truth, previousVersion: 1 });
    expect(verifyRow(pass('forward'), moved)).toMatchObject({
      change: { state: 'quarantined', quarantineReason: 'differs-after-rewrap', blob: truth, companyKeyVersion: 1 },
      counts: { live: -1, quarantined: 1, done: -1 },
    });
  });

  it('moves a row that somebody put back meanwhile whole, and keeps no former blob for a pass that does not come', () => {
    const { change, counts } = verifyRow(pass('forward'), row());
    expect(change).toMatchObject({ companyKeyVersion: 2, previous: NOTHING, previousVersion: 0 });
    expect(openedAt(2, change?.blob)).toEqual(PLAINTEXT);
    expect(counts).toEqual({ done: 1 });
  });
});

describe('retry of a quarantined row', () => {
  it('takes the blob that the other came from, if there are two', () => {
    const state = { state: 'quarantined', stateBefore: 'live' } as const;
    const wrong = row({
      ...state,
      blob: blobAt(1, OTHER),
      companyKeyVersion: 1,
      previous: blobAt(2),
      previousVersion: 2,
    });
    const step = retryRow(pass('forward'), wrong);
    expect(openedAt(2, step?.change?.blob)).toEqual(PLAINTEXT);
    expect(step).toMatchObject({ counts: { done: 1, live: 1, quarantined: -1 }, released: true });
  });

  it('leaves a row of which nothing opens as it is', () => {
    expect(retryRow(pass('forward'), row({ state: 'quarantined', blob: blobAt(2) }))).toBeUndefined();
  });
});
