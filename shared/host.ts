// One process of the app: what its operations share and keep between calls, built once over the given world. The app, the simulation and the
// benchmarks all take their operations from here. Correctness needs nothing that is kept.
import { DataKeyCalls } from './operations/audit/data-key-calls.ts';
import { EventLimits } from './store/event-limits.ts';
import { ClockGuard } from './store/clock-guard.ts';
import { AskedChecks } from './operations/keys/ask-check.ts';
import { Denials } from './operations/keys/denials.ts';
import { CompanyKeyCache } from './operations/keys/company-key-cache.ts';
import { KeyringShards } from './operations/data-keys/keyring-shards.ts';
import { ShardWriter } from './operations/data-keys/shard-writer.ts';
import { WrappedRows } from './operations/data-keys/wrapped-rows.ts';
import { CheckPlaces } from './operations/watch/check-places.ts';
import { OwnNetwork } from './operations/watch/own-network.ts';
import { KeptKeys } from './operations/keys/kept-keys.ts';
import { Readiness } from './store/readiness.ts';
import { silently } from './providers/silent.ts';
import { Throttling } from './providers/throttling.ts';
import { pageSlots } from './operations/switches/page-slots.ts';
import { VaultPermits } from './operations/switches/vault-permits.ts';
import { WorkerKeys } from './operations/keys/worker-keys.ts';
import { VaultWaits } from './operations/keys/vault-waits.ts';
import { ReceiverRests } from './operations/notifications/receiver-rests.ts';
import { SigningKeys } from './operations/notifications/signing-keys.ts';
import { Unwatched } from './operations/notifications/unwatched.ts';
import type { Policy, World } from './operations/world.ts';

/** What a process keeps: caches, limits and permits. */
interface Kept {
  readonly vaultWaits: VaultWaits;
  readonly askedChecks: AskedChecks;
  readonly checkPlaces: CheckPlaces;
  readonly denials: Denials;
  readonly ownNetwork: OwnNetwork;
  readonly companyKeys: CompanyKeyCache;
  readonly eventLimits: EventLimits;
  readonly clockGuard: ClockGuard;
  readonly keptKeys: KeptKeys;
  readonly keyringShards: KeyringShards;
  readonly wrappedRows: WrappedRows;
  readonly shardWriter: ShardWriter;
  readonly workerKeys: WorkerKeys;
  readonly pageSlots: ReturnType<typeof pageSlots>;
  readonly vaultPermits: VaultPermits;
  readonly dataKeyCalls: DataKeyCalls;
  readonly readiness: Readiness;
  readonly throttling: Throttling;
  readonly signingKeys: SigningKeys;
  readonly receiverRests: ReceiverRests;
  readonly unwatched: Unwatched;
}

/** The ports for workers of switches, separate where the calls of each kind of work are told apart. */
type WorkerPorts = Pick<World, 'tables' | 'queue' | 'providers' | 'sealer' | 'timers'>;

/** `W` and `P`: world and policy, extended by their owner for operations of its own. */
export interface Host<W extends World, P extends Policy> {
  /** What every operation takes. */
  readonly services: W & P & Kept;
  /** The same for the workers of switches, which skip a vault that has just failed to answer. */
  readonly ofWorkers: Host<W, P>['services'];
  /** The same for the rounds of vault checks, which leave a vault alone for as long as it asks. */
  readonly ofChecks: Host<W, P>['services'];
}

/** Makes no calls: the parts call the world when they are called. */
export function createHost<W extends World, P extends Policy>(
  world: W,
  policy: P,
  workerPorts: WorkerPorts = world,
): Host<W, P> {
  const { tables, clock, timers, entropy, log, storeClock, instance } = world;
  const { keyTtlMs: ttlMs, outageGraceMs: graceMs, maxCacheEntries, maxDataKeysPerKeyring } = policy;
  const throttling = new Throttling(clock);
  const workers: WorkerPorts = {
    tables: workerPorts.tables,
    queue: workerPorts.queue,
    sealer: workerPorts.sealer,
    timers: workerPorts.timers,
    providers: workerPorts.providers
      .through(throttling.watched)
      .through(throttling.considerate)
      .through(silently(clock)),
  };
  const bound = maxCacheEntries === undefined ? {} : { maxEntries: maxCacheEntries };
  const own: W = { ...world, providers: world.providers.through(throttling.watched) };
  const vaultWaits = new VaultWaits();
  const askedChecks = new AskedChecks(world);
  const denials = new Denials({ tables, clock, log });
  const companyKeys = new CompanyKeyCache({ ...own, denials, askedChecks }, { ttlMs, graceMs, vaultWaits, ...bound });
  const eventLimits = new EventLimits(clock, maxCacheEntries === undefined ? {} : { maxBudgets: maxCacheEntries });
  const keptKeys = new KeptKeys({ ...own, eventLimits }, companyKeys);
  const workerKeys = new WorkerKeys({ ...own, ...workers }, { ttlMs });
  denials.hold(companyKeys, keptKeys, workerKeys);
  const services = {
    ...own,
    ...policy,
    throttling,
    vaultWaits,
    askedChecks,
    denials,
    checkPlaces: new CheckPlaces(timers, policy.checkConcurrency),
    ownNetwork: new OwnNetwork(world),
    companyKeys,
    eventLimits,
    clockGuard: new ClockGuard({ storeClock, clock, log }),
    keptKeys,
    keyringShards: new KeyringShards({ tables, clock }, { ttlMs, ...bound }),
    wrappedRows: new WrappedRows({ tables, clock }, { rows: policy.dataKeyCacheRows, ttlMs }),
    shardWriter: new ShardWriter(
      { tables, companyKeys, timers, entropy, log },
      maxDataKeysPerKeyring === undefined ? {} : { maxDataKeysPerKeyring },
    ),
    workerKeys,
    pageSlots: pageSlots(clock),
    vaultPermits: new VaultPermits(timers, clock),
    dataKeyCalls: new DataKeyCalls(clock, instance),
    readiness: new Readiness({ tables, clock, storeClock, log }),
    signingKeys: new SigningKeys(world, { ttlMs, ...bound }),
    receiverRests: new ReceiverRests(clock),
    unwatched: new Unwatched(clock),
  };
  const ofChecks = { ...services, providers: own.providers.through(throttling.considerate) };
  return { services, ofWorkers: { ...services, ...workers }, ofChecks };
}
