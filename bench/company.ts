// One company whose data keys are to be re-protected, over whatever tables a benchmark brings: vaults and queue are in memory,
// everything that is measured is the product's own. Counts vault calls and messages.
import type { Providers } from '../shared/providers/provider.ts';
import { asRead, providersOver } from '../test/fakes/providers.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { createSecretKey, privateDecrypt, constants, type KeyObject } from 'node:crypto';
import { openCompanyKey, type Wrap } from '../shared/domain/company-key.ts';
import type { ProviderRef, VaultTarget } from '../shared/domain/provider.ts';
import type { WorkMessage } from '../shared/domain/work-message.ts';
import { systemClock, systemTimers } from '../shared/adapters/system.ts';
import { createHost, type Host } from '../shared/host.ts';
import { ADMIN } from '../test/fakes/actors.ts';
import { loadCompanyKeyRow, loadSwitch } from '../shared/store/control-state.ts';
import { wrapOf } from '../shared/operations/keys/open-wrap.ts';
import type { Tables } from '../shared/store/tables.ts';
import type { Clock, WorkQueue } from '../shared/domain/ports.ts';
import type { Unwrapping } from '../shared/operations/data-keys/unwrap.ts';
import { handleSwitchWork, type WorkDependencies } from '../shared/operations/switches/work.ts';
import { startSwitch } from '../shared/operations/switches/start.ts';
import { makeWrap } from '../shared/operations/keys/make-wrap.ts';
import type { Policy, World } from '../shared/operations/world.ts';
import { consentedRows, type SeededRow } from '../test/fixtures/consented-connection.ts';
import { DAY_MS, POLICY } from '../test/fixtures/policy.ts';
import { sealsOfCompany } from '../test/fixtures/sealed-company.ts';
import { FakeLog } from '../test/fakes/fake-system.ts';
import { FakeVaults, type FakeKeyVersion } from '../test/fakes/fake-vaults.ts';
import { companyRows, KEYRING } from './seeded-company.ts';
import { SeededEntropy } from './seeded-entropy.ts';

const VENDOR: VaultTarget = {
  ref: { provider: 'managed' },
  host: 'vendor.vault.azure.net',
  keyName: 'keyswitch-kek',
  tenantId: '11111111-1111-4111-8111-111111111111',
};
const MANAGED: ProviderRef = { provider: 'managed' };
const CONTOSO = { provider: 'azure-key-vault', connectionId: 'contoso' } as const;
/** A vault key belongs to one company, and several may share the tables of a benchmark. */
const hostOf = (companyId: string): string => `contoso-${companyId}.vault.azure.net`;
const CUSTOMER_TENANT = '22222222-2222-4222-8222-222222222222';
const CREATED_AT = '2026-01-01T00:00:00.000Z';

export interface SwitchRun {
  readonly seconds: number;
  readonly messages: number;
  /** Of all vaults: key reads, unwraps and signatures. The public half of the seal key is asked once per process. */
  readonly vaultCalls: number;
}

/** A kept company key goes after a day: a benchmark waits for none. */
const BENCH_POLICY: Policy = { ...POLICY, shardCount: 64, keepMs: DAY_MS };
/** Sixteen messages at once, as host.json lets a host work. */
const MESSAGES_AT_ONCE = 16;

class CountingQueue implements WorkQueue {
  readonly waiting: WorkMessage[] = [];
  /** Messages that gave their place back and come again. */
  readonly delayed = new Set<Promise<void>>();
  sent = 0;

  send(messages: readonly WorkMessage[], { delayMs = 0 }: { readonly delayMs?: number } = {}): Promise<void> {
    this.sent += messages.length;
    if (delayMs === 0) {
      this.waiting.push(...messages);
      return Promise.resolve();
    }
    const coming = delay(delayMs).then(() => {
      this.delayed.delete(coming);
      this.waiting.push(...messages);
    });
    this.delayed.add(coming);
    return Promise.resolve();
  }
}

export class BenchCompany {
  readonly companyId: string;
  readonly #tables: Tables;
  readonly #vaults = new FakeVaults();
  readonly #entropy: SeededEntropy;
  readonly #firstKey: Uint8Array;
  readonly #vendorKey: FakeKeyVersion;
  #switches = 0;

  private constructor(tables: Tables, options: { readonly companyId: string }) {
    this.companyId = options.companyId;
    this.#tables = tables;
    this.#entropy = new SeededEntropy(options.companyId);
    this.#firstKey = this.#entropy.bytes(32);
    this.#vaults.addVault({ host: VENDOR.host, tenantId: VENDOR.tenantId });
    this.#vendorKey = this.#vaults.addKey({ host: VENDOR.host, keyName: VENDOR.keyName, fixture: 'rsa-2048-1' });
    const host = hostOf(this.companyId);
    this.#vaults.addVault({ host, tenantId: CUSTOMER_TENANT });
    this.#vaults.addKey({ host, keyName: 'customer-key', fixture: 'rsa-2048-2' });
  }

  /** Writes the control rows and the `!shard` rows; the data keys are the benchmark's own affair. */
  static async create(
    tables: Tables,
    options: { readonly companyId: string; readonly shardCount: number; readonly rowCount: (shard: number) => number },
  ): Promise<BenchCompany> {
    const company = new BenchCompany(tables, options);
    await company.#insert(await company.#connectionRows());
    const { companyId } = company;
    const wrap = await company.#firstWrap();
    const made = { ...options, companyId, provider: MANAGED, wrap, createdAt: CREATED_AT };
    await company.#insert(companyRows({ ...made, seals: sealsOfCompany(company.#vaults, { companyId }) }));
    return company;
  }

