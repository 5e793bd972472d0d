import { generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { describe, expect, it } from 'vitest';
import { exportSealer } from '../../shared/adapters/export-sealer.ts';
import { parseExportRecipient, type AskedKey } from '../../shared/domain/export-recipient.ts';
import { keyFixture } from '../fixtures/key-fixtures.ts';

const CONTENT = Buffer.from('{"what":"is inside"}');
const PASSPHRASE = 'sechzehn Zeichen, mit Umlauten: äöü';

function recipientOf(asked: { readonly publicKey?: JsonWebKey; readonly passphrase?: string }) {
  const parsed = parseExportRecipient(asked as { publicKey?: AskedKey; passphrase?: string });
  if (!parsed.ok) throw new Error('was refused');
  return parsed.value;
}

const headerOf = (jwe: string): unknown => JSON.parse(Buffer.from(jwe.split('.')[0] ?? '', 'base64url').toString());

const pairs: [string, KeyObject, KeyObject][] = [
  ['RSA-OAEP-256', keyFixture('rsa-2048-1').publicKey, keyFixture('rsa-2048-1').privateKey],
  ...['P-256', 'P-384', 'P-521'].map((namedCurve): [string, KeyObject, KeyObject] => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
    return ['ECDH-ES', publicKey, privateKey];
  }),
];

describe('a sealed export', () => {
  it.each(pairs)('opens with the private key alone: %s', async (alg, publicKey, privateKey) => {
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'mine' };
    const jwe = await exportSealer.seal(CONTENT, recipientOf({ publicKey: jwk }));
    expect(headerOf(jwe)).toMatchObject({ alg, enc: 'A256GCM', cty: 'application/json', kid: 'mine' });
    expect(Buffer.from((await compactDecrypt(jwe, privateKey)).plaintext)).toEqual(CONTENT);
    const other = alg === 'ECDH-ES' ? generateKeyPairSync('x25519') : keyFixture('rsa-2048-2');
    await expect(compactDecrypt(jwe, other.privateKey)).rejects.toThrow();
  });

  it('opens with an X25519 key', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    const jwe = await exportSealer.seal(CONTENT, recipientOf({ publicKey: publicKey.export({ format: 'jwk' }) }));
    expect(Buffer.from((await compactDecrypt(jwe, privateKey)).plaintext)).toEqual(CONTENT);
  });

  it('opens by the passphrase, after 210,000 iterations and not before', async () => {
    const jwe = await exportSealer.seal(CONTENT, recipientOf({ passphrase: PASSPHRASE }));
    expect(headerOf(jwe)).toMatchObject({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 210_000 });
    const open = (passphrase: string): ReturnType<typeof compactDecrypt> =>
      compactDecrypt(jwe, new TextEncoder().encode(passphrase), {
        keyManagementAlgorithms: ['PBES2-HS512+A256KW'],
        maxPBES2Count: 210_000,
      });
    expect(Buffer.from((await open(PASSPHRASE)).plaintext)).toEqual(CONTENT);
    await expect(open(`${PASSPHRASE} `)).rejects.toThrow();
  });

  it('is another each time', async () => {
    const publicKey = keyFixture('rsa-2048-1').publicKey.export({ format: 'jwk' });
    const jwes = await Promise.all([1, 2].map(() => exportSealer.seal(CONTENT, recipientOf({ publicKey }))));
    expect(new Set(jwes.flatMap((jwe) => jwe.split('.').slice(1))).size).toBe(8);
  });
});
