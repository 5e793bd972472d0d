// A world in which nothing fails and nobody is in anybody's way, over a store that was laid from a copy: one host, started anew.
import { handleWorkMessage } from '../../functions/service-bus/work.ts';
import { FakeClock } from '../fakes/fake-system.ts';
import { FakeTables } from '../fakes/fake-tables.ts';
import { Broker } from './broker.ts';
import { Chance } from './chance.ts';
import { ControlCheck } from './check-control.ts';
import { History } from './history.ts';
import { startHost, type Host } from './host.ts';
import { VAULT_HOSTS } from './outsiders.ts';
import { NO_FAULTS } from './plan.ts';
import type { PortWorld } from './port-world.ts';
import type { Point } from './scheduler.ts';
import type { CopiedRow, World } from './world.ts';
import { writeAsAzure } from './write-as-azure.ts';

const MAX_MESSAGES = 2_000;

export class Restored {
  readonly store = new FakeTables();
  readonly clock = new FakeClock();
  readonly broker: Broker;
  readonly host: Host;

  constructor(world: World, rows: readonly CopiedRow[]) {
    for (const { table, partitionKey, rowKey, cells } of rows) this.store.tamper(table, partitionKey, rowKey, cells);
    this.clock.advanceTo(world.clock.now().getTime());
    const chance = new Chance(world.plan.seed, 'restored');
    this.broker = new Broker(this.clock, chance, () => NO_FAULTS);
    const history = new History(() => 'restored');
    for (const host of VAULT_HOSTS) history.inForce.push({ host, fromMs: 0 });
    this.host = startHost(this.#calmWorld(world, chance, history), 'restored');
  }

  #calmWorld(world: World, chance: Chance, history: History): PortWorld {
    const { store, clock, broker } = this;
    const { plan, vaults } = world;
    const nothing = (): undefined => undefined;
    return {
      plan,
      clock,
      store,
      vaults,
      broker,
      history,
      control: new ControlCheck(store, vaults, new Map(), history),
      chance,
      turn: (_actor, { dueMs }: Point) => {
        if (dueMs !== undefined) clock.advanceTo(dueMs);
        return Promise.resolve();
      },
      meets: () => false,
      note: nothing,
      reached: nothing,
      troubleAt: nothing,
      authorised: nothing,
      mustHoldNoKey: (what, value) => world.mustHoldNoKey(what, value),
      commit: (table, partitionKey, writes) => writeAsAzure(store, table, partitionKey, writes),
    };
  }

  /** Works until no message is left. */
  async drain(): Promise<void> {
    const { broker, clock, host } = this;
    for (let worked = 0; worked < MAX_MESSAGES && broker.count('work') > 0; worked += 1) {
      const dueMs = broker.nextDueMs();
      if (dueMs !== undefined) clock.advanceTo(dueMs);
      const delivery = broker.receive(host.process, 'work');
      if (!delivery) return;
      await handleWorkMessage(host.services.worker, delivery.body, {
        triggerMetadata: { messageId: delivery.messageId },
      });
      broker.complete(delivery);
    }
  }
}
