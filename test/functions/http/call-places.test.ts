// Places for calls: who waits, who is turned away, and that no company uses up the places of another. Calls end when a test says so.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallPlaces } from '../../../functions/http/kernel/call-places.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import { ok, type Result } from '../../../shared/domain/result.ts';
import { FakeClock, FakeLog } from '../../fakes/fake-system.ts';
import { VaultWaits } from '../../../shared/operations/keys/vault-waits.ts';

const MAX_WAIT_MS = 2_000;
const FIRST = 72;
const MANY_CALLS = 128;
const MOST = 256;
const MOST_OF_A_COMPANY = 192;
/** A batch of 1,000. */
const BATCH = { keys: 1_000, units: 26 };

let vaultWaits: VaultWaits;
let clock: FakeClock;
let log: FakeLog;
let loopDelay: { lastingMs: number };
let places: CallPlaces;
/** Ends of the calls that are worked on, by company, in the order in which they began. */
let working: Map<string, (() => void)[]>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  begin();
});
afterEach(() => void vi.useRealTimers());

/** As a new process does. */
function begin(): void {
  vaultWaits = new VaultWaits();
  clock = new FakeClock();
  log = new FakeLog();
  loopDelay = { lastingMs: 0 };
  const rates = { take: () => ok(undefined) };
  places = new CallPlaces({ vaultWaits, loopDelay, rates, clock, log }, { maxWaitMs: MAX_WAIT_MS });
  working = new Map();
}

/** A process that has had much to do and did it quickly. */
async function beginWithAllPlaces(): Promise<void> {
  begin();
  for (let round = 0; round < 12; round += 1) {
    const all = [...calls(300, 'first'), ...calls(300, 'second')];
    await endAll();
    await Promise.all(all);
  }
}

function call(companyId: string, keys = 1): Promise<Result<string, Refusal>> {
  return places.run({ companyId, keys }, async () => {
    await new Promise<void>((end) => {
      const ends = working.get(companyId) ?? [];
      working.set(companyId, ends);
      ends.push(end);
    });
    return ok('done');
  });
}

const calls = (count: number, companyId: string, keys = 1): Promise<Result<string, Refusal>>[] =>
  Array.from({ length: count }, () => call(companyId, keys));
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const countOf = (companyId: string): number => working.get(companyId)?.length ?? 0;

async function end(companyId: string, count = 1): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    working.get(companyId)?.shift()?.();
    await settled();
  }
}

/** Everything that is there or comes is answered at once. */
async function endAll(): Promise<void> {
  while ([...working.values()].some((ends) => ends.length > 0)) {
    for (const ends of working.values()) while (ends.length > 0) ends.shift()?.();
    await settled();
  }
}

const outcomesOf = async (all: Promise<Result<string, Refusal>>[]): Promise<Record<string, number>> => {
  const outcomes = (await Promise.all(all)).map((result) => (result.ok ? result.value : result.error.type));
  return Object.fromEntries(
    Object.entries(Object.groupBy(outcomes, (each) => each)).map(([k, v]) => [k, v?.length ?? 0]),
  );
};

describe('a burst that is answered in time', () => {
  beforeEach(beginWithAllPlaces);

  it.each([64, 1_000, 4_000])('turns nobody away: %i calls at once', async (count) => {
    const all = calls(count, 'acme');
    await settled();
    expect(countOf('acme')).toBe(Math.min(count, MOST_OF_A_COMPANY));
    await endAll();
    expect(await outcomesOf(all)).toEqual({ done: count });
  });

  it('turns nobody away: batches of 1,000 beside single calls of others', async () => {
    const all = [...calls(50, 'acme', BATCH.keys), ...calls(500, 'globex'), ...calls(500, 'initech')];
    await endAll();
    expect(await outcomesOf(all)).toEqual({ done: 1_050 });
  });

  it('leaves nothing behind', async () => {
    const all = [...calls(1_000, 'acme'), ...calls(300, 'globex')];
    await endAll();
    await Promise.all(all);
    expect(vi.getTimerCount()).toBe(0);
    const next = calls(MOST_OF_A_COMPANY, 'initech');
    await settled();
    expect(countOf('initech')).toBe(MOST_OF_A_COMPANY);
    await endAll();
    await Promise.all(next);
  });

  it('a call that fails gives its place back', async () => {
    const bug = places.run({ companyId: 'acme', keys: 1 }, () => Promise.reject(new Error('a bug')));
    await expect(bug).rejects.toThrow('a bug');
    const all = calls(MOST_OF_A_COMPANY, 'acme');
    await settled();
    expect(countOf('acme')).toBe(MOST_OF_A_COMPANY);
    await endAll();
    await Promise.all(all);
  });
});

