// One simulated world: the store, the vaults, the queue and the clock; host processes over them; and those who check every write. Faults
// and deaths happen as the seed's plan says, until it is told that they stop.
import type { Failure } from '../../shared/domain/failure.ts';
import type { Cells, RowWrite, TableName, WriteOutcome } from '../../shared/store/tables.ts';
import { DENIAL_PREFIX } from '../../shared/store/rows/denial-rows.ts';
import { FakeClock } from '../fakes/fake-system.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';
import type { FakeVaults } from '../fakes/fake-vaults.ts';
import { COMPANY, Rig } from '../operations/switches/rig.ts';
import { Broker } from './broker.ts';
import { Chance } from './chance.ts';
import { AuditCheck } from './check-audit.ts';
import { CallBudget } from './call-budget.ts';
import { ControlCheck } from './check-control.ts';
import { TenantCheck } from './check-tenants.ts';
import { DataCheck } from './check-data.ts';
import { Coverage } from './coverage.ts';
import { holdsKeyMaterial } from './entropy.ts';
import { History, type CompanyKeys } from './history.ts';
import { startHost, type Host } from './host.ts';
import { writeAsAzure } from './write-as-azure.ts';
import { NO_FAULTS, type FaultRates, type Plan } from './plan.ts';
import type { Death, Place, Way } from '../fixtures/places-to-die.ts';
import type { PortWorld } from './port-world.ts';
import { Scheduler, type Actor, type Point } from './scheduler.ts';

const LONGEST_FREEZE_STEPS = 900;
const MAX_HOSTS_EVER = 14;

/** A row of a copy of the tables. */
export interface CopiedRow {
  readonly table: TableName;
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly cells: Cells;
}

export class World implements PortWorld {
  readonly plan: Plan;
  readonly clock: FakeClock;
  readonly store: FakeTables;
  readonly vaults: FakeVaults;
  readonly broker: Broker;
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly control: ControlCheck;
  readonly data: DataCheck;
  readonly audit: AuditCheck;
  readonly tenants: TenantCheck;
  readonly coverage: Coverage;
  readonly budget: CallBudget;
  /** For faults; who goes next is the scheduler's own. */
  readonly chance: Chance;
  /** Whose clock is wrong. */
  readonly clocks: Chance;
  readonly hosts: Host[] = [];
  /** Copies of the tables, whole as far as they go and of no one instant. */
  readonly copies: (readonly CopiedRow[])[] = [];
  readonly #troubles = new Map<string, Failure>();
  readonly #passed = new Map<string, number>();
  readonly #trace: ((line: string) => void) | undefined;
  readonly #onStart: (world: World, host: Host) => void;
  #hostsEver = 0;
  #hash = 0x811c9dc5;
  /** While true, faults and deaths happen. */
  stormy = true;
  /** How many transactions of workers on data keys were committed: what an admin waits for before he changes his mind. */
  passWrites = 0;

  private constructor(
    rig: Rig,
    options: {
      readonly plan: Plan;
      readonly trace: ((line: string) => void) | undefined;
      readonly onStart: (world: World, host: Host) => void;
    },
  ) {
    const { plan, trace, onStart } = options;
    this.plan = plan;
    this.#trace = trace;
    this.#onStart = onStart;
    this.clock = new FakeClock();
    this.store = rig.store;
    this.vaults = rig.vaults;
    this.chance = new Chance(plan.seed, 'faults');
    this.clocks = new Chance(plan.seed, 'clocks');
    this.coverage = new Coverage();
    this.history = new History(() => `step ${this.scheduler.steps}`);
    this.budget = new CallBudget(this.history, plan);
    this.scheduler = new Scheduler({
      clock: this.clock,
      chance: new Chance(plan.seed, 'schedule'),
      stickiness: plan.stickiness,
      jumpRate: plan.jumpRate,
      mayGo: (actor, point) => this.#mayGo(actor, point),
      onStep: (actor, point) => this.#onStep(actor, point),
    });
    this.broker = new Broker(this.clock, new Chance(plan.seed, 'queue'), () => this.faults);
    this.scheduler.wakeUps.push(() => this.broker.nextDueMs());
    const keys: CompanyKeys = new Map();
    this.control = new ControlCheck(this.store, this.vaults, keys, this.history);
    this.data = new DataCheck(this.store, keys, this.history);
    this.control.data = this.data;
    this.audit = new AuditCheck(this.store, this.vaults, this.history);
    this.tenants = new TenantCheck(this.store, this.history);
  }

