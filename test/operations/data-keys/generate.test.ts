import { expect, test } from 'vitest';
import { putCompany } from '../../../shared/operations/companies/companies.ts';
import { generateDataKeys } from '../../../shared/operations/data-keys/generate.ts';
import { putKeyring } from '../../../shared/operations/keyrings/keyrings.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { singleRequest } from '../../../shared/store/requests.ts';
import { COMPANY, errorOf, KEYRING, plaintextsOf, PLACE, valueOf, World } from './world.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { isOfDataKeys } from '../../fakes/faulty-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';

const many = (count: number): { keyId?: string }[] => Array.from({ length: count }, () => ({}));

test('a generated key is answered with its plaintext, which unwraps to the same bytes', async () => {
  const world = await World.withCompany();
  const [key] = await world.generate([{}]);
  expect(key).toMatchObject({ outcome: 'created', companyKeyVersion: 1 });
  const generated = plaintextsOf([key!]);
  expect([...generated.values()][0]).toHaveLength(64);
  expect(plaintextsOf(await world.unwrap([key!.keyId]))).toEqual(generated);
});

test('a thousand keys in one call take as many transactions as their shards need, and all unwrap', async () => {
  const world = await World.withCompany({ shardCount: 4 });
  world.tables.writes.length = 0;
  const keys = await world.generate(many(1_000));
  const dataWrites = world.tables.writes.filter(({ table }) => table === 'datakeys');
  expect(Math.max(...dataWrites.map(({ writes }) => writes.length))).toBe(100);
  expect(dataWrites.length).toBeLessThanOrEqual(14);
  const generated = plaintextsOf(keys);
  expect(generated.size).toBe(1_000);
  expect(new Set(generated.values()).size).toBe(1_000);
  expect(plaintextsOf(await world.unwrap([...generated.keys()]))).toEqual(generated);
  world.expectExactCounts();
});

test.each([0, 1_001])('%i keys in one call are refused', async (count) => {
  const world = await World.withCompany();
  const generated = await generateDataKeys(world.host, {
    ...PLACE,
    keys: many(count),
    request: singleRequest(world.entropy),
  });
  expect(errorOf(generated)).toMatchObject({ type: 'invalid', target: 'keys' });
});

test.each([
  ['!shard', 'no id of a data key'],
  ['a|b', 'no id of a data key'],
])('the id %s is refused, since it is %s', async (keyId) => {
  const world = await World.withCompany();
  const generated = await generateDataKeys(world.host, {
    ...PLACE,
    keys: [{ keyId }],
    request: singleRequest(world.entropy),
  });
  expect(errorOf(generated)).toMatchObject({ type: 'invalid', target: 'keys[0].keyId' });
});

test('an id asked for twice in one call is refused', async () => {
  const world = await World.withCompany();
  const request = singleRequest(world.entropy);
  const generated = await generateDataKeys(world.host, { ...PLACE, keys: [{ keyId: 'a' }, { keyId: 'a' }], request });
  expect(errorOf(generated)).toMatchObject({ type: 'invalid', target: 'keys[1].keyId' });
});

test.each([15, 65])('an import of %i bytes is refused', async (bytes) => {
  const world = await World.withCompany();
  const request = singleRequest(world.entropy);
  const generated = await generateDataKeys(world.host, {
    ...PLACE,
    keys: [{ plaintext: Buffer.alloc(bytes) }],
    request,
  });
  expect(errorOf(generated)).toMatchObject({ type: 'invalid', target: 'keys[0].plaintext' });
});

test.each([16, 32, 64])(
  'an imported key of %i bytes unwraps to what was imported; the buffer is overwritten',
  async (bytes) => {
    const world = await World.withCompany();
    const material = Buffer.alloc(bytes, 0xab);
    const imported = await world.generate([{ keyId: 'mine', plaintext: material }]);
    expect(imported).toEqual([{ outcome: 'created', keyId: 'mine', companyKeyVersion: 1 }]);
    expect(material.equals(Buffer.alloc(bytes))).toBe(true);
    expect(plaintextsOf(await world.unwrap(['mine'])).get('mine')).toBe('ab'.repeat(bytes));
    expect((await world.row('mine')).origin).toBe('imported');
  },
);

test('of many racing for one id exactly one makes it, in one process and in several', async () => {
  const world = await World.withCompany();
  const hosts = [world.host, world.host, world.newHost(), world.newHost(), world.newHost()];
  const races = await Promise.all(hosts.map((host) => world.generate([{ keyId: 'the-one' }, {}], { host })));
  const outcomes = races.map(([first]) => first!);
  expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([
    'created',
    'id-taken',
    'id-taken',
    'id-taken',
    'id-taken',
  ]);
  expect(races.every(([, other]) => other?.outcome === 'created')).toBe(true);
  const winner = plaintextsOf(outcomes);
  expect(plaintextsOf(await world.unwrap(['the-one']))).toEqual(winner);
  world.expectExactCounts();
});