describe('more calls than are answered in time', () => {
  beforeEach(beginWithAllPlaces);

  it('are turned away once they have waited, and told when to ask again, not all at the same time', async () => {
    const all = calls(MOST_OF_A_COMPANY + 4, 'acme');
    await vi.advanceTimersByTimeAsync(MAX_WAIT_MS - 1);
    await end('acme');
    clock.advance(MAX_WAIT_MS);
    await vi.advanceTimersByTimeAsync(1);
    const refused = await Promise.all(all.slice(MOST_OF_A_COMPANY + 1));
    expect(refused).toEqual(
      [2, 3, 4].map((retryAfterSeconds) => ({ ok: false, error: { type: 'overloaded', retryAfterSeconds } })),
    );
    await endAll();
    expect(await outcomesOf(all)).toEqual({ done: MOST_OF_A_COMPANY + 1, overloaded: 3 });
  });

  it('are turned away at once beyond what can be answered in that time, those of the company that has most waiting', async () => {
    const flood = calls(6_000, 'acme');
    const few = calls(70, 'globex');
    await settled();
    expect(countOf('globex')).toBe(MOST - MOST_OF_A_COMPANY);
    await endAll();
    expect(await outcomesOf(few)).toEqual({ done: 70 });
    const { done = 0, overloaded = 0 } = await outcomesOf(flood);
    expect(done + overloaded).toBe(6_000);
    expect(done).toBeGreaterThan(4_000);
    expect(overloaded).toBeGreaterThan(1_500);
  });
});

describe('the log', () => {
  it('is told of calls that were turned away in sum, at most once in ten seconds', async () => {
    const turnedAway = (): unknown[] => log.entries.map(({ event, detail }) => [event, detail?.['calls']]);
    for (let round = 0; round < 6; round += 1) await Promise.all([...calls(FIRST, 'acme'), endAll()]);
    loopDelay.lastingMs = 4 * MAX_WAIT_MS;
    for (let round = 0; round < 3; round += 1) {
      const all = calls(80, 'acme');
      await endAll();
      await Promise.all(all);
      clock.advance(9_999);
    }
    expect(turnedAway()).toEqual([
      ['calls.turned-away', 1],
      ['calls.turned-away', 140],
    ]);
    expect(log.entries[0]).toMatchObject({ level: 'warning', detail: { loopDelayMs: 4 * MAX_WAIT_MS } });
  });
});

