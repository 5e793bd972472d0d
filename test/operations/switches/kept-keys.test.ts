// The company key that a switch leaves behind: when it is kept, who may use it, and when it goes.
import { beforeEach, describe, expect, it } from 'vitest';
import type { KeptKey } from '../../../shared/domain/kept-key.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import type { Wrap } from '../../../shared/domain/company-key.ts';
import { BEFORE_DATA_KEYS } from '../../../shared/store/rows/data-rows.ts';
import { companyKeyRowKey, keptKeyRowKey, keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { listKeptKeys, loadSwitch } from '../../../shared/store/control-state.ts';
import { cancelSwitch, retrySwitch } from '../../../shared/operations/switches/steer.ts';
import { commit } from '../../../shared/operations/switches/commit.ts';
import { acceptLoss, retryQuarantined } from '../../../shared/operations/switches/quarantine.ts';
import { recount } from '../../../shared/operations/switches/recount.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { sweepKept } from '../../../shared/operations/switches/sweep-kept.ts';
import type { ProviderRef } from '../../../shared/domain/provider.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { aheadOf, clockGuardOf } from '../../fakes/fake-system.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, FABRIKAM, KEEP_MS, KEYRING, MANAGED, place, Rig, VENDOR } from './rig.ts';

const PLACE = { companyId: COMPANY, keyringId: KEYRING };
const DAY_MS = 24 * 3_600_000;
let rig: Rig;

beforeEach(async () => {
  rig = await Rig.withDataKeys(6, { shardCount: 2 });
});

const to = async (switchId: string, target: ProviderRef): Promise<void> => {
  await startSwitch(rig.deps, { ...place(switchId), target }, ADMIN);
  await rig.drain();
};
const kept = async (): Promise<[number, number | undefined][]> =>
  (await listKeptKeys(rig.store, PLACE)).map(({ version, value }) => [version, value?.under]);
const keptRow = async (): Promise<KeptKey> => (await listKeptKeys(rig.store, PLACE))[0]!.value!;
const unwraps = (): string[] =>
  rig.vaults.calls.flatMap(({ operation, host }) => (operation === 'unwrap' ? [host] : []));
const usesOnRecord = (): number =>
  chainOf(rig.store, COMPANY).filter(({ action }) => action === 'security.kept-key-used').length;
