// Key vaults, the way to them, and the vendor's seal key, in memory and for real: real RSA, real signatures, the answers
// that Azure would give to a missing role, consent or key. Every call is logged, and any can be made to fail.
import { sign, type KeyObject } from 'node:crypto';
import type { Seal } from '../../shared/domain/company-key.ts';
import { failure } from '../../shared/failures.ts';
import type { Failure, FailureCode } from '../../shared/domain/failure.ts';
import {
  parseKeyId,
  type Credential,
  type Deletion,
  type VaultKey,
  type VaultTarget,
} from '../../shared/domain/provider.ts';
import { err, ok, type Result } from '../../shared/domain/result.ts';
import type { FederationShown } from '../../shared/providers/provider.ts';
import type { ConnectionProbe, KeyVaults } from '../../shared/providers/azure-key-vault/vaults.ts';
import type { Sealer } from '../../shared/domain/ports.ts';
import { keyFixture, type KeyFixtureName } from '../fixtures/key-fixtures.ts';
import { FakeApps } from './fake-apps.ts';
import {
  CONNECTOR_APP_ID,
  decrypt,
  describe,
  factsOf,
  hostNotAllowed,
  mayBeAsked,
  noRole,
  noSuchKey,
  notToUnwrap,
  openOnce,
  PRINCIPAL_ID,
  wrongTenant,
} from './fake-vault-answers.ts';

type VaultOperation =
  'reach' | 'challengedTenant' | 'obtainToken' | 'readKey' | 'readDeleted' | 'unwrap' | 'sign' | 'publicKey';

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
  /** By name in lower case. */
  readonly keys: Map<string, FakeKeyVersion[]>;
  readonly deletedKeys: Map<string, FakeKeyVersion[]>;
  /** It deletes or recovers its keys at this moment: they are neither there nor among the deleted ones. */
  isBusy?: boolean;
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
  readonly failure: Failure | FailureCode;
  left: number;
}

/** `1` → `00000000000000000000000000000001`, as Key Vault writes versions: 32 hex digits. */
export const keyVersionOf = (index: number): string => index.toString(16).padStart(32, '0');

const FEDERATION: FederationShown = {
  issuer: 'https://login.microsoftonline.com/7e5d0000-0000-4000-8000-000000000001/v2.0',
  subject: '7e5d0000-0000-4000-8000-0000000000d1',
};

/** When what is deleted is purged. */
export const RETAINED_UNTIL = new Date('2026-04-01T00:00:00.000Z');

export class FakeVaults implements KeyVaults, ConnectionProbe, Sealer {
  readonly calls: VaultCall[] = [];
  /** Runs before a call is answered and may wait: for holding calls open, or changing the world in between. */
  onCall: ((call: VaultCall) => void | Promise<void>) | undefined;
  /** The customers' Entra tenants. Without consent no token is to be had in one. */
  readonly tenants = new Map<string, { consented: boolean }>();
  /** The customers' own apps, with their secrets. */
  readonly apps = new FakeApps();
  readonly #vaults = new Map<string, FakeVault>();
  readonly #planned: PlannedFailure[] = [];
  /** How many versions of a key are gone, by vault and name. */
  readonly #purged = new Map<string, number>();
  readonly #disabledSealKeys = new Set<string>();
  readonly #sealKeys: { readonly version: string; readonly name: KeyFixtureName }[];

  /** An RSA key as `sealKey` makes seals that the product checks as it does its own, in a quarter of the time. */
  constructor(options: { readonly sealKey?: KeyFixtureName } = {}) {
    this.#sealKeys = [{ version: keyVersionOf(1), name: options.sealKey ?? 'ec-p256-1' }];
  }

  addVault(options: { readonly host: string; readonly tenantId: string }): FakeVault {
    const vault = {
      ...options,
      roleAssigned: true,
      keys: new Map<string, FakeKeyVersion[]>(),
      deletedKeys: new Map<string, FakeKeyVersion[]>(),
    };
    this.#vaults.set(options.host, vault);
    if (!this.tenants.has(options.tenantId)) this.tenants.set(options.tenantId, { consented: true });
    return vault;
  }

  vault(host: string): FakeVault {
    return this.#need(host);
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
    const { keys, deletedKeys } = this.#need(options.host);
    if (deletedKeys.has(options.keyName.toLowerCase()))
      throw new Error(`${options.keyName} is deleted but recoverable: its name cannot be used`);
    const versions = keys.get(options.keyName.toLowerCase()) ?? [];
    const purged = this.#purged.get(`${options.host}/${options.keyName.toLowerCase()}`) ?? 0;
    const version = keyVersionOf(purged + versions.length + 1);
    const { privateKey, publicKey } = keyFixture(options.fixture ?? 'rsa-2048-1');
    const keyId = `https://${options.host}/keys/${options.keyName}/${version}`;
    const added = { version, privateKey, describes: { ...describe(keyId, publicKey), ...options.change } };
    keys.set(options.keyName.toLowerCase(), [...versions, added]);
    return added;
  }

