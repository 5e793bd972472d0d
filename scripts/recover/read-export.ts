// The export, opened by a private key or a passphrase. No error here repeats anything of a file.
import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { compactDecrypt, decodeProtectedHeader } from 'jose';
import {
  EXPORT_CONTENT_ENCRYPTION,
  parseExport,
  type CompanyKeyExport,
} from '../../shared/domain/company-key-export.ts';
import type { ExportAlgorithm } from '../../shared/domain/export-recipient.ts';
import { RecoveryRefused } from './refused.ts';

export interface ExportSource {
  readonly exportFile: string;
  readonly privateKeyFile?: string;
  readonly passphraseFile?: string;
}

const ALGORITHMS: readonly ExportAlgorithm[] = ['RSA-OAEP-256', 'ECDH-ES', 'PBES2-HS512+A256KW'];
const BY_PASSPHRASE: ExportAlgorithm = 'PBES2-HS512+A256KW';
/** Whoever hands over a file must not be able to keep a processor busy for days. */
const MAX_ITERATIONS = 10_000_000;

/** Throws RecoveryRefused. */
export async function readExport(source: ExportSource): Promise<CompanyKeyExport> {
  const jwe = jweIn(await bytesOf(source.exportFile, 'export'));
  const algorithm = algorithmOf(jwe);
  const key = await keyFor(source, algorithm);
  const plaintext = await decrypted(jwe, { algorithm, key });
  const content = parseExport(plaintext);
  plaintext.fill(0);
  if (content.ok) return content.value;
  throw new RecoveryRefused(
    content.error === 'other-format'
      ? 'The export opens, but is of a format that this version does not know: use a later one.'
      : 'The export opens, but what is inside is none.',
  );
}

async function bytesOf(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch {
    throw new RecoveryRefused(`The file of the ${what} cannot be read: ${file}`);
  }
}

/** The saved answer, or the JWE alone. */
function jweIn(bytes: Buffer): string {
  const text = bytes.toString('utf8').trim();
  const jwe = text.startsWith('{') ? memberOf(text, 'jwe') : text;
  if (typeof jwe === 'string' && jwe.split('.').length === 5) return jwe;
  throw new RecoveryRefused(
    'The file of the export holds neither the answer to an export nor a JWE in its compact form.',
  );
}

function memberOf(text: string, name: string): unknown {
  try {
    return (JSON.parse(text) as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function algorithmOf(jwe: string): ExportAlgorithm {
  let alg: unknown;
  try {
    ({ alg } = decodeProtectedHeader(jwe));
  } catch {
    alg = undefined;
  }
  const algorithm = ALGORITHMS.find((known) => known === alg);
  if (algorithm) return algorithm;
  throw new RecoveryRefused('The export is encrypted in a way that no export is.');
}

async function keyFor(source: ExportSource, algorithm: ExportAlgorithm): Promise<KeyObject | Uint8Array> {
  const { privateKeyFile, passphraseFile } = source;
  if (algorithm === BY_PASSPHRASE) {
    if (passphraseFile === undefined)
      throw new RecoveryRefused('The export is encrypted by a passphrase: give it with --passphrase-file.');
    return withoutLineBreak(await bytesOf(passphraseFile, 'passphrase'));
  }
  if (privateKeyFile === undefined)
    throw new RecoveryRefused('The export is encrypted to a public key: give the private one with --private-key.');
  return privateKeyIn(await bytesOf(privateKeyFile, 'private key'));
}

/** Editors and `echo` put one at the end; no passphrase of an export holds one. */
function withoutLineBreak(bytes: Buffer): Uint8Array {
  const [CR, LF] = [0x0d, 0x0a];
  const withoutLf = bytes.at(-1) === LF ? bytes.subarray(0, -1) : bytes;
  return withoutLf.at(-1) === CR && withoutLf !== bytes ? withoutLf.subarray(0, -1) : withoutLf;
}

function privateKeyIn(bytes: Buffer): KeyObject {
  const text = bytes.toString('utf8').trim();
  try {
    if (!text.startsWith('{')) return createPrivateKey(text);
    return createPrivateKey({ key: JSON.parse(text) as JsonWebKey, format: 'jwk' });
  } catch {
    throw new RecoveryRefused(
      'The file of the private key holds no private key as PEM or JWK, or one that is encrypted.',
    );
  } finally {
    bytes.fill(0);
  }
}

async function decrypted(
  jwe: string,
  by: { readonly algorithm: ExportAlgorithm; readonly key: KeyObject | Uint8Array },
): Promise<Uint8Array> {
  try {
    const { plaintext } = await compactDecrypt(jwe, by.key, {
      keyManagementAlgorithms: [by.algorithm],
      contentEncryptionAlgorithms: [EXPORT_CONTENT_ENCRYPTION],
      maxPBES2Count: MAX_ITERATIONS,
    });
    return plaintext;
  } catch {
    const what = by.algorithm === BY_PASSPHRASE ? 'passphrase' : 'private key';
    throw new RecoveryRefused(`The export does not open with this ${what}, or was changed.`);
  } finally {
    if (by.key instanceof Uint8Array) by.key.fill(0);
  }
}
