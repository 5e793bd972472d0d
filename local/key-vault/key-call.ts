// One call of the keys API, and what nearly all of them begin with: reading the body, finding the key and version, and
// asking whether its attributes let it be used now. Throws the vault's refusals.
import type { z } from 'zod';
import { latest } from './key-bundle.ts';
import { isThere } from './key-names.ts';
import type { KeyPath } from './key-path.ts';
import type { DeletedKey, KeyOperation, KeyVersion, Vault, VaultKey } from './model.ts';
import * as refuse from './vault-error.ts';
import type { Vaults } from './vaults.ts';

export interface KeyCall {
  readonly vaults: Vaults;
  readonly vault: Vault;
  readonly path: KeyPath;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly nowMs: number;
}

/** What is sent back with 200; `undefined` is 204 without a body. */
export type KeyAnswer = object | undefined;

interface FoundKey {
  readonly key: VaultKey;
  readonly version: KeyVersion;
}

/** The key and version that the path names; the latest when it names none. */
export function find({ vault, path, nowMs }: KeyCall): FoundKey {
  const key = vault.keys.get(path.keyName.toLowerCase());
  if (!key || !isThere(key, nowMs)) throw refuse.keyNotFound(path.keyName);
  if (path.version === '') return { key, version: latest(key) };
  const version = key.versions.find(({ id }) => id === path.version);
  if (!version) throw refuse.keyNotFound(`${path.keyName}/${path.version}`);
  return { key, version };
}

export function findDeleted({ vault, path, nowMs }: KeyCall): DeletedKey {
  const deleted = vault.deletedKeys.get(path.keyName.toLowerCase());
  if (!deleted || deleted.visibleAtMs > nowMs || isRetentionOver(vault, deleted, nowMs))
    throw refuse.deletedKeyNotFound(path.keyName);
  return deleted;
}

const DAY_MS = 86_400_000;

/** The vault purges it by itself then, and nothing but asking can tell. */
const isRetentionOver = ({ settings }: Vault, { deletedAt }: DeletedKey, nowMs: number): boolean =>
  nowMs >= deletedAt * 1000 + settings.softDeleteDays * DAY_MS;

/** Disabled keys do nothing; outside nbf and exp a key still unwraps and decrypts, and nothing else (docs/azure.md). */
export function usable(call: KeyCall, operation: KeyOperation): FoundKey {
  const found = find(call);
  const { version } = found;
  const nowSeconds = call.nowMs / 1000;
  if (!version.enabled) throw refuse.keyDisabled(operation);
  if (!version.operations.includes(operation)) throw refuse.keyOperationForbidden(operation);
  if (operation === 'unwrapKey' || operation === 'decrypt') return found;
  if (version.expires !== undefined && nowSeconds >= version.expires) throw refuse.keyExpired(operation);
  if (version.notBefore !== undefined && nowSeconds < version.notBefore) throw refuse.keyNotYetValid(operation);
  return found;
}

export function parseBody<T>(schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse.badParameter('The request body is not valid JSON.');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refuse.badParameter(`Property ${issue?.path.join('.') ?? ''} has invalid value`);
}
