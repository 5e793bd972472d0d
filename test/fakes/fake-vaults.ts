// Key vaults, the way to them, and the vendor's seal key, in memory and for real: real RSA, real signatures, the answers
// that Azure would give to a missing role, consent or key. Every call is logged, and any can be made to fail.
import { constants, privateDecrypt, sign, type KeyObject } from 'node:crypto';
import type { Seal } from '../../shared/domain/company-key.ts';
import { failure } from '../../shared/domain/failure-catalogue.ts';
import type { Failure, FailureCode, FailureFacts } from '../../shared/domain/failure.ts';
import { parseKeyId, type VaultKey, type VaultTarget } from '../../shared/domain/provider.ts';
import { err, ok, type Result } from '../../shared/domain/result.ts';
import type { ConnectionProbe, KeyVaults, Sealer } from '../../shared/operations/ports.ts';
import { keyFixture, type KeyFixtureName } from '../fixtures/key-fixtures.ts';

type VaultOperation = 'reach' | 'challengedTenant' | 'obtainToken' | 'readKey' | 'unwrap' | 'sign' | 'publicKey';

interface VaultCall {
  readonly operation: VaultOperation;
  /** Empty for the seal key's calls. */
  readonly host: string;
  readonly keyName?: string;
  readonly version?: string;
  readonly tenantId?: string;
}

export interface FakeVault {
  readonly host: string;
  tenantId: string;
  /** Without it every call on a key is refused as a vault with RBAC does. */
  roleAssigned: boolean;
  /** Without it no token is to be had for this vault's tenant. */
  consented: boolean;
  readonly keys: Map<string, FakeKeyVersion[]>;
}

export interface FakeKeyVersion {
  readonly version: string;
  readonly privateKey: KeyObject;
  /** Of what `GET` answers; change it to disable or expire the version. */
  describes: VaultKey;
}

interface PlannedFailure {
  readonly operation: VaultOperation | 'any';
  readonly host: string | undefined;
  readonly failure: Failure;
  left: number;
}

export const CONNECTOR_APP_ID = '7e5d0000-0000-4000-8000-0000000000c1';
export const PRINCIPAL_ID = '7e5d0000-0000-4000-8000-0000000000e1';
const SUBSCRIPTION_ID = '7e5d0000-0000-4000-8000-0000000000f1';

/** `1` → `00000000000000000000000000000001`, as Key Vault writes versions: 32 hex digits. */
export const keyVersionOf = (index: number): string => index.toString(16).padStart(32, '0');

