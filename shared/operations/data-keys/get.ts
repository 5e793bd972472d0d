// The metadata of one data key.
import type { KeyringPlace } from '../../domain/keyring.ts';
import { isDataKeyId } from '../../domain/ids.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Loaded } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import { shardOfKey, type KeyringShards } from './keyring-shards.ts';
import { loadDataKey, viewOf, type DataKeyView } from './view.ts';

export async function getDataKey(
  deps: { readonly tables: Pick<Tables, 'read'>; readonly keyringShards: KeyringShards },
  input: KeyringPlace & { readonly keyId: string },
): Promise<Result<Loaded<DataKeyView>, Refusal>> {
  const { keyId } = input;
  if (!isDataKeyId(keyId)) return err(notFound('data-key', keyId));
  const keyring = await deps.keyringShards.read(input);
  if (!keyring.ok) return keyring;
  const row = await loadDataKey(deps.tables, shardOfKey(keyring.value, keyId), keyId);
  const view = row && viewOf(row.value);
  return row && view ? ok({ value: view, etag: row.etag }) : err(notFound('data-key', keyId));
}
