// A key with all its versions as one opaque text, and back into a vault in which its name is free. The text opens in this process alone, as Azure's
// opens in its own geography alone.
import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import * as z from 'zod';
import { keyBundle, latest } from './key-bundle.ts';
import { find, parseBody, type KeyAnswer, type KeyCall } from './key-call.ts';
import { needNoKey } from './key-names.ts';
import type { KeyVersion, VaultKey } from './model.ts';
import * as refuse from './vault-error.ts';

const SECRET = randomBytes(32);
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const restoreBody = z.object({ value: z.string().regex(/^[\w-]+$/) });

export function backupKey(call: KeyCall): KeyAnswer {
  const { key } = find({ ...call, path: { ...call.path, version: '' } });
  const versions = key.versions.map(({ privateKey, publicKey: _derived, ...rest }) => ({
    ...rest,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }));
  return { value: sealed(JSON.stringify({ ...key, versions })) };
}

export function restoreKey({ vault, body, nowMs }: KeyCall): KeyAnswer {
  const { value } = parseBody(restoreBody, body);
  const backup = opened(value);
  needNoKey(vault, backup, nowMs);
  vault.keys.set(backup.name.toLowerCase(), backup);
  return keyBundle(vault, backup, latest(backup));
}

function sealed(text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', SECRET, nonce);
  const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), bytes]).toString('base64url');
}

function opened(text: string): VaultKey {
  const bytes = Buffer.from(text, 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', SECRET, bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    const key = JSON.parse(plain.toString('utf8')) as Omit<VaultKey, 'versions'> & {
      readonly versions: readonly (Omit<KeyVersion, 'privateKey' | 'publicKey'> & { readonly pem: string })[];
    };
    const versions = key.versions.map(({ pem, ...rest }) => {
      const privateKey = createPrivateKey(pem);
      const times = { notBefore: rest.notBefore, expires: rest.expires };
      return { ...rest, ...times, privateKey, publicKey: createPublicKey(privateKey) };
    });
    return { ...key, versions };
  } catch {
    throw refuse.badParameter('Backup blob is corrupted or cannot be restored in this vault.');
  }
}
