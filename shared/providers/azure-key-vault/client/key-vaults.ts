// Customers' vaults and the vendor's through @azure/keyvault-keys: `get`, also of a deleted key, and `unwrapKey`, one request each, never more.
// Whatever a vault answers becomes a VaultKey, plaintext or a Failure; no answer of a vault throws.
import type { KeyVaults } from '../vaults.ts';
import { failure } from '../words/failures.ts';
import type { Failure, FailureFacts } from '../../../domain/failure.ts';
import { WRAP_ALGORITHM } from '../../../domain/company-key.ts';
import { parseKeyId, type Deletion, type VaultKey, type VaultTarget } from '../../../domain/provider.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { Deadline } from '../../../adapters/https/deadline.ts';
import { readDeletedKey, readKeyBundle, readOperationKeyId, sameKeyId, vaultKeyOf } from './vault-answers.ts';
import { askVault, notUnderstood, type VaultReply } from './vault-call.ts';
import type { VaultPool } from './vault-pool.ts';

export class AzureKeyVaults implements KeyVaults {
  readonly #pool: VaultPool;

  constructor(pool: VaultPool) {
    this.#pool = pool;
  }

  async readKey(target: VaultTarget, version?: string, signal?: AbortSignal): Promise<Result<VaultKey, Failure>> {
    const facts = this.#pool.facts(target);
    const answer = await askVault(
      this.#pool,
      target,
      (connection, options) =>
        connection.keys((client) =>
          client.getKey(target.keyName, { ...options, ...(version === undefined ? {} : { version }) }),
        ),
      new Deadline(this.#pool.timeoutMs, signal),
    );
    if (!answer.ok) return answer;
    const { reply } = answer.value;
    const bundle = readKeyBundle(reply.text);
    if (!bundle) return err(notUnderstood(reply, facts));
    const keyId = sameKeyId(bundle.key.kid, { target, version });
    if (keyId === undefined) return err(substituted(reply, facts, bundle.key.kid));
    const key = vaultKeyOf(bundle, keyId);
    return key ? ok(key) : err(notUnderstood(reply, facts));
  }

  async readDeleted(target: VaultTarget, signal?: AbortSignal): Promise<Result<Deletion | undefined, Failure>> {
    const facts = this.#pool.facts(target);
    const answer = await askVault(
      this.#pool,
      target,
      (connection, options) => connection.keys((client) => client.getDeletedKey(target.keyName, options)),
      new Deadline(this.#pool.timeoutMs, signal),
    );
    if (!answer.ok) return answer.error.code === 'key-not-found' ? ok(undefined) : answer;
    const { reply } = answer.value;
    const deleted = readDeletedKey(reply.text);
    if (!deleted) return err(notUnderstood(reply, facts));
    return sameKeyId(deleted.keyId, { target }) === undefined
      ? err(substituted(reply, facts, deleted.keyId))
      : ok(deleted.deletion);
  }

  async unwrap(
    target: VaultTarget,
    wrapped: { readonly keyId: string; readonly ciphertext: string },
    signal?: AbortSignal,
  ): Promise<Result<Uint8Array, Failure>> {
    const facts = this.#pool.facts(target);
    const version = parseKeyId(wrapped.keyId)?.version;
    // A wrap that names another vault than its provider's is not sent to either.
    const keyId = version === undefined ? undefined : sameKeyId(wrapped.keyId, { target, version });
    if (keyId === undefined) return err(failure('key-substituted', { ...facts, detail: wrapped.keyId }));
    const ciphertext = Buffer.from(wrapped.ciphertext, 'base64url');
    const answer = await askVault(
      this.#pool,
      target,
      (connection, options) =>
        connection.cryptography(keyId, (client) => client.unwrapKey(WRAP_ALGORITHM, ciphertext, options)),
      new Deadline(this.#pool.timeoutMs, signal),
    );
    if (!answer.ok) return answer;
    const { reply, value } = answer.value;
    const replied = readOperationKeyId(reply.text);
    if (replied === undefined) return err(notUnderstood(reply, facts));
    if (sameKeyId(replied, { target, version }) === undefined) {
      value.result.fill(0);
      return err(substituted(reply, facts, replied));
    }
    return ok(value.result);
  }
}

const substituted = (reply: VaultReply, facts: FailureFacts, replied: string): Failure =>
  failure('key-substituted', { ...facts, detail: `the vault answered for ${replied}` }, reply.service);
