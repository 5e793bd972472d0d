import { createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import fc from 'fast-check';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  MAX_PASSPHRASE_CHARS,
  parseExportRecipient,
  type AskedKey,
  type ExportRecipient,
} from '../../shared/domain/export-recipient.ts';
import { keyFixture } from '../fixtures/key-fixtures.ts';
import { hostileJson } from '../fuzz/hostile.ts';

const jwkOf = (key: JsonWebKey): AskedKey & JsonWebKey => ({ ...key, kty: key.kty ?? '' });
const publicJwk = (namedCurve: string): AskedKey & JsonWebKey =>
  jwkOf(generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' }));

const RSA = jwkOf(keyFixture('rsa-2048-1').publicKey.export({ format: 'jwk' }));
const P256 = publicJwk('P-256');
const X25519 = jwkOf(generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }));

const faultOf = (asked: Parameters<typeof parseExportRecipient>[0]): string | undefined => {
  const parsed = parseExportRecipient(asked);
  return !parsed.ok && parsed.error.type === 'invalid' ? parsed.error.target : undefined;
};
const keyFault = (publicKey: object): string | undefined => faultOf({ publicKey: publicKey as AskedKey });

function recipientOf(publicKey: AskedKey): Extract<ExportRecipient, { type: 'public-key' }> {
  const parsed = parseExportRecipient({ publicKey });
  if (!parsed.ok || parsed.value.type !== 'public-key') throw new Error('was refused');
  return parsed.value;
}

