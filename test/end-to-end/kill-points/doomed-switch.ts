// One switch of a company whose hosts die along a chain of places. While hosts start and orders are given the queue is held back and the
// gate is shut, so that each way begins in the middle of the one before; what was locked by the dead comes back when its lock has run
// out, as ever. Nothing here depends on who is quicker: KillOrders holds the others, LEAST_BEHIND leaves work for the next way.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { WORK_QUEUE } from '../../../local/environment/app-environment.ts';
import { keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Way } from '../../fixtures/places-to-die.ts';
import { azure, MANAGED, type Company } from '../company.ts';
import { comeLate, until, type Answer, type Run } from '../run.ts';
import type { StoredRows } from '../stored-rows.ts';
import { whyBlocked } from '../why-blocked.ts';
import type { Death } from './chains.ts';
import type { KillOrder, KillOrders } from './kill-orders.ts';

export interface Scene {
  readonly run: Run;
  readonly rows: StoredRows;
  readonly company: Company;
  readonly orders: KillOrders;
  /** How many hosts are at work. */
  readonly hosts: number;
}

/** Far more than it takes on a machine that has a lot else to do. */
const DEATH_LIMIT_MS = 120_000;
const END_LIMIT_MS = 120_000;
/**
 * How many rows of its shard a pass must have behind it at a write that is a place: whoever goes back must have more rows to put back than
 * one transaction holds, and rows to open anew; whoever goes forward again must have some that were put back.
 */
const LEAST_BEHIND: Readonly<Record<'first' | 'second', Readonly<Record<Way, number>>>> = {
  first: { forward: 150, back: 50, again: 0 },
  second: { forward: 150, back: 0, again: 0 },
};
/** So many in each shard: enough for LEAST_BEHIND, and more than one page of a pass, so that its first write is not its last. */
export const ROWS_OF_A_SHARD = 330;
/** The generation of each way, counted from the keyring's before the switch. */
const GENERATIONS: Readonly<Record<Way, number>> = { forward: 1, back: 2, again: 3 };
/** What the call that sends a switch on its way is answered with: a cancel has happened, work that goes forward is accepted. */
const ACCEPTED: Readonly<Record<Way, number>> = { forward: 202, back: 200, again: 202 };

export class DoomedSwitch {
  readonly #scene: Scene;
  readonly #switchId: string;
  #generationBefore = 0;
  #way: Way | undefined;
  /** Whose pass somebody died in: only there it is known what is left to move. */
  #shard: number | undefined;

  constructor(scene: Scene, switchId: string) {
    this.#scene = scene;
    this.#switchId = switchId;
  }

