import { describe, expect, it, test } from 'vitest';
import { shardCells } from '../../../shared/store/rows/data-rows.ts';
import { companyKeyRowKey, dataKeysPartition, keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import { readShard } from '../../../shared/store/rows/data-rows.ts';
import { connectionCells } from '../../../shared/store/rows/sealed-rows.ts';
import { SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import { getCompany, listCompanies, putCompany } from '../../../shared/operations/companies/companies.ts';
import { deleteDataKey } from '../../../shared/operations/data-keys/delete.ts';
import { generateDataKeys } from '../../../shared/operations/data-keys/generate.ts';
import { restoreDataKey } from '../../../shared/operations/data-keys/restore.ts';
import { unwrapDataKeys } from '../../../shared/operations/data-keys/unwrap.ts';
import { deleteCompany } from '../../../shared/operations/companies/delete-company.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { getKeyring, listKeyrings, putKeyring } from '../../../shared/operations/keyrings/keyrings.ts';
import { beginRequest, singleRequest } from '../../../shared/store/requests.ts';
import { sweepOutboxes } from '../../../shared/store/deliver.ts';
import { sweepPurges } from '../../../shared/operations/companies/sweep-purges.ts';
import { startRekey } from '../../../shared/operations/switches/start.ts';
import {
  COMPANY,
  DAY_MS,
  errorOf,
  KEYRING,
  plaintextsOf,
  PLACE,
  RESTORE_DAYS,
  valueOf,
  World,
} from '../data-keys/world.ts';
import { chainOf } from '../audit/chain.ts';
import { FaultyTables, isOfDataKeys, type Write } from '../../fakes/faulty-tables.ts';
import { Died, tablesBut } from '../../fakes/tables-but.ts';
import { ADMIN, actorNamed } from '../../fakes/actors.ts';

const allShardsClosed = (world: World): boolean[] =>
  [...world.store.dump()].filter(({ rowKey }) => rowKey === SHARD_ROW_KEY).map(({ cells }) => readShard(cells).closed);
/** All rows but those of a closed company: its own, and that it is listed. */
const left = (world: World): string[] =>
  [...world.store.dump()]
    .filter(
      ({ rowKey, cells }) => !(rowKey === 'company' && cells['state'] === 'closed') && rowKey !== `company|${COMPANY}`,
    )
    .map(({ table, partitionKey, rowKey }) => `${table}/${partitionKey}/${rowKey}`)
    // The record of what was done stays.
    .filter((row) => !row.startsWith('events/') && !row.includes('/head|'));
const isOfTheCompany = ({ table, writes }: Write): boolean => table === 'companies' && writes[0]?.rowKey === 'company';
/** Past the time in which a deleted key can be restored; no timer has purged it yet. */
const restoreTimeIsOver = (world: World): void => world.clock.advance((RESTORE_DAYS + 1) * DAY_MS);
const TIMERS = {
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  yield: () => new Promise<void>((resolve) => setImmediate(resolve)),
};
/** Each call takes a turn of the event loop, so that those of many meet. */
const slowly = (store: Tables): Tables =>
  tablesBut(store, {
    read: async (...read) => (await TIMERS.yield(), store.read(...read)),
    write: async (...write) => (await TIMERS.yield(), store.write(...write)),
  });
const generating = (world: World): ReturnType<typeof generateDataKeys> =>
  generateDataKeys(world.host, { ...PLACE, keys: [{}], request: singleRequest(world.entropy) });

test('a new company has a default keyring under the vendor’s key, ready for data keys', async () => {
  const world = new World();
  const made = valueOf(await putCompany(world.host, { companyId: COMPANY, displayName: 'Acme Ltd' }, ADMIN));
  expect(made).toMatchObject({
    created: true,
    value: { companyId: COMPANY, displayName: 'Acme Ltd', state: 'active' },
  });
  expect(valueOf(await getCompany(world.host, { companyId: COMPANY })).etag).toBe(made.etag);
  expect(valueOf(await getKeyring(world.host, PLACE)).value).toMatchObject({
    keyringId: KEYRING,
    isDefault: true,
    state: 'ready',
    provider: { provider: 'managed' },
    activeVersion: 1,
    shardCount: 4,
    counts: { live: 0, deleted: 0, quarantined: 0, lost: 0 },
  });
  expect(world.vaults.calls.map(({ operation }) => operation).sort()).toEqual([
    ...['publicKey', 'publicKey', 'publicKey'],
    'readKey',
    ...['sign', 'sign', 'sign'],
    'unwrap',
  ]);
  expect(valueOf(await generating(world)).keys[0]?.outcome).toBe('created');
});

test('a company put again is the same company; a new name changes it', async () => {
  const world = await World.withCompany();
  const again = valueOf(await putCompany(world.host, { companyId: COMPANY }, ADMIN));
  expect(again.created).toBe(false);
  expect(world.vaults.calls).toEqual([]);
  const renamed = valueOf(
    await putCompany(world.host, { companyId: COMPANY, displayName: 'New', ifMatch: again.etag }, ADMIN),
  );
  expect(renamed.value.displayName).toBe('New');
  const stale = await putCompany(world.host, { companyId: COMPANY, displayName: 'Newer', ifMatch: again.etag }, ADMIN);
  expect(errorOf(stale)).toMatchObject({ type: 'precondition-failed' });
  expect(errorOf(await putCompany(world.host, { companyId: COMPANY, ifNoneMatch: '*' }, ADMIN))).toMatchObject({
    type: 'precondition-failed',
  });
  expect(errorOf(await putCompany(world.host, { companyId: 'none', ifMatch: '*' }, ADMIN))).toMatchObject({
    type: 'precondition-failed',
  });
});

test('the default keyring must be one that is ready', async () => {
  const world = await World.withCompany();
  const wrong = await putCompany(world.host, { companyId: COMPANY, defaultKeyring: 'second' }, ADMIN);
  expect(errorOf(wrong)).toEqual({ type: 'not-found', what: 'keyring', id: 'second' });
  valueOf(await putKeyring(world.host, { companyId: COMPANY, keyringId: 'second' }, ADMIN));
  valueOf(await putCompany(world.host, { companyId: COMPANY, defaultKeyring: 'second' }, ADMIN));
  const keyrings = valueOf(await listKeyrings(world.host, { companyId: COMPANY }));
  expect(keyrings.map(({ value }) => [value.keyringId, value.isDefault])).toEqual([
    ['default', false],
    ['second', true],
  ]);
});

test('a vendor vault that fails leaves a company whose next put finishes the work', async () => {
  const world = new World();
  world.vaults.fail({ operation: 'unwrap', failure: 'vault-unreachable', times: 1 });
  expect(errorOf(await putCompany(world.host, { companyId: COMPANY }, ADMIN))).toMatchObject({ type: 'failure' });
  expect(errorOf(await getKeyring(world.host, PLACE))).toMatchObject({ type: 'not-found' });
  valueOf(await putCompany(world.host, { companyId: COMPANY }, ADMIN));
  expect(valueOf(await getKeyring(world.host, PLACE)).value.state).toBe('ready');
});

test('a key that does not come back from the vault as it went is not stored', async () => {
  const world = new World();
  const unwrap = world.vaults.unwrap.bind(world.vaults);
  world.vaults.unwrap = async (target, wrapped) => {
    const payload = await unwrap(target, wrapped);
    if (payload.ok) payload.value[0] = (payload.value[0] ?? 0) ^ 1;
    return payload;
  };
  expect(errorOf(await putCompany(world.host, { companyId: COMPANY }, ADMIN))).toMatchObject({
    failure: { code: 'key-substituted' },
  });
  expect(left(world).filter((row) => row.includes('companykey'))).toEqual([]);
});

test('a crash at any write of making a company is mended by putting it again, or by getting the keyring', async () => {
  const whole = new World();
  valueOf(await putCompany(whole.host, { companyId: COMPANY }, ADMIN));
  const writes = whole.tables.writes.length;
  expect(writes).toBeGreaterThan(7);
  for (let survived = 0; survived < writes; survived += 1) {
    for (const moment of ['before', 'after'] as const) {
      const world = new World();
      world.tables.at(survived + 1).dies(moment);
      await expect(putCompany(world.host, { companyId: COMPANY }, ADMIN)).rejects.toThrow(Died);
      world.tables.recovers();
      const host = world.newHost();
      const hasKeyring = left(world).some((row) => row.endsWith(keyringRowKey(KEYRING)));
      if (hasKeyring) valueOf(await getKeyring(host, PLACE));
      else valueOf(await putCompany(host, { companyId: COMPANY }, ADMIN));
      expect(valueOf(await getKeyring(host, PLACE)).value.state).toBe('ready');
      expect(allShardsClosed(world)).toHaveLength(4);
      expect(valueOf(await generating(world)).keys[0]?.outcome).toBe('created');
      expect(valueOf(await listCompanies(host, {})).value).toHaveLength(1);
    }
  }
});

test.each(['before', 'after'] as const)(
  'every answer lost once %s its commit still makes one company',
  async (moment) => {
    const world = new World();
    const lost = new Set<string>();
    const first = world.tables.at(({ partitionKey, writes }) => {
      const name = `${partitionKey}/${writes[0]?.rowKey ?? ''}`;
      if (lost.has(name)) return false;
      lost.add(name);
      return true;
    });
    if (moment === 'after') first.losesTheAnswer();
    else first.isLost();
    const made = valueOf(await putCompany(world.host, { companyId: COMPANY, ifNoneMatch: '*' }, ADMIN));
    expect(made.created).toBe(true);
    expect(valueOf(await generating(world)).keys[0]?.outcome).toBe('created');
  },
);

test('many who make one company at once make one', async () => {
  const world = new World();
  const hosts = Array.from({ length: 4 }, () => world.newHost());
  const made = await Promise.all(hosts.map((host) => putCompany(host, { companyId: COMPANY }, ADMIN)));
  expect(made.map((one) => valueOf(one).created).filter(Boolean)).toHaveLength(1);
  expect(left(world).filter((row) => row.endsWith(companyKeyRowKey(KEYRING, 1)))).toHaveLength(1);
  expect(valueOf(await generating(world)).keys[0]?.outcome).toBe('created');
});

test('data keys are refused while their keyring is being made', async () => {
  const world = await World.withCompany();
  const row = await world.store.read('companies', COMPANY, keyringRowKey(KEYRING));
  world.store.tamper('companies', COMPANY, keyringRowKey(KEYRING), { ...row?.cells, state: 'creating' });
  expect(errorOf(await generating(world))).toMatchObject({ type: 'state', code: 'keyring-not-ready' });
});

test('companies are listed page by page, without those that are closed unless they are asked for', async () => {
  const world = new World({ shardCount: 1 });
  for (const companyId of ['c1', 'c2', 'c3', 'c4', 'c5']) valueOf(await putCompany(world.host, { companyId }, ADMIN));
  valueOf(await deleteCompany(world.host, { companyId: 'c2' }, ADMIN));
  const first = valueOf(await listCompanies(world.host, { limit: 2 }));
  expect(first.value.map(({ value }) => value.companyId)).toEqual(['c1']);
  const second = valueOf(await listCompanies(world.host, { limit: 10, continuation: first.continuation! }));
  expect(second.value.map(({ value }) => value.companyId)).toEqual(['c3', 'c4', 'c5']);
  const all = valueOf(await listCompanies(world.host, { closed: true })).value;
  expect(all.map(({ value }) => [value.companyId, value.state].join())).toEqual([
    'c1,active',
    'c2,closed',
    'c3,active',
    'c4,active',
    'c5,active',
  ]);
  expect(second.continuation).toBeUndefined();
  for (const query of [{ limit: 0 }, { limit: 201 }, { continuation: '~~~' }, { continuation: 'fA' }]) {
    expect(errorOf(await listCompanies(world.host, query))).toMatchObject({ type: 'invalid' });
  }
});

test('a deleted company leaves nothing behind but a closed row, and is deleted when it is deleted again', async () => {
  const world = await World.withCompany();
  valueOf(await putKeyring(world.host, { companyId: COMPANY, keyringId: 'second' }, ADMIN));
  await world.generate([{ keyId: 'a' }, { keyId: 'b' }]);
  valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'a' }));
  valueOf(await deleteDataKey({ ...world.host, restoreDays: 0 }, { ...PLACE, keyId: 'b' }));
  expect(await sweepPurges(world.host)).toBe(1);
  const input = { companyId: COMPANY, caller: 'c', route: 'r', key: 'k', body: '' };
  valueOf(await beginRequest(world.host, input));
  world.store.tamper('datakeys', world.partitionOf('a'), '!quarantine|old', { format: 1 });
  world.store.tamper('companies', COMPANY, 'outbox|1', { format: 1 });
  restoreTimeIsOver(world);
  const { etag } = valueOf(await getCompany(world.host, { companyId: COMPANY }));
  expect(errorOf(await deleteCompany(world.host, { companyId: COMPANY, ifMatch: 'W/"1"' }, ADMIN))).toMatchObject({
    type: 'precondition-failed',
  });
  expect(valueOf(await deleteCompany(world.host, { companyId: COMPANY, ifMatch: etag }, ADMIN))).toBe('deleted');
  // What is still to be recorded stays until it is.
  expect(left(world)).toEqual(['companies/acme/outbox|1']);
  const closed = { type: 'company-closed', companyId: COMPANY };
  expect(errorOf(await getCompany(world.host, { companyId: COMPANY }))).toEqual(closed);
  expect(valueOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toBe('deleted');
  expect(errorOf(await generating(world))).toMatchObject({ type: 'not-found' });
  expect(await sweepPurges(world.host)).toBe(0);
});

