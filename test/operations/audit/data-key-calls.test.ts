import { beforeEach, describe, expect, it } from 'vitest';
import {
  DataKeyCalls,
  recordDataKeyCalls,
  type CallCounting,
} from '../../../shared/operations/audit/data-key-calls.ts';
import { MAX_DETAIL_CHARS } from '../../../shared/domain/audit.ts';
import { type Tables } from '../../../shared/store/tables.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { FakeClock } from '../../fakes/fake-system.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { MAX_EVENTS_PER_MINUTE } from '../../../shared/store/event-limits.ts';
import { auditRig, chainOf, COMPANY, type AuditRig } from './chain.ts';

const MINUTE_MS = 60_000;
const MAX_COMPANIES = 10_000;
const MAX_COUNTERS = 200;
const UNWRAP = 'unwrap-data-keys: calls answered';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const countersOf = (calls: DataKeyCalls): Record<string, number>[] =>
  calls.takeDue().map(({ counters }) => Object.fromEntries(counters));

describe('calls that are counted', () => {
  let clock: FakeClock;
  let calls: DataKeyCalls;
  beforeEach(() => {
    clock = new FakeClock();
    calls = new DataKeyCalls(clock, 'instance-1');
  });
  const add = (caller: string, count = 1, companyId = COMPANY): void => calls.add(companyId, UNWRAP, { caller, count });

  it('are added up by company and caller, and are due when their minute is over', () => {
    add('ann');
    add('bob', 3);
    add('ann', 2);
    add('ann', 1, 'globex');
    expect(countersOf(calls)).toEqual([]);
    clock.advance(MINUTE_MS);
    expect(countersOf(calls)).toEqual([
      { [`${UNWRAP} by ann`]: 3, [`${UNWRAP} by bob`]: 3 },
      { [`${UNWRAP} by ann`]: 1 },
    ]);
    expect(countersOf(calls)).toEqual([]);
  });

  it('are known to be due from the first call of a later minute until they are taken', () => {
    add('ann');
    clock.advance(MINUTE_MS - 1);
    add('ann');
    expect(calls.isDue).toBe(false);
    clock.advance(1);
    add('ann');
    expect(calls.isDue).toBe(true);
    calls.takeDue();
    expect(calls.isDue).toBe(false);
  });

  it('of more callers than are told apart are added up as those of others, and none is lost', () => {
    for (const caller of upTo(MAX_COUNTERS + 5)) add(`caller ${caller}`, 2);
    add('caller 1', 10);
    add(`caller ${MAX_COUNTERS}`, 10);
    clock.advance(MINUTE_MS);
    const [counters = {}] = countersOf(calls);
    expect(counters[`${UNWRAP} by caller 1`]).toBe(12);
    expect(counters[`${UNWRAP} by caller ${MAX_COUNTERS}`]).toBe(12);
    expect(counters[`${UNWRAP} by caller ${MAX_COUNTERS + 1}`]).toBeUndefined();
    expect(counters[`${UNWRAP} by others`]).toBe(10);
    expect(Object.keys(counters)).toHaveLength(MAX_COUNTERS + 1);
  });

  it('take no more memory than for so many companies, and those go on being counted', () => {
    for (const company of upTo(MAX_COMPANIES + 1)) add('ann', 1, `company ${company}`);
    add('ann', 1, 'company 1');
    clock.advance(MINUTE_MS);
    const due = calls.takeDue();
    expect(due).toHaveLength(MAX_COMPANIES);
    expect([...(due[0]?.counters.values() ?? [])]).toEqual([2]);
    expect(due.at(-1)?.companyId).toBe(`company ${MAX_COMPANIES}`);
  });

  it('take no more memory than so many minutes when they cannot be recorded', () => {
    const counted = { companyId: COMPANY, minute: 1, counters: new Map([[`${UNWRAP} by ann`, 1]]) };
    for (let given = 0; given <= MAX_COMPANIES; given += 1) calls.giveBack(counted);
    expect(calls.takeDue()).toHaveLength(MAX_COMPANIES);
  });
});