const switchOf = async (switchId: string): Promise<Switch> => (await loadSwitch(rig.store, place(switchId)))!.value;
describe('the company key that goes', () => {
  it('at commit is kept under the one that stays', async () => {
    await to('s1', CONTOSO);
    expect(await kept()).toEqual([[1, 2]]);
    const now = rig.clock.now().getTime();
    expect(await keptRow()).toMatchObject({ reason: 'completed', until: new Date(now + KEEP_MS).toISOString() });
  });

  it('at the end of a cancel is kept under the one that stays', async () => {
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain({ enough: async () => (await switchOf('s1')).state === 're-protecting' });
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect([(await switchOf('s1')).state, await kept()]).toEqual(['cancelled', [[2, 1]]]);
    expect(await keptRow()).toMatchObject({ reason: 'cancelled' });
  });

  it('of a re-key is kept likewise, and those kept before hang on', async () => {
    await startRekey(rig.deps, place('r1'), ADMIN);
    await rig.drain();
    await to('s1', CONTOSO);
    await to('s2', FABRIKAM);
    expect(await kept()).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
  });

  it('is written over a row that somebody put there before, which is told', async () => {
    rig.store.tamper('companies', COMPANY, keptKeyRowKey(KEYRING, 1), { format: 1 });
    await to('s1', CONTOSO);
    expect([(await switchOf('s1')).state, await kept()]).toEqual(['completed', [[1, 2]]]);
    const detail = { companyId: COMPANY, row: keptKeyRowKey(KEYRING, 1) };
    expect(rig.log.entries).toContainEqual({ level: 'error', event: 'security.row-forged', detail });
  });

  it('costs one unwrap more at an end, of the vault that stays, beside the one by which the vault in force may deny', async () => {
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain({ enough: async () => (await switchOf('s1')).state === 're-protecting' });
    rig.queue.clear();
    await rig.pass('s1', 0, 1);
    rig.vaults.calls.length = 0;
    expect(await commit(rig.deps, place('s1'))).toEqual({ type: 'done' });
    expect(unwraps()).toEqual([CONTOSO_HOST, VENDOR.host, CONTOSO_HOST]);
  });

  /** Blocked at its end: the company key that goes does not open through the vault that stays. Answers how that is mended. */
  async function notKept(): Promise<() => void> {
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain({ enough: async () => (await switchOf('s1')).state === 're-protecting' });
    const rowKey = companyKeyRowKey(KEYRING, 1);
    const row = (await rig.store.read('companies', COMPANY, rowKey))!;
    const broken = (wrap: Wrap): Wrap => (wrap.host === CONTOSO_HOST ? { ...wrap, ciphertext: 'AAAA' } : wrap);
    const wraps = JSON.stringify((JSON.parse(String(row.cells['wraps'])) as Wrap[]).map(broken));
    rig.store.tamper('companies', COMPANY, rowKey, { ...row.cells, wraps });
    await rig.drain();
    expect((await switchOf('s1')).blocked).toMatchObject({ reason: 'key-not-kept', side: 'target' });
    expect(await rig.openByCaller()).toBe(6);
    return () => rig.store.tamper('companies', COMPANY, rowKey, row.cells);
  }

  it('that does not open although the other does blocks the end, and is kept by a retry once it is mended', async () => {
    const mend = await notKept();
    await retrySwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    const again = await switchOf('s1');
    expect([again.state, again.blocked?.reason]).toEqual(['re-protecting', 'key-not-kept']);
    mend();
    await retrySwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect([(await switchOf('s1')).state, await kept()]).toEqual(['completed', [[1, 2]]]);
  });

  it('is given up only by a retry that says so, which is recorded', async () => {
    await notKept();
    await retrySwitch(rig.deps, { ...place('s1'), withoutKeeping: true }, ADMIN);
    await rig.drain();
    expect([(await switchOf('s1')).state, await kept(), await rig.openByCaller()]).toEqual(['completed', [], 6]);
    const [end] = chainOf(rig.store, COMPANY).filter(({ action }) => action === 'switch.completed');
    expect(JSON.parse(String(end?.detail))).toMatchObject({ notKeptVersion: 1 });
    const [retry] = chainOf(rig.store, COMPANY).filter(({ action }) => action === 'switch.retry');
    expect([retry?.by, JSON.parse(String(retry?.detail))]).toMatchObject([ADMIN.by, { withoutKeeping: true }]);
  });

  it('is given up of no switch that does not say that it cannot be kept; saying it again changes nothing', async () => {
    await notKept();
    const said = { ...place('s1'), withoutKeeping: true } as const;
    await retrySwitch(rig.deps, place('s1'), ADMIN);
    const refused = { error: { type: 'state', code: 'switch-not-blocked' } };
    expect(await retrySwitch(rig.deps, said, ADMIN)).toMatchObject(refused);
    await rig.drain();
    expect((await retrySwitch(rig.deps, said, ADMIN)).ok).toBe(true);
    expect((await retrySwitch(rig.deps, said, ADMIN)).ok).toBe(true);
  });

  it('that was let go is not let go any more once the switch has turned round', async () => {
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain({ enough: async () => (await switchOf('s1')).state === 're-protecting' });
    await rig.amendSwitch('s1', { endsWithoutKeeping: true });
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    expect((await switchOf('s1')).endsWithoutKeeping).toBeUndefined();
  });

  it('waits for a vault that is away, also if somebody has let it go', async () => {
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain({ enough: async () => (await switchOf('s1')).state === 're-protecting' });
    rig.queue.clear();
    await rig.pass('s1', 0, 1);
    await rig.amendSwitch('s1', { endsWithoutKeeping: true });
    let calls = 0;
    rig.vaults.onCall = ({ operation }) => {
      if (operation === 'unwrap' && (calls += 1) === 2)
        rig.vaults.fail({ operation: 'unwrap', failure: 'vault-unreachable' });
    };
    expect(await commit(rig.deps, place('s1'))).toMatchObject({
      type: 'retry',
      failure: { code: 'vault-unreachable' },
    });
    rig.vaults.onCall = undefined;
    rig.vaults.heal();
    expect(await commit(rig.deps, place('s1'))).toEqual({ type: 'done' });
    expect(await kept()).toEqual([[1, 2]]);
  });
});