  /** A switch to the other provider, from the order to its end. Throws unless it completes. */
  async switchProvider(): Promise<SwitchRun> {
    const queue = new CountingQueue();
    const { ofWorkers: deps } = this.#freshHost({ clock: systemClock, queue });
    this.#vaults.calls.length = 0;
    this.#switches += 1;
    const place = { companyId: this.companyId, keyringId: KEYRING, switchId: `switch-${this.#switches}` };
    const target = this.#switches % 2 === 1 ? CONTOSO : MANAGED;
    const begun = performance.now();
    const started = await startSwitch(deps, { ...place, target }, ADMIN);
    if (!started.ok) throw new Error(`the switch was refused: ${JSON.stringify(started.error)}`);
    await work(deps, queue);
    const seconds = (performance.now() - begun) / 1000;
    const ended = await loadSwitch(this.#tables, place);
    if (ended?.value.state !== 'completed') throw new Error(`the switch is ${ended?.value.state ?? 'gone'}`);
    return {
      seconds,
      messages: queue.sent,
      vaultCalls: this.#vaults.calls.filter(({ operation }) => operation !== 'publicKey').length,
    };
  }

  /** The company key of a version, past every vault: for a store that makes its rows as they are read. */
  async companyKey(version: number): Promise<KeyObject> {
    if (version === 1) return createSecretKey(this.#firstKey);
    const context = { companyId: this.companyId, keyringId: KEYRING, version };
    const row = await loadCompanyKeyRow(this.#tables, context);
    const wrap = row?.value && wrapOf(row.value, MANAGED);
    if (!wrap) throw new Error(`no company key ${version}`);
    const key = this.#vendorKey.privateKey;
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const payload = privateDecrypt({ key, padding, oaepHash: 'sha256' }, Buffer.from(wrap.ciphertext, 'base64url'));
    const opened = openCompanyKey(payload, { ...context, commitment: wrap.commitment });
    if (!opened) throw new Error(`company key ${version} does not open`);
    return opened;
  }

  /** What a host needs to unwrap, with nothing in its caches; `onVaultCall` runs before the vault answers. */
  coldReader(
    clock: Clock,
    onVaultCall: () => Promise<void>,
  ): { readonly deps: Unwrapping; readonly calls: () => number } {
    const vaults = this.#vaults;
    vaults.calls.length = 0;
    vaults.onCall = (call) => (call.operation === 'unwrap' ? onVaultCall() : undefined);
    const { services: deps } = this.#freshHost({ clock, queue: new CountingQueue() });
    return { deps, calls: () => vaults.countOf('unwrap') };
  }

  /** A host process of its own: nothing in its caches. */
  #freshHost({ clock, queue }: Pick<World, 'clock' | 'queue'>): Host<World, Policy> {
    const world: World = {
      tables: this.#tables,
      storeClock: { aheadMs: () => 0 },
      queue,
      checkQueue: { send: () => Promise.resolve() },
      providers: this.#providers(clock),
      sealer: this.#vaults,
      clock,
      timers: systemTimers,
      entropy: this.#entropy,
      log: new FakeLog(),
      instance: 'bench',
    };
    return createHost(world, BENCH_POLICY);
  }

  #providers(clock: Clock): Providers {
    return providersOver({ vaults: this.#vaults, vendor: VENDOR, clock });
  }

  #connectionRows(): Promise<readonly SeededRow[]> {
    return consentedRows(this.#vaults, {
      companyId: this.companyId,
      ...CONTOSO,
      host: hostOf(this.companyId),
      keyName: 'customer-key',
      tenantId: CUSTOMER_TENANT,
      credential: { kind: 'federated', clientId: '33333333-3333-4333-8333-333333333333' },
      usedBy: [],
      createdAt: systemClock.now().toISOString(),
      keySeen: true,
    });
  }

  async #firstWrap(): Promise<Wrap> {
    const context = { companyId: this.companyId, keyringId: KEYRING, version: 1 };
    const vaultKey = await this.#vaults.readKey(VENDOR);
    if (!vaultKey.ok) throw new Error('no vendor key');
    const companyKey = this.#firstKey;
    const making = { sealer: this.#vaults, providers: this.#providers(systemClock) };
    const wrap = await makeWrap(making, { target: VENDOR, key: asRead(vaultKey.value), companyKey, context });
    if (!wrap.ok) throw new Error('no wrap');
    return wrap.value;
  }

  async #insert(rows: readonly SeededRow[]): Promise<void> {
    for (const { table, partitionKey, rowKey, cells } of rows) {
      const written = await this.#tables.write(table, partitionKey, [{ kind: 'insert', rowKey, cells }]);
      if (written.outcome !== 'committed') throw new Error(`${rowKey} could not be written: ${written.outcome}`);
    }
  }
}

/** Until no message is left and none is being worked on. */
async function work(deps: WorkDependencies, queue: CountingQueue): Promise<void> {
  const underWay = new Set<Promise<void>>();
  while (queue.waiting.length > 0 || underWay.size > 0 || queue.delayed.size > 0) {
    const message = underWay.size < MESSAGES_AT_ONCE ? queue.waiting.shift() : undefined;
    if (!message) {
      await Promise.race([...underWay, ...queue.delayed]);
      continue;
    }
    const working = handleSwitchWork(deps, message).finally(() => underWay.delete(working));
    underWay.add(working);
  }
}
