// A host process of the simulation: the product's own services with caches of their own, over ports that wait for their turn. Each kind
// of work has ports of its own, so that it is known who calls.
import type { Providers } from '../../shared/providers/provider.ts';
import { aheadOf } from '../fakes/fake-system.ts';
import { providersOver } from '../fakes/providers.ts';
import { createHost } from '../../shared/host.ts';
import type { Log, LogEntry } from '../../shared/domain/ports.ts';
import { ClockGuard } from '../../shared/store/clock-guard.ts';
import type { Generating } from '../../shared/operations/data-keys/generate.ts';
import type { Notifying } from '../../shared/operations/notifications/sweep-notifications.ts';
import type { PurgeSweeping } from '../../shared/operations/companies/sweep-purges.ts';
import type { WorkDependencies } from '../../shared/operations/switches/work.ts';
import type { SweepDependencies } from '../../shared/operations/switches/sweep.ts';
import type { Following } from '../../shared/operations/watch/follow-key-version.ts';
import type { PlacedDependencies } from '../../shared/operations/watch/check-in-place.ts';
import type { Denials } from '../../shared/operations/keys/denials.ts';
import type { Policy } from '../../shared/operations/world.ts';
import { VENDOR } from '../operations/switches/rig.ts';
import { EXPORT_ALLOWANCE_MS, KEEP_MS } from './check-control.ts';
import { SimEntropy } from './entropy.ts';
import type { PortWorld } from './port-world.ts';
import { SimQueue, SimSealer, SimTables, SimTimers, SimVaults } from './ports.ts';
import type { Actor, SimProcess } from './scheduler.ts';

export type Role = 'worker' | 'caller' | 'admin' | 'timer';

export type Services = Generating &
  WorkDependencies &
  SweepDependencies &
  PurgeSweeping &
  PlacedDependencies &
  Omit<Notifying, 'webhookSender' | 'apiUrl'> &
  Following & { readonly restoreDays: number; readonly denials: Denials };

export interface Host {
  readonly process: SimProcess;
  readonly services: Readonly<Record<Role, Services>>;
  /** The timer's, where the host's clock is weeks ahead. */
  readonly strayTimer: Services;
  readonly actors: Readonly<Record<Role, Actor>>;
  /** Rejects when the process dies, for who waits for its answer. */
  readonly died: Promise<never>;
  readonly onDeath: () => void;
}

/** The connection to the host was closed. */
export class HostDied extends Error {}

class SimLog implements Log {
  readonly #world: PortWorld;

  constructor(world: PortWorld) {
    this.#world = world;
  }

  write(entry: LogEntry): void {
    this.#world.mustHoldNoKey('line of the log', entry);
  }
}

/** Longer than any run: what is too old is not this world's affair. */
const CONSENT_MS = 365 * 24 * 3_600_000;
/** Any key that is deleted would be due. */
const STRAY_MS = 60 * 24 * 3_600_000;
const STUCK_AFTER_MS = 120_000;
/** More than any world has of anything. Making room for ten thousand in each new process took a seventh of all the time. */
const MAX_ENTRIES = 100;

export function startHost(world: PortWorld, name: string): Host {
  const { clock, plan } = world;
  const process: SimProcess = { name, state: 'running', thawsAtStep: 0 };
  const entropy = new SimEntropy(`${plan.seed}-${name}`);
  const log = new SimLog(world);
  const ports = (role: Role): ReturnType<typeof portsOf> => portsOf(world, { role, process });
  // The timer finds every vault that a message would have named.
  const checkQueue = { send: () => Promise.resolve() };
  const around = { storeClock: { aheadMs: () => 0 }, checkQueue, clock, entropy, log, instance: name };
  // Callers' ports behind what they share with admins and timers.
  const { services, ofWorkers } = createHost({ ...around, ...ports('caller') }, policyOf(world), ports('worker'));
  const timer = { ...services, ...ports('timer') };
  const strayClock = aheadOf(clock, STRAY_MS);
  const strayGuard = new ClockGuard({ storeClock: { aheadMs: () => -STRAY_MS }, clock: strayClock, log });
  const { promise: died, reject } = Promise.withResolvers<never>();
  died.catch(() => undefined);
  return {
    process,
    services: {
      caller: services,
      worker: ofWorkers,
      admin: { ...services, ...ports('admin') },
      timer,
    },
    strayTimer: { ...timer, clock: strayClock, clockGuard: strayGuard },
    actors: {
      caller: { role: 'caller', process },
      worker: { role: 'worker', process },
      admin: { role: 'admin', process },
      timer: { role: 'timer', process },
    },
    died,
    onDeath: () => reject(new HostDied()),
  };
}

const policyOf = ({ plan }: PortWorld): Policy => ({
  keyTtlMs: plan.cacheTtlMs,
  outageGraceMs: plan.outageGraceMs,
  dataKeyCacheRows: plan.cachedRows,
  maxCacheEntries: MAX_ENTRIES,
  backOff: { firstMs: 1_000, lastMs: 60_000 },
  messageBudgetMs: plan.messageBudgetMs,
  endLeaseMs: plan.endLeaseMs,
  consentMs: CONSENT_MS,
  verificationMs: 24 * 3_600_000,
  exportAllowanceMs: EXPORT_ALLOWANCE_MS,
  keepMs: KEEP_MS,
  restoreDays: plan.restoreDays,
  stuckAfterMs: STUCK_AFTER_MS,
  checkConcurrency: 4,
  unusualKeys: 10_000,
  shardCount: plan.shardCount,
});

function portsOf(
  world: PortWorld,
  actor: Actor,
): {
  readonly tables: SimTables;
  readonly providers: Providers;
  readonly sealer: SimSealer;
  readonly queue: SimQueue;
  readonly timers: SimTimers;
} {
  return {
    tables: new SimTables(world, actor),
    providers: providersOver({ vaults: new SimVaults(world, actor), vendor: VENDOR, clock: world.clock }),
    sealer: new SimSealer(world, actor),
    queue: new SimQueue(world, actor),
    timers: new SimTimers(world, actor),
  };
}
