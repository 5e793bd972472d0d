import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { unwrapDataKey, wrapDataKey } from '../../shared/domain/data-key-blob.ts';
import type { DataKey } from '../../shared/domain/data-key.ts';
import { opensAt, retryRow, rewrapRow, verifyRow, type PassContext } from '../../shared/domain/reprotect-row.ts';

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
    const { change } = rewrapRow(pass('forward'), before);
    expect(change).toMatchObject({ companyKeyVersion: 2, previous: before.blob, previousVersion: 1 });
    expect(openedAt(2, change?.blob)).toEqual(PLAINTEXT);
  });

  it('leaves a row that is there already alone', () => {
    expect(rewrapRow(pass('forward'), row({ companyKeyVersion: 2, blob: blobAt(2) }))).toEqual({});
  });

  it('skips a tombstone, and a lost row that does not open', () => {
    expect(rewrapRow(pass('forward'), row({ state: 'tombstone' }))).toEqual({});
    expect(rewrapRow(pass('forward'), row({ state: 'lost', blob: new Uint8Array(61) }))).toEqual({});
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

  it('that turns round goes by the row itself if the blob from before does not open', () => {
    const broken = { previous: blobAt(2), previousVersion: 1 };
    const { change } = rewrapRow(pass('back'), row({ companyKeyVersion: 2, blob: blobAt(2), ...broken }));
    expect(openedAt(1, change?.blob)).toEqual(PLAINTEXT);
    expect(change).toMatchObject({ companyKeyVersion: 1, previousVersion: 2 });
  });

  it('that turns round goes by the row itself if the blob from before is labelled with another version', () => {
    const moved = row({ companyKeyVersion: 2, blob: blobAt(2), previous: blobAt(1, OTHER), previousVersion: 3 });
    expect(openedAt(1, rewrapRow(pass('back'), moved).change?.blob)).toEqual(PLAINTEXT);
  });

  it.each([
    ['live', 'live'],
    ['deleted', 'deleted'],
  ] as const)('quarantines a %s row that does not open, and remembers what it was', (state, stateBefore) => {
    expect(rewrapRow(pass('forward'), row({ state, blob: blobAt(2) }))).toEqual({
      change: { state: 'quarantined', stateBefore, quarantineReason: 'does-not-open' },
      quarantined: 'does-not-open',
    });
  });

  it('quarantines a row at a version that is neither of the two', () => {
    expect(rewrapRow(pass('forward'), row({ companyKeyVersion: 3 })).quarantined).toBe('unknown-version');
  });

  it('leaves a quarantined row alone on the way forward, even if it opens', () => {
    expect(rewrapRow(pass('forward'), row({ state: 'quarantined' }))).toEqual({});
  });
});

describe('a quarantined row on the way back', () => {
  const quarantined = { state: 'quarantined', stateBefore: 'deleted', quarantineReason: 'does-not-open' } as const;
  const free = { state: 'deleted', stateBefore: undefined, quarantineReason: undefined } as const;

  it('is released as it is where it would go to', () => {
    expect(rewrapRow(pass('back'), row({ ...quarantined, blob: blobAt(2) }))).toEqual({
      change: free,
      released: true,
    });
  });

  it('is live once it is released, if nobody knows what it was', () => {
    const step = rewrapRow(pass('back'), row({ ...quarantined, stateBefore: undefined }));
    expect(step).toMatchObject({ change: { state: 'live' } });
  });

  it('is moved and released if it opens', () => {
    const step = rewrapRow(pass('back'), row({ ...quarantined, companyKeyVersion: 2, blob: blobAt(2) }));
    expect(step).toMatchObject({ change: { ...free, companyKeyVersion: 1 } });
    expect(openedAt(1, step.change?.blob)).toEqual(PLAINTEXT);
  });

  it('stays if it does not open', () => {
    expect(rewrapRow(pass('back'), row({ ...quarantined, companyKeyVersion: 2 }))).toEqual({});
  });

  it('stays if it is at neither of the two versions, whatever its blob says', () => {
    const relabelled = row({ ...quarantined, companyKeyVersion: 3, blob: blobAt(2) });
    expect(rewrapRow(pass('back'), relabelled)).toEqual({});
  });
});