describe('companies', () => {
  beforeEach(beginWithAllPlaces);

  it('find room however much another one asks', async () => {
    const flood = calls(1_000, 'acme');
    const few = calls(10, 'globex');
    await settled();
    expect(countOf('globex')).toBe(10);
    await endAll();
    await Promise.all([...flood, ...few]);
  });

  it('share alike: the next place goes to the one that holds least', async () => {
    const all = [...calls(500, 'acme'), ...calls(500, 'globex'), ...calls(500, 'initech')];
    await settled();
    expect([countOf('acme'), countOf('globex'), countOf('initech')]).toEqual([192, 64, 0]);
    await end('acme', 80);
    expect([countOf('acme'), countOf('globex'), countOf('initech')]).toEqual([112, 72, 72]);
    await endAll();
    await Promise.all(all);
  });

  it('hold as many places as their calls are large, and large calls are not passed by small ones for ever', async () => {
    const all = [...calls(7, 'acme', BATCH.keys), ...calls(MOST - 7 * BATCH.units, 'globex')];
    const large = call('initech', BATCH.keys);
    const small = calls(100, 'globex');
    await settled();
    await end('globex', BATCH.units - 1);
    expect([countOf('initech'), countOf('globex')]).toEqual([0, MOST - 8 * BATCH.units + 1]);
    await end('globex');
    expect(countOf('initech')).toBe(1);
    await endAll();
    await Promise.all([...all, large, ...small]);
  });

  it('have their turn one after the other where there are more of them than places', async () => {
    const companies = Array.from({ length: 12 }, (_, n) => `company-${n}`);
    const all = companies.flatMap((companyId) => calls(20, companyId, BATCH.keys));
    await settled();
    const begun = new Map(companies.map((companyId) => [companyId, countOf(companyId)]));
    for (let turn = 0; turn < 60; turn += 1) {
      const before = new Map(companies.map((companyId) => [companyId, countOf(companyId)]));
      const ending = companies[turn % companies.length]!;
      if (countOf(ending) === 0) continue;
      await end(ending);
      for (const companyId of companies) {
        const gone = companyId === ending ? 1 : 0;
        begun.set(companyId, begun.get(companyId)! + countOf(companyId) - before.get(companyId)! + gone);
      }
    }
    expect(Math.min(...begun.values())).toBeGreaterThan(2);
    await endAll();
    await Promise.all(all);
  });

  it('whose call finds room have it once a larger one before it is turned away', async () => {
    const held = [...calls(MOST_OF_A_COMPANY, 'acme'), ...calls(40, 'globex')];
    const large = call('initech', BATCH.keys);
    await vi.advanceTimersByTimeAsync(1);
    const small = call('umbrella');
    await vi.advanceTimersByTimeAsync(MAX_WAIT_MS - 1);
    expect(await large).toMatchObject({ error: { type: 'overloaded' } });
    expect(countOf('umbrella')).toBe(1);
    await endAll();
    expect(await outcomesOf([...held, small])).toEqual({ done: MOST_OF_A_COMPANY + 41 });
  });

  it('that wait for their vaults take no place from others, and get none beyond their own', async () => {
    const silent = ['acme', 'globex', 'initech'];
    const waiting = Promise.withResolvers<boolean>();
    const stuck = silent.map((companyId) => {
      void vaultWaits.during(companyId, waiting.promise);
      return calls(300, companyId);
    });
    const healthy = calls(100, 'umbrella');
    await settled();
    expect(silent.map(countOf)).toEqual([192, 192, 192]);
    expect(countOf('umbrella')).toBe(100);
    await end('umbrella', 100);
    expect(await outcomesOf(healthy)).toEqual({ done: 100 });
    waiting.resolve(true);
    await endAll();
    await Promise.all(stuck.flat());
  });

  it('that wait for a vault have room for as many calls as ever on a process that is not slow: those keep nothing busy', async () => {
    begin();
    const all = calls(MOST_OF_A_COMPANY + 1, 'acme');
    await settled();
    expect(countOf('acme')).toBe((FIRST * 3) / 4);
    const answer = Promise.withResolvers<boolean>();
    void vaultWaits.during('acme', answer.promise);
    await settled();
    expect(countOf('acme')).toBe(MOST_OF_A_COMPANY);
    answer.resolve(true);
    await settled();
    await endAll();
    expect(await outcomesOf(all)).toEqual({ done: MOST_OF_A_COMPANY + 1 });
  });

  it('are let in as soon as others begin to wait for a vault', async () => {
    const first = [...calls(192, 'acme'), ...calls(64, 'globex')];
    const other = call('initech');
    await settled();
    expect(countOf('initech')).toBe(0);
    const answer = Promise.withResolvers<boolean>();
    void vaultWaits.during('acme', answer.promise);
    await settled();
    expect(countOf('initech')).toBe(1);
    answer.resolve(true);
    await settled();
    expect(vaultWaits.isWaiting('acme')).toBe(false);
    await endAll();
    await Promise.all([...first, other]);
  });
});

