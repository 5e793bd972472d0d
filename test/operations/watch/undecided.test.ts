// A vault that is slow while the places of those that do not answer are full: its check is given up, nothing is said of it that was not seen, and it is
// looked at with its whole time limit in the next minute.
import { beforeEach, expect, it } from 'vitest';
import type { FailureCode } from '../../../shared/domain/failure.ts';
import { slotOf } from '../../../shared/domain/check-pace.ts';
import { CheckPlaces, type CheckPlace } from '../../../shared/operations/watch/check-places.ts';
import { getHealth, type HealthReport } from '../../../shared/operations/watch/health-report.ts';
import { handleCheck } from '../../../shared/operations/watch/messages.ts';
import { bucketOf } from '../../../shared/operations/watch/pace.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import type { TestHost } from '../../world.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, place, Rig } from '../switches/rig.ts';
import { checkRound } from './round.ts';

const CONNECTION = { companyId: COMPANY, connectionId: 'contoso' };
const BUCKET = bucketOf(CONNECTION);
const MINUTE_MS = 60_000;

let rig: Rig;
let host: TestHost;
let taken: CheckPlace;
let wakes: (() => void)[];
beforeEach(async () => {
  rig = await Rig.withDataKeys(1);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  wakes = [];
  const sleep = (): Promise<void> => new Promise((resolve) => void wakes.push(resolve));
  const checkPlaces = new CheckPlaces({ sleep }, 2);
  host = { ...rig.freshHost(), checkPlaces };
  await checkRound(host);
  taken = await checkPlaces.take('silent');
  rig.clock.advanceTo(Date.parse((await health()).nextCheckAt));
});

async function health(): Promise<NonNullable<HealthReport['current']>> {
  const report = await getHealth(host, CONNECTION);
  if (!report.ok || !report.value.current) throw new Error('no health');
  return report.value.current;
}
const round = (lane: 'quick' | 'silent') =>
  ({ format: 1, kind: 'round', lane, bucket: BUCKET, slot: slotOf(rig.clock.now()) }) as const;
const pace = (): unknown => rig.store.peek('agenda', BUCKET, `check|${COMPANY}|contoso`)?.cells['pace'];

/** The vault hangs, and two seconds pass. */
async function isSlow(message: Parameters<typeof handleCheck>[1]): Promise<void> {
  const { promise: asked, resolve } = Promise.withResolvers<undefined>();
  rig.vaults.onCall = ({ host: at }) => {
    if (at !== CONTOSO_HOST) return undefined;
    resolve(undefined);
    return new Promise(() => undefined);
  };
  const working = handleCheck(host, message);
  await asked;
  for (let second = 0; second < 2; second += 1) {
    for (const wake of wakes.splice(0)) wake();
    await new Promise((over) => setImmediate(over));
  }
  await working;
  rig.vaults.onCall = undefined;
}

it.each([
  ['a round', () => round('quick')],
  ['a call', () => ({ format: 1, kind: 'check', ...CONNECTION, because: 'outage' }) as const],
])(
  '%s that gives it up says nothing of it: its state stays, and it is not said to have been good',
  async (_who, ask) => {
    const before = await health();
    const rows = [...rig.store.dump()].length;
    await isSlow(ask());
    const { checkedAt, lastGoodAt, state } = await health();
    expect({ checkedAt, lastGoodAt, state }).toEqual({
      checkedAt: before.checkedAt,
      lastGoodAt: before.lastGoodAt,
      state: 'healthy',
    });
    expect(pace()).toBe('slow');
    expect([...rig.store.dump()]).toHaveLength(rows);
    expect((await health()).nextCheckAt).toBe(new Date(rig.clock.now().getTime() + MINUTE_MS).toISOString());
  },
);

it('the log counts them', async () => {
  await isSlow(round('quick'));
  expect(rig.log.entries.filter(({ event }) => event === 'vault.checks-undecided')).toMatchObject([
    { detail: { bucket: BUCKET, lane: 'quick', undecided: 1 } },
  ]);
});

it.each<[string, FailureCode, string]>([
  ['a revocation that comes slowly is one', 'access-denied-rbac', 'revoked'],
  ['an outage is none', 'vault-unreachable', 'unreachable'],
])('%s, a minute later and with its whole time', async (_what, code, state) => {
  await isSlow(round('quick'));
  taken.leave();
  rig.vaults.fail({ host: CONTOSO_HOST, operation: 'unwrap', failure: code });
  rig.clock.advance(MINUTE_MS);
  await handleCheck(host, round('quick'));
  expect((await health()).state).toBe('healthy');
  await handleCheck(host, round('silent'));
  expect(await health()).toMatchObject({ state, code });
  expect(pace()).toBe(state === 'revoked' ? 'ill' : 'silent');
});

it('one that answers then is checked like the others again', async () => {
  await isSlow(round('quick'));
  taken.leave();
  rig.clock.advance(MINUTE_MS);
  await handleCheck(host, round('silent'));
  expect(pace()).toBe('well');
  expect((await health()).state).toBe('healthy');
  expect(Date.parse((await health()).nextCheckAt) - rig.clock.now().getTime()).toBeGreaterThan(MINUTE_MS);
});
