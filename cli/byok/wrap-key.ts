// Wraps a private key for an exchange key of a vault, so that nothing but that vault can open it: CKM_RSA_AES_KEY_WRAP of PKCS #11, in the form that
// keys/byok-specification of Microsoft's documentation asks for.
import { constants, createCipheriv, publicEncrypt, randomBytes, type KeyObject } from 'node:crypto';

const AES_256_KEY_BYTES = 32;
/** RFC 5649, section 3. */
const ALTERNATIVE_INITIAL_VALUE = Buffer.from('A65959A6', 'hex');

/** As long as the modulus of the exchange key, then the wrapped PKCS #8. What is in the clear on the way is zeroed. */
export function wrapPrivateKey(privateKey: KeyObject, exchangeKey: KeyObject): Buffer {
  const aesKey = randomBytes(AES_256_KEY_BYTES);
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  try {
    // SHA-1 is what the format prescribes: a blob with SHA-256 is refused by Key Vault. For OAEP no weakness of it is known.
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
    const cipher = createCipheriv('id-aes256-wrap-pad', aesKey, ALTERNATIVE_INITIAL_VALUE);
    return Buffer.concat([
      publicEncrypt({ key: exchangeKey, ...padding }, aesKey),
      cipher.update(pkcs8),
      cipher.final(),
    ]);
  } finally {
    aesKey.fill(0);
    pkcs8.fill(0);
  }
}
