import { beforeEach, describe, expect, it } from 'vitest';
import { ExpiringCache } from '../../shared/domain/expiring-cache.ts';
import { err, ok, type Result } from '../../shared/domain/result.ts';
import { FakeClock } from '../fakes/fake-system.ts';

const TTL_MS = 1_000;

let clock: FakeClock;
let cache: ExpiringCache<string, string>;
let loads: number;
beforeEach(() => {
  clock = new FakeClock();
  cache = new ExpiringCache(clock, { ttlMs: TTL_MS, maxEntries: 2 });
  loads = 0;
});

/** Each value says the how manieth load it came of. */
const get = (name = 'a'): Promise<Result<string, string>> =>
  cache.get(name, () => Promise.resolve(ok(`${name}${(loads += 1)}`)));

/** A load that is under way until it is told what to answer. */
function slowGet(name = 'a') {
  const { promise, resolve, reject } = Promise.withResolvers<Result<string, string>>();
  let isLoaded = false;
  const answer = cache.get(name, () => {
    isLoaded = true;
    return promise;
  });
  return { answer, isLoaded, resolve, reject };
}

describe('what is kept', () => {
  it('is given out, with its end, until its time is over', async () => {
    expect(cache.peek('a')).toBeUndefined();
    const endsAtMs = clock.now().getTime() + TTL_MS;
    expect(await get()).toEqual(ok('a1'));
    clock.advance(TTL_MS - 1);
    expect([await get(), cache.peek('a')]).toEqual([ok('a1'), { value: 'a1', endsAtMs }]);
    clock.advance(1);
    expect([cache.peek('a'), await get()]).toEqual([undefined, ok('a2')]);
  });

  it('has a time that began before it was asked for', async () => {
    const slow = slowGet();
    clock.advance(TTL_MS - 1);
    slow.resolve(ok('slow'));
    expect(await slow.answer).toEqual(ok('slow'));
    expect(cache.peek('a')?.value).toBe('slow');
    clock.advance(1);
    expect(cache.peek('a')).toBeUndefined();
  });

  it('ends earlier if whoever loads it says so, and never later', async () => {
    const nowMs = clock.now().getTime();
    const load = (endsAtMs: number) => (endBy: (atMs: number) => void) => {
      endBy(endsAtMs);
      return Promise.resolve(ok('value'));
    };
    await cache.get('short', load(nowMs + 10));
    await cache.get('long', load(nowMs + 2 * TTL_MS));
    expect(cache.peek('short')?.endsAtMs).toBe(nowMs + 10);
    expect(cache.peek('long')?.endsAtMs).toBe(nowMs + TTL_MS);
  });

  it('is nothing that was over as it came, and takes nobody’s room', async () => {
    await get('b');
    await get('c');
    expect(await cache.get('a', (endBy) => (endBy(clock.now().getTime()), Promise.resolve(ok('over'))))).toEqual(
      ok('over'),
    );
    expect(['a', 'b', 'c'].map((name) => cache.peek(name) !== undefined)).toEqual([false, true, true]);
  });

  it('is no more than there is room for: what was used last stays', async () => {
    await get('a');
    await get('b');
    cache.peek('a');
    await get('c');
    expect(['a', 'b', 'c'].map((name) => cache.peek(name) !== undefined)).toEqual([true, false, true]);
  });

  it('is given out for no longer and no shorter where the clock is set back', async () => {
    await get();
    clock.advance(TTL_MS - 1);
    clock.setBack(TTL_MS / 2);
    expect(await get()).toEqual(ok('a1'));
    clock.advance(1);
    expect(cache.peek('a')).toBeUndefined();
  });

  it('may be known without a load: its time begins then, and ends no later than is said', () => {
    cache.keep('a', 'known');
    cache.keep('b', 'known', clock.now().getTime() + 10);
    clock.advance(10);
    expect([cache.peek('a')?.value, cache.peek('b')]).toEqual(['known', undefined]);
    cache.keep('a', 'newer');
    clock.advance(TTL_MS - 1);
    expect(cache.peek('a')?.value).toBe('newer');
    clock.advance(1);
    expect(cache.peek('a')).toBeUndefined();
  });

  it('is of one name only', async () => {
    expect([await get('a'), await get('b'), await get('a')]).toEqual([ok('a1'), ok('b2'), ok('a1')]);
  });
});

