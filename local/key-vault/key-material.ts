// Private keys of the vaults: made, imported from PEM, or taken from a pool filled beforehand since RSA generation is
// slow; and what can be done with one. Node's crypto only, no vault rules.
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  privateDecrypt,
  publicEncrypt,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyKind } from './model.ts';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const generate = promisify(generateKeyPair);
const MAX_POOL_SIZE = 1_000;
/** Hash of each wrapping algorithm's OAEP. */
const OAEP_HASHES: ReadonlyMap<string, string> = new Map([
  ['RSA-OAEP-256', 'sha256'],
  ['RSA-OAEP', 'sha1'],
]);

export class KeyPool {
  readonly #ready = new Map<number, KeyPair[]>();

  /** Makes RSA keys until `count` of this size lie ready, one after the other so that others get the processor. */
  async fill(sizeBits: number, count: number): Promise<void> {
    if (count > MAX_POOL_SIZE) throw new Error(`a pool holds at most ${MAX_POOL_SIZE} keys`);
    const ready = this.#of(sizeBits);
    while (ready.length < count) ready.push(await generateRsa(sizeBits));
  }

  async take(kind: KeyKind, sizeBits: number): Promise<KeyPair> {
    if (kind.startsWith('EC')) return generate('ec', { namedCurve: 'P-256' });
    return this.#of(sizeBits).shift() ?? generateRsa(sizeBits);
  }

  #of(sizeBits: number): KeyPair[] {
    const ready = this.#ready.get(sizeBits) ?? [];
    this.#ready.set(sizeBits, ready);
    return ready;
  }
}

export function importPem(pem: string): KeyPair & { readonly sizeBits: number; readonly isRsa: boolean } {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const isRsa = privateKey.asymmetricKeyType === 'rsa';
  const sizeBits = privateKey.asymmetricKeyDetails?.modulusLength ?? 256;
  return { privateKey, publicKey, sizeBits, isRsa };
}

/** `undefined` for an algorithm that RSA keys do not wrap with here, or for more than fits under the key. */
export function wrap(key: KeyObject, algorithm: string, plain: Buffer): Buffer | undefined {
  const oaepHash = OAEP_HASHES.get(algorithm);
  if (oaepHash === undefined) return undefined;
  return attempt(() => publicEncrypt({ key, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING }, plain));
}

/** `undefined` when the ciphertext does not open. */
export function unwrap(key: KeyObject, algorithm: string, cipher: Buffer): Buffer | undefined {
  const oaepHash = OAEP_HASHES.get(algorithm);
  if (oaepHash === undefined || key.asymmetricKeyType !== 'rsa') return undefined;
  return attempt(() => privateDecrypt({ key, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING }, cipher));
}

export const isWrapAlgorithm = (algorithm: string): boolean => OAEP_HASHES.has(algorithm);

/** OpenSSL says no by throwing; which no does not matter to the caller. */
function attempt(operation: () => Buffer): Buffer | undefined {
  try {
    return operation();
  } catch {
    return undefined;
  }
}

async function generateRsa(modulusLength: number): Promise<KeyPair> {
  return generate('rsa', { modulusLength });
}
