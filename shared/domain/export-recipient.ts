// Who can read an exported company key: the holder of a private key, or people who know a passphrase. Pure. Refuses weak keys and passphrases,
// and never repeats them.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import type { ApprovedRecipient } from './approval.ts';
import type { Refusal } from './refusal.ts';
import { err, ok, type Result } from './result.ts';

/** RFC 7518: how the content-encryption key reaches the recipient. */
export type ExportAlgorithm = 'RSA-OAEP-256' | 'ECDH-ES' | 'PBES2-HS512+A256KW';

export type ExportRecipient =
  | {
      readonly type: 'public-key';
      readonly algorithm: 'RSA-OAEP-256' | 'ECDH-ES';
      readonly key: KeyObject;
      /** The caller's own name for it. */
      readonly keyId?: string;
      /** RFC 7638, SHA-256: identifies the key and reveals nothing of it. */
      readonly thumbprint: string;
    }
  | { readonly type: 'passphrase'; readonly algorithm: 'PBES2-HS512+A256KW'; readonly passphrase: string };

/** A public key as a JWK (RFC 7517). */
export interface AskedKey {
  readonly kty: string;
  readonly n?: string | undefined;
  readonly e?: string | undefined;
  readonly crv?: string | undefined;
  readonly x?: string | undefined;
  readonly y?: string | undefined;
  readonly kid?: string | undefined;
  readonly use?: string | undefined;
  readonly alg?: string | undefined;
  readonly key_ops?: readonly string[] | undefined;
}

export const MIN_PASSPHRASE_CHARS = 16;
export const MAX_PASSPHRASE_CHARS = 1_024;
/** Refuses repeated characters. No rule can tell how hard a passphrase is to guess. */
export const MIN_DIFFERENT_CHARS = 6;
/** Iterations of PBKDF2 with SHA-512, as OWASP asks for. */
export const PASSPHRASE_ITERATIONS = 210_000;

const MIN_RSA_BITS = 2_048;
/** OpenSSL's limit. */
const MAX_RSA_BITS = 16_384;
const MIN_RSA_EXPONENT = 65_537n;
const MAX_RSA_EXPONENT = 2n ** 64n;
const CURVES: Readonly<Record<string, readonly string[]>> = { EC: ['P-256', 'P-384', 'P-521'], OKP: ['X25519'] };
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const SIGNS_ONLY = new Set(['sign', 'verify']);

export function parseExportRecipient(asked: {
  readonly publicKey?: AskedKey | undefined;
  readonly passphrase?: string | undefined;
}): Result<ExportRecipient, Refusal> {
  const { publicKey, passphrase } = asked;
  if (publicKey !== undefined && passphrase !== undefined)
    return refused('publicKey', 'goes without a passphrase: give one of the two');
  if (passphrase !== undefined) return passphraseOf(passphrase);
  return publicKey === undefined
    ? refused('publicKey', 'is missing, and so is a passphrase: give one of the two')
    : publicKeyOf(publicKey);
}

/** The recipient as an approval names it, without the passphrase. */
export const approvedRecipient = (recipient: ExportRecipient): ApprovedRecipient =>
  recipient.type === 'passphrase'
    ? { type: recipient.type }
    : { type: recipient.type, thumbprint: recipient.thumbprint };

const refused = (target: string, message: string): Result<never, Refusal> =>
  err({ type: 'invalid', target, message: `${target} ${message}.` });

/** Refuses control characters, which would not survive in a file, and invalid Unicode, which would change in UTF-8. */
function passphraseOf(passphrase: string): Result<ExportRecipient, Refusal> {
  const length = Array.from(passphrase).length;
  if (length < MIN_PASSPHRASE_CHARS || length > MAX_PASSPHRASE_CHARS)
    return refused('passphrase', `must have ${MIN_PASSPHRASE_CHARS} to ${MAX_PASSPHRASE_CHARS} characters`);
  if (new Set(passphrase).size < MIN_DIFFERENT_CHARS)
    return refused('passphrase', `must have at least ${MIN_DIFFERENT_CHARS} different characters`);
  if (!passphrase.isWellFormed() || /\p{Cc}/u.test(passphrase))
    return refused('passphrase', 'must be Unicode without control characters');
  return ok({ type: 'passphrase', algorithm: 'PBES2-HS512+A256KW', passphrase });
}

