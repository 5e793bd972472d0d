// How many pages a process has under way, over model stores that do so many things side by side: simulated time, seeded times.
import { describe, expect, it } from 'vitest';
import { pageSlots, type PageSlots } from '../../../shared/operations/switches/page-slots.ts';
import { random } from '../../fakes/faulty-tables.ts';

const WORKERS = 16;
const PAGE_MS = 30;
const WHOLE = 297;

interface Store {
  /** How many pages it works on side by side; the others wait in the order of asking. */
  readonly servers: number;
  /** How far the times of pages spread: sigma of a log-normal distribution. */
  readonly sigma?: number;
}

class Model {
  nowMs = 0;
  underWay = 0;
  readonly clock = { now: () => new Date(Math.round(this.nowMs)) };
  readonly slots: PageSlots = pageSlots(this.clock);
  readonly #random = random(7);
  readonly #ends: { readonly atMs: number; readonly end: () => void }[] = [];
  #freeAtMs: number[] = [];

  /** Workers go from page to page until so many were worked on. Pages a second, and the mean number of those under way. */
  async run(pages: number, store: Store, rowsOf: (n: number) => number | undefined = () => WHOLE): Promise<Run> {
    const begunMs = this.nowMs;
    this.#freeAtMs = Array.from({ length: store.servers }, () => this.nowMs);
    let next = 0;
    let [most, pageMs] = [0, 0];
    const worker = async (): Promise<void> => {
      while (next < pages) {
        const n = next++;
        const rows = rowsOf(n);
        await this.slots(
          () => this.#work(store, (rows ?? WHOLE) / WHOLE),
          () => rows,
        );
      }
    };
    const all = Promise.all(Array.from({ length: WORKERS }, worker));
    for (;;) {
      await settled();
      const first = this.#ends.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (!first) break;
      most = Math.max(most, this.underWay);
      pageMs += this.underWay * (first.atMs - this.nowMs);
      this.nowMs = first.atMs;
      this.#ends.splice(this.#ends.indexOf(first), 1);
      first.end();
    }
    await all;
    const tookMs = this.nowMs - begunMs;
    return { perSecond: (pages * 1000) / tookMs, mean: pageMs / tookMs, most };
  }

  #work({ sigma = 0 }: Store, share: number): Promise<void> {
    this.underWay += 1;
    const server = this.#freeAtMs.indexOf(Math.min(...this.#freeAtMs));
    const atMs = Math.max(this.nowMs, this.#freeAtMs[server] ?? 0) + PAGE_MS * share * this.#logNormal(sigma);
    this.#freeAtMs[server] = atMs;
    return new Promise((resolve) => {
      const end = (): void => {
        this.underWay -= 1;
        resolve();
      };
      this.#ends.push({ atMs, end });
    });
  }

  #logNormal(sigma: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
    return Math.exp(sigma * normal - sigma ** 2 / 2);
  }
}

interface Run {
  readonly perSecond: number;
  readonly mean: number;
  readonly most: number;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const MOST_PER_SECOND = 1000 / PAGE_MS;

describe('pages that a process has under way', () => {
  it.each([0, 0.1, 0.3, 0.5])(
    'are hardly ever two where the store does one thing at a time (spread %d)',
    async (sigma) => {
      const { mean, perSecond } = await new Model().run(1_000, { servers: 1, sigma });
      expect(mean).toBeLessThan(2);
      expect(perSecond).toBeGreaterThan(0.95 * MOST_PER_SECOND);
    },
  );

  it.each([0, 0.1, 0.3])(
    'become as many as there are messages where the store takes them all (spread %d)',
    async (sigma) => {
      const model = new Model();
      const beginning = await model.run(200, { servers: 64, sigma });
      expect(beginning.perSecond).toBeGreaterThan(4 * MOST_PER_SECOND);
      const { mean, perSecond } = await model.run(1_000, { servers: 64, sigma });
      expect(mean).toBeGreaterThan(14);
      expect(perSecond).toBeGreaterThan(14 * MOST_PER_SECOND);
    },
  );

  it('stay near what the store takes', async () => {
    const model = new Model();
    await model.run(200, { servers: 4, sigma: 0.1 });
    const { mean, perSecond } = await model.run(1_000, { servers: 4, sigma: 0.1 });
    expect(mean).toBeGreaterThan(3.5);
    expect(mean).toBeLessThan(7);
    expect(perSecond).toBeGreaterThan(3.5 * MOST_PER_SECOND);
  });

  it('become fewer when the store takes fewer, and more again', async () => {
    const model = new Model();
    await model.run(400, { servers: 64 });
    await model.run(100, { servers: 1 });
    expect((await model.run(200, { servers: 1 })).mean).toBeLessThan(2);
    await model.run(200, { servers: 64 });
    expect((await model.run(200, { servers: 64 })).mean).toBeGreaterThan(12);
  });

  it('are never more than messages at once, in the order of asking', async () => {
    const model = new Model();
    await model.run(400, { servers: 64 });
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const pages = Array.from({ length: 18 }, (_, n) =>
      model.slots(
        () => new Promise<void>((end) => void (begun.push(n), ends.push(end))),
        () => WHOLE,
      ),
    );
    await settled();
    expect(begun).toEqual(Array.from({ length: 16 }, (_, n) => n));
    ends[3]?.();
    await settled();
    expect(begun.slice(16)).toEqual([16]);
    for (let n = 0; n < 18; n += 1) {
      ends[n]?.();
      await settled();
    }
    await Promise.all(pages);
  });

  it('are not judged by pages of another length: short ones do not make whole ones look slow', async () => {
    const model = new Model();
    await model.run(400, { servers: 64 }, (n) => (n % 2 === 0 ? 6 : WHOLE));
    const mixed = await model.run(400, { servers: 64 }, (n) => (n % 2 === 0 ? 6 : WHOLE));
    expect(mixed.most).toBe(16);
    expect((await model.run(200, { servers: 64 })).mean).toBeGreaterThan(14);
  });

  it('are not judged by pages that came to no end', async () => {
    const model = new Model();
    expect((await model.run(200, { servers: 64 }, () => undefined)).most).toBe(1);
    const lost = model.slots(
      () => Promise.reject(new Error('lost')),
      () => WHOLE,
    );
    await expect(lost).rejects.toThrow('lost');
    expect((await model.run(400, { servers: 64 })).most).toBe(16);
  });

  it('do not depend on a clock that goes back', async () => {
    const model = new Model();
    let backMs = 0;
    const clock = { now: () => new Date(1_000_000_000 + model.nowMs - (backMs += 500)) };
    const slots = pageSlots(clock);
    for (let n = 0; n < 50; n += 1)
      await slots(
        () => Promise.resolve(),
        () => WHOLE,
      );
    expect(
      await slots(
        () => Promise.resolve('done'),
        () => WHOLE,
      ),
    ).toBe('done');
  });
});