describe('the record of calls', () => {
  let rig: AuditRig;
  let deps: CallCounting;
  beforeEach(() => {
    rig = auditRig();
    deps = rig.deps;
  });
  const call = (companyId = COMPANY): void => deps.dataKeyCalls.add(companyId, UNWRAP, { caller: 'ann', count: 1 });
  const record = (tables: Tables = rig.store): Promise<number> => recordDataKeyCalls({ ...deps, tables });
  const minutesIn = (companyId = COMPANY): unknown[] =>
    chainOf(rig.store, companyId).map(({ detail }) => JSON.parse(detail) as unknown);
  const failingFor = (company: string, error: Error): Tables =>
    tablesBut(rig.store, {
      write: (table, partitionKey, writes) =>
        table === 'companies' && partitionKey === company
          ? Promise.reject(error)
          : rig.store.write(table, partitionKey, writes),
    });

  it('has each minute that the store did not take, as soon as it takes it', async () => {
    const away = tablesBut(rig.store, { write: () => Promise.resolve({ outcome: 'unknown' }) });
    call();
    rig.clock.advance(MINUTE_MS);
    expect(await record(away)).toBe(0);
    call();
    rig.clock.advance(MINUTE_MS);
    expect(await record(away)).toBe(0);
    expect(chainOf(rig.store)).toEqual([]);
    expect(await record()).toBe(2);
    const counts = { [`${UNWRAP} by ann`]: 1 };
    expect(minutesIn()).toEqual([
      { ...counts, minute: '2026-01-01T00:00:00.000Z' },
      { ...counts, minute: '2026-01-01T00:01:00.000Z' },
    ]);
    expect(await record()).toBe(0);
  });

  it.each([0, 1, 2])('has those of the others when one of them (%i) cannot be recorded', async (at) => {
    const companies = ['acme', 'globex', 'initech'];
    companies.forEach(call);
    rig.clock.advance(MINUTE_MS);
    const failing = companies[at] ?? '';
    expect(await record(failingFor(failing, new StoreUnavailable('planted')))).toBe(2);
    expect(companies.map((company) => minutesIn(company).length)).toEqual(companies.map((_, i) => (i === at ? 0 : 1)));
    expect(await record()).toBe(1);
    expect(minutesIn(failing)).toHaveLength(1);
  });

  it.each([0, 1, 2])('has those of the others when a fault of ours meets one of them (%i)', async (at) => {
    const companies = ['acme', 'globex', 'initech'];
    companies.forEach(call);
    rig.clock.advance(MINUTE_MS);
    await expect(record(failingFor(companies[at] ?? '', new TypeError('planted')))).rejects.toThrow(TypeError);
    expect(await record()).toBe(0);
    expect(companies.map((company) => minutesIn(company).length)).toEqual(companies.map((_, i) => (i === at ? 0 : 1)));
  });

  it('has a minute of callers with the longest names there are, and nothing after it is skipped', async () => {
    for (const caller of upTo(MAX_COUNTERS + 1)) {
      const long = `${String(caller).padStart(4, '0')}${'\u0001"'.repeat(254)}`;
      deps.dataKeyCalls.add(COMPANY, UNWRAP, { caller: long, count: 1 });
    }
    deps.dataKeyCalls.add('globex', UNWRAP, { caller: 'ann', count: 1 });
    rig.clock.advance(MINUTE_MS);
    expect(await record()).toBe(2);
    const texts = chainOf(rig.store).map(({ detail }) => detail);
    expect(texts).toHaveLength(1);
    expect(texts[0]?.length).toBeLessThanOrEqual(MAX_DETAIL_CHARS);
    const { minute: _, ...counts } = JSON.parse(texts[0] ?? '{}') as Record<string, number>;
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(MAX_COUNTERS + 1);
    expect(chainOf(rig.store, 'globex')).toHaveLength(1);
  });

  it('is kept when there is no time for it, for the next turn', async () => {
    ['acme', 'globex', 'initech'].forEach(call);
    rig.clock.advance(MINUTE_MS);
    const slow = tablesBut(rig.store, {
      write: (...input) => (rig.clock.advance(10_000), rig.store.write(...input)),
    });
    const first = await record(slow);
    expect(first).toBeLessThan(3);
    expect(first + (await record())).toBe(3);
  });

  it('is not bounded as refusals are: each minute counts', async () => {
    const minutes = upTo(MAX_EVENTS_PER_MINUTE + 1);
    minutes.forEach(() => {
      call();
      rig.clock.advance(MINUTE_MS);
    });
    expect(await record()).toBe(minutes.length);
    expect(minutesIn()).toHaveLength(minutes.length);
  });
});