describe.each([
  ['retry', retryQuarantined, { ok: true }],
  ['accept-loss', acceptLoss, { ok: false, error: { code: 'data-key-opens' } }],
] as const)('a kept key by which a decision on a quarantined row opens it (%s)', (_, decide, outcome) => {
  const key = 'key-000003';
  it.each([
    ['named by the row', 1],
    ['of which the row names another version', 9],
    ['of which the row names the version that stays', 3],
  ])('%s is told of, in the log and in the record', async (_case, companyKeyVersion) => {
    const older = await quarantined();
    await rig.tamperDataKey(key, { blob: older['blob'], companyKeyVersion });
    rig.log.entries.length = 0;
    const recordedBefore = usesOnRecord();
    expect(await decide(rig.deps, { ...place('s2'), keyId: key }, ADMIN)).toMatchObject(outcome);
    expect(rig.log.entries.filter(({ event }) => event === 'security.kept-key-used')).toEqual([
      {
        level: 'error',
        event: 'security.kept-key-used',
        detail: { ...PLACE, version: 1, by: 'decision', dataKeys: 1 },
      },
    ]);
    expect(usesOnRecord()).toBe(recordedBefore + 1);
  });
});

/** One row that was at version 1 waits in a switch from 2 to 3; as it was, it opens. */
async function quarantined(): Promise<Cells> {
  const key = 'key-000003';
  const older = (await rig.store.read('datakeys', rig.partitionOf(key), key))!.cells;
  await to('s1', CONTOSO);
  await rig.tamperDataKey(key, { ...older, blob: new Uint8Array(61) });
  await to('s2', FABRIKAM);
  expect((await rig.dataKey(key)).state).toBe('quarantined');
  return older;
}

describe('a decision on a quarantined row, beside a kept key that cannot be read', () => {
  const KEPT = keptKeyRowKey(KEYRING, 1);
  const DECIDED = { ...place('s2'), keyId: 'key-000003' };
  const forged = { error: { type: 'failure', failure: { code: 'row-forged', facts: { detail: KEPT } } } };
  const broken: readonly [string, (cells: Cells) => Cells][] = [
    ['is no kept key at all', () => ({ format: 1 })],
    ['opens under none', (cells) => ({ ...cells, blob: Buffer.alloc(61, 1) })],
    ['hangs by itself', (cells) => ({ ...cells, under: 1 })],
  ];
  const breakKept = (change: (cells: Cells) => Cells): void =>
    rig.store.tamper('companies', COMPANY, KEPT, change(rig.store.peek('companies', COMPANY, KEPT)!.cells));

  it.each(broken)('that %s: by name, where no key at hand opens the row', async (_case, change) => {
    await quarantined();
    breakKept(change);
    expect(await acceptLoss(rig.deps, DECIDED, ADMIN)).toMatchObject(forged);
    expect(await retryQuarantined(rig.deps, DECIDED, ADMIN)).toMatchObject(forged);
    expect((await rig.dataKey(DECIDED.keyId)).state).toBe('quarantined');
  });

  it.each(broken)('that %s: retry of a row that opens by another, and cancel', async (_case, change) => {
    await quarantined();
    const blob = rig.wrapped('key-000003', 9).blob;
    await rig.addCompanyKey(9);
    await rig.tamperDataKey(DECIDED.keyId, { blob, companyKeyVersion: 1 });
    breakKept(change);
    expect(await acceptLoss(rig.deps, DECIDED, ADMIN)).toMatchObject({ error: { code: 'data-key-opens' } });
    expect(await retryQuarantined(rig.deps, DECIDED, ADMIN)).toEqual({ ok: true, value: undefined });
    expect(await rig.openByCaller()).toBe(6);
    expect((await cancelSwitch(rig.deps, place('s2'), ADMIN)).ok).toBe(true);
  });

  it('goes without it once the row is taken away', async () => {
    await quarantined();
    breakKept(() => ({ format: 1 }));
    const { etag } = rig.store.peek('companies', COMPANY, KEPT)!;
    await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey: KEPT, etag }]);
    expect(await acceptLoss(rig.deps, DECIDED, ADMIN)).toEqual({ ok: true, value: undefined });
  });
});