test('the id of a deleted company is never used again, by no call, not even one that began before', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  const late = world.newHost();
  let made: ReturnType<typeof putCompany> | undefined;
  // The put begins before the row is closed, and is not waited for.
  world.tables.atNext(isOfTheCompany).comesAfter(() => {
    made = putCompany(late, { companyId: COMPANY }, ADMIN);
  });
  valueOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN));
  await made;
  const closed = { type: 'company-closed', companyId: COMPANY };
  for (const condition of [{}, { ifNoneMatch: '*' }, { ifMatch: '*' }, { displayName: 'Again' }] as const) {
    expect(errorOf(await putCompany(world.newHost(), { companyId: COMPANY, ...condition }, ADMIN))).toEqual(closed);
  }
  const place = { companyId: COMPANY, keyringId: 'second' };
  expect(errorOf(await putKeyring(world.host, place, ADMIN))).toMatchObject({ type: 'not-found' });
  expect(left(world)).toEqual([]);
});

test('a company is not deleted while a deleted data key of it can be restored, and says until when', async () => {
  const world = await World.withCompany({ shardCount: 2 });
  const made = plaintextsOf(await world.generate([{ keyId: 'a' }, { keyId: 'b' }, { keyId: 'c' }]));
  valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'a' }));
  world.clock.advance(DAY_MS);
  valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'b' }));
  valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'c' }));
  const { purgeAfter } = await world.row('c');
  for (let day = 0; day < RESTORE_DAYS; day += 1) {
    const refused = errorOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN));
    expect(refused).toMatchObject({ type: 'state', code: 'company-has-restorable-data-keys' });
    expect(refused).toMatchObject({ message: expect.stringContaining(purgeAfter!) as string });
    await sweepPurges(world.host);
    world.clock.advance(day === RESTORE_DAYS - 1 ? DAY_MS - 1 : DAY_MS);
  }
  valueOf(await restoreDataKey(world.host, { ...PLACE, keyId: 'c' }));
  expect(plaintextsOf(await world.unwrap(['c'])).get('c')).toBe(made.get('c'));
  expect(allShardsClosed(world)).toEqual([false, false]);
  world.clock.advance(1);
  expect(errorOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toMatchObject({
    code: 'company-has-data-keys',
  });
});

