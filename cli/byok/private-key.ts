// The key that its owner brings, from a file on their own machine. It is held as a KeyObject and printed nowhere.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { Refused } from '../refused.ts';

const FIT_BITS = [2048, 3072, 4096];

/** `content`: PKCS #8 (encrypted or not) or PKCS #1, in PEM or DER. Throws Refused, which repeats nothing of the file. */
export function readPrivateKey(content: Buffer, passphrase?: string): KeyObject {
  const text = content.toString('latin1');
  if (isEncrypted(text) && passphrase === undefined)
    throw new Refused('The private key is encrypted: name the file with its passphrase by --passphrase-file');
  const key = keyIn(content, text, passphrase);
  if (key.asymmetricKeyType !== 'rsa')
    throw new Refused(
      `The private key is of type ${key.asymmetricKeyType ?? 'unknown'}: only an RSA key can protect a company key`,
    );
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (!FIT_BITS.includes(bits))
    throw new Refused(`The private key has ${bits} bits: Key Vault takes RSA keys of 2048, 3072 and 4096`);
  return key;
}

function keyIn(content: Buffer, text: string, passphrase: string | undefined): KeyObject {
  const secret = passphrase === undefined ? {} : { passphrase };
  if (text.includes('-----BEGIN')) {
    if (!text.includes('PRIVATE KEY-----')) throw new Refused(inPlaceOfKey(text));
    return opened(() => createPrivateKey({ key: content, format: 'pem', ...secret }), passphrase);
  }
  try {
    return createPrivateKey({ key: content, format: 'der', type: 'pkcs1' });
  } catch {
    return opened(() => createPrivateKey({ key: content, format: 'der', type: 'pkcs8', ...secret }), passphrase);
  }
}

function opened(open: () => KeyObject, passphrase: string | undefined): KeyObject {
  try {
    return open();
  } catch {
    throw new Refused(
      passphrase === undefined
        ? 'The file holds no private key that can be read: give PKCS #8 or PKCS #1, in PEM or DER'
        : 'The private key does not open with this passphrase',
    );
  }
}

const isEncrypted = (text: string): boolean =>
  text.includes('BEGIN ENCRYPTED PRIVATE KEY') || /^Proc-Type: 4,ENCRYPTED/m.test(text);

const inPlaceOfKey = (text: string): string =>
  text.includes('CERTIFICATE')
    ? 'The file holds a certificate: give its private key'
    : 'The file holds no private key: give the private half, in PKCS #8';

/** SubjectPublicKeyInfo of either half, by which one can tell that two places hold the same key. */
export const publicHalf = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
