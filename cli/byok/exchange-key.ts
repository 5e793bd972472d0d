// The exchange key (KEK) for which a key is wrapped: its public half, as the vault's tools write it. Pure.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { parseKeyId } from '../../shared/domain/provider.ts';
import type { ExchangeKeyName } from '../../shared/providers/azure-key-vault/byok/transfer-file.ts';
import { Refused } from '../refused.ts';

export interface ExchangeKey extends ExchangeKeyName {
  readonly publicKey: KeyObject;
}

const FIT_BITS = [2048, 3072, 4096];
const HOW = 'az keyvault key show --id KEY-ID > kek.json, or a public key in PEM with --kid KEY-ID';

/**
 * `text`: what `az keyvault key show` prints, a JSON Web Key with `kid`, or a public key in PEM; `kid` completes the last. Throws Refused.
 */
export function readExchangeKey(text: string, kid?: string): ExchangeKey {
  const { publicKey, named, operations } = text.includes('-----BEGIN') ? inPem(text) : inJson(text);
  const keyId = kid ?? named;
  if (keyId === undefined) throw new Refused('The exchange key has no id: give it with --kid KEY-ID');
  if (named !== undefined && kid !== undefined && named.toLowerCase() !== kid.toLowerCase())
    throw new Refused(`The file of the exchange key is of ${named}, and --kid names ${kid}`);
  if (!parseKeyId(keyId))
    throw new Refused('The id of the exchange key needs its version: https://VAULT/keys/NAME/VERSION');
  if (operations && (operations.length !== 1 || operations[0] !== 'import'))
    throw new Refused(
      `This is no exchange key: what it may do is ${operations.join(', ') || 'nothing'}, and an exchange key may import and nothing else`,
    );
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (publicKey.asymmetricKeyType !== 'rsa' || !FIT_BITS.includes(bits))
    throw new Refused('An exchange key is an RSA key of 2048, 3072 or 4096 bits');
  return { kid: keyId, bits, publicKey };
}

interface Found {
  readonly publicKey: KeyObject;
  readonly named?: string;
  readonly operations?: readonly string[];
}

function inPem(text: string): Found {
  if (text.includes('PRIVATE KEY')) throw new Refused('The file of the exchange key holds a private key');
  try {
    return { publicKey: createPublicKey(text) };
  } catch {
    throw new Refused('The PEM of the exchange key cannot be read');
  }
}

function inJson(text: string): Found {
  const jwk = jwkIn(text);
  if (typeof jwk?.['n'] !== 'string' || typeof jwk['e'] !== 'string')
    throw new Refused(`The file of the exchange key holds no public RSA key. Take ${HOW}`);
  const { kid } = jwk;
  const operations = jwk['key_ops'] ?? jwk['keyOps'];
  const [n, e] = [asNumber(jwk['n']), asNumber(jwk['e'])];
  try {
    return {
      publicKey: createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }),
      ...(typeof kid === 'string' && { named: kid }),
      ...(Array.isArray(operations) && { operations: operations.map(String) }),
    };
  } catch {
    throw new Refused('The public RSA key of the exchange key cannot be read');
  }
}

/** az writes base64 of the standard alphabet, Key Vault base64url; either may begin with zeros. */
function asNumber(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  const first = bytes.findIndex((byte) => byte !== 0);
  return bytes.subarray(Math.max(first, 0)).toString('base64url');
}

/** The key itself, or what holds it under `key`, as Key Vault and az have it. */
function jwkIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const found: unknown = JSON.parse(text);
    const inner = isObject(found) && isObject(found['key']) ? found['key'] : found;
    return isObject(inner) ? inner : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