  /** Of a vault with one key. */
  newestKey(host: string): FakeKeyVersion {
    const [versions] = this.#need(host).keys.values();
    const newest = versions?.at(-1);
    if (!newest) throw new Error(`no key in ${host}`);
    return newest;
  }

  /** Softly, as Azure does: it can be recovered. */
  removeKey(host: string, keyName: string): void {
    const { keys, deletedKeys } = this.#need(host);
    const name = keyName.toLowerCase();
    const versions = keys.get(name);
    keys.delete(name);
    if (versions) deletedKeys.set(name, versions);
  }

  recoverKey(host: string, keyName: string): void {
    const { keys, deletedKeys } = this.#need(host);
    const name = keyName.toLowerCase();
    const versions = deletedKeys.get(name);
    if (!versions) throw new Error(`no deleted key ${keyName}`);
    deletedKeys.delete(name);
    keys.set(name, versions);
  }

  setBusy(host: string, isBusy: boolean): void {
    this.#need(host).isBusy = isBusy;
  }

  /** For good; a key that is there is deleted before. Another key under its name has other versions. */
  purgeKey(host: string, keyName: string): void {
    const { keys, deletedKeys } = this.#need(host);
    const name = keyName.toLowerCase();
    if (keys.has(name)) this.removeKey(host, keyName);
    this.#purged.set(`${host}/${name}`, deletedKeys.get(name)?.length ?? 0);
    deletedKeys.delete(name);
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
      failure: options.failure,
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

  /** A version that was disabled verifies nothing any more. */
  disableSealKey(version: string): void {
    this.#disabledSealKeys.add(version);
  }

  enableSealKey(version: string): void {
    this.#disabledSealKeys.delete(version);
  }

  countOf(operation: VaultOperation, host?: string): number {
    return this.calls.filter((call) => call.operation === operation && (host === undefined || call.host === host))
      .length;
  }

  admits({ kind }: Credential): Result<void, Failure> {
    return ['federated', 'client-secret', 'vendor-hosted'].includes(kind)
      ? ok(undefined)
      : err(failure('row-forged', { detail: `'${kind}' is not known` }));
  }

  federationShown({ kind }: Credential): Promise<FederationShown | undefined> {
    return Promise.resolve(kind === 'federated' ? FEDERATION : undefined);
  }

  async reach(host: string): Promise<Result<void, Failure>> {
    const found = await this.#find('reach', host);
    return found.ok ? ok(undefined) : found;
  }

  async challengedTenant(host: string): Promise<Result<string, Failure>> {
    const found = await this.#find('challengedTenant', host);
    return found.ok ? ok(found.value.tenantId) : found;
  }

  async obtainToken(target: VaultTarget): Promise<Result<{ readonly principalId: string }, Failure>> {
    const { host, tenantId } = target;
    if (!mayBeAsked(host)) return err(hostNotAllowed(host));
    const refused = await this.#begin({ operation: 'obtainToken', host, tenantId }, target);
    const denied = refused ?? this.#withoutToken(target);
    return denied ? err(denied) : ok({ principalId: PRINCIPAL_ID });
  }

  async readKey(target: VaultTarget, version?: string): Promise<Result<VaultKey, Failure>> {
    if (!mayBeAsked(target.host)) return err(hostNotAllowed(target.host));
    const refused = await this.#begin({ operation: 'readKey', ...named(target, version) }, target);
    const denied = refused ?? this.#denial(target, 'read');
    if (denied) return err(denied);
    const found = this.#version(target, version);
    return found ? ok(inSpellingOf(target, found.describes)) : err(noSuchKey(target));
  }

  async readDeleted(target: VaultTarget): Promise<Result<Deletion | undefined, Failure>> {
    if (!mayBeAsked(target.host)) return err(hostNotAllowed(target.host));
    const refused = await this.#begin({ operation: 'readDeleted', ...named(target, undefined) }, target);
    const denied = refused ?? this.#denial(target, 'read');
    if (denied) return err(denied);
    const { deletedKeys, isBusy } = this.#need(target.host);
    const isDeleted = deletedKeys.has(target.keyName.toLowerCase()) && !isBusy;
    return ok(isDeleted ? { recoverableUntil: RETAINED_UNTIL } : undefined);
  }

  async unwrap(
    target: VaultTarget,
    wrapped: { readonly keyId: string; readonly ciphertext: string },
  ): Promise<Result<Uint8Array, Failure>> {
    const facts = factsOf(target);
    const key = parseKeyId(wrapped.keyId);
    const isItsOwn = key?.host === target.host && key.keyName.toLowerCase() === target.keyName.toLowerCase();
    if (!isItsOwn) return err(failure('key-substituted', { ...facts, detail: wrapped.keyId }));
    if (!mayBeAsked(target.host)) return err(hostNotAllowed(target.host));
    const { version } = key;
    const refused = await this.#begin({ operation: 'unwrap', ...named(target, version) }, target);
    const denied = refused ?? this.#denial(target, 'unwrap/action');
    if (denied) return err(denied);
    const found = this.#version(target, version);
    if (!found) return err(noSuchKey(target));
    const unfit = notToUnwrap(found.describes, facts);
    return unfit ? err(unfit) : decrypt(found.privateKey, wrapped.ciphertext, facts);
  }

  /** What a wrap holds, for whoever looks on without taking part: no call, no rights, no faults. */
  peek(keyId: string, ciphertext: string): Uint8Array | undefined {
    const key = parseKeyId(keyId);
    const versions = key && this.#vaults.get(key.host)?.keys.get(key.keyName.toLowerCase());
    const held = versions?.find(({ version }) => version === key?.version);
    return held && openOnce(held.privateKey, ciphertext);
  }

  async sign(bytes: Uint8Array): Promise<Result<Seal, Failure>> {
    const refused = await this.#begin({ operation: 'sign', host: '' });
    return refused ? err(refused) : ok(this.sealOf(bytes));
  }

  /** A seal by the newest version, without a call. */
  sealOf(bytes: Uint8Array): Seal {
    const { version, name } = this.#sealKeys.at(-1)!;
    const signature = sign('sha256', bytes, { key: keyFixture(name).privateKey, dsaEncoding: 'ieee-p1363' });
    return { keyVersion: version, signature: signature.toString('base64url') };
  }

  newestVersion(): Promise<Result<string, Failure>> {
    return Promise.resolve(ok(this.#sealKeys.at(-1)!.version));
  }

  async publicKey(keyVersion: string): Promise<Result<KeyObject | undefined, Failure>> {
    const refused = await this.#begin({ operation: 'publicKey', host: '', version: keyVersion });
    if (refused) return err(refused);
    const isUsable = !this.#disabledSealKeys.has(keyVersion);
    const found = this.#sealKeys.find(({ version }) => version === keyVersion && isUsable);
    return ok(found && keyFixture(found.name).publicKey);
  }

  async #begin(call: VaultCall, target?: VaultTarget): Promise<Failure | undefined> {
    this.calls.push(call);
    await this.onCall?.(call);
    const planned = this.#planned.find(
      ({ operation, host, left }) =>
        left > 0 && (operation === 'any' || operation === call.operation) && (host === undefined || host === call.host),
    );
    if (!planned) return undefined;
    planned.left -= 1;
    if (typeof planned.failure !== 'string') return planned.failure;
    return failure(planned.failure, target ? factsOf(target) : call.host === '' ? {} : { vaultHost: call.host });
  }

  async #find(operation: 'reach' | 'challengedTenant', host: string): Promise<Result<FakeVault, Failure>> {
    if (!mayBeAsked(host)) return err(hostNotAllowed(host));
    const refused = await this.#begin({ operation, host });
    if (refused) return err(refused);
    const vault = this.#vaults.get(host);
    return vault ? ok(vault) : err(failure('vault-not-found', { vaultHost: host, nameGone: true }));
  }