describe('a kept key', () => {
  it('opens through the provider in force alone, and its entry ends with that of the key it was opened by', async () => {
    await to('s1', CONTOSO);
    const { keptKeys, companyKeys } = rig.freshHost();
    const one = { ...PLACE, version: 1 };
    rig.vaults.calls.length = 0;
    expect((await keptKeys.get(one)).ok).toBe(true);
    expect((await keptKeys.get(one)).ok).toBe(true);
    expect(unwraps()).toEqual([CONTOSO_HOST]);
    rig.clock.advance(4_999);
    expect((await keptKeys.get(one)).ok).toBe(true);
    rig.vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: 'access-denied-rbac' });
    rig.clock.advance(1);
    expect(await keptKeys.get(one)).toMatchObject({
      error: { type: 'failure', failure: { code: 'access-denied-rbac' } },
    });
    expect((await companyKeys.get({ ...PLACE, version: 2 })).ok).toBe(false);
  });

  it('is not to be had by who writes or exports: their cache does not know it', async () => {
    await to('s1', CONTOSO);
    const { companyKeys, keptKeys } = rig.freshHost();
    expect((await keptKeys.get({ ...PLACE, version: 1 })).ok).toBe(true);
    expect(await companyKeys.get({ ...PLACE, version: 1 })).toEqual({ ok: false, error: { type: 'gone' } });
  });

  it('is found through those that it hangs by, with one unwrap', async () => {
    await to('s1', CONTOSO);
    await to('s2', FABRIKAM);
    await to('s3', MANAGED);
    rig.vaults.calls.length = 0;
    expect((await rig.freshHost().keptKeys.get({ ...PLACE, version: 1 })).ok).toBe(true);
    expect(unwraps()).toEqual([VENDOR.host]);
  });

  it.each([
    ['cannot be read', { under: 'two' }],
    ['does not open', { blob: new Uint8Array(61) }],
    ['is labelled with another version', { under: 3 }],
  ])('whose row %s is forged, or there is none', async (_, cells) => {
    await to('s1', CONTOSO);
    const rowKey = keptKeyRowKey(KEYRING, 1);
    const row = (await rig.store.read('companies', COMPANY, rowKey))!;
    rig.store.tamper('companies', COMPANY, rowKey, { ...row.cells, ...cells });
    const opened = await rig.freshHost().keptKeys.get({ ...PLACE, version: 1 });
    expect(opened.ok).toBe(false);
  });

  it('that hangs by itself is not looked for without end', async () => {
    await to('s1', CONTOSO);
    const rowKey = keptKeyRowKey(KEYRING, 1);
    const row = (await rig.store.read('companies', COMPANY, rowKey))!;
    rig.store.tamper('companies', COMPANY, rowKey, { ...row.cells, under: 1 });
    expect(await rig.freshHost().keptKeys.get({ ...PLACE, version: 1 })).toEqual({
      ok: false,
      error: { type: 'gone' },
    });
  });
});

