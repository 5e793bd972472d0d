import { beforeEach, describe, expect, it, vi } from 'vitest';
import { timerRow } from '../../../shared/store/rows/heartbeat-rows.ts';
import { SYSTEM_PARTITION } from '../../../shared/store/rows/row-keys.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { MISHAPS, tablesTripping } from '../../fakes/tables-but.ts';
import { TurnsRig } from './turns-rig.ts';

const ROW = timerRow.key({ timer: 'sweep' });
const MINUTE_MS = 60_000;

let rig: TurnsRig;
beforeEach(() => {
  rig = new TurnsRig();
});

/** A turn that goes on until it is let go. */
function held(): { readonly job: { name: string; run: () => Promise<number> }; readonly letGo: () => void } {
  const { promise, resolve } = Promise.withResolvers<number>();
  return { job: { name: 'held', run: () => promise }, letGo: () => resolve(1) };
}

describe('a turn', () => {
  it('leaves a heartbeat with instance, version, what it did and what failed, and when the next is due', async () => {
    const jobs = [
      { name: 'purged', run: () => Promise.resolve(3) },
      { name: 'resumed', run: () => Promise.reject(new Error('a bug')) },
    ];
    await rig.instance('one', { jobs }).bySchedule('sweep');
    expect(await rig.beat()).toEqual({
      nextAt: '2026-01-01T00:01:00.000Z',
      turn: {
        id: expect.any(String) as string,
        startedAt: '2026-01-01T00:00:00.000Z',
        startedBy: 'schedule',
        instance: 'one',
        version: '1.2.3',
        endedAt: '2026-01-01T00:00:00.000Z',
        done: { purged: 3 },
        failed: ['resumed'],
      },
    });
    expect(rig.log.events()).toEqual(['timer.job-failed', 'sweep.done']);
  });

  it('costs two writes, however many jobs it has', async () => {
    const tables = new FaultyTables(rig.store);
    const jobs = Array.from({ length: 20 }, (_, index) => ({ name: `job-${index}`, run: () => Promise.resolve(0) }));
    await rig.instance('one', { jobs, tables }).bySchedule('sweep');
    expect(tables.writes).toHaveLength(2);
  });

  it('that goes on for long says so before each job, and is not taken for dead', async () => {
    const long = () => (rig.clock.advance(MINUTE_MS), Promise.resolve(0));
    const jobs = [0, 1, 2, 3].map((nth) => ({ name: `long-${nth}`, run: long }));
    const another = rig.instance('two');
    const look = {
      name: 'look',
      run: async () => ((await another.byRequest('sweep')).ok ? 1 : 0),
    };
    await rig.instance('one', { jobs: [...jobs, look] }).bySchedule('sweep');
    expect((await rig.beat())?.turn?.done['look']).toBe(0);
  });

  it.each(MISHAPS)('is run and told of where the write of its claim ends as %s', async (mishap) => {
    await rig.instance('one', { tables: tablesTripping(rig.store, ROW, { mishap }) }).bySchedule('sweep');
    expect(rig.ran).toEqual(['one']);
    expect((await rig.beat())?.turn).toMatchObject({ instance: 'one', done: { swept: 1 } });
  });

  it('of the schedule is run also while the store is away, and the heartbeat is made up for at its end', async () => {
    const tables = new FaultyTables(rig.store);
    tables.at(1).isRefused();
    await rig.instance('one', { tables }).bySchedule('sweep');
    expect(rig.ran).toEqual(['one']);
    expect((await rig.beat())?.turn).toMatchObject({ instance: 'one', endedAt: '2026-01-01T00:00:00.000Z' });
    expect(rig.log.events()).toContain('timer.heartbeat-lost');
  });

  it('writes over a heartbeat that cannot be read', async () => {
    rig.store.tamper('health', SYSTEM_PARTITION, ROW, { format: 1, nextAt: 'soon' });
    expect(await rig.beat()).toBeUndefined();
    await rig.instance('one').bySchedule('sweep');
    expect((await rig.beat())?.turn?.instance).toBe('one');
  });

  it('tells the time of the store, not of a host whose clock is ahead', async () => {
    await rig.instance('ahead', { aheadMs: 3_600_000 }).bySchedule('sweep');
    expect((await rig.beat())?.turn?.startedAt).toBe('2026-01-01T00:00:00.000Z');
  });
});