describe('a load under way', () => {
  it('serves all who come within its time', async () => {
    const slow = slowGet();
    clock.advance(TTL_MS - 1);
    const joining = slowGet();
    expect(joining.isLoaded).toBe(false);
    slow.resolve(ok('slow'));
    expect([await slow.answer, await joining.answer]).toEqual([ok('slow'), ok('slow')]);
  });

  it('serves nobody who comes after its time, and what it brings then is not kept', async () => {
    const granted = slowGet();
    clock.advance(TTL_MS);
    const denied = slowGet();
    expect(denied.isLoaded).toBe(true);
    granted.resolve(ok('granted'));
    expect(await granted.answer).toEqual(ok('granted'));
    const joining = slowGet();
    expect([joining.isLoaded, cache.peek('a')]).toEqual([false, undefined]);
    denied.resolve(err('denied'));
    expect([await denied.answer, await joining.answer]).toEqual([err('denied'), err('denied')]);
  });

  it('that fails after its time takes nothing from one that was begun since', async () => {
    const old = slowGet();
    clock.advance(TTL_MS);
    await get();
    old.resolve(err('away'));
    expect(await old.answer).toEqual(err('away'));
    expect(cache.peek('a')?.value).toBe('a1');
  });

  it.each([
    ['is refused', (slow: ReturnType<typeof slowGet>) => slow.resolve(err('refused'))],
    ['throws', (slow: ReturnType<typeof slowGet>) => slow.reject(new Error('bug'))],
  ])('that %s is not kept: the next who comes loads anew', async (_, end) => {
    const slow = slowGet();
    const told = slow.answer.catch(() => 'thrown');
    end(slow);
    await told;
    expect(await get()).toEqual(ok('a1'));
  });
});

describe('loading past what is kept', () => {
  const load = (answer: Result<string, string>): Promise<Result<string, string>> =>
    cache.load('a', () => Promise.resolve(answer));

  it('replaces it', async () => {
    await get();
    expect(await load(ok('new'))).toEqual(ok('new'));
    expect(cache.peek('a')?.value).toBe('new');
  });

  it('ends it if there is none any more, but not by a bug', async () => {
    await get();
    await expect(cache.load('a', () => Promise.reject(new Error('bug')))).rejects.toThrow('bug');
    expect(cache.peek('a')?.value).toBe('a1');
    expect(await load(err('gone'))).toEqual(err('gone'));
    expect(cache.peek('a')).toBeUndefined();
  });
});

describe('loading several past what is kept', () => {
  it('keeps each that is found, and ends each that is not', async () => {
    await get('a');
    const answer = await cache.loadSeveral((found) => {
      found('a', undefined);
      found('b', { value: 'b!' });
      return Promise.resolve('both');
    });
    expect([answer, cache.peek('a'), cache.peek('b')?.value]).toEqual(['both', undefined, 'b!']);
  });

  it('keeps none that was forgotten meanwhile, and the others', async () => {
    await cache.loadSeveral((found) => {
      cache.forget('a');
      found('a', { value: 'a!' });
      found('b', { value: 'b!' });
      return Promise.resolve();
    });
    expect([cache.peek('a'), cache.peek('b')?.value]).toEqual([undefined, 'b!']);
  });

  it('counts their time from before it, and changes nothing once that is over', async () => {
    const endsAtMs = clock.now().getTime() + TTL_MS;
    await cache.loadSeveral(async (found) => {
      clock.advance(TTL_MS - 1);
      found('a', { value: 'a!' });
      expect(cache.peek('a')).toEqual({ value: 'a!', endsAtMs });
      clock.advance(1);
      await get('a');
      found('a', undefined);
      found('b', { value: 'b!' });
    });
    expect([cache.peek('a')?.value, cache.peek('b')]).toEqual(['a1', undefined]);
  });
});

describe('what is forgotten', () => {
  it('is not given out any more, and others are', async () => {
    await get('a');
    await get('b');
    cache.forget('a');
    expect([cache.peek('a'), cache.peek('b')?.value]).toEqual([undefined, 'b2']);
  });

  it('nor kept or shared if it was being loaded', async () => {
    const [slow, other] = [slowGet('a'), slowGet('b')];
    cache.forget('a');
    const later = slowGet('a');
    expect(later.isLoaded).toBe(true);
    slow.resolve(ok('old'));
    other.resolve(ok('other'));
    expect([await slow.answer, await other.answer]).toEqual([ok('old'), ok('other')]);
    expect([cache.peek('a'), cache.peek('b')?.value]).toEqual([undefined, 'other']);
    later.resolve(ok('new'));
    expect(await later.answer).toEqual(ok('new'));
    expect(cache.peek('a')?.value).toBe('new');
  });
});

describe('all that is forgotten at once', () => {
  const isOld = (_: string, value: string | undefined): boolean =>
    value === undefined || value === 'a1' || value === 'old';

  it('is told by name and value, and the rest is given out on', async () => {
    await get('a');
    await get('b');
    cache.forgetAll(isOld);
    expect([cache.peek('a'), cache.peek('b')?.value]).toEqual([undefined, 'b2']);
  });

  it('is neither kept nor shared if it was being loaded', async () => {
    const [slow, other] = [slowGet('a'), slowGet('b')];
    cache.forgetAll((name, value) => name === 'a' && isOld(name, value));
    const later = slowGet('a');
    expect([later.isLoaded, slowGet('b').isLoaded]).toEqual([true, false]);
    slow.resolve(ok('old'));
    other.resolve(ok('other'));
    expect([await slow.answer, await other.answer]).toEqual([ok('old'), ok('other')]);
    expect([cache.peek('a'), cache.peek('b')?.value]).toEqual([undefined, 'other']);
  });

  it('leaves what turns out, once it is loaded, not to be meant', async () => {
    const slow = slowGet('a');
    cache.forgetAll(isOld);
    slow.resolve(ok('another'));
    await slow.answer;
    expect(cache.peek('a')?.value).toBe('another');
  });
});
