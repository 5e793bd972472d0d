import { beforeEach, describe, expect, it } from 'vitest';
import { KEYS_UNWRAPPED, recordDataKeyCalls } from '../../../shared/operations/audit/data-key-calls.ts';
import { putCompany } from '../../../shared/operations/companies/companies.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { DAY_MS, POLICY } from '../../fixtures/policy.ts';
import type { TestHost } from '../../world.ts';
import { auditRig, chainOf, COMPANY, type AuditRig } from './chain.ts';

const MINUTE_MS = 60_000;
const FLOOR = POLICY.unusualKeys;

let rig: AuditRig;
beforeEach(async () => {
  rig = auditRig();
  await putCompany(rig.deps, { companyId: COMPANY }, ADMIN);
});

const processes = (count: number): TestHost[] =>
  Array.from({ length: count }, (_, nth) => rig.startHost(POLICY, { instance: `instance-${nth}` }));

/** What each of them has counted in a minute is recorded when it is over. */
async function unwrap(hosts: readonly TestHost[], keys: number, what = KEYS_UNWRAPPED): Promise<void> {
  for (const host of hosts) host.dataKeyCalls.add(COMPANY, what, { caller: 'backend', count: keys });
  rig.clock.advance(MINUTE_MS);
  await Promise.all(hosts.map((host) => recordDataKeyCalls(host)));
}

async function aWeek(hosts: readonly TestHost[], keys = 10): Promise<void> {
  for (let day = 0; day < 8; day += 1) {
    await unwrap(hosts, keys);
    rig.clock.advance(DAY_MS - MINUTE_MS);
  }
}

const unusual = () => chainOf(rig.store).filter(({ action }) => action === 'data-keys.unusual');
const habit = () => rig.store.peek('health', COMPANY, '!unwraps');

describe('unwrapping far beyond the habit of a company', () => {
  it('is recorded once, added up over all processes, with the hour and what is usual', async () => {
    const hosts = processes(3);
    await aWeek(hosts);
    await unwrap(hosts, Math.floor(FLOOR / 3));
    expect(unusual()).toEqual([]);
    await unwrap(hosts, 1);
    await unwrap(hosts, FLOOR);
    const [event, ...others] = unusual();
    expect(others).toEqual([]);
    expect(event).toMatchObject({ by: 'keyswitch', outcome: 'done' });
    const { keys, ...told } = JSON.parse(event?.detail ?? '') as Record<string, unknown>;
    expect(told).toEqual({ hour: '2026-01-09T00:00:00.000Z', usual: 30 });
    expect(keys).toBeGreaterThan(FLOOR);
  });

  it('is no matter of calls, of keys that did not open, or of keys that are made', async () => {
    const hosts = processes(1);
    await aWeek(hosts);
    for (const what of [
      'unwrap-data-keys: calls answered',
      'unwrap-data-keys: keys not-found',
      'create-data-keys: keys created',
    ])
      await unwrap(hosts, 10 * FLOOR, what);
    expect(unusual()).toEqual([]);
  });

  it('costs one write for each process and minute with unwraps, and none in between', async () => {
    const [host] = processes(1);
    let writes = 0;
    const counting = tablesBut(rig.store, {
      write: (table, partitionKey, rows) => {
        if (rows.some(({ rowKey }) => rowKey === '!unwraps')) writes += 1;
        return rig.store.write(table, partitionKey, rows);
      },
    });
    for (let call = 0; call < 1_000; call += 1)
      host!.dataKeyCalls.add(COMPANY, KEYS_UNWRAPPED, { caller: 'backend', count: 1 });
    rig.clock.advance(MINUTE_MS);
    for (let turn = 0; turn < 3; turn += 1) await recordDataKeyCalls({ ...host!, tables: counting });
    expect(writes).toBe(1);
  });

  it('is not said of a store that was away: what it does not take is left out, and the calls are recorded', async () => {
    const [host] = processes(1);
    await aWeek([host!]);
    const away = tablesBut(rig.store, {
      write: (table, partitionKey, rows) =>
        table === 'health' ? Promise.resolve({ outcome: 'unknown' }) : rig.store.write(table, partitionKey, rows),
    });
    host!.dataKeyCalls.add(COMPANY, KEYS_UNWRAPPED, { caller: 'backend', count: 5 * FLOOR });
    rig.clock.advance(MINUTE_MS);
    expect(await recordDataKeyCalls({ ...host!, tables: away })).toBe(1);
    expect(await recordDataKeyCalls(host!)).toBe(0);
    expect(unusual()).toEqual([]);
  });

  it.each([{ days: 'rubbish' }, { keys: 'many' }, { hour: '' }, { format: 2 }, { days: '[{"day":-1,"keys":1}]' }])(
    'is counted from the beginning where the row says %j',
    async (change) => {
      const hosts = processes(1);
      await aWeek(hosts);
      rig.store.tamper('health', COMPANY, '!unwraps', { ...habit()!.cells, ...change });
      await unwrap(hosts, 7);
      expect(habit()?.cells).toMatchObject({ keys: 7, days: '[]' });
    },
  );

  it('leaves no row for a company that is gone', async () => {
    const [host] = processes(1);
    host!.dataKeyCalls.add('gone', KEYS_UNWRAPPED, { caller: 'backend', count: 1 });
    rig.clock.advance(MINUTE_MS);
    await recordDataKeyCalls(host!);
    expect(rig.store.peek('health', 'gone', '!unwraps')).toBeUndefined();
  });
});
