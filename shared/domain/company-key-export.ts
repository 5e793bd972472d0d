// What a company gets when it exports a keyring's company key: with it and the wrapped data keys everything opens without a vault and outside of
// any cloud. Pure. This is the content; who can read it is said in export-recipient.ts.
import { createSecretKey, type KeyObject } from 'node:crypto';
import { COMPANY_KEY_BYTES } from './company-key.ts';
import { isResourceId } from './ids.ts';
import type { ProviderRef } from './provider.ts';
import { err, ok, type Result } from './result.ts';
import { isRecord } from './plain-object.ts';

export const EXPORT_FORMAT = 'keyswitch.company-key-export.1';

/** How the content of every export is encrypted, for any recipient. */
export const EXPORT_CONTENT_ENCRYPTION = 'A256GCM';

/** ISO 8601, UTC. Shown to people. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

export interface ExportedVersion {
  readonly version: number;
  readonly companyKey: KeyObject;
}

export interface CompanyKeyExport {
  readonly companyId: string;
  readonly keyringId: string;
  /** The provider and key version that protected the keyring when the export was made. */
  readonly provider: ProviderRef;
  readonly keyId: string;
  readonly madeAt: string;
  readonly versions: readonly ExportedVersion[];
}

/** The bytes of the export. The caller encrypts them, then overwrites them. */
export function encodeExport(content: CompanyKeyExport): Buffer {
  const { companyId, keyringId, provider, keyId, madeAt } = content;
  const versions = content.versions.map(({ version, companyKey }) => {
    const bytes = companyKey.export();
    const text = bytes.toString('base64url');
    bytes.fill(0);
    return { version, companyKey: text };
  });
  return Buffer.from(
    JSON.stringify({ format: EXPORT_FORMAT, companyId, keyringId, provider, keyId, madeAt, versions }),
  );
}

/** `other-format`: perhaps made by a later Keyswitch. Errors never repeat the bytes. */
export function parseExport(bytes: Uint8Array): Result<CompanyKeyExport, 'malformed' | 'other-format'> {
  const read = jsonIn(bytes);
  if (!isRecord(read) || typeof read['format'] !== 'string') return err('malformed');
  if (read['format'] !== EXPORT_FORMAT) return err('other-format');
  const { companyId, keyringId, keyId, madeAt } = read;
  const provider = providerIn(read['provider']);
  const versions = versionsIn(read['versions']);
  const isWhole =
    typeof companyId === 'string' &&
    isResourceId(companyId) &&
    typeof keyringId === 'string' &&
    isResourceId(keyringId) &&
    typeof keyId === 'string' &&
    typeof madeAt === 'string' &&
    TIME.test(madeAt) &&
    provider !== undefined &&
    versions !== undefined;
  return isWhole ? ok({ companyId, keyringId, provider, keyId, madeAt, versions }) : err('malformed');
}

function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

function providerIn(value: unknown): ProviderRef | undefined {
  if (!isRecord(value)) return undefined;
  const { provider, connectionId } = value;
  if (typeof provider !== 'string' || !isResourceId(provider)) return undefined;
  if (connectionId === undefined) return { provider };
  return typeof connectionId === 'string' && isResourceId(connectionId) ? { provider, connectionId } : undefined;
}

/** Undefined unless there is at least one version, each number occurs once, and each key is valid. */
function versionsIn(value: unknown): ExportedVersion[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const versions: ExportedVersion[] = [];
  for (const one of value as readonly unknown[]) {
    const version = isRecord(one) ? versionIn(one) : undefined;
    if (!version || versions.some((other) => other.version === version.version)) return undefined;
    versions.push(version);
  }
  return versions;
}

function versionIn({ version, companyKey }: Record<string, unknown>): ExportedVersion | undefined {
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) return undefined;
  if (typeof companyKey !== 'string') return undefined;
  const bytes = Buffer.from(companyKey, 'base64url');
  try {
    if (bytes.length !== COMPANY_KEY_BYTES || bytes.toString('base64url') !== companyKey) return undefined;
    return { version, companyKey: createSecretKey(bytes) };
  } finally {
    bytes.fill(0);
  }
}
