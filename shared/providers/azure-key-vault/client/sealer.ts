// The vendor's seal key through @azure/keyvault-keys: ES256 signatures by its newest version, and the public key of every
// version, from the configured vault and name only. What a version is never changes, but whether it may be used does: it is asked for again after a
// while, and a disabled one verifies nothing any more.
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import type { Seal } from '../../../domain/company-key.ts';
import { ExpiringCache } from '../../../domain/expiring-cache.ts';
import { failure } from '../words/failures.ts';
import { mayPass, type Failure } from '../../../domain/failure.ts';
import { classifyNoAnswer } from '../no-answer.ts';
import { parseKeyId, type VaultTarget } from '../../../domain/provider.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { Clock, Sealer } from '../../../domain/ports.ts';
import { Deadline } from '../../../adapters/https/deadline.ts';
import { readKeyBundle, readOperationKeyId, sameKeyId, type KeyBundle } from './vault-answers.ts';
import { askVault, notUnderstood } from './vault-call.ts';
import type { VaultPool } from './vault-pool.ts';

interface SealKey {
  readonly version: string;
  readonly publicKey: KeyObject;
  /** Milliseconds since 1970, from when and until when it may be used. */
  readonly validMs: { readonly from: number; readonly until: number };
}

type Asked = Promise<Result<SealKey | undefined, Failure>>;

const NEWEST = 'newest';

/** Rows that name versions may have been tampered with, so the number of remembered versions is bounded. */
const MAX_VERSIONS = 64;
const VERSION = /^[0-9A-Za-z]{1,64}$/;
/** For how long a version that does not exist, or must not be used, is not asked for again. */
const MISSING_MS = 60_000;
/** For how long a version is taken as usable without asking. */
const FRESH_MS = 5 * 60_000;
/** The same if the vault cannot be asked: an outage of minutes must stop no caller who could be served before it. */
const STALE_MS = 60 * 60_000;

export class AzureSealer implements Sealer {
  readonly #pool: VaultPool;
  readonly #target: VaultTarget;
  readonly #clock: Clock;
  /** By version, for as long as it is not asked for again; and for as long as it serves while the vault cannot be asked. */
  readonly #fresh: ExpiringCache<SealKey, Failure | 'missing'>;
  readonly #stale: ExpiringCache<SealKey>;
  readonly #missing: ExpiringCache<true>;
  readonly #newest: ExpiringCache<SealKey | undefined, Failure>;

  constructor(pool: VaultPool, target: VaultTarget, clock: Clock) {
    this.#pool = pool;
    this.#target = { ...target, isSealKey: true };
    this.#clock = clock;
    this.#fresh = new ExpiringCache(clock, { ttlMs: FRESH_MS, maxEntries: MAX_VERSIONS });
    this.#stale = new ExpiringCache(clock, { ttlMs: STALE_MS, maxEntries: MAX_VERSIONS });
    this.#missing = new ExpiringCache(clock, { ttlMs: MISSING_MS, maxEntries: MAX_VERSIONS });
    this.#newest = new ExpiringCache(clock, { ttlMs: FRESH_MS, maxEntries: 1 });
  }

  async sign(bytes: Uint8Array): Promise<Result<Seal, Failure>> {
    let isSigned = false;
    try {
      const signed = await this.#signByNewest(bytes);
      isSigned = signed.ok;
      return signed;
    } finally {
      // A version that has been disabled or replaced, or a call that threw: the next finds the newest anew.
      if (!isSigned) this.#newest.forget(NEWEST);
    }
  }

  async newestVersion(): Promise<Result<string, Failure>> {
    this.#newest.forget(NEWEST);
    const newest = await this.#newestKey();
    if (!newest.ok) return newest;
    return newest.value ? ok(newest.value.version) : err(failure('key-not-found', this.#pool.facts(this.#target)));
  }

  async publicKey(keyVersion: string): Promise<Result<KeyObject | undefined, Failure>> {
    if (!VERSION.test(keyVersion)) return ok(undefined);
    const nowMs = this.#clock.now().getTime();
    if (this.#missing.peek(keyVersion)) return ok(undefined);
    const asked = await this.#fresh.get(keyVersion, () => this.#ask(keyVersion));
    if (asked.ok) return ok(usable(asked.value, nowMs));
    if (asked.error === 'missing') return ok(undefined);
    const stale = mayPass(asked.error) ? this.#stale.peek(keyVersion) : undefined;
    return stale ? ok(usable(stale.value, nowMs)) : err(asked.error);
  }

  async #ask(keyVersion: string): Promise<Result<SealKey, Failure | 'missing'>> {
    const askedAtMs = this.#clock.steadyMs();
    const key = await this.#get(keyVersion);
    if (!key.ok) return key;
    if (key.value) {
      this.#stale.keep(keyVersion, key.value, askedAtMs + STALE_MS);
      return ok(key.value);
    }
    this.#stale.forget(keyVersion);
    this.#missing.keep(keyVersion, true, askedAtMs + MISSING_MS);
    return err('missing');
  }

  async #signByNewest(bytes: Uint8Array): Promise<Result<Seal, Failure>> {
    const facts = this.#pool.facts(this.#target);
    const deadline = new Deadline(this.#pool.timeoutMs);
    const newest = await deadline.race(
      () => this.#newestKey(),
      () => err(classifyNoAnswer({ errorCode: 'ETIMEDOUT', message: 'no answer in time' }, facts)),
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

  /** Asked for again after a while too, so that what is sealed from then on names a version that was made since. */
  #newestKey(): Asked {
    return this.#newest.get(NEWEST, () => this.#get(undefined));
  }

  /** The version named, or the newest; undefined if there is none, or if it is disabled. */
  async #get(version: string | undefined): Asked {
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
    const { enabled, nbf = 0, exp = Number.MAX_SAFE_INTEGER / 1000 } = bundle.attributes;
    if (!enabled && version !== undefined) return ok(undefined);
    const publicKey = p256(bundle);
    const validMs = { from: nbf * 1000, until: exp * 1000 };
    return publicKey
      ? ok({ version: found, publicKey, validMs })
      : err(failure('key-type-unsupported', facts, reply.service));
  }
}

const usable = ({ publicKey, validMs }: SealKey, nowMs: number): KeyObject | undefined =>
  nowMs >= validMs.from && nowMs < validMs.until ? publicKey : undefined;

function p256({ key: { crv, x, y } }: KeyBundle): KeyObject | undefined {
  if (crv !== 'P-256' || x === undefined || y === undefined) return undefined;
  try {
    return createPublicKey({ key: { kty: 'EC', crv, x, y }, format: 'jwk' });
  } catch {
    return undefined;
  }
}