export class FakeVaults implements KeyVaults, ConnectionProbe, Sealer {
  readonly calls: VaultCall[] = [];
  /** Runs before a call is answered and may wait: for holding calls open, or changing the world in between. */
  onCall: ((call: VaultCall) => void | Promise<void>) | undefined;
  readonly #vaults = new Map<string, FakeVault>();
  readonly #planned: PlannedFailure[] = [];
  readonly #sealKeys: { readonly version: string; readonly name: KeyFixtureName }[] = [
    { version: keyVersionOf(1), name: 'ec-p256-1' },
  ];

  addVault(options: { readonly host: string; readonly tenantId: string }): FakeVault {
    const vault = { ...options, roleAssigned: true, consented: true, keys: new Map<string, FakeKeyVersion[]>() };
    this.#vaults.set(options.host, vault);
    return vault;
  }

  removeVault(host: string): void {
    this.#vaults.delete(host);
  }

  /** A new version of the key, which is then the newest. `change` is laid over what the key says of itself. */
  addKey(options: {
    readonly host: string;
    readonly keyName: string;
    readonly fixture?: KeyFixtureName;
    readonly change?: Partial<VaultKey>;
  }): FakeKeyVersion {
    const keys = this.#need(options.host).keys;
    const versions = keys.get(options.keyName) ?? [];
    const version = keyVersionOf(versions.length + 1);
    const { privateKey, publicKey } = keyFixture(options.fixture ?? 'rsa-2048-1');
    const keyId = `https://${options.host}/keys/${options.keyName}/${version}`;
    const added = { version, privateKey, describes: { ...describe(keyId, publicKey), ...options.change } };
    keys.set(options.keyName, [...versions, added]);
    return added;
  }

  removeKey(host: string, keyName: string): void {
    this.#need(host).keys.delete(keyName);
  }

  /** The next `times` calls of this operation (at this host, if one is named) fail so. For ever if `times` is left out. */
  fail(options: {
    readonly operation: VaultOperation | 'any';
    readonly failure: Failure | FailureCode;
    readonly host?: string;
    readonly times?: number;
  }): void {
    this.#planned.push({
      operation: options.operation,
      host: options.host,
      failure: typeof options.failure === 'string' ? failure(options.failure) : options.failure,
      left: options.times ?? Number.POSITIVE_INFINITY,
    });
  }

  /** Nothing planned any more. */
  heal(): void {
    this.#planned.length = 0;
  }

  /** The seal key gets a new version; older ones still verify. */
  rotateSealKey(): void {
    this.#sealKeys.push({ version: keyVersionOf(this.#sealKeys.length + 1), name: 'ec-p256-2' });
  }

  countOf(operation: VaultOperation, host?: string): number {
    return this.calls.filter((call) => call.operation === operation && (host === undefined || call.host === host))
      .length;
  }

  async reach(host: string): Promise<Result<void, Failure>> {
    const refused = await this.#begin({ operation: 'reach', host });
    if (refused) return err(refused);
    return this.#vaults.has(host) ? ok(undefined) : err(failure('vault-not-found', { vaultHost: host }));
  }

  async challengedTenant(host: string): Promise<Result<string, Failure>> {
    const refused = await this.#begin({ operation: 'challengedTenant', host });
    if (refused) return err(refused);
    const vault = this.#vaults.get(host);
    return vault ? ok(vault.tenantId) : err(failure('vault-not-found', { vaultHost: host }));
  }

  async obtainToken(target: VaultTarget): Promise<Result<{ readonly principalId: string }, Failure>> {
    const refused = await this.#begin({ operation: 'obtainToken', host: target.host, tenantId: target.tenantId });
    if (refused) return err(refused);
    if (this.#vaults.get(target.host)?.consented !== true) {
      return err(failure('consent-required', { tenantId: target.tenantId, appId: CONNECTOR_APP_ID }));
    }
    return ok({ principalId: PRINCIPAL_ID });
  }

  async readKey(target: VaultTarget, version?: string): Promise<Result<VaultKey, Failure>> {
    const refused = await this.#begin({ operation: 'readKey', ...named(target, version) });
    const denied = refused ?? this.#denial(target, 'read');
    if (denied) return err(denied);
    const found = this.#version(target, version);
    return found ? ok(found.describes) : err(failure('key-not-found', factsOf(target)));
  }

  async unwrap(
    target: VaultTarget,
    wrapped: { readonly keyId: string; readonly ciphertext: string },
  ): Promise<Result<Uint8Array, Failure>> {
    const version = parseKeyId(wrapped.keyId)?.version ?? '';
    const refused = await this.#begin({ operation: 'unwrap', ...named(target, version) });
    const denied = refused ?? this.#denial(target, 'unwrap/action');
    if (denied) return err(denied);
    const found = this.#version(target, version);
    if (!found) return err(failure('key-not-found', factsOf(target)));
    if (!found.describes.enabled) return err(failure('key-disabled', factsOf(target)));
    if (!found.describes.keyOps.includes('unwrapKey')) {
      return err(failure('key-operation-not-permitted', factsOf(target)));
    }
    return decrypt(found.privateKey, wrapped.ciphertext, factsOf(target));
  }

  /** What a wrap holds, for whoever looks on without taking part: no call, no rights, no faults. */
  peek(keyId: string, ciphertext: string): Uint8Array | undefined {
    const key = parseKeyId(keyId);
    const versions = key && this.#vaults.get(key.host)?.keys.get(key.keyName);
    const held = versions?.find(({ version }) => version === key?.version);
    return held && openOnce(held.privateKey, ciphertext);
  }

  async sign(bytes: Uint8Array): Promise<Result<Seal, Failure>> {
    const refused = await this.#begin({ operation: 'sign', host: '' });
    if (refused) return err(refused);
    const { version, name } = this.#sealKeys.at(-1)!;
    const signature = sign('sha256', bytes, { key: keyFixture(name).privateKey, dsaEncoding: 'ieee-p1363' });
    return ok({ keyVersion: version, signature: signature.toString('base64url') });
  }

  async publicKey(keyVersion: string): Promise<Result<KeyObject | undefined, Failure>> {
    const refused = await this.#begin({ operation: 'publicKey', host: '', version: keyVersion });
    if (refused) return err(refused);
    const found = this.#sealKeys.find(({ version }) => version === keyVersion);
    return ok(found && keyFixture(found.name).publicKey);
  }

  async #begin(call: VaultCall): Promise<Failure | undefined> {
    this.calls.push(call);
    await this.onCall?.(call);
    const planned = this.#planned.find(
      ({ operation, host, left }) =>
        left > 0 && (operation === 'any' || operation === call.operation) && (host === undefined || host === call.host),
    );
    if (planned) planned.left -= 1;
    return planned?.failure;
  }

  #denial(target: VaultTarget, action: string): Failure | undefined {
    const vault = this.#vaults.get(target.host);
    if (!vault) return failure('vault-not-found', factsOf(target));
    if (!vault.consented) return failure('consent-required', { ...factsOf(target), appId: CONNECTOR_APP_ID });
    if (vault.tenantId !== target.tenantId) return failure('wrong-entra-tenant', factsOf(target));
    if (vault.roleAssigned) return undefined;
    const vaultName = target.host.split('.')[0] ?? '';
    return failure('access-denied-rbac', {
      ...factsOf(target),
      appId: CONNECTOR_APP_ID,
      principalId: PRINCIPAL_ID,
      resourceId:
        `/subscriptions/${SUBSCRIPTION_ID}/resourcegroups/keys/providers/microsoft.keyvault/vaults/${vaultName}` +
        `/keys/${target.keyName}`,
      detail: `Microsoft.KeyVault/vaults/keys/${action}`,
    });
  }

  #version(target: VaultTarget, version: string | undefined): FakeKeyVersion | undefined {
    const versions = this.#vaults.get(target.host)?.keys.get(target.keyName) ?? [];
    return version === undefined ? versions.at(-1) : versions.find((held) => held.version === version);
  }

  #need(host: string): FakeVault {
    const vault = this.#vaults.get(host);
    if (!vault) throw new Error(`no vault ${host}: call addVault first`);
    return vault;
  }
}

