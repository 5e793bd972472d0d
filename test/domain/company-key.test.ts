// A wrapped company key is a format that is stored: if it changed, no company key that is stored would open any more.
import { constants, privateDecrypt } from 'node:crypto';
import { expect, test } from 'vitest';
import { openCompanyKeyPayload, wrapCompanyKey } from '../../shared/domain/company-key.ts';
import { keyFixture } from '../fixtures/key-fixtures.ts';

const CONTEXT = { companyId: 'acme', keyringId: 'default', version: 7 };
const KEY = Buffer.alloc(32, 5);
const SHA256_OF_ITS_PLACE = '13ae2b8c3c68f83350e9d9c5cf7937762cb9c3d944e60a65ae9e308cd34aabc7';
const PAYLOAD = `${KEY.toString('hex')}${SHA256_OF_ITS_PLACE}`;

test('what is wrapped is the key, and the hash of its place', () => {
  const { privateKey, publicKey } = keyFixture('rsa-2048-1');
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const wrapped = wrapCompanyKey({ n, e, companyKey: KEY, context: CONTEXT });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  expect(privateDecrypt({ key: privateKey, padding, oaepHash: 'sha256' }, wrapped).toString('hex')).toBe(PAYLOAD);
});

test('such a payload opens at its place', () => {
  expect(openCompanyKeyPayload(Buffer.from(PAYLOAD, 'hex'), CONTEXT)?.export()).toEqual(KEY);
});
