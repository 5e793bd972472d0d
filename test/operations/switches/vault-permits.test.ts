import { beforeEach, describe, expect, it } from 'vitest';
import { LAST_ROUND } from '../../../shared/domain/work-message.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/work.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { NO_PERMIT, VaultPermits } from '../../../shared/operations/switches/vault-permits.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeClock } from '../../fakes/fake-system.ts';
import { stateOf } from '../tenants/tenant-rig.ts';
import { COMPANY, CONTOSO, place, Rig } from './rig.ts';

const never = (): Promise<never> => new Promise(() => undefined);
const ADVANCE = { format: 1, kind: 'advance', attempt: 0, ...place('s1') } as const;

/** As many of its messages wait as may. */
async function full(): Promise<Rig> {
  const rig = await Rig.withDataKeys(4);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  rig.queue.clear();
  for (let turn = 0; turn < 2; turn += 1) void rig.deps.vaultPermits.run(COMPANY, never);
  return rig;
}

/** Time goes on when the test says so, to the next moment at which somebody looks. */
class Moments {
  readonly #clock = new FakeClock();
  #sleeps: { readonly untilMs: number; readonly wake: () => void }[] = [];
  readonly permits = new VaultPermits(
    { sleep: (ms) => new Promise((wake) => this.#sleeps.push({ untilMs: this.#nowMs() + ms, wake })) },
    this.#clock,
  );

  async goOn(ms: number): Promise<void> {
    const endMs = this.#nowMs() + ms;
    for (;;) {
      await new Promise(setImmediate);
      const nextMs = Math.min(endMs, ...this.#sleeps.map(({ untilMs }) => untilMs));
      this.#clock.advanceTo(nextMs);
      const due = this.#sleeps.filter(({ untilMs }) => untilMs <= nextMs);
      this.#sleeps = this.#sleeps.filter(({ untilMs }) => untilMs > nextMs);
      for (const { wake } of due) wake();
      if (due.length === 0 && nextMs >= endMs) return;
    }
  }

  /** One whose vaults have answered. */
  async answering(companyId: string): Promise<void> {
    await this.permits.run(companyId, done, () => true);
  }

  /** A permit that waits for a vault; `answer` ends it. */
  hold(companyId: string): {
    readonly isHeld: () => boolean;
    readonly outcome: Promise<string>;
    readonly answer: () => void;
  } {
    const vault = Promise.withResolvers<string>();
    let isHeld = false;
    const work = (): Promise<string> => {
      isHeld = true;
      return vault.promise;
    };
    const outcome = this.permits.run(companyId, work);
    return { isHeld: () => isHeld, outcome, answer: () => vault.resolve('done') };
  }

  /** Each is silent: its permit took as long as a call may. */
  async silent(companyIds: readonly string[]): Promise<void> {
    const held = companyIds.map((companyId) => this.hold(companyId));
    await this.goOn(SLOW_MS);
    for (const { answer, outcome } of held) {
      answer();
      await outcome;
    }
  }

  #nowMs(): number {
    return this.#clock.now().getTime();
  }
}

/** What has come of each so far. */
const outcomesOf = (held: readonly { readonly outcome: Promise<string> }[]): Promise<string[]> =>
  Promise.all(held.map(async ({ outcome }) => Promise.race([outcome, Promise.resolve('holds')])));

const SLOW_MS = 3_000;
const TEN_MINUTES_MS = 600_000;
const done = (): Promise<string> => Promise.resolve('done');
const names = (what: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${what} ${index}`);

let moments: Moments;
let permits: VaultPermits;
beforeEach(() => {
  moments = new Moments();
  ({ permits } = moments);
});

describe('a company whose vaults answer', () => {
  it('has two permits; further messages wait for them, and none comes to nothing however many they are', async () => {
    await moments.answering('a');
    const held = Array.from({ length: 14 }, () => moments.hold('a'));
    for (let ended = 0; ended < 14; ended += 2) {
      await moments.goOn(100);
      expect(held.map(({ isHeld }) => isHeld()).filter(Boolean)).toHaveLength(ended + 2);
      for (const { answer } of held.slice(ended, ended + 2)) answer();
    }
    expect(await Promise.all(held.map(async ({ outcome }) => outcome))).toEqual(Array(14).fill('done'));
  });

  it('as far as is known has its messages wait although the vault takes longer, while there are places', async () => {
    const held = Array.from({ length: 8 }, () => moments.hold('new'));
    await moments.goOn(2_000);
    for (const { answer } of held) answer();
    expect(await Promise.all(held.map(async ({ outcome }) => outcome))).toEqual(Array(8).fill('done'));
  });

  it('as far as is known leaves four places to others when its messages would fill them all', async () => {
    const held = Array.from({ length: 16 }, () => moments.hold('new'));
    await moments.goOn(250);
    const given = await outcomesOf(held);
    expect(given.filter((outcome) => outcome === NO_PERMIT)).toHaveLength(4);
  });

  it('has a permit after work that throws', async () => {
    for (let time = 0; time < 3; time += 1)
      await expect(permits.run('a', () => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
    expect(await permits.run('a', done)).toBe('done');
  });

  it('has its permits beside any number of companies whose vaults do not and that nothing is known of', async () => {
    await moments.answering('ours');
    for (const name of names('silent', 16)) moments.hold(name);
    const ours = [moments.hold('ours'), moments.hold('ours')];
    expect(ours.map(({ isHeld }) => isHeld())).toEqual([true, true]);
  });

  it('and that nothing is known of has a permit beside eight companies whose vaults do not, however many messages they have', () => {
    for (const name of names('silent', 8)) for (let message = 0; message < 3; message += 1) moments.hold(name);
    expect(moments.hold('ours').isHeld()).toBe(true);
  });
});

describe('a company whose vaults do not answer', () => {
  it('is told so at once while its permits are held, from three seconds on, and goes on when they answer', async () => {
    const [first, second, waits] = [moments.hold('a'), moments.hold('a'), moments.hold('a')];
    await moments.goOn(SLOW_MS - 1);
    expect(await outcomesOf([waits])).toEqual(['holds']);
    await moments.goOn(1);
    expect([await waits.outcome, await permits.run('a', done)]).toEqual([NO_PERMIT, NO_PERMIT]);
    for (const { answer, outcome } of [first, second]) {
      answer();
      await outcome;
    }
    await moments.answering('a');
    const held = [moments.hold('a'), moments.hold('a')];
    expect(held.map(({ isHeld }) => isHeld())).toEqual([true, true]);
  });

  it('has one of the four permits that all such companies have, for ten minutes', async () => {
    await moments.silent(names('silent', 8));
    const held = names('silent', 8).map((name) => moments.hold(name));
    expect(held.map(({ isHeld }) => isHeld())).toEqual([true, true, true, true, false, false, false, false]);
    expect(await Promise.all(held.slice(4).map(async ({ outcome }) => outcome))).toEqual(Array(4).fill(NO_PERMIT));
    for (const { answer } of held) answer();
    await moments.goOn(TEN_MINUTES_MS);
    const again = names('silent', 8).map((name) => moments.hold(name));
    expect(again.every(({ isHeld }) => isHeld())).toBe(true);
  });

  it('leaves four of the sixteen places of a process, also when all have answered before', async () => {
    for (const name of names('fallen', 10)) await moments.answering(name);
    const held = names('fallen', 10).flatMap((name) => [moments.hold(name), moments.hold(name)]);
    expect(held.filter(({ isHeld }) => isHeld())).toHaveLength(12);
    await moments.goOn(SLOW_MS);
    const given = await outcomesOf(held);
    expect(given.filter((outcome) => outcome === NO_PERMIT)).toHaveLength(8);
  });
});

it('a message without a permit asks no vault, notes no trouble and comes again soon', async () => {
  const rig = await full();
  rig.vaults.calls.length = 0;
  const before = rig.clock.now().getTime();
  await handleSwitchWork(rig.deps, ADVANCE);
  expect(rig.vaults.calls).toEqual([]);
  expect(rig.queue.take()).toEqual({ ...ADVANCE, attempt: 1 });
  expect(rig.clock.now().getTime() - before).toBeLessThanOrEqual(250);
});

it('goes round for about a minute, and is then left to the timer', async () => {
  const rig = await full();
  const before = rig.clock.now().getTime();
  await rig.queue.send([ADVANCE]);
  expect(await rig.drain()).toBe(1 + LAST_ROUND);
  expect(rig.clock.now().getTime() - before).toBeLessThan(75_000);
  expect(rig.log.events()).toContain('switch.left-to-timer');
});

it('so does a message whose keys must be opened anew, and its rows are moved when there is a permit', async () => {
  const rig = await Rig.withDataKeys(8, { shardCount: 1 });
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain({ enough: async () => (await stateOf(rig, 's1')) === 're-protecting' });
  const message = rig.queue.take()!;
  expect(message.kind).toBe('reprotect');
  rig.deps = rig.freshHost();
  const first = Promise.withResolvers<undefined>();
  const held = [1, 2].map(() => rig.deps.vaultPermits.run(COMPANY, () => first.promise));
  await handleSwitchWork(rig.deps, message);
  expect((await rig.shards())[0]).toMatchObject({ phase: 'rewrap', at: { 1: 8 } });
  expect(rig.queue.size).toBe(1);
  first.resolve(undefined);
  await Promise.all(held);
  await rig.drain();
  expect(await stateOf(rig, 's1')).toBe('completed');
  expect(await rig.openByCaller()).toBe(8);
});
