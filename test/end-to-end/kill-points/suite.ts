// Real kills at every named place: the hosts of an embedded run die by SIGKILL along chains of places while a reader and a writer go on,
// and after each chain everything must be as if nobody had died. One suite for one worker and for several.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { random } from '../../fakes/faulty-tables.ts';
import { ALL_PLACES, fatesAt, reachedPlace, type Workers } from '../../fixtures/places-to-die.ts';
import { Company } from '../company.ts';
import { SHORT_LOCKS, startRun } from '../harness.ts';
import { tell, type Run } from '../run.ts';
import { expectIntact, ownKeyOf } from '../intact.ts';
import { Load } from '../load.ts';
import { StoredRows, type Row } from '../stored-rows.ts';
import { CHAINS, type Chain, type Death } from './chains.ts';
import { clearScene, DoomedSwitch, ROWS_OF_A_SHARD, type Scene } from './doomed-switch.ts';
import { KillOrders, ORDERS_SETTING } from './kill-orders.ts';

/** Two: as many as make one that is done while another is not. */
const SHARDS = 2;
const KEYS_AT_ONCE = 100;
/** A little work is enough here: what matters is that somebody is always in the middle of it. */
const LOAD_PAUSE_MS = 600;
const CHAIN_LIMIT_MS = 600_000;

export function killAtEveryPlace(
  workers: Workers,
  { hosts, settings = {} }: { readonly hosts: number; readonly settings?: Readonly<Record<string, string>> },
): void {
  const reached = new Set<string>();
  // Nothing here can freeze a host half-way: that is the simulation's.
  const wanted = ALL_PLACES.filter((place) => place.endsWith(workers) && !place.includes(' · freeze · '));
  let directory: string;
  let run: Run;
  let scene: Scene;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'keyswitch-kill-orders-'));
    run = await startRun({
      ...SHORT_LOCKS,
      app: 'deadly',
      hosts,
      // On a starved machine locks run out beside the kills; what is dead-lettered has tests of its own.
      maxDeliveryCount: 1_000,
      // Whoever ends a switch claims that for two vault calls and a little: short, so that the claim of the dead is over soon.
      settings: {
        KEYSWITCH_SHARD_COUNT: String(SHARDS),
        KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS: '5',
        [ORDERS_SETTING]: directory,
        ...settings,
      },
    });
    const company = await Company.create(run, 'acme');
    const rows = new StoredRows(run.credential, { shardCount: SHARDS });
    const isShort = (shard: Row): boolean => Number(shard['live']) < ROWS_OF_A_SHARD;
    while ((await rows.shards('acme')).some(isShort)) await company.generate(KEYS_AT_ONCE);
    await company.connect(run.environment.customers.contoso, { id: 'own', keyName: ownKeyOf(company) });
    scene = { run, company, hosts, rows, orders: new KillOrders(directory) };
  });
  beforeEach(() => clearScene(scene));
  afterAll(async () => {
    scene.orders.openGate();
    await run.close();
    await rm(directory, { recursive: true });
    tell(`SIGKILL with ${workers}: ${reached.size} of ${wanted.length} places`, ...[...reached].sort());
  });

  async function dieAlong(deaths: readonly Death[], number: number): Promise<void> {
    const sw = new DoomedSwitch(scene, `s${number}`);
    await sw.dieAlong(deaths, ({ way, place }) => {
      const [fate = 'kill'] = fatesAt(place);
      reached.add(reachedPlace({ place, way, workers, fate }));
    });
    expect(await sw.end()).toBe(deaths.at(-1)?.way === 'back' ? 'cancelled' : 'completed');
  }

  const chains = CHAINS.map((chain, number) => ({ ...chain, number }));
  test.each(chains)('killed at $title', { timeout: CHAIN_LIMIT_MS }, async ({ deaths, number }: NumberedChain) => {
    const { company, rows } = scene;
    const load = new Load([company], random(number), { pauseMs: LOAD_PAUSE_MS });
    try {
      await dieAlong(deaths, number);
    } finally {
      await load.stop();
    }
    const { wrong, reads, written } = await load.stop();
    expect(wrong).toEqual([]);
    expect(Math.min(reads, written)).toBeGreaterThan(0);
    await expectIntact(company, rows);
  });

  test('hosts have died at every named place', () => {
    expect(wanted.filter((place) => !reached.has(place))).toEqual([]);
  });
}

interface NumberedChain extends Chain {
  readonly number: number;
}
