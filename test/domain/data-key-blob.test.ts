import { createSecretKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { unwrapDataKey, wrapDataKey } from '../../shared/domain/data-key-blob.ts';

const companyKey = createSecretKey(Buffer.alloc(32, 7));
const context = { companyId: 'acme', keyringId: 'default', keyId: 'key-1', companyKeyVersion: 1 };
const blobOf = (bytes: number): Uint8Array =>
  wrapDataKey({ companyKey, context, nonce: Buffer.alloc(12, 1), plaintext: Buffer.alloc(bytes, 2) });

test.each([16, 64])('a blob of a data key of %i bytes opens', (bytes) => {
  expect(unwrapDataKey({ companyKey, context, blob: blobOf(bytes) })).toEqual(Buffer.alloc(bytes, 2));
});

test.each([15, 65])('a blob of %i bytes, which no data key has, does not open, though it is genuine', (bytes) => {
  expect(unwrapDataKey({ companyKey, context, blob: blobOf(bytes) })).toBeUndefined();
});