describe('a process that is slow', () => {
  beforeEach(beginWithAllPlaces);

  /** Calls of each company, worked on side by side for so long. */
  async function takes(ms: number, companies: readonly string[], rounds: number, count = 32): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      const all = companies.flatMap((companyId) => calls(count, companyId));
      await settled();
      clock.advance(ms);
      await endAll();
      await Promise.all(all);
    }
  }

  /** How many calls of two companies are worked on at once. */
  async function atOnce(): Promise<number> {
    const all = [...calls(300, 'acme'), ...calls(300, 'globex')];
    await settled();
    const count = countOf('acme') + countOf('globex');
    await endAll();
    await Promise.all(all);
    return count;
  }

  it('works on fewer calls at once, so that they are answered in a part of the time that others wait', async () => {
    await takes(MAX_WAIT_MS / 4, ['acme'], 20);
    expect(await atOnce()).toBe(MOST);
    await takes(MAX_WAIT_MS / 4 + 1, ['acme'], 4);
    expect(await atOnce()).toBeLessThan(MOST / 2);
    await takes(10 * MAX_WAIT_MS, ['acme'], 20);
    const fewest = calls(1, 'acme', BATCH.keys);
    await settled();
    expect(countOf('acme')).toBe(1);
    await endAll();
    await Promise.all(fewest);
    await takes(MAX_WAIT_MS / 8 - 1, ['acme'], 20);
    expect(await atOnce()).toBe(FIRST);
  });

  it('has places for more calls only once so many were needed and took a short time', async () => {
    begin();
    expect(await atOnce()).toBe(FIRST);
    begin();
    await takes(0, ['acme'], 100);
    expect(await atOnce()).toBe(FIRST);
    begin();
    await takes(MAX_WAIT_MS / 8, ['acme', 'globex', 'initech'], 100);
    expect(await atOnce()).toBe(FIRST);
    begin();
    await takes(0, ['acme', 'globex', 'initech', 'umbrella', 'hooli', 'tailspin'], 100);
    expect(await atOnce()).toBe(MOST);
  });

  it.each([
    ['from its first call on', FIRST],
    ['after it was quick', MOST],
  ])('makes nobody wait much longer than calls may wait for their turn: one call in 30 ms, %s', async (_, atFirst) => {
    if (atFirst === FIRST) begin();
    const [everyMs, callers, seconds] = [30, 400, 30];
    const tookMs: number[] = [];
    const nowMs = (): number => clock.now().getTime();
    const endMs = nowMs() + seconds * 1000;
    const caller = async (companyId: string): Promise<void> => {
      while (nowMs() < endMs) {
        const begunMs = nowMs();
        const result = await call(companyId);
        if (result.ok) tookMs.push(nowMs() - begunMs);
        else if (result.error.type === 'overloaded') {
          const { retryAfterSeconds } = result.error;
          await new Promise((resolve) => setTimeout(resolve, retryAfterSeconds * 1000));
        }
      }
    };
    const all = Array.from({ length: callers }, (_, n) => caller(n % 2 === 0 ? 'acme' : 'globex'));
    for (let turn = 0; nowMs() < endMs; turn += 1) {
      clock.advance(everyMs);
      await vi.advanceTimersByTimeAsync(everyMs);
      const inTurn = turn % 2 === 0 ? ['acme', 'globex'] : ['globex', 'acme'];
      await end(inTurn.find((companyId) => countOf(companyId) > 0) ?? '');
    }
    await endAll();
    await vi.advanceTimersByTimeAsync(10_000);
    await endAll();
    await Promise.all(all);
    expect(tookMs.length).toBeGreaterThan((seconds * 1000) / everyMs);
    // What was begun before it showed has to be waited for: so many calls at most.
    expect(Math.max(...tookMs)).toBeLessThan(MAX_WAIT_MS + (atFirst + 1) * everyMs);
    expect(Math.max(...tookMs.slice(tookMs.length / 3))).toBeLessThan(2 * MAX_WAIT_MS);
  });

  it('tells calls at once that cannot be answered in time, as far as it was measured of late, those of the company that has most waiting', async () => {
    const turnedAwayAtOnce = async (): Promise<number> => {
      const flood = calls(100, 'acme');
      const few = calls(10, 'globex');
      await settled();
      let count = 0;
      for (const each of flood) void each.then((result) => (count += result.ok ? 0 : 1));
      await settled();
      const sofar = count;
      await endAll();
      expect(await outcomesOf(few)).toEqual({ done: 10 });
      await Promise.all(flood);
      return sofar;
    };
    // A call takes as long as calls may wait: as many may wait as are worked on.
    await takes(MAX_WAIT_MS, ['acme'], 40, 27);
    clock.advance(MAX_WAIT_MS);
    expect(await turnedAwayAtOnce()).toBe(100 + 10 - 2 * 36);
    await takes(MAX_WAIT_MS, ['acme'], 40, 27);
    clock.advance(2 * MAX_WAIT_MS + 1);
    expect(await turnedAwayAtOnce()).toBe(0);
  });

  it('is not taken for slow because of large calls that have it to themselves, and once idle takes as many as ever', async () => {
    const oneByOne = async (): Promise<void> => {
      for (let n = 0; n < 20 * 32; n += 1) {
        const alone = call('acme', BATCH.keys);
        clock.advance(MAX_WAIT_MS / 2);
        await end('acme');
        await alone;
      }
    };
    await oneByOne();
    expect(await atOnce()).toBe(MOST);
    await takes(10 * MAX_WAIT_MS, ['acme'], 20);
    await oneByOne();
    expect(await atOnce()).toBe(FIRST);
  });

  it('is not taken for slow because of one company whose store is', async () => {
    for (let round = 0; round < 20; round += 1) {
      const slow = calls(16, 'acme');
      await settled();
      clock.advance(10 * MAX_WAIT_MS);
      const quick = calls(16, 'globex');
      await settled();
      await endAll();
      await Promise.all([...slow, ...quick]);
    }
    expect(await atOnce()).toBe(MOST);
  });

  it('is not taken for slow because of calls that wait for a vault', async () => {
    for (let round = 0; round < 20; round += 1) {
      const answer = Promise.withResolvers<boolean>();
      void vaultWaits.during('acme', answer.promise);
      await takes(10 * MAX_WAIT_MS, ['acme'], 1);
      answer.resolve(true);
      await settled();
    }
    expect(await atOnce()).toBe(MOST);
  });

  it('is not taken for slow because of calls that began to wait for a vault, one after the other', async () => {
    for (let n = 0; n < 20 * 32; n += 1) {
      await places.run({ companyId: 'acme', keys: 1 }, async () => {
        const answer = Promise.withResolvers<undefined>();
        const waiting = vaultWaits.during('acme', answer.promise);
        clock.advance(5 * MAX_WAIT_MS);
        answer.resolve(undefined);
        await waiting;
        return ok('done');
      });
    }
    expect(await atOnce()).toBe(MOST);
  });
});

