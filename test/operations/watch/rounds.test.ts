// Rounds of vault checks: who is checked when, what is written, and what is made up for.
import { beforeEach, describe, expect, it } from 'vitest';
import { slotOf, startOfSlot } from '../../../shared/domain/check-pace.ts';
import type { VaultHealth } from '../../../shared/domain/health.ts';
import { getHealth, type HealthReport } from '../../../shared/operations/watch/health-report.ts';
import { handleCheck } from '../../../shared/operations/watch/messages.ts';
import { bucketOf } from '../../../shared/operations/watch/pace.ts';
import { beginRounds } from '../../../shared/operations/watch/rounds.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { putOnAgenda } from '../../../shared/store/agenda.ts';
import { roundRow } from '../../../shared/store/rows/round-rows.ts';
import { find } from '../../../shared/store/found.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import type { TestHost } from '../../world.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, place, Rig } from '../switches/rig.ts';
import { checkRound, workChecks } from './round.ts';

const CONNECTION = { companyId: COMPANY, connectionId: 'contoso' };
const BUCKET = bucketOf(CONNECTION);
const MINUTE_MS = 60_000;

let rig: Rig;
let host: TestHost;
let written: string[];
beforeEach(async () => {
  rig = await Rig.withDataKeys(1);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  rig.vaults.calls.length = 0;
  written = [];
  const write: typeof rig.store.write = (table, partition, writes) => {
    written.push(...writes.map((one) => `${table} ${one.kind} ${'rowKey' in one ? one.rowKey : ''}`));
    return rig.store.write(table, partition, writes);
  };
  host = rig.freshHost(tablesBut(rig.store, { write }));
});

const checks = (): number =>
  rig.vaults.calls.filter(({ host: asked, operation }) => asked === CONTOSO_HOST && operation === 'readKey').length;

/** Turns of the timer, one a minute; answers in which of them the vault was checked. */
async function minutes(count: number): Promise<readonly number[]> {
  const checked: number[] = [];
  for (let minute = 0; minute < count; minute += 1) {
    const before = checks();
    const begun = rig.clock.now().getTime();
    await checkRound(host);
    if (checks() > before) checked.push(minute);
    rig.clock.advanceTo(begun + MINUTE_MS);
  }
  return checked;
}

async function health(): Promise<HealthReport> {
  const report = await getHealth(host, CONNECTION);
  if (!report.ok) throw new Error(report.error.type);
  return report.value;
}

const goSilent = (): void => {
  rig.vaults.fail({ host: CONTOSO_HOST, operation: 'readKey', failure: 'vault-unreachable' });
};

