import { describe, expect, it } from 'vitest';
import {
  readTransferFile,
  writeTransferFile,
  type TransferFileFault,
} from '../../../../shared/providers/azure-key-vault/byok/transfer-file.ts';

const KID = 'https://contoso.vault.azure.net/keys/ksw-kek-1/0123456789abcdef0123456789abcdef';
const exchangeKey = { kid: KID, bits: 3072 };
/** 384 bytes of the wrapped AES key, and a PKCS #8 of 1,217 bytes, padded and with its check value. */
const ciphertext = Buffer.alloc(384 + 1_232, 7);
const file = {
  schema_version: '1.0.0',
  header: { kid: KID, alg: 'dir', enc: 'CKM_RSA_AES_KEY_WRAP' },
  ciphertext: ciphertext.toString('base64url'),
  generator: 'a tool of a key maker',
};
const text = (changes: object = {}): string => JSON.stringify({ ...file, ...changes });
const withHeader = (changes: object): string => text({ header: { ...file.header, ...changes } });
const ofBytes = (length: number): string => text({ ciphertext: Buffer.alloc(length, 7).toString('base64url') });

describe('a transfer file (.byok)', () => {
  it('is read as it was written', () => {
    const written = writeTransferFile({ kid: KID, ciphertext }, 'keyswitch 0.1.0');
    expect(readTransferFile(written, exchangeKey)).toEqual({ ok: true, value: { kid: KID, ciphertext } });
    expect(JSON.parse(written)).toEqual({ ...file, generator: 'keyswitch 0.1.0' });
  });

  it.each([
    ['without a generator', text({ generator: undefined })],
    ['in padded base64 of the standard alphabet', text({ ciphertext: ciphertext.toString('base64') })],
    [
      'in lines of 64, as openssl base64 writes',
      text({ ciphertext: ciphertext.toString('base64').replaceAll(/.{64}/g, '$&\n') }),
    ],
    ['behind a byte order mark', `\uFEFF${text()}`],
    ['with the id of the vault in capitals', withHeader({ kid: KID.replace('contoso', 'CONTOSO') })],
    ['with fields that the format does not know', text({ note: 'x' })],
  ])('is read %s', (_, given) => {
    expect(readTransferFile(given, exchangeKey)).toEqual({ ok: true, value: { kid: KID, ciphertext } });
  });

  it.each<[string, string, TransferFileFault, string?]>([
    ['nothing', '', 'not-a-transfer-file'],
    ['a page in HTML', '<!doctype html><title>Sign in</title>', 'not-a-transfer-file'],
    ['a list', '[]', 'not-a-transfer-file'],
    ['JSON without a header', '{"schema_version":"1.0.0","ciphertext":"AAAA"}', 'not-a-transfer-file'],
    ['half a file', text().slice(0, 200), 'not-a-transfer-file'],
    ['the ciphertext alone', file.ciphertext, 'not-a-transfer-file'],
    ['a file of 64 kB', text({ generator: 'x'.repeat(65_536) }), 'not-a-transfer-file'],
    ['a private key in PEM', '-----BEGIN PRIVATE KEY-----\nMIIE\n', 'private-key-in-the-clear'],
    ['an RSA private key in PEM', '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n', 'private-key-in-the-clear'],
    ['an encrypted private key in PEM', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n', 'private-key-in-the-clear'],
    ['a private key as JWK', '{"kty":"RSA","n":"AA","e":"AQAB","d":"AA"}', 'private-key-in-the-clear'],
    [
      'a private key within a transfer file',
      text({ ciphertext: '-----BEGIN PRIVATE KEY-----' }),
      'private-key-in-the-clear',
    ],
    [
      'another version of the format',
      text({ schema_version: '2.0.0' }),
      'other-format',
      'Its schema_version is not 1.0.0',
    ],
    ['a number as version', text({ schema_version: 1 }), 'other-format'],
    ['another algorithm', withHeader({ alg: 'RSA-OAEP' }), 'other-format', 'Its header.alg is not dir'],
    ['another wrapping', withHeader({ enc: 'CKM_RSA_PKCS_OAEP' }), 'other-format'],
    ['no key id', withHeader({ kid: undefined }), 'for-another-key', 'Its header names no key (kid)'],
    ['a key id without its version', withHeader({ kid: KID.slice(0, KID.lastIndexOf('/')) }), 'for-another-key'],
    ['the name of the key alone', withHeader({ kid: 'ksw-kek-1' }), 'for-another-key'],
    ['a key id of another vault', withHeader({ kid: KID.replace('contoso', 'fabrikam') }), 'for-another-key'],
    ['an older exchange key', withHeader({ kid: KID.replace(/f$/, 'e') }), 'for-another-key'],
    ['no ciphertext', text({ ciphertext: undefined }), 'damaged', 'It holds no ciphertext'],
    [
      'ciphertext in hexadecimal with colons',
      text({ ciphertext: 'AA:BB:CC' }),
      'damaged',
      'Its ciphertext is no base64',
    ],
    ['ciphertext cut within a character', text({ ciphertext: file.ciphertext.slice(0, 1_001) }), 'damaged'],
    ['the wrapped AES key alone', ofBytes(384), 'damaged'],
    ['the wrapped key without its AES key', ofBytes(1_232), 'damaged'],
    ['a file for an exchange key of 2048 bits', ofBytes(256 + 1_217), 'damaged'],
    ['more than any RSA key', ofBytes(384 + 4_096), 'damaged', 'Its ciphertext is too long for an RSA key'],
    ['a byte too much', ofBytes(384 + 1_233), 'damaged'],
  ])('is refused: %s', (_, given, fault, message) => {
    const found = readTransferFile(given, exchangeKey);
    expect(found).toMatchObject({ ok: false, error: { fault, ...(message !== undefined && { message }) } });
  });

  it('is refused without a word of what it holds', () => {
    const secret = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC';
    for (const given of [secret, `-----BEGIN PRIVATE KEY-----\n${secret}`, text({ ciphertext: `${secret}:` })]) {
      const found = readTransferFile(given, exchangeKey);
      expect(JSON.stringify(found)).not.toContain(secret);
      expect(found.ok).toBe(false);
    }
  });
});