describe('the second pass', () => {
  it('drops the former blob once both open to the same bytes', () => {
    const moved = row({ companyKeyVersion: 2, blob: blobAt(2), previous: blobAt(1), previousVersion: 1 });
    expect(verifyRow(pass('forward'), moved)).toEqual({
      change: { previous: NOTHING, previousVersion: 0 },
    });
  });

  it('puts a row that differs back to what it was, in quarantine', () => {
    const truth = blobAt(1);
    const moved = row({ companyKeyVersion: 2, blob: blobAt(2, OTHER), previous: truth, previousVersion: 1 });
    expect(verifyRow(pass('forward'), moved)).toMatchObject({
      change: { state: 'quarantined', quarantineReason: 'differs-after-rewrap', blob: truth, companyKeyVersion: 1 },
    });
  });

  it('moves a row that somebody put back meanwhile whole, and keeps no former blob for a pass that does not come', () => {
    const { change } = verifyRow(pass('forward'), row());
    expect(change).toMatchObject({ companyKeyVersion: 2, previous: NOTHING, previousVersion: 0 });
    expect(openedAt(2, change?.blob)).toEqual(PLAINTEXT);
  });

  it.each([
    ['was put back and does not open', { blob: new Uint8Array(61) }, 'does-not-open'],
    ['has no former blob and does not open', { companyKeyVersion: 2, blob: blobAt(1) }, 'does-not-open'],
    ['is at neither of the two versions', { companyKeyVersion: 3 }, 'unknown-version'],
  ] as const)('quarantines a row that %s', (_, change, reason) => {
    expect(verifyRow(pass('forward'), row(change))).toEqual({
      change: { state: 'quarantined', stateBefore: 'live', quarantineReason: reason },
      quarantined: reason,
    });
  });

  it.each([
    ['does not open', blobAt(1)],
    ['holds a key of another length', blobAt(2, Buffer.alloc(16))],
  ])('puts a row back whose new blob %s', (_, blob) => {
    const truth = blobAt(1);
    const moved = row({ companyKeyVersion: 2, blob, previous: truth, previousVersion: 1 });
    expect(verifyRow(pass('forward'), moved)).toMatchObject({
      change: { state: 'quarantined', blob: truth, companyKeyVersion: 1 },
      quarantined: 'differs-after-rewrap',
    });
  });

  it('believes no former blob that is labelled with another version', () => {
    const moved = row({ companyKeyVersion: 2, blob: blobAt(2), previous: blobAt(1), previousVersion: 3 });
    const step = verifyRow(pass('forward'), moved);
    expect(step.quarantined).toBe('differs-after-rewrap');
    expect(step.change).not.toHaveProperty('blob');
  });

  it('quarantines a row that differs and whose former blob does not open, as it is', () => {
    const moved = row({ companyKeyVersion: 2, blob: blobAt(2), previous: blobAt(2), previousVersion: 1 });
    const step = verifyRow(pass('forward'), moved);
    expect(step.quarantined).toBe('differs-after-rewrap');
    expect(step.change).not.toHaveProperty('blob');
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
    expect(step).toMatchObject({ released: true });
  });

  it('keeps the blob of a row that is there already and opens', () => {
    const there = row({ state: 'quarantined', stateBefore: 'live', companyKeyVersion: 2, blob: blobAt(2) });
    const step = retryRow(pass('forward'), there);
    expect(step?.change?.blob).toBe(there.blob);
  });

  it('leaves a row of which nothing opens as it is', () => {
    expect(retryRow(pass('forward'), row({ state: 'quarantined', blob: new Uint8Array(61) }))).toBeUndefined();
  });
});

describe('a lost row', () => {
  const lost = { state: 'lost', stateBefore: 'deleted', quarantineReason: 'does-not-open' } as const;
  const free = { state: 'deleted', stateBefore: undefined, quarantineReason: undefined } as const;

  it.each(['forward', 'back'] as const)(
    'that opens comes back %s, with the blob that it came from beside it',
    (way) => {
      const { fromVersion, writeVersion } = pass(way);
      const found = row({ ...lost, blob: blobAt(fromVersion), companyKeyVersion: fromVersion });
      const { change, released } = rewrapRow(pass(way), found);
      expect(change).toMatchObject({
        ...free,
        companyKeyVersion: writeVersion,
        previous: found.blob,
        previousVersion: fromVersion,
      });
      expect(openedAt(writeVersion, change?.blob)).toEqual(PLAINTEXT);
      expect(released).toBeUndefined();
    },
  );

  it('that is there already comes back as it is, whatever its label says', () => {
    const found = row({ ...lost, blob: blobAt(2), companyKeyVersion: 9 });
    const { change } = rewrapRow(pass('forward'), found);
    expect(change).toMatchObject({
      ...free,
      blob: found.blob,
      companyKeyVersion: 2,
      previous: NOTHING,
      previousVersion: 0,
    });
  });

  it('is moved whole by the second pass, under the key that was unwrapped anew', () => {
    const wrongAtHand = { ...pass('forward'), toKey: KEYS.get(1)! };
    const { change } = verifyRow(wrongAtHand, row(lost));
    expect(change).toMatchObject({ ...free, companyKeyVersion: 2, previous: NOTHING, previousVersion: 0 });
    expect(openedAt(2, change?.blob)).toEqual(PLAINTEXT);
    expect(verifyRow(pass('forward'), row({ ...lost, blob: new Uint8Array(61) }))).toEqual({});
  });

  it('comes back by retry, from the former blob if there are two', () => {
    const found = row({
      ...lost,
      blob: blobAt(2, OTHER),
      companyKeyVersion: 2,
      previous: blobAt(1),
      previousVersion: 1,
    });
    const step = retryRow(pass('forward'), found);
    expect(openedAt(2, step?.change?.blob)).toEqual(PLAINTEXT);
  });
});

describe('at which version a row opens', () => {
  const key3 = createSecretKey(Buffer.alloc(32, 3));
  const blobAt3 = wrapDataKey({
    companyKey: key3,
    context: { ...PLACE, companyKeyVersion: 3 },
    nonce: randomBytes(12),
    plaintext: PLAINTEXT,
  });

  it.each([
    ['by its label', {}, 1],
    ['at the other version', { companyKeyVersion: 2 }, 1],
    ['by its former blob', { blob: NOTHING, previous: blobAt(2), previousVersion: 2 }, 2],
    ['by its former blob, labelled wrongly', { blob: NOTHING, previous: blobAt(2), previousVersion: 8 }, 2],
    ['by another version that it names', { blob: blobAt3, companyKeyVersion: 3 }, 3],
    ['by another version that it does not name', { blob: blobAt3, companyKeyVersion: 9 }, 3],
    ['not at all', { blob: new Uint8Array(61) }, undefined],
  ] as const)('is asked of every key at hand: %s', (_, change, expected) => {
    const otherKeys = new Map([[3, key3]]);
    expect(opensAt({ ...pass('forward'), otherKeys }, row({ state: 'quarantined', ...change }))).toBe(expected);
  });
});
