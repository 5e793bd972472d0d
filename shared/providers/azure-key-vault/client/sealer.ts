// The vendor's seal key through @azure/keyvault-keys: ES256 signatures by its newest version, and the public key of every
// version, from the configured vault and name only. What a version is never changes, but whether it may be used does: it is asked for again after a
// while, and a disabled one verifies nothing any more.
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Seal } from '../../../domain/company-key.ts';
import { failure } from '../../../domain/failure-catalogue.ts';
import { mayPass, type Failure } from '../../../domain/failure.ts';
import { classifyNetworkError } from '../../../adapters/https/network-error.ts';
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

interface Known {
  readonly key: SealKey;
  readonly askedAtMs: number;
}

/** Versions come from rows that a stranger may have written: as many as anybody needs, no more. */
const MAX_VERSIONS = 64;
const VERSION = /^[0-9A-Za-z]{1,64}$/;
/** How long a version that does not exist, or may not be used, is not asked for again. */
const MISSING_MS = 60_000;
/** For so long a version is believed to be usable without asking. */
const FRESH_MS = 5 * 60_000;
/** And for so long if the vault cannot be asked: a vault that is away for minutes stops nobody who could be served before. */
const STALE_MS = 60 * 60_000;

export class AzureSealer implements Sealer {
  readonly #pool: VaultPool;
  readonly #target: VaultTarget;
  readonly #clock: Clock;
  readonly #known = new LRUCache<string, Known>({ max: MAX_VERSIONS });
  /** By version, until when it is not asked for again. */
  readonly #missing = new LRUCache<string, number>({ max: MAX_VERSIONS });
  /** However many need a version at once, it is asked for once. */
  readonly #asking = new Map<string, Asked>();
  #newest: { readonly asked: Asked; readonly atMs: number } | undefined;

  constructor(pool: VaultPool, target: VaultTarget, clock: Clock) {
    this.#pool = pool;
    this.#target = { ...target, isSealKey: true };
    this.#clock = clock;
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

  async newestVersion(): Promise<Result<string, Failure>> {
    this.#newest = undefined;
    const newest = await this.#newestKey();
    if (!newest.ok) return newest;
    return newest.value ? ok(newest.value.version) : err(failure('key-not-found', this.#pool.facts(this.#target)));
  }

  async publicKey(keyVersion: string): Promise<Result<KeyObject | undefined, Failure>> {
    if (!VERSION.test(keyVersion)) return ok(undefined);
    const now = this.#clock.now().getTime();
    if (now < (this.#missing.get(keyVersion) ?? 0)) return ok(undefined);
    const known = this.#known.get(keyVersion);
    if (known && now < known.askedAtMs + FRESH_MS) return ok(usable(known.key, now));
    const asked = await this.#ask(keyVersion, now);
    if (asked.ok) return ok(asked.value && usable(asked.value, now));
    return known && mayPass(asked.error) && now < known.askedAtMs + STALE_MS ? ok(usable(known.key, now)) : asked;
  }

  #ask(keyVersion: string, now: number): Asked {
    const underWay = this.#asking.get(keyVersion);
    if (underWay) return underWay;
    const asking = this.#learn(keyVersion, now).finally(() => this.#asking.delete(keyVersion));
    this.#asking.set(keyVersion, asking);
    return asking;
  }

  async #learn(keyVersion: string, askedAtMs: number): Asked {
    const key = await this.#get(keyVersion);
    if (!key.ok) return key;
    if (key.value) this.#known.set(keyVersion, { key: key.value, askedAtMs });
    else {
      this.#known.delete(keyVersion);
      this.#missing.set(keyVersion, askedAtMs + MISSING_MS);
    }
    return key;
  }

  async #signByNewest(bytes: Uint8Array): Promise<Result<Seal, Failure>> {
    const facts = this.#pool.facts(this.#target);
    const deadline = new Deadline(this.#pool.timeoutMs);
    const newest = await deadline.race(
      () => this.#newestKey(),
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

  /** Asked for again after a while too, so that what is sealed from then on names a version that was made since. */
  #newestKey(): Asked {
    const atMs = this.#clock.now().getTime();
    if (this.#newest && atMs < this.#newest.atMs + FRESH_MS) return this.#newest.asked;
    const newest = { asked: this.#get(undefined), atMs };
    this.#newest = newest;
    const forget = (): void => {
      if (this.#newest === newest) this.#newest = undefined;
    };
    newest.asked.then((key) => key.ok || forget(), forget);
    return newest.asked;
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

const usable = ({ publicKey, validMs }: SealKey, now: number): KeyObject | undefined =>
  now >= validMs.from && now < validMs.until ? publicKey : undefined;

function p256({ key: { crv, x, y } }: KeyBundle): KeyObject | undefined {
  if (crv !== 'P-256' || x === undefined || y === undefined) return undefined;
  try {
    return createPublicKey({ key: { kty: 'EC', crv, x, y }, format: 'jwk' });
  } catch {
    return undefined;
  }
}