  async dieAlong(deaths: readonly Death[], onDeath: (death: Death) => void): Promise<void> {
    const { company, rows } = this.#scene;
    const keyring = await rows.read('companies', company.companyId, keyringRowKey('default'));
    this.#generationBefore = Number(keyring['generation']);
    await holdQueue(this.#scene, true);
    for (const death of deaths) {
      await this.#dieAt(death);
      onDeath(death);
      await completeHosts(this.#scene);
    }
  }

  /** The state that it ends in, with nobody's help. */
  async end(): Promise<string> {
    const { company, run } = this.#scene;
    await letGoOn(this.#scene);
    const look = async (): Promise<string | false> => {
      const { state, blocked } = await company.view(this.#switchId);
      if (blocked) throw new Error(await whyBlocked(run, blocked));
      return (state === 'completed' || state === 'cancelled') && state;
    };
    return until(`the end of ${this.#switchId}`, look, END_LIMIT_MS);
  }

  async #dieAt(death: Death): Promise<void> {
    const { run, orders } = this.#scene;
    const { place, way } = death;
    const name = orders.give(this.#orderFor(death));
    const exits = run.environment.hosts.map(({ exited }) => exited);
    const beforeReceipt = place === 'message:before-receipt';
    if (way !== this.#way) {
      this.#way = way;
      // Whoever was to answer is the one to die before the message that it sent is received.
      expect(await this.#order(way)).toBe(beforeReceipt ? undefined : ACCEPTED[way]);
    }
    if (!beforeReceipt) await letGoOn(this.#scene);
    const tooLate = delay(DEATH_LIMIT_MS, `nobody died at ${place}`, { ref: false });
    expect(await Promise.race([...exits, tooLate])).toEqual({ code: null, signal: 'SIGKILL' });
    await comeLate();
    await holdQueue(this.#scene, true);
    expect(orders.wasTaken(name)).toBe(true);
    this.#shard = orders.remarkOf(name).shard ?? this.#shard;
    await this.#checkSevered(death, name);
  }

  #orderFor({ place, way }: Death): KillOrder {
    const { url } = this.#scene.run.environment.tables;
    const generation = place.startsWith('prepare:') ? 0 : this.#generationBefore + GENERATIONS[way];
    const shard = this.#shard === undefined ? {} : { shard: this.#shard };
    const leastBehind = LEAST_BEHIND[place.startsWith('second-pass:') ? 'second' : 'first'][way];
    const order = { place, switchId: this.#switchId, generation, leastBehind, ...shard };
    const sever = (drop: 'before-acting' | 'after-acting'): KillOrder => ({
      ...order,
      line: { url, fault: { operation: 'batch', target: 'datakeys', effect: { drop } } },
    });
    if (place === 'page-write:answer-lost') return sever('after-acting');
    return place === 'page-write:not-committed' ? sever('before-acting') : order;
  }

  /** The status of the answer, undefined if there was none. On a starved machine it may be "ask again". */
  async #order(way: Way): Promise<number | undefined> {
    const send = (): Promise<number | undefined> =>
      this.#send(way).then(
        ({ status }) => status,
        () => undefined,
      );
    const { status } = await until(`switch ${this.#switchId} ${way}`, async () => {
      const status = await send();
      return (status === undefined || status < 500) && { status };
    });
    return status;
  }

  async #send(way: Way): Promise<Answer<unknown>> {
    const { company, run } = this.#scene;
    const path = company.switchPath(this.#switchId);
    if (way === 'back') return run.call('POST', `${path}/cancel`);
    if (way === 'again')
      return run.call('POST', `${path}/retry`, { body: { direction: 'forward' }, asAdminOf: company.companyId });
    const { provider } = await company.must<{ provider: { provider: string } }>('GET', company.keyring);
    return company.order(this.#switchId, provider.provider === 'managed' ? azure('own') : MANAGED);
  }

  /** Whether a transaction whose answer never came was committed can be read in the table. */
  async #checkSevered({ place }: Death, name: string): Promise<void> {
    const { run, rows, orders } = this.#scene;
    const isLost = place === 'page-write:answer-lost';
    if (!isLost && place !== 'page-write:not-committed') return;
    await run.environment.tables.clearFaults();
    const { severed } = orders.remarkOf(name);
    expect(severed?.outcome).toBe('unknown');
    const { partitionKey = '', rowKey = '', writtenBy } = severed ?? {};
    const row = await rows.read('datakeys', partitionKey, rowKey);
    expect(row['writtenBy'] === writtenBy).toBe(isLost);
  }
}

/** Before each chain: nothing is left of one that failed. */
export async function clearScene(scene: Scene): Promise<void> {
  scene.orders.takeBack();
  await scene.run.environment.tables.clearFaults();
  await letGoOn(scene);
  await completeHosts(scene);
}

/** Whoever waits at the gate goes on with what it has in its hands; after it, what lies in the queue is delivered. */
async function letGoOn(scene: Scene): Promise<void> {
  scene.orders.openGate();
  await holdQueue(scene, false);
}

/** While held back nothing is delivered; all else goes on. */
async function holdQueue({ run }: Scene, paused: boolean): Promise<void> {
  await run.environment.serviceBus.call('PUT', `/queues/${WORK_QUEUE}/paused`, { paused });
}

/** New hosts for those that died. */
async function completeHosts({ run, hosts }: Scene): Promise<void> {
  while (run.environment.hosts.length < hosts) await run.startHost();
}