  /** In the order in which they are met: the vault's name, its challenge, Entra, and then the vault itself. */
  #denial(target: VaultTarget, action: string): Failure | undefined {
    const vault = this.#vaults.get(target.host);
    if (!vault) return failure('vault-not-found', { ...factsOf(target), nameGone: true });
    if (vault.tenantId !== target.tenantId) return wrongTenant(target, vault.tenantId);
    return this.#withoutToken(target) ?? (vault.roleAssigned ? undefined : noRole(target, action));
  }

  /** The app's own identity needs nobody's consent. */
  #withoutToken({ ref, tenantId, credential }: VaultTarget): Failure | undefined {
    if (ref.provider === 'managed' || credential?.kind === 'vendor-hosted') return undefined;
    const tenant = this.tenants.get(tenantId);
    const facts = { tenantId, appId: credential?.clientId ?? CONNECTOR_APP_ID };
    if (!tenant) return failure('entra-tenant-not-found', facts);
    if (credential?.kind === 'client-secret')
      return this.apps.withoutToken(credential, tenantId, (keyId, ciphertext) => this.peek(keyId, ciphertext));
    return tenant.consented ? undefined : failure('consent-required', facts);
  }

  #version(target: VaultTarget, version: string | undefined): FakeKeyVersion | undefined {
    const vault = this.#vaults.get(target.host);
    const versions = vault?.isBusy ? [] : (vault?.keys.get(target.keyName.toLowerCase()) ?? []);
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

/** Key Vault takes names in any case; the id is given back in the asker's spelling. */
function inSpellingOf({ host, keyName }: VaultTarget, described: VaultKey): VaultKey {
  const key = parseKeyId(described.keyId);
  const isSpelledOtherwise = key && key.keyName !== keyName && key.keyName.toLowerCase() === keyName.toLowerCase();
  return isSpelledOtherwise ? { ...described, keyId: `https://${host}/keys/${keyName}/${key.version}` } : described;
}
