// One company with data keys on the vendor's key, two customer vaults, and everything a switch needs, in memory.
import type { KeyProvider } from '../../../shared/providers/provider.ts';
import { asRead } from '../../fakes/providers.ts';
import { createSecretKey } from 'node:crypto';
import { DATA_KEY_NONCE_BYTES, unwrapDataKey, wrapDataKey } from '../../../shared/domain/data-key-blob.ts';
import type { DataKey } from '../../../shared/domain/data-key.ts';
import type { ProviderRef } from '../../../shared/domain/provider.ts';
import { keyringCells } from '../../../shared/store/rows/keyring-rows.ts';
import { switchCells } from '../../../shared/store/rows/switch-rows.ts';
import { dataKeyCells, readDataKey, readShard, shardCells } from '../../../shared/store/rows/data-rows.ts';
import {
  COMPANY_ROW_KEY,
  companyKeyRowKey,
  dataKeysPartition,
  keyringRowKey,
  switchRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import { companyKeyCells } from '../../../shared/store/rows/sealed-rows.ts';
import { counted, newShard, SHARD_ROW_KEY, shardOf, type Shard } from '../../../shared/domain/shard.ts';
import type { Keyring } from '../../../shared/domain/keyring.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { CompanyKeyCache } from '../../../shared/operations/keys/company-key-cache.ts';
import type { Cells, TableName, Tables } from '../../../shared/store/tables.ts';
import { handleSwitchWork, type WorkDependencies } from '../../../shared/operations/switches/work.ts';
import { passShard } from '../../../shared/operations/switches/pass.ts';
import { sealSwitch } from '../../../shared/operations/keys/switch-seal.ts';
import { makeWrap } from '../../../shared/operations/keys/make-wrap.ts';
import type { Policy } from '../../../shared/operations/world.ts';
import type { FakeClock } from '../../fakes/fake-system.ts';
import { consentedRows } from '../../fixtures/consented-connection.ts';
import type { KeyFixtureName } from '../../fixtures/key-fixtures.ts';
import { DAY_MS, POLICY } from '../../fixtures/policy.ts';
import { sealedCompanyCells } from '../../fixtures/sealed-company.ts';
import { TestWorld, VENDOR, type TestHost } from '../../world.ts';

export { VENDOR } from '../../world.ts';

export const COMPANY = 'acme';
export const KEYRING = 'default';
export const MANAGED: ProviderRef = { provider: 'managed' };
export const CONTOSO: ProviderRef = { provider: 'azure-key-vault', connectionId: 'contoso' };
export const FABRIKAM: ProviderRef = { provider: 'azure-key-vault', connectionId: 'fabrikam' };
export const CONTOSO_HOST = 'contoso.vault.azure.net';
export const FABRIKAM_HOST = 'fabrikam.vault.azure.net';
export const CUSTOMER_TENANT = '22222222-2222-4222-8222-222222222222';

const CACHE_TTL_MS = 5_000;
export const KEEP_MS = POLICY.keepMs;
/** A consent serves for longer than any test goes on: its age has tests of its own. */
const RIG_POLICY: Policy = { ...POLICY, keyTtlMs: CACHE_TTL_MS, consentMs: 365 * DAY_MS };
export const place = (switchId: string): { companyId: string; keyringId: string; switchId: string } => ({
  companyId: COMPANY,
  keyringId: KEYRING,
  switchId,
});

interface RigOptions {
  readonly shardCount?: number;
  readonly wrapTables?: (tables: Tables) => Tables;
  readonly sealKey?: KeyFixtureName;
  readonly clock?: FakeClock;
  /** Providers beside the product's own. */
  readonly others?: readonly KeyProvider[];
}

export class Rig extends TestWorld {
  readonly plaintexts = new Map<string, Buffer>();
  readonly shardCount: number;
  deps: WorkDependencies &
    Pick<TestHost, 'queue' | 'checkQueue' | 'checkPlaces' | 'denials' | 'ownNetwork' | 'askedChecks'>;

  private constructor(options: RigOptions) {
    super(options);
    this.shardCount = options.shardCount ?? 4;
    this.vaults.addVault({ host: CONTOSO_HOST, tenantId: CUSTOMER_TENANT });
    this.vaults.addKey({ host: CONTOSO_HOST, keyName: 'customer-key', fixture: 'rsa-2048-2' });
    this.vaults.addVault({ host: FABRIKAM_HOST, tenantId: CUSTOMER_TENANT });
    this.vaults.addKey({ host: FABRIKAM_HOST, keyName: 'customer-key', fixture: 'rsa-2048-3' });
    this.deps = this.freshHost(options.wrapTables?.(this.store));
  }

  /** A host process of its own: nothing in its caches. */
  freshHost(tables: Tables = this.store): TestHost {
    return this.startHost({ ...RIG_POLICY, shardCount: this.shardCount }, { tables });
  }

  static async withDataKeys(count: number, options: RigOptions = {}): Promise<Rig> {
    const rig = new Rig(options);
    await rig.#seedControl();
    await rig.#seedDataKeys(count);
    return rig;
  }

  async #seedControl(): Promise<void> {
    const createdAt = this.clock.now().toISOString();
    this.#put(
      'companies',
      COMPANY,
      COMPANY_ROW_KEY,
      sealedCompanyCells(this.vaults, {
        companyId: COMPANY,
        displayName: 'Acme',
        defaultKeyring: KEYRING,
        state: 'active',
        createdAt,
      }),
    );
    const keyring: Keyring = {
      keyringId: KEYRING,
      state: 'ready',
      shardCount: this.shardCount,
      provider: MANAGED,
      activeVersion: 1,
      highVersion: 1,
      generation: 0,
      rollBacks: 0,
      createdAt,
    };
    this.#put('companies', COMPANY, keyringRowKey(KEYRING), keyringCells(keyring));
    await this.connect('contoso', { host: CONTOSO_HOST });
    await this.connect('fabrikam', { host: FABRIKAM_HOST });
    await this.addCompanyKey(1);
    this.vaults.calls.length = 0;
  }

  /** Every version added so holds the same company key. */
  async addCompanyKey(version: number): Promise<void> {
    const vaultKey = await this.vaults.readKey(VENDOR);
    if (!vaultKey.ok) throw new Error('no vendor key');
    const context = { companyId: COMPANY, keyringId: KEYRING, version };
    const wrap = await makeWrap(
      { sealer: this.vaults, providers: this.deps.providers },
      {
        target: VENDOR,
        key: asRead(vaultKey.value),
        companyKey: this.#companyKey(),
        context,
      },
    );
    if (!wrap.ok) throw new Error('no wrap');
    const row = {
      ...context,
      wraps: [wrap.value],
      createdAt: this.clock.now().toISOString(),
    };
    this.#put('companies', COMPANY, companyKeyRowKey(KEYRING, version), companyKeyCells(row));
  }

  #companyKey(): Buffer {
    return Buffer.alloc(32, 7);
  }

  /** A connection as it is once it was tested and consented to, but for what is changed. */
  async connect(
    connectionId: string,
    change: { readonly host: string; readonly keyName?: string; readonly keySeen?: boolean },
  ): Promise<ProviderRef> {
    const rows = await consentedRows(this.vaults, {
      companyId: COMPANY,
      provider: 'azure-key-vault',
      connectionId,
      keyName: 'customer-key',
      tenantId: CUSTOMER_TENANT,
      credential: { kind: 'federated', clientId: '33333333-3333-4333-8333-333333333333' },
      usedBy: [],
      createdAt: this.clock.now().toISOString(),
      keySeen: true,
      ...change,
    });
    for (const { table, partitionKey, rowKey, cells } of rows) this.#put(table, partitionKey, rowKey, cells);
    return { provider: 'azure-key-vault', connectionId };
  }

  /** Works these shards as far as they go in generation 1, and tries no end. */
  async pass(switchId: string, ...shards: readonly number[]): Promise<void> {
    const deadline = new Date(this.clock.now().getTime() + this.deps.messageBudgetMs);
    for (const shard of shards) await passShard(this.deps, { ...place(switchId), shard }, { generation: 1, deadline });
  }

  async #seedDataKeys(count: number): Promise<void> {
    const now = this.clock.now().toISOString();
    const shards = Array.from({ length: this.shardCount }, () => newShard({ writeVersion: 1, now }));
    for (let index = 0; index < count; index += 1) {
      const keyId = `key-${String(index).padStart(6, '0')}`;
      const shard = shardOf(keyId, this.shardCount);
      const key = this.wrapped(keyId, 1);
      this.#put('datakeys', dataKeysPartition({ ...place(''), shard }), keyId, dataKeyCells(key));
      shards[shard] = counted(shards[shard]!, [{ after: key }]);
    }
    for (const [shard, value] of shards.entries()) {
      this.#put('datakeys', dataKeysPartition({ ...place(''), shard }), SHARD_ROW_KEY, shardCells(value, 'seed'));
    }
    return Promise.resolve();
  }

  /** A live data key under company key 1, whose plaintext is remembered. */
  wrapped(keyId: string, version: number): DataKey {
    const plaintext = Buffer.from(this.entropy.bytes(32));
    this.plaintexts.set(keyId, plaintext);
    const blob = wrapDataKey({
      companyKey: createSecretKey(this.#companyKey()),
      context: { companyId: COMPANY, keyringId: KEYRING, keyId, companyKeyVersion: version },
      nonce: this.entropy.bytes(DATA_KEY_NONCE_BYTES),
      plaintext,
    });
    return {
      keyId,
      state: 'live',
      origin: 'generated',
      blob,
      companyKeyVersion: version,
      previous: new Uint8Array(0),
      previousVersion: 0,
      createdBy: 'seed',
      writtenBy: 'seed',
      createdAt: this.clock.now().toISOString(),
    };
  }

  /** Changes a switch as Keyswitch itself would, under its seal. */
  async amendSwitch(switchId: string, change: Partial<Switch>): Promise<void> {
    const sw = await loadSwitch(this.store, place(switchId));
    const { calls } = this.vaults;
    const asked = calls.length;
    const sealed = await sealSwitch({ sealer: this.vaults }, place(switchId), { ...sw!.value, ...change });
    calls.length = asked;
    if (!sealed.ok) throw new Error(sealed.error.code);
    this.#put('companies', COMPANY, switchRowKey(KEYRING, switchId), switchCells(sealed.value));
  }

  /** Writes cells of a switch's row as somebody with access to the tables could: its seal stays what it was. */
  async tamperSwitch(switchId: string, change: Partial<Switch>): Promise<void> {
    const sw = await loadSwitch(this.store, place(switchId));
    this.#put('companies', COMPANY, switchRowKey(KEYRING, switchId), switchCells({ ...sw!.value, ...change }));
  }

  /** Writes cells of a shard's row as somebody with access to the tables could. */
  async tamperShard(shard: number, change: Partial<Shard>): Promise<void> {
    const cells = shardCells({ ...(await this.shards())[shard]!, ...change }, 'somebody');
    this.#put('datakeys', dataKeysPartition({ ...place(''), shard }), SHARD_ROW_KEY, cells);
  }

  #put(table: TableName, partitionKey: string, rowKey: string, cells: Cells): void {
    this.store.tamper(table, partitionKey, rowKey, cells);
  }

  shardOf(keyId: string): number {
    return shardOf(keyId, this.shardCount);
  }

  partitionOf(keyId: string): string {
    return dataKeysPartition({ ...place(''), shard: this.shardOf(keyId) });
  }

  async dataKey(keyId: string): Promise<DataKey> {
    const row = await this.store.read('datakeys', this.partitionOf(keyId), keyId);
    if (!row) throw new Error(`no row ${keyId}`);
    return readDataKey(keyId, row.cells);
  }

  async tamperDataKey(keyId: string, change: Cells): Promise<void> {
    const row = await this.store.read('datakeys', this.partitionOf(keyId), keyId);
    this.store.tamper('datakeys', this.partitionOf(keyId), keyId, { ...row?.cells, ...change });
  }

  async shards(): Promise<Shard[]> {
    const rows = Array.from({ length: this.shardCount }, (_, shard) =>
      this.store.read('datakeys', dataKeysPartition({ ...place(''), shard }), SHARD_ROW_KEY),
    );
    return (await Promise.all(rows)).map((row) => readShard(row?.cells ?? {}));
  }

  /** Works messages until none is left, delayed ones included, or until `enough` says so. */
  async drain(
    options: { readonly enough?: () => boolean | Promise<boolean>; readonly most?: number } = {},
  ): Promise<number> {
    let worked = 0;
    for (let message = this.queue.take(); message; message = this.queue.take()) {
      await handleSwitchWork(this.deps, message);
      worked += 1;
      if (worked >= (options.most ?? 500)) throw new Error('the queue does not run empty');
      if (await options.enough?.()) return worked;
    }
    return worked;
  }

  /** How many data keys a caller with nothing cached opens to the bytes they had at first. */
  async openByCaller(): Promise<number> {
    const cache = new CompanyKeyCache({ ...this.deps, tables: this.store }, { ttlMs: CACHE_TTL_MS });
    let opened = 0;
    for (const [keyId, expected] of this.plaintexts) {
      const key = await this.dataKey(keyId);
      const context = { companyId: COMPANY, keyringId: KEYRING, version: key.companyKeyVersion };
      const companyKey = await cache.get(context);
      if (!companyKey.ok) continue;
      const plaintext = unwrapDataKey({
        companyKey: companyKey.value,
        context: { companyId: COMPANY, keyringId: KEYRING, keyId, companyKeyVersion: key.companyKeyVersion },
        blob: key.blob,
      });
      if (plaintext?.equals(expected)) opened += 1;
    }
    return opened;
  }
}
