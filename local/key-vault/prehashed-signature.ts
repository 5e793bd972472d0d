// Signs a SHA-256 digest made elsewhere, as Key Vault does. node:crypto only signs what it hashed itself, so ECDSA is
// put together here from its curve operation, and RSA from the padding. For the embedded run only: not constant-time.
import { constants, createECDH, privateEncrypt, randomBytes, type KeyObject } from 'node:crypto';

/** Order of the P-256 group (FIPS 186-5, SEC 2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** DER of DigestInfo for SHA-256, before the digest itself (RFC 8017, 9.2). */
const SHA256_DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** ES256: r and s side by side, as JOSE has them (64 bytes). */
export function signDigestEs256(key: KeyObject, digest: Buffer): Buffer {
  const secret = toNumber(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
  for (;;) {
    const nonce = toNumber(randomBytes(32));
    if (nonce === 0n || nonce >= ORDER) continue;
    const curve = createECDH('prime256v1');
    curve.setPrivateKey(toBytes(nonce));
    // An uncompressed point: 04, then x, then y.
    const r = toNumber(curve.getPublicKey().subarray(1, 33)) % ORDER;
    const s = (invert(nonce) * (toNumber(digest) + r * secret)) % ORDER;
    if (r !== 0n && s !== 0n) return Buffer.concat([toBytes(r), toBytes(s)]);
  }
}

/** RS256: PKCS #1 v1.5. */
export function signDigestRs256(key: KeyObject, digest: Buffer): Buffer {
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.concat([SHA256_DIGEST_INFO, digest]));
}

/** Modular inverse by Euclid's extended algorithm. */
function invert(value: bigint): bigint {
  let [previous, current] = [ORDER, value];
  let [before, now] = [0n, 1n];
  while (current !== 0n) {
    const quotient = previous / current;
    [previous, current] = [current, previous - quotient * current];
    [before, now] = [now, before - quotient * now];
  }
  return ((before % ORDER) + ORDER) % ORDER;
}

const toNumber = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`);
const toBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