  static async begin(
    plan: Plan,
    options: { readonly trace?: (line: string) => void; readonly onStart: (world: World, host: Host) => void },
  ): Promise<World> {
    const rig = await Rig.withDataKeys(plan.dataKeys, { shardCount: plan.shardCount, sealKey: 'rsa-1024-1' });
    const world = new World(rig, { plan, trace: options.trace, onStart: options.onStart });
    const stored = [...world.store.dump()];
    world.control.written(
      stored.flatMap(({ table, rowKey }) => (table === 'companies' ? [rowKey] : [])),
      world.clock.now().getTime(),
    );
    for (const { table, partitionKey, rowKey } of stored) {
      if (table === 'datakeys' && rowKey.startsWith('!')) {
        const rows = stored.filter((row) => row.table === 'datakeys' && row.partitionKey === partitionKey);
        world.data.written(
          partitionKey,
          rows.map((row) => row.rowKey),
          '',
        );
      }
    }
    for (const [keyId, plaintext] of rig.plaintexts) {
      if (world.history.plaintexts.get(keyId) !== plaintext.toString('hex')) throw new Error(`bad seed row ${keyId}`);
      world.history.returned.add(keyId);
    }
    for (let index = 0; index < plan.processes; index += 1) world.startHost();
    return world;
  }

  get faults(): FaultRates {
    return this.stormy ? this.plan.faults : NO_FAULTS;
  }

  get traceHash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** A running host, or one that is frozen: its caller will wait. */
  anyHost(chance: Chance): Host {
    return chance.pick(this.hosts);
  }

  startHost(): void {
    this.#hostsEver += 1;
    const host = startHost(this, `host${this.#hostsEver}`);
    this.hosts.push(host);
    this.#onStart(this, host);
  }

  turn(actor: Actor, point: Point, way: Way = this.control.way): Promise<void> {
    return this.scheduler.turn(actor, { ...point, way });
  }

  /** Whether this call meets this fault. */
  meets(actor: Actor, text: string, fault: keyof FaultRates): boolean {
    if (!this.chance.happens(this.faults[fault])) return false;
    this.note(actor, text, fault);
    return true;
  }

  note(actor: Actor, text: string, fault: string): void {
    this.coverage.fault(actor.role, text, fault);
    this.#trace?.(`    ${fault} meets ${actor.role}: ${text}`);
  }

  reached(place: Place, way: Way): void {
    this.coverage.place(place, way, this.plan);
  }

  troubleAt(host: string): Failure | undefined {
    return this.#troubles.get(host);
  }

  /** A vault stops answering as it should, until it is given back. */
  trouble(host: string, failure: Failure | undefined): void {
    const nowMs = this.clock.now().getTime();
    const before = this.#troubles.get(host);
    if (before?.kind === 'denied') {
      for (const denial of this.history.denials) {
        if (denial.host === host && denial.toMs === Infinity) denial.toMs = nowMs;
      }
    }
    if (failure) {
      this.#troubles.set(host, failure);
      this.history.troubles.add(failure.code);
    } else this.#troubles.delete(host);
    if (failure?.kind === 'denied') this.history.denials.push({ host, fromMs: nowMs, toMs: Infinity });
    this.#trace?.(`    ${host}: ${failure?.code ?? 'answers'}`);
  }

  authorised(actor: Actor, host: string): void {
    const sw = this.control.running;
    if (actor.role === 'worker' && sw) this.budget.called(host, sw);
  }