test('a key that is deleted while the delete of its company decides can be restored after it has turned back', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  const other = world.newHost({ tables: world.store });
  world.tables.atNext(isOfTheCompany).comesAfter(async () => {
    await world.generate([{ keyId: 'a' }], { host: other });
    valueOf(await deleteDataKey(other, { ...PLACE, keyId: 'a' }));
  });
  expect(errorOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toMatchObject({
    code: 'company-has-restorable-data-keys',
  });
  expect(valueOf(await getCompany(world.host, { companyId: COMPANY })).value.state).toBe('active');
  valueOf(await restoreDataKey(world.host, { ...PLACE, keyId: 'a' }));
  expect(plaintextsOf(await world.unwrap(['a'])).size).toBe(1);
});

test('no process answers a data key from what it kept once the company is deleted', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  const keeping = world.newHost({ cachedRows: 100 });
  await world.generate([{ keyId: 'a' }]);
  expect((await world.unwrap(['a'], keeping))[0]?.outcome).toBe('unwrapped');
  valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'a' }));
  expect((await deleteCompany(world.host, { companyId: COMPANY }, ADMIN)).ok).toBe(false);
  restoreTimeIsOver(world);
  expect(valueOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toBe('deleted');
  expect(errorOf(await unwrapDataKeys(keeping, { ...PLACE, keyIds: ['a'] }))).toMatchObject({ type: 'not-found' });
});