describe('the recipient of an export', () => {
  it.each([
    ['RSA of 2048 bits', 'RSA-OAEP-256', RSA],
    ['RSA of 4096 bits', 'RSA-OAEP-256', jwkOf(keyFixture('rsa-4096-1').publicKey.export({ format: 'jwk' }))],
    ['P-256', 'ECDH-ES', P256],
    ['P-384', 'ECDH-ES', publicJwk('P-384')],
    ['P-521', 'ECDH-ES', publicJwk('P-521')],
    ['X25519', 'ECDH-ES', X25519],
  ] as const)('may be the holder of a key: %s', async (_, algorithm, jwk) => {
    const recipient = recipientOf({ ...jwk, kid: 'mine' });
    expect(recipient).toMatchObject({ algorithm, keyId: 'mine' });
    expect(recipient.key.equals(createPublicKey({ key: jwk, format: 'jwk' }))).toBe(true);
    expect(recipient.thumbprint).toBe(await calculateJwkThumbprint(jwk as JWK));
  });

  it('is one, and exactly one', () => {
    expect(faultOf({})).toBe('publicKey');
    expect(faultOf({ publicKey: RSA, passphrase: 'sixteen and more characters' })).toBe('publicKey');
  });

  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])('never sends a private key: %s', (name) => {
    expect(keyFault({ ...RSA, [name]: 'AQAB' })).toBe(`publicKey.${name}`);
  });

  it.each([
    [1024, 'publicKey.n'],
    [2040, 'publicKey.n'],
    [16_392, 'publicKey.n'],
  ])('has no RSA key of %i bits', (bits, target) => {
    expect(keyFault({ ...RSA, n: Buffer.alloc(bits / 8, 0xff).toString('base64url') })).toBe(target);
  });

  it('has no RSA key whose modulus is even', () => {
    const n = Buffer.from(RSA.n ?? '', 'base64url');
    n[n.length - 1] = 0xfe;
    expect(keyFault({ ...RSA, n: n.toString('base64url') })).toBe('publicKey.n');
  });

  it.each([
    ['1', 'AQ'],
    ['3', 'Aw'],
    ['even', 'AQAC'],
    ['of more than 64 bits', Buffer.alloc(9, 0xff).toString('base64url')],
  ])('has no RSA key whose exponent is %s', (_, e) => {
    expect(keyFault({ ...RSA, e })).toBe('publicKey.e');
  });

  it.each([
    ['no modulus', { ...RSA, n: undefined }, 'publicKey'],
    ['a modulus that is no base64url', { ...RSA, n: '+/=' }, 'publicKey'],
    ['a point off its curve', { ...P256, x: P256.y, y: P256.x }, 'publicKey'],
    ['half a point', { ...P256, y: undefined }, 'publicKey'],
    ['a point of another curve', { ...publicJwk('P-384'), crv: 'P-256' }, 'publicKey'],
    ['X25519 of another length', { ...X25519, x: 'AAAA' }, 'publicKey'],
    ['a curve that is not taken', { ...P256, crv: 'secp256k1' }, 'publicKey.crv'],
    ['a curve for signatures', { ...X25519, crv: 'Ed25519' }, 'publicKey.crv'],
    ['a curve of another type', { ...X25519, crv: 'P-256' }, 'publicKey.crv'],
    ['a secret', { kty: 'oct' }, 'publicKey.kty'],
    ['a type of every object', { kty: 'constructor' }, 'publicKey.kty'],
  ])('has no key with %s', (_, jwk, target) => {
    expect(keyFault(jwk)).toBe(target);
  });

  it.each(['00', '01', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'])(
    'has no X25519 point of small order: %s',
    (hex) => {
      const x = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(32)]).subarray(0, 32);
      expect(keyFault({ ...X25519, x: x.toString('base64url') })).toBe('publicKey.x');
    },
  );

  it.each([
    [{ use: 'sig' }, 'publicKey.use'],
    [{ alg: 'RS256' }, 'publicKey.alg'],
    [{ alg: 'RSA-OAEP' }, 'publicKey.alg'],
    [{ key_ops: ['verify'] }, 'publicKey.key_ops'],
    [{ use: 'enc', alg: 'RSA-OAEP-256', key_ops: ['wrapKey', 'verify'] }, undefined],
    [{ key_ops: [] }, undefined],
  ])('has a key that is for this: %j', (says, target) => {
    expect(keyFault({ ...RSA, ...says })).toBe(target);
  });

  it('may be whoever knows a passphrase of 16 characters or more, characters and not bytes', () => {
    for (const passphrase of [
      'aaaaaaaaaaabcdef',
      '🔑🔐🗝🔒🔓🚪'.repeat(3),
      'abcdef'.padEnd(MAX_PASSPHRASE_CHARS, 'b'),
    ]) {
      expect(parseExportRecipient({ passphrase })).toEqual({
        ok: true,
        value: { type: 'passphrase', algorithm: 'PBES2-HS512+A256KW', passphrase },
      });
    }
  });

  it.each([
    ['', 'passphrase'],
    ['aaaaaaaaaabcdef', 'passphrase'],
    ['🔑🔐🗝🔒🔓🚪'.repeat(2), 'passphrase'],
    ['abcdef'.padEnd(MAX_PASSPHRASE_CHARS + 1, 'b'), 'passphrase'],
    [' '.repeat(16), 'passphrase'],
    ['aaaaaaaaaaaabcde', 'passphrase'],
    ['aaaaaaaaaaabcdef\n', 'passphrase'],
    ['aaaaaaaaaaabcdef\ud800', 'passphrase'],
  ])('has no passphrase %j', (passphrase, target) => {
    expect(faultOf({ passphrase })).toBe(target);
  });

  it('is refused without a throw and without a repeat, whatever is sent', () => {
    const members = ['kty', 'n', 'e', 'crv', 'x', 'y', 'use', 'alg'];
    fc.assert(
      fc.property(fc.constantFrom(...members), fc.uuid(), (name, odd) => {
        const parsed = parseExportRecipient({ publicKey: { ...RSA, [name]: odd } });
        if (!parsed.ok) expect(JSON.stringify(parsed.error)).not.toContain(odd);
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom('n', 'e', 'x', 'y'), fc.string(), (name, odd) => {
        parseExportRecipient({ publicKey: { ...(name === 'x' || name === 'y' ? P256 : RSA), [name]: odd } });
      }),
    );
    fc.assert(
      fc.property(hostileJson, (passphrase) => {
        if (typeof passphrase === 'string') parseExportRecipient({ passphrase });
      }),
    );
  });
});
