// A third provider: symmetric keys, held in memory, which wrap by a call. It shows that a place for keys is a folder and a line of a registry.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Failure } from '../../../shared/domain/failure.ts';
import type { KeyPlace } from '../../../shared/domain/provider.ts';
import { err, ok, type Result } from '../../../shared/domain/result.ts';
import { failure } from '../../../shared/failures.ts';
import type { KeyProvider } from '../../../shared/providers/provider.ts';

const ALGORITHM = 'A256GCM';
const HOST = 'memory';
const IV_BYTES = 12;
const TAG_BYTES = 16;

export class MemoryKeys {
  /** Versions of each key, oldest first. */
  readonly #keys = new Map<string, Buffer[]>();
  readonly tenantId: string;
  readonly calls: ('read' | 'wrap' | 'unwrap')[] = [];
  denies = false;

  constructor(tenantId: string) {
    this.tenantId = tenantId;
  }

  add(keyName: string): void {
    this.#keys.set(keyName, [...(this.#keys.get(keyName) ?? []), randomBytes(32)]);
  }

  /** `memory/name/version`, counted from 1. */
  newest(keyName: string): string | undefined {
    const versions = this.#keys.get(keyName);
    return versions && `${HOST}/${keyName}/${versions.length}`;
  }

  ask(call: MemoryKeys['calls'][number], { keyName }: KeyPlace, keyId: string | undefined): Result<Buffer, Failure> {
    this.calls.push(call);
    const facts = { vaultHost: HOST, keyName };
    if (this.denies) return err(failure('access-denied-policy', facts));
    const key = this.#keys.get(keyName)?.[Number(keyId?.split('/').at(-1)) - 1];
    return key ? ok(key) : err(failure('key-not-found', facts));
  }
}

export function memory(keys: MemoryKeys): KeyProvider {
  const described = ({ keyName }: KeyPlace): { readonly vaultHost: string; readonly keyName: string } => ({
    vaultHost: HOST,
    keyName,
  });
  const substituted = (key: KeyPlace): Failure => failure('key-substituted', described(key));
  const otherOwner = (): Failure => failure('vault-error', { detail: 'the key is another tenant’s' });
  return {
    name: 'memory',
    isVendors: false,
    parse: ({ keyName }) =>
      typeof keyName === 'string' && /^[a-z]+$/.test(keyName)
        ? ok({ provider: 'memory', host: HOST, keyName, credential: { kind: 'federated', clientId: 'none' } })
        : err({ type: 'invalid', target: 'body.keyName', message: 'A name has small letters alone.' }),
    admits: () => ok(undefined),
    describe: described,
    isVersion: ({ keyName }, keyId) => keyId.startsWith(`${HOST}/${keyName}/`),
    explain: (found) => found,
    excuse: (found) => found,
    substituted,
    notFollowed: (key) => failure('key-version-not-followed', described(key)),
    otherOwner,
    instructions: () => [],
    probe: {
      reach: () => Promise.resolve(ok(undefined)),
      owner: ({ tenantId = keys.tenantId }) =>
        Promise.resolve(tenantId === keys.tenantId ? ok(tenantId) : err(otherOwner())),
      enter: () => Promise.resolve(ok({ principalId: 'keyswitch' })),
    },
    read: (target, { keyId = keys.newest(target.keyName) ?? '' }) => {
      const found = keys.ask('read', target, keyId);
      return Promise.resolve(found.ok ? ok({ keyId, dates: {}, denials: [], warnings: [] }) : found);
    },
    wrap: (target, { keyId }, companyKey) => {
      const key = keys.ask('wrap', target, keyId);
      if (!key.ok) return Promise.resolve(key);
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key.value, iv);
      const sealed = Buffer.concat([iv, cipher.update(companyKey), cipher.final(), cipher.getAuthTag()]);
      return Promise.resolve(ok({ keyId, algorithm: ALGORITHM, ciphertext: sealed.toString('base64url') }));
    },
    unwrap: (target, { keyId, algorithm, ciphertext }) => {
      const key = keys.ask('unwrap', target, keyId);
      if (!key.ok) return Promise.resolve(key);
      const sealed = Buffer.from(ciphertext, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key.value, sealed.subarray(0, IV_BYTES));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      try {
        if (algorithm !== ALGORITHM) return Promise.resolve(err(substituted(target)));
        return Promise.resolve(
          ok(Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()])),
        );
      } catch {
        return Promise.resolve(err(substituted(target)));
      }
    },
  };
}