describe.each([2, 10, 20])('%i deletes of one company at once', (count) => {
  const all = async (world: World): Promise<ReturnType<typeof deleteCompany>[]> => {
    const hosts = Array.from({ length: count }, () => world.newHost({ tables: slowly(world.store) }));
    const done = hosts.map((host) => deleteCompany({ ...host, timers: TIMERS }, { companyId: COMPANY }, ADMIN));
    await Promise.all(done);
    return done;
  };

  it('are all told that it is deleted, or going on, and it is recorded once', async () => {
    const world = await World.withCompany({ shardCount: 16 });
    const told = await Promise.all(await all(world));
    expect(new Set(told.map((one) => valueOf(one)))).toEqual(new Set(['deleted']));
    expect(left(world)).toEqual([]);
    const acts = chainOf(world.store).map(({ action }) => action);
    expect(acts.filter((action) => action.startsWith('company.delete'))).toEqual(['company.delete', 'company.deleted']);
  });

  it('are all told of data keys in use, and change nothing', async () => {
    const world = await World.withCompany({ shardCount: 16 });
    const made = plaintextsOf(await world.generate(Array.from({ length: 300 }, () => ({}))));
    for (const one of await Promise.all(await all(world))) {
      expect(errorOf(one)).toMatchObject({ type: 'state', code: 'company-has-data-keys' });
    }
    expect(new Set(allShardsClosed(world))).toEqual(new Set([false]));
    expect(plaintextsOf(await world.unwrap([...made.keys()]))).toEqual(made);
  });
});