  mustHoldNoKey(what: string, value: unknown): void {
    if (holdsKeyMaterial(typeof value === 'string' ? value : JSON.stringify(value))) {
      this.history.broken('7', `a plaintext key is in a ${what}`);
    }
  }

  /** One transaction on the store, looked at as it is committed. */
  async commit(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome> {
    const written = await writeAsAzure(this.store, table, partitionKey, writes);
    if (written.outcome === 'committed') this.#committed(table, partitionKey, writes);
    return written;
  }

  #committed(table: TableName, partitionKey: string, writes: readonly RowWrite[]): void {
    const rowKeys = writes.map(({ rowKey }) => rowKey);
    for (const write of writes) {
      if (write.kind === 'delete') continue;
      for (const value of Object.values(write.cells)) {
        if (holdsKeyMaterial(value)) this.history.broken('7', `a plaintext key is in the row ${write.rowKey}`);
      }
    }
    if (table !== 'agenda') this.audit.written(writes);
    if (table === 'health') this.#denialsWritten(writes);
    if (table === 'datakeys') this.data.written(partitionKey, rowKeys, this.clock.now().toISOString());
    if (table === 'companies' && partitionKey === COMPANY) {
      this.control.written(rowKeys, this.clock.now().getTime());
      this.tenants.written(writes);
      const { running } = this.control;
      if (running) this.budget.seen(running);
    }
  }

  #denialsWritten(writes: readonly RowWrite[]): void {
    for (const { kind, rowKey } of writes) {
      const connectionId = rowKey.startsWith(DENIAL_PREFIX) ? rowKey.split('|')[2] : undefined;
      if (kind !== 'delete' && connectionId !== undefined)
        this.history.listedMs.set(`${connectionId}.vault.azure.net`, this.clock.now().getTime());
    }
  }

  #mayGo(actor: Actor, point: Point): boolean {
    const { process } = actor;
    if (!process || !this.stormy) return true;
    const planned = this.#plannedDeath(point);
    const kind =
      planned ??
      (this.chance.happens(this.plan.deathRate)
        ? 'kill'
        : this.chance.happens(this.plan.freezeRate)
          ? 'freeze'
          : undefined);
    if (!kind) return true;
    this.coverage.fault(actor.role, point.text, kind);
    if (point.place !== undefined) this.coverage.place(point.place as Place, point.way as Way, this.plan, kind);
    this.#trace?.(`    ${kind} ${process.name} at ${actor.role}: ${point.text} (${point.place ?? ''})`);
    this.broker.forsake(process);
    if (kind === 'freeze') this.scheduler.freeze(process, this.chance.between(5, LONGEST_FREEZE_STEPS));
    else this.#kill(process.name);
    return false;
  }

  #plannedDeath(point: Point): Death | undefined {
    if (point.place === undefined) return undefined;
    const name = `${point.place} ${point.way ?? ''}`;
    const passed = this.#passed.get(name) ?? 0;
    this.#passed.set(name, passed + 1);
    const death = this.plan.deaths.find(
      ({ place, way, after }) => place === point.place && way === point.way && after === passed,
    );
    return death?.kind;
  }

  #kill(name: string): void {
    const index = this.hosts.findIndex(({ process }) => process.name === name);
    const [host] = this.hosts.splice(index, 1);
    if (!host) return;
    this.scheduler.kill(host.process);
    host.onDeath();
    if (this.#hostsEver >= MAX_HOSTS_EVER) this.stormy = false;
    this.startHost();
  }

  #onStep(actor: Actor, point: Point): void {
    const line = `${this.scheduler.steps} ${this.clock.now().getTime()} ${actor.process?.name ?? ''} ${actor.role} ${point.text}`;
    for (let index = 0; index < line.length; index += 1) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(index), 0x01000193);
    }
    if (actor.role === 'worker' && point.place?.endsWith(':after') === true) this.passWrites += 1;
    this.#trace?.(line);
  }
}
