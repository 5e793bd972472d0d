// Keys that come from outside: as a JSON Web Key in the clear, or wrapped by a key of the vault that is there for nothing else (BYOK; the format is that
// of keys/byok-specification in Microsoft's documentation: RSA-OAEP with SHA-1 of an AES key, then AES key wrap with padding, RFC 5649, of PKCS #8).
import { constants, createDecipheriv, createPrivateKey, privateDecrypt, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { parseBody, type KeyAnswer, type KeyCall } from './key-call.ts';
import { keyBundle, keyId } from './key-bundle.ts';
import { attributesBody, operationsBody } from './key-bodies.ts';
import { needFreeName, needHardware } from './key-names.ts';
import type { KeyKind, Vault } from './model.ts';
import * as refuse from './vault-error.ts';

const importBody = z.object({
  key: z.looseObject({
    kty: z.enum(['RSA', 'RSA-HSM', 'EC', 'EC-HSM']),
    key_ops: operationsBody.optional(),
    key_hsm: z.string().optional(),
  }),
  Hsm: z.boolean().optional(),
  attributes: attributesBody.default({}),
  tags: z.record(z.string(), z.string()).optional(),
});
const transferBlob = z.object({
  schema_version: z.literal('1.0.0'),
  header: z.object({ kid: z.string(), alg: z.literal('dir'), enc: z.literal('CKM_RSA_AES_KEY_WRAP') }),
  ciphertext: z.string(),
});

/** A new key, or the next version of the one of that name. */
export async function importKey(call: KeyCall): Promise<KeyAnswer> {
  const { vaults, vault, path } = call;
  const { key: jwk, Hsm, attributes, tags } = parseBody(importBody, call.body);
  needFreeName(vault, path.keyName, call.nowMs);
  const isRsa = jwk.kty.startsWith('RSA');
  const privateKey = jwk.key_hsm === undefined ? inTheClear(jwk, isRsa) : unwrapped(vault, jwk.key_hsm);
  if ((privateKey.asymmetricKeyType === 'rsa') !== isRsa)
    throw refuse.badParameter('Property key.kty has invalid value');
  needHardware(vault, Hsm === true ? 'RSA-HSM' : jwk.kty);
  const kind: KeyKind = Hsm === true || jwk.kty.endsWith('-HSM') ? (isRsa ? 'RSA-HSM' : 'EC-HSM') : jwk.kty;
  const { key, version } = await vaults.putKeyVersion(vault, path.keyName, {
    kind,
    sizeBits: 0,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    imported: true,
    enabled: attributes.enabled,
    notBefore: attributes.nbf,
    expires: attributes.exp,
    operations: jwk.key_ops,
    tags,
  });
  return keyBundle(vault, key, version);
}

function inTheClear(jwk: Readonly<Record<string, unknown>>, isRsa: boolean): KeyObject {
  try {
    return createPrivateKey({ key: { ...jwk, kty: isRsa ? 'RSA' : 'EC' }, format: 'jwk' });
  } catch {
    throw refuse.badParameter('Property key has invalid value');
  }
}

/** `encoded`: the transfer blob in base64 or base64url, as clients write it either way. */
function unwrapped(vault: Vault, encoded: string): KeyObject {
  const blob = parseBody(transferBlob, Buffer.from(encoded, 'base64').toString('utf8'));
  const exchange = exchangeKey(vault, blob.header.kid);
  const bytes = Buffer.from(blob.ciphertext, 'base64url');
  const size = (exchange.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  try {
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
    const aes = privateDecrypt({ key: exchange, ...padding }, bytes.subarray(0, size));
    const decipher = createDecipheriv(`id-aes${aes.length * 8}-wrap-pad`, aes, Buffer.from('A65959A6', 'hex'));
    const der = Buffer.concat([decipher.update(bytes.subarray(size)), decipher.final()]);
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch {
    throw refuse.badParameter('The parameter is incorrect.\r\n');
  }
}

/** Of this very vault, in hardware, and for importing alone. */
function exchangeKey(vault: Vault, kid: string): KeyObject {
  for (const key of vault.keys.values()) {
    for (const version of key.versions) {
      if (keyId(vault, key, version) !== kid) continue;
      if (!version.enabled) throw refuse.keyDisabled('import');
      if (version.kind !== 'RSA-HSM' || !version.operations.includes('import'))
        throw refuse.keyOperationForbidden('import');
      return version.privateKey;
    }
  }
  throw refuse.keyNotFound(kid);
}