const named = (
  { host, keyName, tenantId }: VaultTarget,
  version: string | undefined,
): { host: string; keyName: string; tenantId: string; version?: string } => ({
  host,
  keyName,
  tenantId,
  ...(version === undefined ? {} : { version }),
});

const factsOf = ({ host, keyName, tenantId }: VaultTarget): FailureFacts => ({ vaultHost: host, keyName, tenantId });

function describe(keyId: string, publicKey: KeyObject): VaultKey {
  const { kty = '', n = '', e = '' } = publicKey.export({ format: 'jwk' });
  return {
    keyId,
    keyType: kty,
    n,
    e,
    sizeBits: publicKey.asymmetricKeyDetails?.modulusLength ?? 256,
    keyOps: kty === 'RSA' ? ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'] : ['sign', 'verify'],
    enabled: true,
    recoveryLevel: 'Recoverable',
  };
}

function decrypt(key: KeyObject, ciphertext: string, facts: FailureFacts): Result<Uint8Array, Failure> {
  const opened = openOnce(key, ciphertext);
  return opened ? ok(opened) : err(failure('vault-error', { ...facts, detail: '400 BadParameter' }));
}

const MAX_OPENED = 256;
const openedBefore = new WeakMap<KeyObject, Map<string, Buffer>>();

/** RSA is by far the slowest thing here, and the same wrap always holds the same. Answers a copy: callers overwrite it. */
function openOnce(key: KeyObject, ciphertext: string): Buffer | undefined {
  const opened = openedBefore.get(key) ?? new Map<string, Buffer>();
  openedBefore.set(key, opened);
  const known = opened.get(ciphertext);
  if (known) return Buffer.from(known);
  try {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const payload = privateDecrypt({ key, padding, oaepHash: 'sha256' }, Buffer.from(ciphertext, 'base64url'));
    if (opened.size >= MAX_OPENED) opened.clear();
    opened.set(ciphertext, payload);
    return Buffer.from(payload);
  } catch {
    return undefined;
  }
}
