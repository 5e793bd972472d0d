// Transfer files between this tool and others. fixtures/byok/made-by-softhsm.byok: SoftHSM 2.6.1 made an RSA key and wrapped it, an AES key by
// CKM_RSA_PKCS_OAEP with SHA-1 and the RSA key by CKM_AES_KEY_WRAP_PAD. The other way round was tried by hand: SoftHSM opens what wrapPrivateKey makes.
import { constants, createDecipheriv, createPrivateKey, privateDecrypt, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readExchangeKey } from '../../cli/byok/exchange-key.ts';
import { wrapPrivateKey } from '../../cli/byok/wrap-key.ts';
import { readTransferFile } from '../../shared/providers/azure-key-vault/byok/transfer-file.ts';

const fixture = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../fixtures/byok/${name}`, import.meta.url)), 'utf8');

const inHsm = createPrivateKey(fixture('exchange-key.pem'));
const exchangeKey = readExchangeKey(fixture('exchange-key.json'));

/** As a vault opens it (RFC 8017, 7.1.2; RFC 5649, 4.2). */
function opened(ciphertext: Buffer): KeyObject {
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
  const aes = privateDecrypt({ key: inHsm, ...padding }, ciphertext.subarray(0, exchangeKey.bits / 8));
  const cipher = createDecipheriv('id-aes256-wrap-pad', aes, Buffer.from('A65959A6', 'hex'));
  const der = Buffer.concat([cipher.update(ciphertext.subarray(exchangeKey.bits / 8)), cipher.final()]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
const modulusOf = (key: KeyObject): unknown => key.export({ format: 'jwk' }).n;

it('a file that SoftHSM made is read, and opens to the key that SoftHSM made', () => {
  const file = readTransferFile(fixture('made-by-softhsm.byok'), exchangeKey);
  if (!file.ok) throw new Error(file.error.message);
  const { n } = JSON.parse(fixture('key-that-travels.json')) as { n: string };
  expect(modulusOf(opened(file.value.ciphertext))).toBe(n);
});

it.each([2048, 3072, 4096])('a key of %i bits opens with the exchange key, and with no bit of it changed', (bits) => {
  const key = createPrivateKey(
    readFileSync(fileURLToPath(new URL(`../fixtures/keys/rsa-${bits}-1.pem`, import.meta.url))),
  );
  const ciphertext = wrapPrivateKey(key, exchangeKey.publicKey);
  expect(modulusOf(opened(ciphertext))).toBe(modulusOf(key));
  for (const place of [0, exchangeKey.bits / 8, ciphertext.length - 1]) {
    const damaged = Buffer.from(ciphertext);
    damaged[place] = (damaged[place] ?? 0) ^ 1;
    expect(() => opened(damaged)).toThrow();
  }
});