test('callers of one process who come together share transactions', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  await world.generate([{}]);
  world.tables.writes.length = 0;
  const all = await Promise.all(Array.from({ length: 90 }, () => world.generate([{}])));
  expect(all.flat().every(({ outcome }) => outcome === 'created')).toBe(true);
  expect(world.tables.writes.length).toBeLessThanOrEqual(2);
});

test('many processes writing to one shard all get through', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  const hosts = Array.from({ length: 6 }, () => world.newHost());
  const all = await Promise.all(hosts.map((host) => world.generate(many(5), { host })));
  expect(all.flat().every(({ outcome }) => outcome === 'created')).toBe(true);
  expect((await world.shardFor('any')).live).toBe(30);
  world.expectExactCounts();
});

test('taken ids are taken out and the rest are made, in few transactions', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  const taken = Array.from({ length: 40 }, (_, index) => ({ keyId: `taken-${index}` }));
  await world.generate(taken);
  world.tables.writes.length = 0;
  const mixed = await world.generate([...taken, ...many(40)]);
  expect(mixed.slice(0, 40).every(({ outcome }) => outcome === 'id-taken')).toBe(true);
  expect(mixed.slice(40).every(({ outcome }) => outcome === 'created')).toBe(true);
  expect(world.tables.writes).toHaveLength(2);
  world.expectExactCounts();
});

test.each(['before', 'after'] as const)('an answer lost %s the commit costs nothing', async (moment) => {
  const world = await World.withCompany({ shardCount: 1 });
  const first = world.tables.atNext(isOfDataKeys);
  if (moment === 'after') first.losesTheAnswer();
  else first.isLost();
  const keys = await world.generate(many(20));
  expect(keys.every(({ outcome }) => outcome === 'created')).toBe(true);
  const generated = plaintextsOf(keys);
  expect(plaintextsOf(await world.unwrap([...generated.keys()]))).toEqual(generated);
  expect((await world.shardFor('any')).live).toBe(20);
  world.expectExactCounts();
});

test('after a lost answer keys are recognised as one’s own though another process has written the shard since', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  const other = world.newHost({ tables: world.store });
  world.tables.atNext(isOfDataKeys).losesTheAnswer(() => world.generate([{}], { host: other }));
  const keys = await world.generate([{ keyId: 'mine' }, {}]);
  expect(keys.every(({ outcome }) => outcome === 'created')).toBe(true);
  const generated = plaintextsOf(keys);
  expect(plaintextsOf(await world.unwrap([...generated.keys()]))).toEqual(generated);
  world.expectExactCounts();
});

test('a store that never answers is told as being away, and no plaintext is given out', async () => {
  const world = await World.withCompany();
  world.tables.at(isOfDataKeys).isLost();
  const generated = generateDataKeys(world.host, { ...PLACE, keys: [{}], request: singleRequest(world.entropy) });
  await expect(generated).rejects.toThrow(StoreUnavailable);
});

test('a store that goes away in the middle of a call leaves no key behind with its plaintext overwritten', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  let away = 1;
  const tables = tablesBut(world.store, {
    read: (table, partitionKey, rowKey) => {
      if (table === 'datakeys' && away-- > 0) return Promise.reject(new StoreUnavailable('planted'));
      return world.store.read(table, partitionKey, rowKey);
    },
  });
  const host = world.newHost({ tables });
  const request = { requestId: 'request-1', secret: Buffer.alloc(32, 1) };
  // More than one transaction holds: the first batch fails, the others are still waiting then.
  const asked = generateDataKeys(host, { ...PLACE, keys: many(250), request });
  await expect(asked).rejects.toThrow(StoreUnavailable);
  const repeated = plaintextsOf(await world.generate(many(250), { host, request }));
  expect(new Set(repeated.values()).size).toBe(250);
  expect(plaintextsOf(await world.unwrap([...repeated.keys()]))).toEqual(repeated);
  world.expectExactCounts();
});

test('a shard that turns just before the write makes the key wrapped anew under the new version', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  await world.generate(many(10));
  let turned = false;
  world.tables
    .atNext((write) => isOfDataKeys(write) && write.writes.some(({ rowKey }) => rowKey === 'mine'))
    .comesAfter(async () => {
      turned = true;
      await world.rekey('first');
    });
  const keys = await world.generate([{ keyId: 'mine' }]);
  expect(turned).toBe(true);
  expect(keys).toMatchObject([{ outcome: 'created', companyKeyVersion: 2 }]);
  expect((await world.row('mine')).companyKeyVersion).toBe(2);
  expect(plaintextsOf(await world.unwrap(['mine'], world.newHost()))).toEqual(plaintextsOf(keys));
  world.expectExactCounts();
});

