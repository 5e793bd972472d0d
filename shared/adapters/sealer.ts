// The vendor's seal key through @azure/keyvault-keys: ES256 signatures by its newest version, and the public key of every
// version, from the configured vault and name only. What a version is never changes, so it is asked for once.
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Seal } from '../domain/company-key.ts';
import { failure } from '../domain/failure-catalogue.ts';
import type { Failure } from '../domain/failure.ts';
import { classifyNetworkError } from '../domain/network-error.ts';
import { parseKeyId, type VaultTarget } from '../domain/provider.ts';
import { err, ok, type Result } from '../domain/result.ts';
import type { Sealer } from '../operations/ports.ts';
import { Deadline } from './deadline.ts';
import { readKeyBundle, readOperationKeyId, sameKeyId, type KeyBundle } from './vault-answers.ts';
import { askVault, notUnderstood } from './vault-call.ts';
import type { VaultPool } from './vault-pool.ts';

interface SealKey {
  readonly version: string;
  readonly publicKey: KeyObject;
}

/** Versions come from rows that a stranger may have written: as many as anybody needs, no more. */
const MAX_VERSIONS = 64;
const VERSION = /^[0-9A-Za-z]{1,64}$/;
/** How long a version that does not exist is not asked for again. */
const MISSING_MS = 60_000;

export class AzureSealer implements Sealer {
  readonly #pool: VaultPool;
  readonly #target: VaultTarget;
  /** A promise, so that however many need a key at once, it is asked for once. */
  readonly #versions = new LRUCache<string, Promise<Result<SealKey | undefined, Failure>>>({ max: MAX_VERSIONS });
  #newest: Promise<Result<SealKey | undefined, Failure>> | undefined;

  constructor(pool: VaultPool, target: VaultTarget) {
    this.#pool = pool;
    this.#target = target;
  }

  async sign(bytes: Uint8Array): Promise<Result<Seal, Failure>> {
    let isSigned = false;
    try {
      const signed = await this.#signByNewest(bytes);
      isSigned = signed.ok;
      return signed;
    } finally {
      // A version that has been disabled or replaced, or a call that threw: the next finds the newest anew.
      if (!isSigned) this.#newest = undefined;
    }
  }

  async publicKey(keyVersion: string): Promise<Result<KeyObject | undefined, Failure>> {
    if (!VERSION.test(keyVersion)) return ok(undefined);
    let asked = this.#versions.get(keyVersion);
    if (!asked) {
      asked = this.#get(keyVersion);
      this.#versions.set(keyVersion, asked);
      // One that throws, which is a bug, is thrown to those who asked, and is not kept.
      asked.catch(() => this.#versions.delete(keyVersion));
    }
    const key = await asked;
    if (!key.ok) this.#versions.delete(keyVersion);
    else if (!key.value) this.#versions.set(keyVersion, asked, { ttl: MISSING_MS });
    return key.ok ? ok(key.value?.publicKey) : key;
  }

  async #signByNewest(bytes: Uint8Array): Promise<Result<Seal, Failure>> {
    const facts = this.#pool.facts(this.#target);
    const deadline = new Deadline(this.#pool.timeoutMs);
    const newest = await deadline.race(
      () => (this.#newest ??= this.#get(undefined)),
      () =>
        err(classifyNetworkError({ service: 'vault', errorCode: 'ETIMEDOUT', message: 'no answer in time' }, facts)),
    );
    if (!newest.ok) return newest;
    if (!newest.value) return err(failure('key-not-found', facts));
    const { version, publicKey } = newest.value;
    const digest = createHash('sha256').update(bytes).digest();
    const { host, keyName } = this.#target;
    const keyId = `https://${host}/keys/${keyName}/${version}`;
    const answer = await askVault(
      this.#pool,
      this.#target,
      (connection, options) => connection.cryptography(keyId, (client) => client.sign('ES256', digest, options)),
      deadline,
    );
    if (!answer.ok) return answer;
    const { reply, value } = answer.value;
    const replied = readOperationKeyId(reply.text);
    if (replied === undefined) return err(notUnderstood(reply, facts));
    // Rows are never written under a seal that nobody could verify.
    const signature = Buffer.from(value.result);
    const isSealed =
      sameKeyId(replied, { target: this.#target, version }) !== undefined &&
      verify('sha256', bytes, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
    if (!isSealed) return err(failure('key-substituted', { ...facts, detail: replied }, reply.service));
    return ok({ keyVersion: version, signature: signature.toString('base64url') });
  }

  /** The version named, or the newest; undefined if there is none. */
  async #get(version: string | undefined): Promise<Result<SealKey | undefined, Failure>> {
    const facts = this.#pool.facts(this.#target);
    const answer = await askVault(this.#pool, this.#target, (connection, options) =>
      connection.keys((client) =>
        client.getKey(this.#target.keyName, { ...options, ...(version === undefined ? {} : { version }) }),
      ),
    );
    if (!answer.ok) return answer.error.code === 'key-not-found' ? ok(undefined) : answer;
    const { reply } = answer.value;
    const bundle = readKeyBundle(reply.text);
    if (!bundle) return err(notUnderstood(reply, facts));
    const keyId = sameKeyId(bundle.key.kid, { target: this.#target, version });
    const found = keyId === undefined ? undefined : parseKeyId(keyId)?.version;
    if (found === undefined) {
      return err(failure('key-substituted', { ...facts, detail: bundle.key.kid }, reply.service));
    }
    const publicKey = p256(bundle);
    return publicKey ? ok({ version: found, publicKey }) : err(failure('key-type-unsupported', facts, reply.service));
  }
}

function p256({ key: { crv, x, y } }: KeyBundle): KeyObject | undefined {
  if (crv !== 'P-256' || x === undefined || y === undefined) return undefined;
  try {
    return createPublicKey({ key: { kty: 'EC', crv, x, y }, format: 'jwk' });
  } catch {
    return undefined;
  }
}