describe('a vault', () => {
  it('is checked at once when it comes in force, and every five minutes while it is well', async () => {
    const [first, ...then] = await minutes(30);
    expect(first).toBe(0);
    const later = then.slice(1).map((minute, index) => minute - then[index]!);
    expect(new Set(later)).toEqual(new Set([5]));
    expect(then.length).toBeGreaterThanOrEqual(5);
  });

  it('that is well costs no write but the two notes of the round, and is known to have been checked', async () => {
    await minutes(6);
    written.length = 0;
    const last = (await minutes(10)).at(-1)!;
    expect(written).toEqual([
      `agenda replace quick|${BUCKET}`,
      `agenda replace quick|${BUCKET}`,
      `agenda replace quick|${BUCKET}`,
      `agenda replace quick|${BUCKET}`,
    ]);
    const checkedAt = startOfSlot(slotOf(new Date(rig.clock.now().getTime() - (10 - last) * MINUTE_MS))).toISOString();
    const { current, history } = await health();
    expect(current).toMatchObject({ state: 'healthy', checkedAt, lastGoodAt: checkedAt });
    expect(Date.parse(current!.nextCheckAt)).toBe(Date.parse(checkedAt) + 5 * MINUTE_MS);
    expect(history).toHaveLength(1);
  });

  it('that denies is checked every minute, without a write, until it lets us in again by itself', async () => {
    await minutes(6);
    const lastGoodAt = (await health()).current!.lastGoodAt;
    rig.vaults.fail({ host: CONTOSO_HOST, operation: 'unwrap', failure: 'access-denied-rbac' });
    await minutes(6);
    expect((await health()).current).toMatchObject({ state: 'revoked', code: 'access-denied-rbac', lastGoodAt });
    written.length = 0;
    expect(await minutes(4)).toEqual([0, 1, 2, 3]);
    expect(written.filter((row) => !row.startsWith('agenda replace quick|'))).toEqual([]);
    rig.vaults.heal();
    expect((await minutes(1)).length).toBe(1);
    const { current, history } = await health();
    expect(current?.state).toBe('healthy');
    expect(history.map(({ state }: VaultHealth) => state)).toEqual(['healthy', 'revoked', 'healthy']);
  });

  it('that is silent is checked among the silent ones, ever more rarely and without a write, and comes back by itself', async () => {
    goSilent();
    await minutes(2);
    written.length = 0;
    const checked = await minutes(90);
    expect(checked.length).toBeLessThan(16);
    expect(checked.at(-1)! - checked.at(-2)!).toBe(16);
    expect(new Set(written)).toEqual(new Set([`agenda replace silent|${BUCKET}`]));
    expect((await health()).current?.state).toBe('unreachable');
    rig.vaults.heal();
    expect(await minutes(17)).not.toEqual([]);
    expect((await health()).current?.state).toBe('healthy');
  });

  it('whose pace was not noted, since that write was lost, is noted by the next check', async () => {
    await minutes(1);
    const lose = tablesBut(rig.store, {
      write: (table, partition, writes) =>
        table === 'agenda' && partition === BUCKET
          ? Promise.resolve({ outcome: 'unknown' })
          : rig.store.write(table, partition, writes),
    });
    goSilent();
    await handleCheck({ ...host, tables: lose }, { format: 1, kind: 'check', ...CONNECTION, because: 'change' });
    const pace = (): unknown => rig.store.peek('agenda', BUCKET, `check|${COMPANY}|contoso`)?.cells['pace'];
    expect(pace()).toBe('well');
    await minutes(6);
    expect(pace()).toBe('silent');
  });
});