test.each(['live', 'quarantined'] as const)(
  'a company with a %s data key turns back and is as before',
  async (state) => {
    const world = await World.withCompany();
    const made = plaintextsOf(await world.generate([{ keyId: 'a' }]));
    if (state === 'quarantined') {
      await world.tamper('a', { state });
      const shard = await world.shardFor('a');
      const cells = shardCells({ ...shard, live: 0, quarantined: 1, at: {}, aside: { 1: 1 } }, 'test');
      world.store.tamper('datakeys', world.partitionOf('a'), SHARD_ROW_KEY, cells);
    }
    expect(errorOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toMatchObject({
      type: 'state',
      code: 'company-has-data-keys',
    });
    expect(allShardsClosed(world)).toEqual([false, false, false, false]);
    expect(valueOf(await getCompany(world.host, { companyId: COMPANY })).value.state).toBe('active');
    expect(plaintextsOf(await world.unwrap(['a']))).toEqual(made);
    expect(valueOf(await generating(world)).keys[0]?.outcome).toBe('created');
    world.expectExactCounts();
  },
);

test('a company is not deleted during a switch, and no switch begins while it is', async () => {
  const world = await World.withCompany();
  valueOf(await startRekey(world.host, { ...PLACE, switchId: 'one' }, actorNamed('test')));
  expect(errorOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toEqual({
    type: 'switch-in-progress',
    switchId: 'one',
  });
  await world.work();
  let tried = false;
  world.tables.atNext(isOfDataKeys).comesAfter(async () => {
    tried = true;
    const started = await startRekey(world.host, { ...PLACE, switchId: 'two' }, actorNamed('test'));
    expect(errorOf(started)).toMatchObject({ code: 'company-closing' });
    expect(errorOf(await putCompany(world.host, { companyId: COMPANY }, ADMIN))).toMatchObject({
      code: 'company-closing',
    });
    const keyring = await putKeyring(world.host, { companyId: COMPANY, keyringId: 'second' }, ADMIN);
    expect(errorOf(keyring)).toMatchObject({ code: 'company-closing' });
  });
  expect(valueOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toBe('deleted');
  expect(tried).toBe(true);
});

test('a switch that begins just before the delete does wins', async () => {
  const world = await World.withCompany();
  const other = world.newHost({ tables: world.store });
  let started = false;
  world.tables.atNext(isOfTheCompany).comesAfter(async () => {
    started = true;
    valueOf(await startRekey(other, { ...PLACE, switchId: 'one' }, actorNamed('test')));
  });
  expect(errorOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toMatchObject({
    type: 'switch-in-progress',
  });
  expect(started).toBe(true);
  expect(allShardsClosed(world)).toEqual([false, false, false, false]);
});

test('a keyring that is being made when the delete begins never becomes ready', async () => {
  const world = await World.withCompany();
  const dying = new FaultyTables(world.store);
  dying.at(isOfDataKeys).dies('before');
  let begun = false;
  world.tables
    .atNext(({ writes: [first] }) => first?.kind === 'replace' && first.rowKey === keyringRowKey('second'))
    .comesAfter(async () => {
      begun = true;
      const host = world.newHost({ tables: dying });
      await expect(deleteCompany(host, { companyId: COMPANY }, ADMIN)).rejects.toThrow(Died);
    });
  const made = await putKeyring(world.host, { companyId: COMPANY, keyringId: 'second' }, ADMIN);
  expect(errorOf(made)).toMatchObject({ code: 'company-closing' });
  expect(begun).toBe(true);
  // Somebody may be at work on it yet; once that is over, the same call goes on.
  expect(valueOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toBe('deleting');
  world.clock.advance(DAY_MS);
  expect(valueOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toBe('deleted');
  expect(left(world)).toEqual([]);
});

test('a data key made or restored while the company is being deleted is never lost', async () => {
  for (let act = 0; act < 60; act += 1) {
    const world = await World.withCompany({ shardCount: 2 });
    await world.generate([{ keyId: 'soft' }]);
    valueOf(await deleteDataKey({ ...world.host, restoreDays: 0 }, { ...PLACE, keyId: 'soft' }));
    const other = world.newHost({ tables: world.store });
    const made = new Map<string, string>();
    const restored: string[] = [];
    world.tables.at(world.tables.writes.length + act + 1).comesAfter(async () => {
      const request = singleRequest(world.entropy);
      const generated = await generateDataKeys(other, { ...PLACE, keys: [{}], request });
      if (generated.ok) for (const [keyId, plaintext] of plaintextsOf(generated.value.keys)) made.set(keyId, plaintext);
      if ((await restoreDataKey(other, { ...PLACE, keyId: 'soft' })).ok) restored.push('soft');
    });
    const deleted = await deleteCompany(world.host, { companyId: COMPANY }, ADMIN);
    if (made.size + restored.length === 0) {
      expect(valueOf(deleted)).toBe('deleted');
      expect(left(world)).toEqual([]);
    } else {
      expect(errorOf(deleted)).toMatchObject({ code: 'company-has-data-keys' });
      if (made.size > 0) expect(plaintextsOf(await world.unwrap([...made.keys()]))).toEqual(made);
      for (const keyId of restored) expect((await world.unwrap([keyId]))[0]?.outcome).toBe('unwrapped');
      expect(allShardsClosed(world)).toEqual([false, false]);
    }
  }
});

test('a delete that died at any point is finished by the timer, or has never begun', async () => {
  const build = async (): Promise<World> => {
    const world = await World.withCompany({ shardCount: 2 });
    await world.generate([{ keyId: 'a' }]);
    valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'a' }));
    restoreTimeIsOver(world);
    world.tables.writes.length = 0;
    return world;
  };
  const whole = await build();
  valueOf(await deleteCompany(whole.host, { companyId: COMPANY }, ADMIN));
  const writes = whole.tables.writes.length;
  for (let survived = 0; survived < writes; survived += 1) {
    for (const moment of ['before', 'after'] as const) {
      const world = await build();
      world.tables.at(survived + 1).dies(moment);
      await expect(deleteCompany(world.host, { companyId: COMPANY }, ADMIN)).rejects.toThrow(Died);
      world.tables.recovers();
      const host = world.newHost();
      for (let sweeps = 0; sweeps < 3; sweeps += 1) {
        await sweepPurges(host);
        await sweepOutboxes(host);
        world.clock.advance(DAY_MS);
      }
      const company = await getCompany(host, { companyId: COMPANY });
      if (company.ok) {
        // It had never begun.
        expect(company.value.value.state).toBe('active');
        expect(allShardsClosed(world)).toEqual([false, false]);
        valueOf(await deleteCompany(host, { companyId: COMPANY }, ADMIN));
      }
      expect(left(world)).toEqual([]);
    }
  }
});

test('with its connections a deleted company gives up its claims to vault keys, and nobody else’s', async () => {
  const world = await World.withCompany();
  const connection = {
    connectionId: 'main',
    provider: 'azure-key-vault',
    keyName: 'Main-Key',
    credential: { kind: 'federated', clientId: 'app' },
    seal: { keyVersion: '1', signature: 'none' },
    usedBy: [],
    createdAt: '2026-01-01T00:00:00.000Z',
    keySeen: true,
  } as const;
  for (const [id, owner] of [
    ['contoso', COMPANY],
    ['fabrikam', 'globex'],
  ] as const) {
    const host = `${id}.vault.azure.net`;
    world.store.tamper('companies', COMPANY, `connection|${id}`, connectionCells({ ...connection, host }));
    world.store.tamper('vaultkeys', `${host}|main-key`, 'claim', { companyId: owner });
  }
  valueOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN));
  expect(left(world)).toEqual(['vaultkeys/fabrikam.vault.azure.net|main-key/claim']);
});

test('a company too large for one call is gone on with by the timer', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  const keyIds = Array.from({ length: 150 }, (_, index) => `key-${index}`);
  await world.generate(keyIds.map((keyId) => ({ keyId })));
  for (const keyId of keyIds) valueOf(await deleteDataKey(world.host, { ...PLACE, keyId }));
  restoreTimeIsOver(world);
  world.tables
    .at(({ writes }) => writes.some(({ kind }) => kind === 'delete'))
    .comesAfter(() => world.clock.advance(60_000));
  expect(valueOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toBe('deleting');
  expect(valueOf(await getCompany(world.host, { companyId: COMPANY })).value.state).toBe('closing');
  world.tables.recovers();
  await sweepPurges(world.host);
  world.clock.advance(DAY_MS);
  await sweepPurges(world.host);
  expect(left(world)).toEqual([]);
});

test('while a company is removed the counts stay exact to the last row', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  const keyIds = Array.from({ length: 110 }, (_, index) => `key-${index}`);
  await world.generate(keyIds.map((keyId) => ({ keyId })));
  for (const keyId of keyIds) valueOf(await deleteDataKey(world.host, { ...PLACE, keyId }));
  restoreTimeIsOver(world);
  const counts: number[] = [];
  world.tables.at(isOfDataKeys).isFollowedBy(async () => {
    world.expectExactCounts();
    if (allShardsClosed(world).length > 0) counts.push((await world.shardFor('key-0')).deleted);
  });
  expect(valueOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN))).toBe('deleted');
  expect(counts).toEqual([110, 11, 0]);
});

test('a shard left closed by a delete that turned back and died is opened by whoever needs it', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  const row = await world.store.read('datakeys', dataKeysPartition({ ...PLACE, shard: 0 }), SHARD_ROW_KEY);
  world.store.tamper('datakeys', dataKeysPartition({ ...PLACE, shard: 0 }), SHARD_ROW_KEY, {
    ...row?.cells,
    closed: true,
  });
  expect(valueOf(await generating(world)).keys[0]?.outcome).toBe('created');
  expect(allShardsClosed(world)).toEqual([false]);
});

test('while the company is being deleted new keys are refused', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  let refused: unknown;
  // The first transaction that removes a shard: all of them are closed by then.
  world.tables
    .atNext((write) => isOfDataKeys(write) && write.writes.some(({ kind }) => kind === 'delete'))
    .comesAfter(async () => {
      refused = errorOf(await generating(world));
    });
  valueOf(await deleteCompany(world.host, { companyId: COMPANY }, ADMIN));
  expect(refused).toMatchObject({ type: 'state', code: 'company-closing' });
});
