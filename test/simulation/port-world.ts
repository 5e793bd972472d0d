// What the ports of an actor need of the world they are in.
import type { Failure } from '../../shared/domain/failure.ts';
import type { RowWrite, TableName, WriteOutcome } from '../../shared/store/tables.ts';
import type { FakeClock } from '../fakes/fake-system.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';
import type { FakeVaults } from '../fakes/fake-vaults.ts';
import type { Broker } from './broker.ts';
import type { Chance } from './chance.ts';
import type { ControlCheck } from './check-control.ts';
import type { History } from './history.ts';
import type { Place, Way } from '../fixtures/places-to-die.ts';
import type { FaultRates, Plan } from './plan.ts';
import type { Actor, Point } from './scheduler.ts';

export interface PortWorld {
  readonly plan: Plan;
  readonly clock: FakeClock;
  readonly store: FakeTables;
  readonly vaults: FakeVaults;
  readonly broker: Broker;
  readonly history: History;
  readonly control: ControlCheck;
  /** For faults; who goes next is the scheduler's own. */
  readonly chance: Chance;
  /** Never resolves once the actor's process is dead. `way` is the switch's when the call began, if not now. */
  turn(actor: Actor, point: Point, way?: Way): Promise<void>;
  /** Whether this call meets this fault. */
  meets(actor: Actor, text: string, fault: keyof FaultRates): boolean;
  note(actor: Actor, text: string, fault: string): void;
  reached(place: Place, way: Way): void;
  troubleAt(host: string): Failure | undefined;
  authorised(actor: Actor, host: string): void;
  mustHoldNoKey(what: string, value: unknown): void;
  /** One transaction on the store, looked at as it is committed. `*` matches any row, as in Azure. */
  commit(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome>;
}
