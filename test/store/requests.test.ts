import { expect, test } from 'vitest';
import { generateDataKeys } from '../../shared/operations/data-keys/generate.ts';
import { describeNewDataKeys } from '../../shared/operations/data-keys/new-data-keys.ts';
import { deleteDataKey } from '../../shared/operations/data-keys/delete.ts';
import {
  beginRequest,
  derivedId,
  endRequest,
  forgetExpiredRequests,
  type BegunRequest,
} from '../../shared/store/requests.ts';
import { Died, MISHAPS, tablesTripping } from '../fakes/tables-but.ts';
import {
  COMPANY,
  DAY_MS,
  errorOf,
  KEYRING,
  plaintextsOf,
  PLACE,
  valueOf,
  World,
} from '../operations/data-keys/world.ts';

const INPUT = { companyId: COMPANY, caller: 'backend', route: 'datakeys', key: 'k-1', body: 'two keys' };
const begin = async (world: World, change: Partial<typeof INPUT> = {}): Promise<BegunRequest> =>
  valueOf(await beginRequest(world.host, { ...INPUT, ...change }));
const rowsOf = (world: World): string[] =>
  [...world.store.dump()].filter(({ table }) => table === 'requests').map(({ rowKey }) => rowKey);

test('a repeat finds the first request: the same id, and the same derived ids', async () => {
  const world = new World();
  const first = await begin(world);
  const repeat = await begin(world);
  expect(first.repeated).toBe(false);
  expect(repeat).toEqual({ ...first, repeated: true });
  expect(derivedId(repeat.secret, 'data-key', 3)).toBe(derivedId(first.secret, 'data-key', 3));
});

