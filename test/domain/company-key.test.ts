// A wrapped company key and the commitment to it are formats that are stored: if they changed, no company key that is stored would open any more.
import { constants, privateDecrypt } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { commitmentTo, openCompanyKey, wrapCompanyKey } from '../../shared/domain/company-key.ts';
import { keyFixture } from '../fixtures/key-fixtures.ts';

const CONTEXT = { companyId: 'acme', keyringId: 'default', version: 7 };
const KEY = Buffer.alloc(32, 5);
const COMMITMENT = 'exqgNClv0nQWkQcML6sYspygGpY44rDI8D9Ds-GL49c';

test('what is wrapped is the key', () => {
  const { privateKey, publicKey } = keyFixture('rsa-2048-1');
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const wrapped = wrapCompanyKey({ n, e, companyKey: KEY });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  expect(privateDecrypt({ key: privateKey, padding, oaepHash: 'sha256' }, wrapped)).toEqual(KEY);
});

test('the commitment is the SHA-256 of label, place and key', () => {
  expect(commitmentTo(KEY, CONTEXT)).toBe(COMMITMENT);
});

describe('what a vault has unwrapped', () => {
  const open = (unwrapped: Uint8Array, change: { commitment?: string; version?: number } = {}) =>
    openCompanyKey(Buffer.from(unwrapped), { ...CONTEXT, commitment: COMMITMENT, ...change });

  it('is the company key that is committed to, at its place', () => {
    expect(open(KEY)?.export()).toEqual(KEY);
  });

  it.each([
    ['another key of the right length', Buffer.alloc(32, 6)],
    ['the key without its last byte', KEY.subarray(1)],
    ['the key and more', Buffer.concat([KEY, KEY])],
    ['nothing', Buffer.alloc(0)],
  ])('is refused if it is %s', (_, unwrapped) => {
    expect(open(unwrapped)).toBeUndefined();
  });

  it('is refused at another place', () => {
    expect(open(KEY, { version: 8 })).toBeUndefined();
  });

  it.each(['', 'AAAA', `${COMMITMENT}AAAA`])('is refused by a commitment that is none: %j', (commitment) => {
    expect(open(KEY, { commitment })).toBeUndefined();
  });
});
