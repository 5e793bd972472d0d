// Wrapping, unwrapping and signing with a key of the vault. Permissions and tokens are checked before.
import * as z from 'zod';
import { keyId } from './key-bundle.ts';
import { parseBody, usable, type KeyAnswer, type KeyCall } from './key-call.ts';
import { isWrapAlgorithm, unwrap, wrap } from './key-material.ts';
import type { KeyVersion } from './model.ts';
import { signDigestEs256, signDigestRs256 } from './prehashed-signature.ts';
import * as refuse from './vault-error.ts';

const SHA256_BYTES = 32;
const cryptoBody = z.object({ alg: z.string(), value: z.string().regex(/^[\w-]+$/) });

export const wrapKey = (call: KeyCall): KeyAnswer => seal(call, 'wrapKey');
/** To the key, encrypting is what wrapping is; each has a right and an operation of its own. */
export const encrypt = (call: KeyCall): KeyAnswer => seal(call, 'encrypt');
export const unwrapKey = (call: KeyCall): KeyAnswer => open(call, 'unwrapKey');
export const decrypt = (call: KeyCall): KeyAnswer => open(call, 'decrypt');

function seal(call: KeyCall, operation: 'wrapKey' | 'encrypt'): KeyAnswer {
  const { key, version } = usable(call, operation);
  const { alg, value } = parseBody(cryptoBody, call.body);
  const wrapped = wrapAlgorithmFits(version, alg) && wrap(version.publicKey, alg, Buffer.from(value, 'base64url'));
  if (!wrapped) throw unfit(version, alg);
  return { kid: keyId(call.vault, key, version), value: wrapped.toString('base64url') };
}

function open(call: KeyCall, operation: 'unwrapKey' | 'decrypt'): KeyAnswer {
  const { key, version } = usable(call, operation);
  const { alg, value } = parseBody(cryptoBody, call.body);
  if (!wrapAlgorithmFits(version, alg)) {
    throw unfit(version, alg);
  }
  const plain = unwrap(version.privateKey, alg, Buffer.from(value, 'base64url'));
  if (!plain) throw refuse.badParameter('The parameter is incorrect.\r\n');
  return { kid: keyId(call.vault, key, version), value: plain.toString('base64url') };
}

export function sign(call: KeyCall): KeyAnswer {
  const { key, version } = usable(call, 'sign');
  const { alg, value } = parseBody(cryptoBody, call.body);
  const digest = Buffer.from(value, 'base64url');
  if (alg !== (version.kind.startsWith('EC') ? 'ES256' : 'RS256')) {
    const id = keyId(call.vault, key, version);
    throw refuse.badParameter(
      `Key and signing algorithm are incompatible. Key ${id} is of type '${version.kind}', algorithm '${alg}'.`,
    );
  }
  if (digest.length !== SHA256_BYTES) {
    throw refuse.badParameter(`Invalid length of 'value': ${digest.length} bytes. ${alg} requires 32 bytes.`);
  }
  const signature = alg === 'ES256' ? signDigestEs256 : signDigestRs256;
  const value64 = signature(version.privateKey, digest).toString('base64url');
  return { kid: keyId(call.vault, key, version), value: value64 };
}

const wrapAlgorithmFits = ({ kind }: KeyVersion, algorithm: string): boolean =>
  kind.startsWith('RSA') && isWrapAlgorithm(algorithm);

const unfit = ({ kind }: KeyVersion, algorithm: string): refuse.VaultError =>
  refuse.badParameter(`Algorithm '${algorithm}' is not supported by key of type '${kind}'.`);