function publicKeyOf(asked: AskedKey): Result<ExportRecipient, Refusal> {
  const leaked = PRIVATE_MEMBERS.find((name) => Object.hasOwn(asked, name));
  if (leaked !== undefined)
    return refused(`publicKey.${leaked}`, 'is of a private key: use another one, this one is known to others now');
  if (asked.kty !== 'RSA' && !Object.hasOwn(CURVES, asked.kty))
    return refused('publicKey.kty', 'must be RSA, EC or OKP');
  if (asked.kty !== 'RSA' && !CURVES[asked.kty]?.includes(asked.crv ?? ''))
    return refused('publicKey.crv', 'must be P-256, P-384 or P-521 for EC, X25519 for OKP');
  const algorithm = asked.kty === 'RSA' ? 'RSA-OAEP-256' : 'ECDH-ES';
  const misused = misuseOf(asked, algorithm);
  if (misused) return misused;
  const key = keyOf(asked);
  if (!key) return refused('publicKey', 'is no public key of its type');
  const weak = asked.kty === 'RSA' ? weaknessOfRsa(key) : weaknessOfCurve(key);
  if (weak) return weak;
  const { kid: keyId } = asked;
  const named = keyId === undefined ? {} : { keyId };
  return ok({ type: 'public-key', algorithm, key, thumbprint: thumbprintOf(key), ...named });
}

/** Refuses a key whose own members say that it is for something else. */
function misuseOf(asked: AskedKey, algorithm: ExportAlgorithm): Result<never, Refusal> | undefined {
  const { use, alg, key_ops: operations = [] } = asked;
  if (use !== undefined && use !== 'enc') return refused('publicKey.use', 'must be enc, if it is given');
  if (alg !== undefined && alg !== algorithm) return refused('publicKey.alg', `must be ${algorithm}, if it is given`);
  const signsOnly = operations.length > 0 && operations.every((operation) => SIGNS_ONLY.has(operation));
  return signsOnly ? refused('publicKey.key_ops', 'are those of a key for signatures') : undefined;
}

function keyOf({ kty, n, e, crv, x, y }: AskedKey): KeyObject | undefined {
  const members = kty === 'RSA' ? { n, e } : kty === 'EC' ? { crv, x, y } : { crv, x };
  if (Object.values(members).some((member) => member === undefined || !/^[A-Za-z0-9_-]+$/.test(member)))
    return undefined;
  try {
    return createPublicKey({ key: { kty, ...members } as JsonWebKey, format: 'jwk' });
  } catch {
    // The point is not on the curve, or has the wrong length.
    return undefined;
  }
}

function weaknessOfRsa(key: KeyObject): Result<never, Refusal> | undefined {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS)
    return refused('publicKey.n', `must have ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits`);
  if (isEven(key)) return refused('publicKey.n', 'is even, and so the modulus of nobody');
  const isSound = publicExponent >= MIN_RSA_EXPONENT && publicExponent < MAX_RSA_EXPONENT && publicExponent % 2n === 1n;
  return isSound ? undefined : refused('publicKey.e', `must be odd and at least ${MIN_RSA_EXPONENT}, as usual`);
}

const isEven = (key: KeyObject): boolean =>
  (Buffer.from(key.export({ format: 'jwk' }).n ?? '', 'base64url').at(-1) ?? 0) % 2 === 0;

/** A fixed private key, no secret: a trial key agreement shows whether a public key is sound. */
const PROBE = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), Buffer.alloc(32, 0x42)]),
  format: 'der',
  type: 'pkcs8',
});

/** X25519 points of small order give everyone the same shared secret. The other curves have none. */
function weaknessOfCurve(key: KeyObject): Result<never, Refusal> | undefined {
  if (key.asymmetricKeyType !== 'x25519') return undefined;
  try {
    diffieHellman({ privateKey: PROBE, publicKey: key });
    return undefined;
  } catch {
    return refused('publicKey.x', 'is a point of small order');
  }
}

/** The members that make up the key, sorted and without blanks, as RFC 7638 asks. */
function thumbprintOf(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url');
}