test('derived ids differ by request, kind and number', async () => {
  const world = new World();
  const { secret } = await begin(world);
  const other = await begin(world, { key: 'k-2' });
  const ids = [
    derivedId(secret, 'data-key', 0),
    derivedId(secret, 'data-key', 1),
    derivedId(secret, 'switch', 0),
    derivedId(other.secret, 'data-key', 0),
  ];
  expect(new Set(ids).size).toBe(4);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('derived ids are in the order of their requests, those of one request side by side', async () => {
  const world = new World();
  const ids: string[] = [];
  for (const key of ['k-1', 'k-2', 'k-3']) {
    const { secret } = await begin(world, { key });
    ids.push(...[0, 1, 2].map((index) => derivedId(secret, 'data-key', index)).sort());
    world.clock.advance(1);
  }
  expect(ids.toSorted()).toEqual(ids);
  expect(Number.parseInt((ids[0] ?? '').replace('-', '').slice(0, 12), 16)).toBe(world.clock.now().getTime() - 3);
});

test('another body under the same key is refused', async () => {
  const world = new World();
  await begin(world);
  expect(errorOf(await beginRequest(world.host, { ...INPUT, body: 'three keys' }))).toEqual({
    type: 'idempotency-mismatch',
  });
});

test.each(['caller', 'route', 'companyId'] as const)('the same key of another %s is another request', async (part) => {
  const world = new World();
  const first = await begin(world);
  const other = await begin(world, { [part]: 'another', body: 'three keys' });
  expect(other.repeated).toBe(false);
  expect(other.requestId).not.toBe(first.requestId);
});

test('no field can run over into the next', async () => {
  const world = new World();
  await begin(world, { caller: 'a', route: 'b|c' });
  expect((await begin(world, { caller: 'a|b', route: 'c' })).repeated).toBe(false);
});

test.each(['', 'x'.repeat(256)])('a key of unfit length is refused', async (key) => {
  const world = new World();
  const refusal = errorOf(await beginRequest(world.host, { ...INPUT, key }));
  expect(refusal).toMatchObject({ type: 'invalid', target: 'Idempotency-Key' });
});

test.each(['x', 'x'.repeat(255)])('a key of the shortest or the longest length is taken', async (key) => {
  expect((await begin(new World(), { key })).repeated).toBe(false);
});

test('of two who begin at once, one is the first and the other its repeat', async () => {
  const world = new World();
  const [one, two] = await Promise.all([begin(world), begin(world)]);
  expect([one.repeated, two.repeated].sort()).toEqual([false, true]);
  expect(one.requestId).toBe(two.requestId);
});

test.each(['before', 'after'] as const)('an answer lost %s the commit is no repeat', async (moment) => {
  const world = new World();
  if (moment === 'after') world.tables.at(1).losesTheAnswer();
  else world.tables.at(1).isLost();
  expect((await begin(world)).repeated).toBe(false);
  expect((await begin(world)).repeated).toBe(true);
});

test('after a day the key can be used anew, and what is past is forgotten', async () => {
  const world = new World();
  const first = await begin(world);
  await begin(world, { key: 'k-2' });
  world.clock.advance(DAY_MS - 1);
  expect((await begin(world)).repeated).toBe(true);
  world.clock.advance(1);
  const anew = await begin(world, { body: 'three keys' });
  expect(anew.repeated).toBe(false);
  expect(anew.requestId).not.toBe(first.requestId);
  await forgetExpiredRequests(world.host, COMPANY);
  expect(rowsOf(world).filter((rowKey) => !rowKey.startsWith('!'))).toEqual([anew.rowKey]);
  expect(rowsOf(world)).toHaveLength(2);
});

test('only one call can say that it answered a request', async () => {
  const world = new World();
  const first = await begin(world);
  const ended = await Promise.all([endRequest(world.host, COMPANY, first), endRequest(world.host, COMPANY, first)]);
  expect(ended.sort()).toEqual([false, true]);
  expect((await begin(world)).status).toBe('done');
});

test.each(MISHAPS)('a call whose write of the end comes out as %s knows that it ended the request', async (mishap) => {
  const world = new World();
  const request = await begin(world);
  const tables = tablesTripping(world.store, request.rowKey, { mishap });
  expect(await endRequest({ ...world.host, tables }, COMPANY, request)).toBe(true);
  expect(await endRequest(world.host, COMPANY, request)).toBe(false);
});

test('nobody ends a request that is forgotten, or whose key was used anew', async () => {
  const world = new World();
  const first = await begin(world);
  world.clock.advance(DAY_MS);
  const anew = await begin(world);
  expect(anew.rowKey).toBe(first.rowKey);
  expect(await endRequest(world.host, COMPANY, first)).toBe(false);
  expect((await begin(world)).status).toBe('begun');
  world.clock.advance(DAY_MS);
  await forgetExpiredRequests(world.host, COMPANY);
  expect(await endRequest(world.host, COMPANY, anew)).toBe(false);
  expect(rowsOf(world)).toEqual([]);
});

test.each([
  [0, 0],
  [32, 0],
  [1, 1],
])('of the calls, one in 32 forgets what is past: that whose lot is %i leaves %i', async (lot, left) => {
  const world = new World();
  const past = await begin(world);
  world.clock.advance(DAY_MS);
  const host = { ...world.host, entropy: { bytes: (count: number) => Buffer.alloc(count, lot), id: () => 'now' } };
  await beginRequest(host, { ...INPUT, key: 'k-2' });
  expect(rowsOf(world).filter((rowKey) => rowKey === past.rowKey)).toHaveLength(left);
});

test.each(['requestId', 'secret', 'status'])('a row without a readable %s is a bug, not an answer', async (cell) => {
  const world = new World();
  const { rowKey } = await begin(world);
  const { cells } = world.store.peek('requests', COMPANY, rowKey)!;
  world.store.tamper('requests', COMPANY, rowKey, { ...cells, [cell]: 1 });
  await expect(begin(world)).rejects.toThrow(cell);
});

test('a repeat of generate answers the same ids and the same plaintexts', async () => {
  const world = await World.withCompany();
  const keys = [{}, { keyId: 'named' }, {}];
  const input = { ...INPUT, body: describeNewDataKeys(KEYRING, keys) };
  const first = await world.generate(keys, { request: valueOf(await beginRequest(world.host, input)) });
  const repeat = await world.generate(keys, { request: valueOf(await beginRequest(world.host, input)) });
  expect(repeat.map(({ keyId }) => keyId)).toEqual(first.map(({ keyId }) => keyId));
  expect(plaintextsOf(repeat)).toEqual(plaintextsOf(first));
  expect(plaintextsOf(repeat).size).toBe(3);
  expect((await world.generate([{ keyId: 'named' }, {}]))[0]?.outcome).toBe('id-taken');
  world.expectExactCounts();
});

test('two calls with one idempotency key at once answer the same plaintexts', async () => {
  const world = await World.withCompany();
  const keys = Array.from({ length: 20 }, () => ({}));
  const hosts = [world.host, world.newHost(), world.newHost()];
  const answers = await Promise.all(
    hosts.map(async (host) => {
      const request = valueOf(await beginRequest(host, { ...INPUT, body: describeNewDataKeys(KEYRING, keys) }));
      return plaintextsOf(await world.generate(keys, { host, request }));
    }),
  );
  expect(answers[0]?.size).toBe(20);
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
  expect(plaintextsOf(await world.unwrap([...answers[0]!.keys()]))).toEqual(answers[0]);
});

test('a repeat goes on where the first call died', async () => {
  const world = await World.withCompany({ shardCount: 2 });
  const keys = Array.from({ length: 20 }, () => ({}));
  const request = await begin(world);
  const dead = world.partitionOf(derivedId(request.secret, 'data-key', 0));
  world.tables.at(({ partitionKey }) => partitionKey === dead).dies('before');
  await expect(world.generate(keys, { request })).rejects.toThrow(Died);
  world.tables.recovers();
  const repeat = await world.generate(keys, { request: await begin(world) });
  expect(repeat.every(({ outcome }) => outcome === 'created')).toBe(true);
  expect(plaintextsOf(await world.unwrap(repeat.map(({ keyId }) => keyId)))).toEqual(plaintextsOf(repeat));
  world.expectExactCounts();
});

test('a repeat of a key deleted meanwhile says so', async () => {
  const world = await World.withCompany();
  const request = await begin(world);
  const [made] = await world.generate([{}], { request });
  valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: made!.keyId }));
  expect(await world.generate([{}], { request: await begin(world) })).toMatchObject([
    { outcome: 'not-readable', keyId: made!.keyId, because: { outcome: 'deleted' } },
  ]);
});

test('a repeat of an import with the same material is the same answer, with other material another body', async () => {
  const world = await World.withCompany();
  const request = await begin(world);
  const importing = (byte: number): { keyId: string; plaintext: Buffer }[] => [
    { keyId: 'mine', plaintext: Buffer.alloc(32, byte) },
  ];
  const first = await world.generate(importing(1), { request });
  expect(await world.generate(importing(1), { request })).toEqual(first);
  const other = await generateDataKeys(world.host, { ...PLACE, keys: importing(2), request });
  expect(errorOf(other)).toEqual({ type: 'idempotency-mismatch' });
  expect(plaintextsOf(await world.unwrap(['mine'])).get('mine')).toBe('01'.repeat(32));
});

test('what an idempotency key is bound to names no key material', () => {
  const keys = [{ keyId: 'mine', plaintext: Buffer.alloc(32, 0xab) }, {}];
  expect(describeNewDataKeys(KEYRING, keys)).toBe('["default",[["mine",32],[null,null]]]');
});