test('keys generated all through re-keys unwrap to their bytes, and the counts stay exact', async () => {
  const world = await World.withCompany({ shardCount: 2, slowStore: true });
  const generated = plaintextsOf(await world.generate(many(50)));
  const other = world.newHost();
  for (const switchId of ['one', 'two', 'three']) {
    const running = new Set([switchId]);
    const rekeyed = world.rekey(switchId).finally(() => running.delete(switchId));
    while (running.size > 0) {
      const made = await world.generate(many(3), { host: other });
      expect(made.every(({ outcome }) => outcome === 'created')).toBe(true);
      for (const [keyId, plaintext] of plaintextsOf(made)) generated.set(keyId, plaintext);
      expect(plaintextsOf(await world.unwrap([...generated.keys()], other))).toEqual(generated);
      world.expectExactCounts();
    }
    await rekeyed;
  }
  expect(plaintextsOf(await world.unwrap([...generated.keys()], world.newHost()))).toEqual(generated);
  expect((await world.row([...generated.keys()][0]!)).companyKeyVersion).toBe(4);
  expect(generated.size).toBeGreaterThan(70);
});

test('a full keyring takes no more keys: those that fit are made', async () => {
  const world = await World.withCompany({ shardCount: 1, maxDataKeysPerKeyring: 5 });
  const keys = await world.generate(many(8));
  expect(keys.filter(({ outcome }) => outcome === 'created')).toHaveLength(5);
  expect(keys.at(-1)).toMatchObject({ outcome: 'refused', refusal: { code: 'keyring-full' } });
  const more = await generateDataKeys(world.host, { ...PLACE, keys: [{}], request: singleRequest(world.entropy) });
  expect(errorOf(more)).toMatchObject({ type: 'state', code: 'keyring-full' });
});

test('a revoked provider refuses the call with the reason', async () => {
  const world = await World.withCompany();
  world.vaults.fail({ operation: 'unwrap', failure: 'access-denied-rbac' });
  const generated = await generateDataKeys(world.host, { ...PLACE, keys: [{}], request: singleRequest(world.entropy) });
  expect(errorOf(generated)).toMatchObject({ type: 'failure', failure: { code: 'access-denied-rbac' } });
  world.expectExactCounts();
});

test('a keyring or company that is not there is not found', async () => {
  const world = await World.withCompany();
  const request = singleRequest(world.entropy);
  const noKeyring = await generateDataKeys(world.host, { companyId: COMPANY, keyringId: 'none', keys: [{}], request });
  expect(errorOf(noKeyring)).toEqual({ type: 'not-found', what: 'keyring', id: 'none' });
  const noCompany = await generateDataKeys(world.host, { ...PLACE, companyId: 'none', keys: [{}], request });
  expect(errorOf(noCompany)).toEqual({ type: 'not-found', what: 'keyring', id: KEYRING });
});

test('nothing stored or logged holds the plaintext of a key', async () => {
  const world = await World.withCompany();
  const material = '5ec4e7'.repeat(10) + 'abcd';
  const generated = plaintextsOf(await world.generate([...many(5)]));
  await world.generate([{ plaintext: Buffer.from(material, 'hex') }]);
  const everything = [...world.store.dump()].map(({ cells }) =>
    Object.values(cells).map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : String(cell))),
  );
  const text = JSON.stringify([everything, world.log.entries]);
  for (const plaintext of [...generated.values(), material]) {
    expect(text).not.toContain(plaintext);
    expect(text).not.toContain(Buffer.from(plaintext, 'hex').toString('base64'));
    expect(text).not.toContain(Buffer.from(plaintext, 'hex').toString('base64url'));
  }
});

test('the same id in two keyrings and two companies is four keys', async () => {
  const world = await World.withCompany();
  valueOf(await putKeyring(world.host, { companyId: COMPANY, keyringId: 'second' }, ADMIN));
  valueOf(await putCompany(world.host, { companyId: 'globex' }, ADMIN));
  const places = [PLACE, { companyId: COMPANY, keyringId: 'second' }, { companyId: 'globex', keyringId: KEYRING }];
  const made = await Promise.all(
    places.map((place) =>
      generateDataKeys(world.host, { ...place, keys: [{ keyId: 'same' }], request: singleRequest(world.entropy) }),
    ),
  );
  expect(new Set(made.flatMap((one) => [...plaintextsOf(valueOf(one).keys).values()])).size).toBe(3);
});
