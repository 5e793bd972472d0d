// One switch of a company whose hosts die along a chain of places. The queue is held back while hosts start and orders are given, so that
// each way begins in the middle of the one before; what was locked by the dead comes back when its lock has run out, as ever.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { WORK_QUEUE } from '../../../local/environment/app-environment.ts';
import { keyringRowKey } from '../../../shared/domain/rows/row-keys.ts';
import type { Way } from '../../fixtures/places-to-die.ts';
import { azure, MANAGED, type Company } from '../company.ts';
import { until, type Answer, type Run } from '../run.ts';
import type { StoredRows } from '../stored-rows.ts';
import { whyBlocked } from '../why-blocked.ts';
import type { Death } from './chains.ts';
import type { SeveredWrite } from './deadly-ports.ts';
import type { KillOrder, KillOrders } from './kill-orders.ts';

export interface Scene {
  readonly run: Run;
  readonly rows: StoredRows;
  readonly company: Company;
  readonly orders: KillOrders;
  /** How many hosts are at work. */
  readonly hosts: number;
}

const DEATH_LIMIT_MS = 60_000;
const END_LIMIT_MS = 90_000;
/** Those of a whole shard, so that the way back has rows to move, and rows to open anew. Either of two hosts does more of them. */
const WRITES_BEFORE_WAY_BACK = 2;
/** The generation of each way, counted from the keyring's before the switch. */
const GENERATIONS: Readonly<Record<Way, number>> = { forward: 1, back: 2, again: 3 };

export class DoomedSwitch {
  readonly #scene: Scene;
  readonly #switchId: string;
  #generationBefore = 0;
  #way: Way | undefined;

  constructor(scene: Scene, switchId: string) {
    this.#scene = scene;
    this.#switchId = switchId;
  }

  /** False if the switch was over before it could be sent the other way: a lock that ran out gave its work to somebody else. */
  async dieAlong(deaths: readonly Death[], onDeath: (death: Death) => void): Promise<boolean> {
    const { company, rows } = this.#scene;
    const keyring = await rows.read('companies', company.companyId, keyringRowKey('default'));
    this.#generationBefore = Number(keyring['generation']);
    await holdQueue(this.#scene, true);
    for (const death of deaths) {
      if (!(await this.#dieAt(death))) return false;
      onDeath(death);
      await completeHosts(this.#scene);
    }
    return true;
  }

  /** The state that it ends in, with nobody's help. */
  async end(): Promise<string> {
    const { company, run } = this.#scene;
    await holdQueue(this.#scene, false);
    const look = async (): Promise<string | false> => {
      const { state, blocked } = await company.view(this.#switchId);
      if (blocked) throw new Error(await whyBlocked(run, blocked));
      return (state === 'completed' || state === 'cancelled') && state;
    };
    return until(`the end of ${this.#switchId}`, look, END_LIMIT_MS);
  }

  async #dieAt(death: Death): Promise<boolean> {
    const { run, orders } = this.#scene;
    const { place, way } = death;
    const name = orders.give(this.#orderFor(death));
    const exits = run.environment.hosts.map(({ exited }) => exited);
    if (way !== this.#way) {
      this.#way = way;
      const status = await this.#order(way);
      if (status === 409) {
        orders.takeBack();
        return false;
      }
      // Whoever was to answer is the one to die before the message that it sent is received.
      expect(status).toBe(place === 'message:before-receipt' ? undefined : 202);
    }
    if (place !== 'message:before-receipt') await holdQueue(this.#scene, false);
    const tooLate = delay(DEATH_LIMIT_MS, `nobody died at ${place}`, { ref: false });
    expect(await Promise.race([...exits, tooLate])).toEqual({ code: null, signal: 'SIGKILL' });
    await holdQueue(this.#scene, true);
    expect(orders.wasTaken(name)).toBe(true);
    await this.#checkSevered(death, name);
    return true;
  }

  #orderFor({ place, way }: Death): KillOrder {
    const { url } = this.#scene.run.environment.tables;
    const generation = place.startsWith('prepare:') ? 0 : this.#generationBefore + GENERATIONS[way];
    const isWrite = place.startsWith('page-write:') || place.startsWith('second-pass:');
    const times = way === 'forward' && isWrite ? WRITES_BEFORE_WAY_BACK + 1 : 1;
    const order = { place, switchId: this.#switchId, generation, times };
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
    if (way === 'again') return run.call('POST', `${path}/retry`, { body: { direction: 'forward' } });
    const { provider } = await company.must<{ provider: { provider: string } }>('GET', company.keyring);
    return company.order(this.#switchId, provider.provider === 'managed' ? azure('own') : MANAGED);
  }

  /** Whether a transaction whose answer never came was committed can be read in the table. */
  async #checkSevered({ place }: Death, name: string): Promise<void> {
    const { run, rows, orders } = this.#scene;
    const isLost = place === 'page-write:answer-lost';
    if (!isLost && place !== 'page-write:not-committed') return;
    await run.environment.tables.clearFaults();
    const { outcome, partitionKey, rowKey, writtenBy } = orders.remarkOf(name) as SeveredWrite;
    expect(outcome).toBe('unknown');
    const row = await rows.read('datakeys', partitionKey, rowKey);
    expect(row['writtenBy'] === writtenBy).toBe(isLost);
  }
}

/** Before each chain: nothing is left of one that failed. */
export async function clearScene(scene: Scene): Promise<void> {
  scene.orders.takeBack();
  await scene.run.environment.tables.clearFaults();
  await holdQueue(scene, false);
  await completeHosts(scene);
}

/** While held back nothing is delivered; all else goes on. */
async function holdQueue({ run }: Scene, paused: boolean): Promise<void> {
  await run.environment.serviceBus.call('PUT', `/queues/${WORK_QUEUE}/paused`, { paused });
}

/** New hosts for those that died. */
async function completeHosts({ run, hosts }: Scene): Promise<void> {
  while (run.environment.hosts.length < hosts) await run.startHost();
}