describe('no two turns of a timer', () => {
  it('are begun at once: a request and traffic wait for what is under way, on whatever instance', async () => {
    const { job, letGo } = held();
    const asked = await rig.instance('one', { jobs: [job] }).byRequest('sweep');
    const ended = asked.ok ? asked.value.run() : undefined;
    expect(await rig.instance('two').byRequest('sweep')).toEqual({ ok: false, error: 'running' });
    await rig.instance('three').runOverdue();
    await rig.instance('four').bySchedule('sweep');
    expect(rig.ran).toEqual([]);
    expect(rig.log.events()).toEqual(['timer.turn-skipped']);
    letGo();
    expect((await ended)?.done).toEqual({ held: 1 });
    expect((await rig.instance('two').byRequest('sweep')).ok).toBe(true);
  });

  it('are begun by requests that come together', async () => {
    const asked = await Promise.all(['one', 'two', 'three'].map((name) => rig.instance(name).byRequest('sweep')));
    expect(asked.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('are kept apart by the heartbeat of an instance that died: after its time, others go on', async () => {
    await rig.instance('dead').byRequest('sweep');
    rig.clock.advance(119_000);
    expect((await rig.instance('two').byRequest('sweep')).ok).toBe(false);
    rig.clock.advance(1_000);
    await rig.instance('two').bySchedule('sweep');
    expect(rig.ran).toEqual(['two']);
  });

  it('one of the schedule takes over at once from another of the schedule, which has died', async () => {
    void rig.instance('dead', { jobs: [held().job] }).bySchedule('sweep');
    await new Promise((resolve) => setImmediate(resolve));
    await rig.instance('two').bySchedule('sweep');
    expect(rig.ran).toEqual(['two']);
  });
});

describe('traffic', () => {
  const overdue = async (): Promise<void> => {
    await rig.instance('one').expectTurns();
    rig.clock.advance(2 * MINUTE_MS + 1);
  };

  it('begins what is overdue, once over all instances', async () => {
    await overdue();
    await Promise.all(['one', 'two', 'three'].map((name) => rig.instance(name).runOverdue()));
    expect(rig.ran).toHaveLength(1);
    expect((await rig.beat())?.turn?.startedBy).toBe('traffic');
  });

  it('begins nothing before it is due, nor where no instance has said when that is', async () => {
    await rig.instance('one').runOverdue();
    expect(await rig.beat()).toBeUndefined();
    await rig.instance('one').expectTurns();
    await rig.instance('one').runOverdue();
    expect(rig.ran).toEqual([]);
  });

  it('begins it once even where the answer to the claim is lost', async () => {
    await overdue();
    const tables = new FaultyTables(rig.store);
    tables.at(1).losesTheAnswer();
    await rig.instance('one', { tables }).runOverdue();
    await rig.instance('two').runOverdue();
    expect(rig.ran).toEqual(['one']);
  });

  it('looks once in half a minute, however many calls there are', async () => {
    await overdue();
    const tables = new FaultyTables(rig.store);
    const turns = rig.instance('one', { tables });
    for (let call = 0; call < 1_000; call += 1) turns.lookForOverdue();
    // Of `sweep`, and of `vault-checks` and `notifications`, which are overdue too.
    await vi.waitFor(() => expect(tables.writes).toHaveLength(6));
    expect(rig.ran).toEqual(['one']);
  });
});

describe('a timer that is expected', () => {
  it('is late if it never comes, though no instance that knew it lives', async () => {
    await rig.instance('one').expectTurns();
    expect(await rig.beat('audit')).toEqual({ nextAt: '2026-01-01T00:07:00.000Z' });
  });

  it('keeps the heartbeat that it has', async () => {
    await rig.instance('one').bySchedule('sweep');
    const before = await rig.beat();
    rig.clock.advance(MINUTE_MS);
    await rig.instance('two').expectTurns();
    expect(await rig.beat()).toEqual(before);
  });
});
