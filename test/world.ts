// A vendor with Keyswitch in memory: a fake of every port, and host processes of the product over them. What the tests of a room need
// beside, a company with its keys or a vault of a customer's, is a scene over this.
import type { CheckMessage } from '../shared/domain/check-message.ts';
import type { KeyTarget, VaultTarget } from '../shared/domain/provider.ts';
import { createHost, type Host } from '../shared/host.ts';
import type { Policy, World } from '../shared/operations/world.ts';
import type { KeyProvider, Providers } from '../shared/providers/provider.ts';
import type { Tables } from '../shared/store/tables.ts';
import { FakeQueue } from './fakes/fake-queue.ts';
import { aheadOf, FakeClock, FakeEntropy, FakeLog, FakeTimers } from './fakes/fake-system.ts';
import { FakeTables } from './fakes/fake-tables.ts';
import { FakeVaults } from './fakes/fake-vaults.ts';
import { providersOver } from './fakes/providers.ts';
import type { KeyFixtureName } from './fixtures/key-fixtures.ts';

export const VENDOR: VaultTarget = {
  ref: { provider: 'managed' },
  host: 'vendor.vault.azure.net',
  keyName: 'keyswitch-kek',
  tenantId: '11111111-1111-4111-8111-111111111111',
};

type Ports = World & { readonly queue: FakeQueue; readonly checkQueue: FakeQueue<CheckMessage> };

/** What operations take of a process. */
export type TestHost = Host<Ports, Policy>['services'];

interface TestWorldOptions {
  readonly store?: FakeTables;
  readonly clock?: FakeClock;
  /** Of what is drawn by chance, which repeats. */
  readonly seed?: string;
  readonly sealKey?: KeyFixtureName;
  readonly vendor?: KeyTarget & { readonly tenantId: string };
  /** Providers beside the product's own. */
  readonly others?: readonly KeyProvider[];
}

interface ProcessOptions {
  readonly tables?: Tables;
  /** Its clock is so far ahead of the store's. */
  readonly aheadMs?: number;
  readonly instance?: string;
}

export class TestWorld {
  readonly store: FakeTables;
  readonly clock: FakeClock;
  readonly vaults: FakeVaults;
  readonly queue: FakeQueue;
  readonly checkQueue: FakeQueue<CheckMessage>;
  readonly entropy: FakeEntropy;
  readonly log = new FakeLog();
  readonly #vendor: KeyTarget;
  readonly #others: readonly KeyProvider[];

  constructor(options: TestWorldOptions = {}) {
    const { vendor = VENDOR } = options;
    this.store = options.store ?? new FakeTables();
    this.clock = options.clock ?? new FakeClock();
    this.vaults = new FakeVaults(options);
    this.queue = new FakeQueue(this.clock);
    this.checkQueue = new FakeQueue(this.clock);
    this.entropy = new FakeEntropy(options.seed);
    this.#vendor = vendor;
    this.#others = options.others ?? [];
    this.vaults.addVault(vendor);
    this.vaults.addKey({ host: vendor.host, keyName: vendor.keyName, fixture: 'rsa-2048-1' });
  }

  /** The product's own, over the vaults of this world; with another policy where one is named. */
  providers(
    policy: Pick<Parameters<typeof providersOver>[0], 'connectionPolicy' | 'keyPolicy' | 'others'> = {},
  ): Providers {
    return providersOver({
      vaults: this.vaults,
      vendor: this.#vendor,
      clock: this.clock,
      others: this.#others,
      ...policy,
    });
  }

  /** What a process is given of this world. */
  ports({ tables = this.store, aheadMs = 0, instance = 'host' }: ProcessOptions = {}): Ports {
    const { clock } = this;
    return {
      tables,
      storeClock: { aheadMs: () => 0 - aheadMs },
      queue: this.queue,
      checkQueue: this.checkQueue,
      providers: this.providers(),
      sealer: this.vaults,
      clock: aheadMs === 0 ? clock : aheadOf(clock, aheadMs),
      timers: new FakeTimers(),
      entropy: this.entropy,
      log: this.log,
      instance,
    };
  }

  /** A host process of its own, with nothing in its caches, and with these ports `beside` those of every process. */
  startHost<P extends Policy, B extends object = object>(
    policy: P,
    options: ProcessOptions & { readonly beside?: B } = {},
  ): Host<Ports & B, P>['services'] {
    const { beside = {} as B, ...process } = options;
    return createHost({ ...this.ports(process), ...beside }, policy).services;
  }
}