describe('a round', () => {
  const message = (slot: number) => ({ format: 1, kind: 'round', lane: 'quick', bucket: BUCKET, slot }) as const;
  const now = (): number => slotOf(rig.clock.now());

  it('that comes again is over where it was done', async () => {
    await handleCheck(host, message(now()));
    await handleCheck(host, message(now()));
    expect(checks()).toBe(1);
  });

  it.each([
    ['far in the future', 1_000_000],
    ['long over', -16],
  ])('%s checks nothing, and keeps no later one from its turn', async (_what, ahead) => {
    await handleCheck(host, message(now() + ahead));
    expect(checks()).toBe(0);
    expect(written).toEqual([]);
    await handleCheck(host, message(now()));
    expect(checks()).toBe(1);
  });

  it('makes up for turns of the timer that did not come', async () => {
    await minutes(6);
    rig.clock.advance(60 * MINUTE_MS);
    expect(await minutes(1)).toEqual([0]);
  });

  it('whose row is damaged is begun as if there had been none', async () => {
    await minutes(6);
    const place = { bucket: BUCKET, lane: 'quick' } as const;
    const found = await find(rig.store, roundRow, place);
    const cells = { format: 1, begun: 'yesterday', done: -1, partSlot: 7, partTo: 3 };
    const rowKey = roundRow.key(place);
    await rig.store.write('agenda', 'rounds', [{ kind: 'replace', rowKey, cells, etag: found!.etag }]);
    expect(await minutes(1)).toEqual([0]);
    expect((await health()).current?.state).toBe('healthy');
    expect((await find(rig.store, roundRow, place))?.value).toMatchObject({ isRunning: false, done: now() - 1 });
  });

  it('by a clock that was an hour ahead keeps none of the others from checking', async () => {
    await minutes(6);
    const place = { bucket: BUCKET, lane: 'quick' } as const;
    const found = await find(rig.store, roundRow, place);
    const cells = roundRow.cells({ begun: now() + 60, isRunning: true, done: now() + 59 });
    await rig.store.write('agenda', 'rounds', [
      { kind: 'replace', rowKey: roundRow.key(place), cells, etag: found!.etag },
    ]);
    expect((await minutes(5)).length).toBeGreaterThan(0);
  });

  it('that two instances take at once is worked by one of them, and by none while it runs', async () => {
    await minutes(1);
    rig.clock.advanceTo(Date.parse((await health()).current!.nextCheckAt));
    const before = checks();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    rig.vaults.onCall = ({ host: asked }) => (asked === CONTOSO_HOST ? promise : undefined);
    const both = [handleCheck(host, message(now())), handleCheck(rig.freshHost(), message(now()))];
    await new Promise((over) => setTimeout(over, 20));
    // Delivered once more, since its lock was lost; and the next one, which finds it running.
    await handleCheck(rig.freshHost(), message(now()));
    await handleCheck(rig.freshHost(), message(now() + 1));
    resolve(undefined);
    await Promise.all(both);
    expect(checks()).toBe(before + 1);
  });

  it('that died is made up for, and until then nothing is said to have been checked', async () => {
    await minutes(6);
    const { checkedAt } = (await health()).current!;
    const dying = tablesBut(rig.store, {
      read: (table, partition, key) =>
        table === 'companies' ? new Promise(() => undefined) : rig.store.read(table, partition, key),
    });
    // It begins at the vault's own minute, and is never heard of again.
    rig.clock.advanceTo(Date.parse((await health()).current!.nextCheckAt));
    void handleCheck({ ...host, tables: dying }, message(now()));
    await new Promise((resolve) => setImmediate(resolve));
    expect((await find(rig.store, roundRow, { bucket: BUCKET, lane: 'quick' }))?.value.begun).toBe(now());
    expect((await health()).current?.checkedAt).toBe(checkedAt);
    rig.clock.advance(MINUTE_MS);
    // It may still run; a minute later it is taken for dead.
    expect(await minutes(2)).toEqual([1]);
    expect((await health()).current?.checkedAt).not.toBe(checkedAt);
  });

  it('has every other vault checked while one says nothing, and the store fails for another', async () => {
    await putOnAgenda(rig.store, { kind: 'check', companyId: COMPANY, id: 'broken' });
    const { promise, resolve } = Promise.withResolvers<undefined>();
    rig.vaults.onCall = ({ host: asked }) => (asked === CONTOSO_HOST ? promise : undefined);
    const working = handleCheck(host, message(now()));
    await new Promise((over) => setTimeout(over, 20));
    // The one that there is not has been taken off, while the other still waits.
    expect(rig.store.peek('agenda', BUCKET, `check|${COMPANY}|broken`)).toBeUndefined();
    resolve(undefined);
    await working;
    expect((await health()).current?.state).toBe('healthy');
  });

  it('that finds the queue away is begun anew by the next turn', async () => {
    host.checkQueue.away = true;
    await expect(beginRounds(host)).rejects.toThrow('away');
    host.checkQueue.away = false;
    await workChecks(host);
    expect(checks()).toBe(0);
    await checkRound(host);
    expect(checks()).toBe(1);
  });
});

it('a turn of the timer sends messages of a bounded number, none of a connection, spread over less than a minute', async () => {
  await beginRounds(host);
  expect(host.checkQueue.size).toBe(32);
  const begun = rig.clock.now().getTime();
  const buckets = new Set<unknown>();
  for (let message = host.checkQueue.take(); message; message = host.checkQueue.take()) {
    expect(Object.keys(message).toSorted()).toEqual(['bucket', 'format', 'kind', 'lane', 'slot']);
    if (message.kind === 'round') buckets.add(message.bucket);
  }
  expect(buckets.size).toBe(16);
  expect(rig.clock.now().getTime() - begun).toBeLessThan(MINUTE_MS);
});
