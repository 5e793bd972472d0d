// What the keys API does with keys once the caller is let in: reading, making and changing them, and their soft
// deletion. Throws the vault's refusals; permissions and tokens are checked before.
import * as z from 'zod';
import { decrypt, encrypt, sign, unwrapKey, wrapKey } from './crypto-operations.ts';
import { backupKey, restoreKey } from './key-backup.ts';
import { attributesBody, operationsBody } from './key-bodies.ts';
import { deletedBundle, deletedItem, keyBundle, keyId, latest, listItem } from './key-bundle.ts';
import { find, findDeleted, parseBody, type KeyAnswer, type KeyCall } from './key-call.ts';
import { importKey } from './key-import.ts';
import { isThere, needFreeName, needHardware } from './key-names.ts';
import type { VaultOperation } from './key-path.ts';
import { expiryByPolicy, getRotationPolicy, isImported, putRotationPolicy } from './rotation-policy.ts';
import * as refuse from './vault-error.ts';

const PAGE_SIZE = 25;

const createBody = z.object({
  kty: z.enum(['RSA', 'RSA-HSM', 'EC', 'EC-HSM']),
  key_size: z.number().int().default(2048),
  crv: z.literal('P-256').optional(),
  key_ops: operationsBody.optional(),
  attributes: attributesBody.default({}),
  tags: z.record(z.string(), z.string()).optional(),
});
const updateBody = z.object({
  key_ops: operationsBody.optional(),
  attributes: attributesBody.default({}),
  tags: z.record(z.string(), z.string()).optional(),
});

export const KEY_OPERATIONS: Readonly<Record<VaultOperation, (call: KeyCall) => KeyAnswer | Promise<KeyAnswer>>> = {
  create: createKey,
  get: (call) => {
    const { key, version } = find(call);
    const hidden = !version.enabled && call.vault.settings.getOfDisabled === 'refused';
    if (hidden) throw refuse.keyDisabled('get');
    return keyBundle(call.vault, key, version);
  },
  list: (call) => {
    const there = [...call.vault.keys.values()].filter((key) => isThere(key, call.nowMs));
    const keys = there.sort((a, b) => (a.name < b.name ? -1 : 1));
    return page(
      call,
      keys.map((key) => listItem(call.vault, key, latest(key), false)),
    );
  },
  'list-versions': (call) => {
    const { key } = find({ ...call, path: { ...call.path, version: '' } });
    const versions = [...key.versions].sort((a, b) => (a.id < b.id ? -1 : 1));
    return page(
      call,
      versions.map((version) => listItem(call.vault, key, version, true)),
    );
  },
  update: (call) => {
    const { key, version } = find(call);
    const body = parseBody(updateBody, call.body);
    version.enabled = body.attributes.enabled ?? version.enabled;
    version.notBefore = body.attributes.nbf ?? version.notBefore;
    version.expires = body.attributes.exp ?? version.expires;
    version.operations = body.key_ops ?? version.operations;
    version.tags = body.tags ?? version.tags;
    version.updatedAt = Math.floor(call.nowMs / 1000);
    return keyBundle(call.vault, key, version);
  },
  wrapkey: wrapKey,
  unwrapkey: unwrapKey,
  encrypt,
  decrypt,
  sign,
  import: importKey,
  'get-rotation-policy': getRotationPolicy,
  'put-rotation-policy': putRotationPolicy,
  backup: backupKey,
  restore: restoreKey,
  delete: (call) => {
    const { vault, nowMs } = call;
    const { key } = find(call);
    const deleted = { key, deletedAt: Math.floor(nowMs / 1000), visibleAtMs: nowMs + vault.settings.deletionMs };
    vault.keys.delete(key.name.toLowerCase());
    vault.deletedKeys.set(key.name.toLowerCase(), deleted);
    return deletedBundle(vault, deleted);
  },
  rotate: rotateKey,
  'list-deleted': (call) => {
    const deleted = [...call.vault.deletedKeys.values()].filter(({ visibleAtMs }) => visibleAtMs <= call.nowMs);
    deleted.sort((a, b) => (a.key.name < b.key.name ? -1 : 1));
    return page(
      call,
      deleted.map((one) => deletedItem(call.vault, one)),
    );
  },
  'get-deleted': (call) => deletedBundle(call.vault, findDeleted(call)),
  recover: (call) => {
    const { vault, path, nowMs } = call;
    const recovering = vault.keys.get(path.keyName.toLowerCase());
    if (recovering && !isThere(recovering, nowMs))
      throw refuse.recoveryConflict(keyId(vault, recovering, latest(recovering)));
    const { key } = findDeleted(call);
    vault.deletedKeys.delete(key.name.toLowerCase());
    key.recoveredAtMs = nowMs + vault.settings.deletionMs;
    vault.keys.set(key.name.toLowerCase(), key);
    return keyBundle(call.vault, key, latest(key));
  },
  purge: (call) => {
    const { vault, path, nowMs } = call;
    const name = path.keyName.toLowerCase();
    if ((vault.deletedKeys.get(name)?.visibleAtMs ?? 0) > nowMs) throw refuse.keyBeingDeleted();
    findDeleted(call);
    if (vault.settings.purgeProtection) throw refuse.purgeForbidden(vault);
    vault.deletedKeys.delete(name);
    vault.purged?.set(name, nowMs + vault.settings.deletionMs);
    return undefined;
  },
};

async function createKey({ vaults, vault, path, body: text, nowMs }: KeyCall): Promise<KeyAnswer> {
  const body = parseBody(createBody, text);
  if (body.key_ops?.includes('import') === true && body.kty !== 'RSA-HSM') {
    throw refuse.badParameter('Property key_ops has invalid value');
  }
  needHardware(vault, body.kty);
  needFreeName(vault, path.keyName, nowMs);
  const { key, version } = await vaults.putKeyVersion(vault, path.keyName, {
    kind: body.kty,
    sizeBits: body.key_size,
    enabled: body.attributes.enabled,
    notBefore: body.attributes.nbf,
    expires: body.attributes.exp,
    operations: body.key_ops,
    tags: body.tags,
  });
  return keyBundle(vault, key, version);
}

/** A new version of the same type and size with the same permissions, whatever became of the one before; it expires when the policy says. */
async function rotateKey(call: KeyCall): Promise<KeyAnswer> {
  const { vaults, vault } = call;
  const { key, version: before } = find(call);
  if (isImported(key)) throw refuse.badParameter('Rotation is not supported for imported keys.');
  const { kind, sizeBits, operations, tags } = before;
  const expires = expiryByPolicy(key, call.nowMs);
  const { version } = await vaults.putKeyVersion(vault, key.name, { kind, sizeBits, operations, tags, expires });
  return keyBundle(vault, key, version);
}

function page({ vault, query, path }: KeyCall, items: readonly object[]): object {
  const size = Math.min(Number(query.get('maxresults') ?? PAGE_SIZE), PAGE_SIZE);
  const start = Number(query.get('$skiptoken') ?? 0);
  const next = start + size;
  const collection = path.operation === 'list-deleted' ? 'deletedkeys' : 'keys';
  const below = path.keyName === '' ? collection : `keys/${path.keyName}/versions`;
  const version = query.get('api-version') ?? '';
  const link = `https://${vault.host}/${below}?api-version=${version}&$skiptoken=${next}&maxresults=${size}`;
  return { value: items.slice(start, next), nextLink: next < items.length ? link : null };
}