describe('a process whose event loop is late', () => {
  const outcomes = async (count: number, companyId: string): Promise<Record<string, number>> => {
    const all = calls(count, companyId);
    await endAll();
    return outcomesOf(all);
  };

  /** There were many calls, all of them answered. */
  beforeEach(async () => {
    await outcomes(MANY_CALLS - 1, 'acme');
  });

  it('turns nobody away for it where there are few calls: these are not what makes it late', async () => {
    begin();
    loopDelay.lastingMs = 10 * MAX_WAIT_MS;
    for (let round = 0; round < 20; round += 1) {
      expect(await outcomes(MANY_CALLS / 2 - 1, 'acme')).toEqual({ done: MANY_CALLS / 2 - 1 });
      clock.advance(MAX_WAIT_MS);
    }
  });

  it('turns nobody away by up to a quarter of the time that calls may wait', async () => {
    loopDelay.lastingMs = MAX_WAIT_MS / 4;
    expect(await outcomes(500, 'acme')).toEqual({ done: 500 });
  });

  it('answers as many as would find it in time if the others came later, and an eighth whatever happens', async () => {
    loopDelay.lastingMs = MAX_WAIT_MS;
    expect(await outcomes(400, 'acme')).toEqual({ done: 100, overloaded: 300 });
    loopDelay.lastingMs = 1_000 * MAX_WAIT_MS;
    expect(await outcomes(400, 'acme')).toEqual({ done: 50, overloaded: 350 });
    loopDelay.lastingMs = 0;
    expect(await outcomes(400, 'acme')).toEqual({ done: 400 });
  });

  it('tells whoever it turns away at once to come back as late as whoever has waited in vain', async () => {
    loopDelay.lastingMs = MAX_WAIT_MS;
    const refused = await Promise.all(calls(3, 'acme'));
    expect(refused).toEqual(
      [4, 5, 6].map((retryAfterSeconds) => ({ ok: false, error: { type: 'overloaded', retryAfterSeconds } })),
    );
  });

  it('turns away those that ask most, keys of batches counted, and nobody who asks less than others do', async () => {
    loopDelay.lastingMs = MAX_WAIT_MS;
    const flood = calls(400, 'acme');
    const batches = calls(30, 'initech', BATCH.keys);
    const few = calls(40, 'globex');
    await endAll();
    expect(await outcomesOf(few)).toEqual({ done: 40 });
    expect(await outcomesOf(flood)).toEqual({ done: 100, overloaded: 300 });
    // Until they have asked as much.
    expect(await outcomesOf(batches)).toEqual({ done: 22, overloaded: 8 });
  });

  it('forgets in seconds what was asked of it', async () => {
    await outcomes(1_000, 'acme');
    clock.advance(MAX_WAIT_MS);
    for (let times = 0; times < 12; times += 1) {
      await outcomes(1, 'globex');
      clock.advance(MAX_WAIT_MS);
    }
    await outcomes(100, 'globex');
    loopDelay.lastingMs = MAX_WAIT_MS;
    expect(await outcomes(10, 'acme')).toEqual({ done: 10 });
  });
});
