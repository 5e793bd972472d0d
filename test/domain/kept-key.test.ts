import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keepKey, openKeptKey, type KeptKey } from '../../shared/domain/kept-key.ts';
import { keptKeyCells, readKeptKey } from '../../shared/store/rows/kept-rows.ts';

const key = (fill: number) => createSecretKey(Buffer.alloc(32, fill));
const CONTEXT = { companyId: 'acme', keyringId: 'default', version: 1, under: 2 };
const NONCE = Buffer.alloc(12, 5);
const BLOB = keepKey({ going: key(1), staying: key(2), context: CONTEXT, nonce: NONCE });

describe('a kept company key', () => {
  it('opens under the company key that it is kept under, to what it was', () => {
    expect(openKeptKey({ under: key(2), context: CONTEXT, blob: BLOB })?.equals(key(1))).toBe(true);
  });

  it('holds nothing of the key that it keeps in the clear', () => {
    expect(Buffer.from(BLOB).includes(Buffer.alloc(8, 1))).toBe(false);
    expect([BLOB.length, BLOB[0]]).toEqual([61, 1]);
  });

  it('opens under no other', () => {
    expect(openKeptKey({ under: key(3), context: CONTEXT, blob: BLOB })).toBeUndefined();
  });

  it.each([{ companyId: 'other' }, { keyringId: 'other' }, { version: 3 }, { under: 3 }])(
    'opens nowhere else: %j',
    (other) => {
      expect(openKeptKey({ under: key(2), context: { ...CONTEXT, ...other }, blob: BLOB })).toBeUndefined();
    },
  );

  it.each([0, 1, 20, 60])('does not open with byte %i changed', (at) => {
    const blob = Uint8Array.from(BLOB);
    blob[at]! ^= 1;
    expect(openKeptKey({ under: key(2), context: CONTEXT, blob })).toBeUndefined();
  });

  it.each([0, 60, 62])('does not open with %i bytes', (length) => {
    expect(openKeptKey({ under: key(2), context: CONTEXT, blob: Buffer.alloc(length, 1) })).toBeUndefined();
  });
});

describe('its row', () => {
  const kept: KeptKey = { ...CONTEXT, blob: BLOB, reason: 'completed', keptAt: 'a', until: 'b' };

  it('comes back as it was written, and names no provider, wrap or seal', () => {
    expect(readKeptKey(keptKeyCells(kept), CONTEXT)).toEqual(kept);
    expect(Object.keys(keptKeyCells(kept)).toSorted()).toEqual([
      'blob',
      'format',
      'keptAt',
      'reason',
      'under',
      'until',
    ]);
  });

  it.each(['format', 'under', 'blob', 'reason', 'keptAt', 'until'])('cannot be read without its cell %s', (cell) => {
    expect(readKeptKey({ ...keptKeyCells(kept), [cell]: undefined }, CONTEXT)).toBeUndefined();
  });

  it('of a later format cannot be read', () => {
    expect(readKeptKey({ ...keptKeyCells(kept), format: 2 }, CONTEXT)).toBeUndefined();
  });
});