describe('the timer', () => {
  const sweepAt = (afterMs: number): Promise<number> => {
    rig.clock.advance(afterMs);
    return sweepKept({ ...rig.deps, clockGuard: clockGuardOf(rig.deps) });
  };

  it('deletes none by a clock that is ahead of the store’s, and the next host does at its time', async () => {
    await to('s1', CONTOSO);
    const clock = aheadOf(rig.clock, 2 * KEEP_MS);
    const ahead = { ...rig.deps, clock, clockGuard: clockGuardOf({ ...rig.deps, clock }, 2 * KEEP_MS) };
    expect(await sweepKept(ahead)).toBe(0);
    expect(await kept()).toHaveLength(1);
    expect(rig.log.events()).toContain('clock.differs-from-store');
    expect(await sweepAt(KEEP_MS + DAY_MS)).toBe(1);
  });

  it('deletes a kept key once its time is over, not before, and says so in the record', async () => {
    await to('s1', CONTOSO);
    expect(await sweepAt(KEEP_MS - 1)).toBe(0);
    expect(await sweepAt(1 + DAY_MS)).toBe(1);
    expect(await kept()).toEqual([]);
    const [act] = chainOf(rig.store, COMPANY).filter(({ action }) => action === 'keptkey.deleted');
    expect(act).toMatchObject({ by: 'keyswitch', target: keptKeyRowKey(KEYRING, 1) });
    await sweepAt(DAY_MS);
    expect(
      [...rig.store.dump()].filter(({ table, rowKey }) => table === 'agenda' && rowKey.startsWith('kept|')),
    ).toEqual([]);
  });

  it('deletes a chain from its end', async () => {
    await to('s1', CONTOSO);
    await to('s2', FABRIKAM);
    expect(await sweepAt(KEEP_MS + DAY_MS)).toBe(2);
    const deleted = chainOf(rig.store, COMPANY).filter(({ action }) => action === 'keptkey.deleted');
    expect(deleted.map(({ target }) => target)).toEqual([keptKeyRowKey(KEYRING, 1), keptKeyRowKey(KEYRING, 2)]);
  });

  it.each([
    ['a count names the version', { at: { 1: 1, 2: 2 }, live: 3 }],
    ['a quarantined row is at the version', { quarantined: 1, aside: { 1: 1 } }],
    ['a quarantined row is at another version, as its label says', { quarantined: 1, aside: { 7: 1 } }],
    ['a shard is of another generation', { generation: 7 }],
    ['a shard is not done', { phase: 'verify' }],
    ['a shard writes under another version', { writeVersion: 1 }],
    ['a row is not compared', { uncompared: 1 }],
    ['a count is below none', { lost: -1 }],
  ] as const)('deletes none by date alone, while %s', async (_, change) => {
    await to('s1', CONTOSO);
    await rig.tamperShard(1, change);
    expect(await sweepAt(KEEP_MS + DAY_MS)).toBe(0);
    expect(await sweepAt(10 * KEEP_MS)).toBe(0);
    expect(await kept()).toEqual([[1, 2]]);
  });

  /** As in a copy of a shard that was made in parts: its own row after the switch, one of its rows before it. */
  async function tornShard(): Promise<string> {
    const keyId = [...rig.plaintexts.keys()][0]!;
    const partition = rig.partitionOf(keyId);
    const before = rig.store.peek('datakeys', partition, keyId)!.cells;
    await to('s1', CONTOSO);
    rig.store.tamper('datakeys', partition, keyId, before);
    return keyId;
  }

  it('deletes none that a row needs which no count has, says so, and does once a switch has moved it', async () => {
    await tornShard();
    expect(await sweepAt(KEEP_MS + DAY_MS)).toBe(0);
    expect(await kept()).toEqual([[1, 2]]);
    expect(rig.log.events()).toContain('security.kept-key-needed');
    expect(await recount(rig.deps, PLACE, ADMIN)).toMatchObject({ ok: true });
    await to('s2', FABRIKAM);
    expect((await switchOf('s2')).state).toBe('completed');
    expect(await sweepAt(KEEP_MS + DAY_MS)).toBe(2);
    expect(await rig.openByCaller()).toBe(6);
  });

  it('goes on with a keyring’s rows where its time was over, and from the beginning where the keyring was written', async () => {
    await to('s1', CONTOSO);
    rig.clock.advance(KEEP_MS + DAY_MS);
    const listed: string[] = [];
    const tables = tablesBut(rig.store, {
      list: async (query) => {
        if (query.table === 'datakeys') {
          if (query.after === BEFORE_DATA_KEYS) listed.push(query.partitionKey.split('|')[2]!);
          rig.clock.advance(60_000);
        }
        return rig.store.list(query);
      },
    });
    const slow = { ...rig.deps, tables, clockGuard: clockGuardOf(rig.deps) };
    expect([await sweepKept(slow), listed]).toEqual([0, ['0']]);
    const row = rig.store.peek('companies', COMPANY, keyringRowKey(KEYRING))!;
    rig.store.tamper('companies', COMPANY, keyringRowKey(KEYRING), row.cells);
    expect([await sweepKept(slow), listed]).toEqual([0, ['0', '0']]);
    expect([await sweepKept(slow), listed]).toEqual([1, ['0', '0', '1']]);
  });

  it('deletes none while a switch is unfinished', async () => {
    await to('s1', CONTOSO);
    await startSwitch(rig.deps, { ...place('s2'), target: FABRIKAM }, ADMIN);
    expect(await sweepAt(KEEP_MS + DAY_MS)).toBe(0);
    await rig.drain();
    expect(await sweepAt(KEEP_MS + DAY_MS)).toBe(2);
  });

  it('looks anew at what it could not prove a day later', async () => {
    await to('s1', CONTOSO);
    await rig.tamperShard(1, { uncompared: 1 });
    expect(await sweepAt(KEEP_MS + DAY_MS)).toBe(0);
    await rig.tamperShard(1, { uncompared: 0 });
    expect(await sweepAt(1)).toBe(0);
    expect(await sweepAt(DAY_MS)).toBe(1);
  });
});

describe('the chain of kept keys', () => {
  const opened = async (version: number): Promise<string> => {
    const key = await rig.freshHost().keptKeys.get({ ...PLACE, version });
    return key.ok ? 'opened' : key.error.type;
  };

  it('is followed however many switches have ended', async () => {
    rig = await Rig.withDataKeys(1, { shardCount: 1 });
    for (let count = 0; count < 260; count += 1) {
      await startRekey(rig.deps, place(`r${count}`), ADMIN);
      await rig.drain();
    }
    expect(await Promise.all([opened(1), opened(2), opened(260)])).toEqual(['opened', 'opened', 'opened']);
  });

  it('that somebody has led back to itself ends', async () => {
    await to('s1', CONTOSO);
    await to('s2', FABRIKAM);
    for (const [version, under] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const rowKey = keptKeyRowKey(KEYRING, version);
      const { cells } = rig.store.peek('companies', COMPANY, rowKey)!;
      rig.store.tamper('companies', COMPANY, rowKey, { ...cells, under });
    }
    expect(await opened(1)).toBe('gone');
  });
});
