// The keys that tokens of the embedded run are signed with (RS256, as Entra's are), and their public half. One signer
// may be shared by the Entra and the managed-identity emulator. Knows no claim's meaning.
import { createHash, generateKeyPair, sign, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

export interface PublicSigningKey {
  readonly kty: 'RSA';
  readonly use: 'sig';
  readonly alg: 'RS256';
  readonly kid: string;
  readonly n: string;
  readonly e: string;
}

export interface Jwks {
  readonly keys: readonly PublicSigningKey[];
}

export type Claims = Readonly<Record<string, unknown>>;

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: PublicSigningKey;
}

const generate = promisify(generateKeyPair);
const MODULUS_BITS = 2048;
/** How many keys stay published: the one in use and those before it, since tokens outlive a rotation. */
const MAX_PUBLISHED_KEYS = 3;

export class TokenSigner {
  #keys: SigningKey[];

  private constructor(keys: readonly SigningKey[]) {
    this.#keys = [...keys];
  }

  /** With the keys of an earlier run, or one of its own. */
  static async create(kept?: readonly SigningKey[]): Promise<TokenSigner> {
    return new TokenSigner(kept ?? [await newSigningKey()]);
  }

  /** All that there is, to be kept. */
  kept(): readonly SigningKey[] {
    return this.#keys;
  }

  get jwks(): Jwks {
    return { keys: this.#keys.map((key) => key.jwk) };
  }

  /** Sign with a new key from now on. `forget` stops publishing the old ones at once, which fails their tokens. */
  async rotate(options: { readonly forget: boolean }): Promise<void> {
    const next = await newSigningKey();
    this.#keys = options.forget ? [next] : [next, ...this.#keys].slice(0, MAX_PUBLISHED_KEYS);
  }

  sign(claims: Claims): string {
    const [key] = this.#keys;
    if (!key) throw new Error('a signer always has a key');
    const header = encode({ typ: 'JWT', alg: 'RS256', kid: key.jwk.kid, x5t: key.jwk.kid });
    const signed = `${header}.${encode(claims)}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), key.privateKey).toString('base64url')}`;
  }

  publicKey(kid: string): KeyObject | undefined {
    return this.#keys.find((key) => key.jwk.kid === kid)?.publicKey;
  }
}

function encode(value: Claims): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

async function newSigningKey(): Promise<SigningKey> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength: MODULUS_BITS });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const kid = createHash('sha1').update(n).digest('base64url');
  return { privateKey, publicKey, jwk: { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n, e } };
}
