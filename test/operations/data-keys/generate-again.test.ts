// What becomes of keys that are not simply made: the same request again, ids of others, shards that are full or closed, and the plaintexts
// that nobody gets.
import { describe, expect, it } from 'vitest';
import { notFound } from '../../../shared/domain/refusal.ts';
import { err } from '../../../shared/domain/result.ts';
import { companyCells, readCompany } from '../../../shared/store/rows/company-rows.ts';
import { COMPANY_ROW_KEY } from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY, shardOf } from '../../../shared/domain/shard.ts';
import { generateDataKeys } from '../../../shared/operations/data-keys/generate.ts';
import { describeNewDataKeys, type NewDataKey } from '../../../shared/operations/data-keys/new-data-keys.ts';
import { deleteDataKey } from '../../../shared/operations/data-keys/delete.ts';
import type { KeyringShards } from '../../../shared/operations/data-keys/keyring-shards.ts';
import { reopenStaleShard } from '../../../shared/operations/data-keys/reopen-stale-shard.ts';
import { derivedId, singleRequest } from '../../../shared/store/requests.ts';
import { isOfDataKeys } from '../../fakes/faulty-tables.ts';
import { COMPANY, errorOf, PLACE, plaintextsOf, valueOf, World, type Host } from './world.ts';

const REQUEST = { requestId: 'request-1', secret: Buffer.alloc(32, 1) };
const OTHER_REQUEST = { requestId: 'request-2', secret: Buffer.alloc(32, 2) };
const imported = (bytes: number, byte: number, keyId = 'mine'): NewDataKey => ({
  keyId,
  plaintext: Buffer.alloc(bytes, byte),
});

const ask = (world: World, keys: readonly NewDataKey[], request = REQUEST): ReturnType<typeof generateDataKeys> =>
  generateDataKeys(world.host, { ...PLACE, keys, request });

/** Names of keys that lie in this one of two shards. */
const namesIn = (shard: number): { readonly keyId: string }[] =>
  Array.from({ length: 20 }, (_, index) => `key-${index}`)
    .filter((keyId) => shardOf(keyId, 2) === shard)
    .map((keyId) => ({ keyId }));

/** A host of which every random byte that it asked for can be looked at afterwards, where it lies. */
function remembering(world: World): { readonly host: Host; readonly material: readonly Uint8Array[] } {
  const material: Uint8Array[] = [];
  const bytes = (count: number): Uint8Array => {
    const drawn = world.entropy.bytes(count);
    material.push(drawn);
    return drawn;
  };
  return { host: { ...world.host, entropy: { bytes, id: () => 'an-id' } }, material };
}

it('a key without a name is named by its request and its place, so that the same request names it again', async () => {
  const world = await World.withCompany();
  const [, second] = valueOf(await ask(world, [{ keyId: 'named' }, {}])).keys;
  expect(second?.keyId).toBe(derivedId(REQUEST.secret, 'data-key', 1));
  const row = await world.store.read('datakeys', world.partitionOf(second!.keyId), second!.keyId);
  expect(row?.cells).toMatchObject({ state: 'live', origin: 'generated', createdBy: 'request-1' });
});

describe('the same request again', () => {
  it('answers the same keys and the same plaintexts, and makes none', async () => {
    const world = await World.withCompany();
    const first = valueOf(await ask(world, [{}, { keyId: 'named' }, {}])).keys;
    const plaintexts = plaintextsOf(first);
    const again = valueOf(await ask(world, [{}, { keyId: 'named' }, {}])).keys;
    expect(again.map(({ keyId, outcome }) => [keyId, outcome])).toEqual(
      first.map(({ keyId }) => [keyId, 'created'] as const),
    );
    expect([plaintextsOf(again), plaintexts.size]).toEqual([plaintexts, 3]);
    world.expectExactCounts();
  });

  it('makes what it had not come to', async () => {
    const world = await World.withCompany();
    const [first] = valueOf(await ask(world, [{ keyId: 'one' }])).keys;
    const plaintexts = plaintextsOf([first!]);
    const both = valueOf(await ask(world, [{ keyId: 'one' }, { keyId: 'two' }])).keys;
    expect(both).toMatchObject([
      { outcome: 'created', keyId: 'one', companyKeyVersion: 1 },
      { outcome: 'created', keyId: 'two' },
    ]);
    expect(plaintextsOf(both).get('one')).toBe(plaintexts.get('one'));
  });

  it('that imports the same is answered without its plaintext, as before', async () => {
    const world = await World.withCompany();
    const created = { outcome: 'created', keyId: 'mine', companyKeyVersion: 1 };
    expect(valueOf(await ask(world, [imported(32, 7)])).keys).toEqual([created]);
    expect(valueOf(await ask(world, [imported(32, 7)])).keys).toEqual([created]);
  });

  it.each([
    ['other', imported(32, 8)],
    ['longer', imported(48, 7)],
  ])('that imports %s material is another body', async (_what, other) => {
    const world = await World.withCompany();
    await ask(world, [imported(32, 7)]);
    expect(errorOf(await ask(world, [{}, other]))).toEqual({ type: 'idempotency-mismatch' });
    expect(plaintextsOf(await world.unwrap(['mine'])).get('mine')).toBe('07'.repeat(32));
  });

  it.each([
    ['is in use', () => Promise.resolve()],
    ['was deleted since', (world: World) => deleteDataKey(world.host, { ...PLACE, keyId: 'mine' })],
    ['was moved to another company key since', (world: World) => world.rekey('s1')],
  ])('that imports other material for a key that %s writes nothing at all', async (_what, change) => {
    const world = await World.withCompany();
    await ask(world, [imported(32, 7)]);
    await change(world);
    const before = [...world.store.dump()].filter(({ table }) => table === 'datakeys');
    const again = ask(world, [imported(32, 8), imported(32, 9, 'new'), { keyId: 'made' }]);
    expect(errorOf(await again)).toEqual({ type: 'idempotency-mismatch' });
    expect([...world.store.dump()].filter(({ table }) => table === 'datakeys')).toEqual(before);
  });

  it('that imports is refused as a whole while no vault says whether it is the same', async () => {
    const world = await World.withCompany();
    await ask(world, [imported(32, 7)]);
    world.vaults.fail({ operation: 'unwrap', failure: 'vault-unreachable' });
    const host = world.newHost();
    const again = generateDataKeys(host, { ...PLACE, keys: [imported(32, 7)], request: REQUEST });
    expect(errorOf(await again)).toMatchObject({ type: 'failure', failure: { code: 'vault-unreachable' } });
  });

  it('says so of a key that cannot be unwrapped any more', async () => {
    const world = await World.withCompany();
    await ask(world, [{ keyId: 'a' }, imported(32, 7, 'b')]);
    for (const keyId of ['a', 'b']) await world.tamper(keyId, { blob: new Uint8Array(61) });
    expect(valueOf(await ask(world, [{ keyId: 'a' }, imported(32, 7, 'b')])).keys).toEqual([
      { outcome: 'not-readable', keyId: 'a', because: { outcome: 'does-not-open', keyId: 'a' } },
      { outcome: 'not-readable', keyId: 'b', because: { outcome: 'does-not-open', keyId: 'b' } },
    ]);
  });
});

it('the same request again is refused where its keyring went away in between', async () => {
  const world = await World.withCompany();
  await ask(world, [{ keyId: 'a' }]);
  const gone = notFound('keyring', 'default');
  const keyringShards = Object.create(world.host.keyringShards, {
    read: { value: world.host.keyringShards.read.bind(world.host.keyringShards) },
    find: { value: () => Promise.resolve(err(gone)) },
  }) as KeyringShards;
  const again = generateDataKeys(
    { ...world.host, keyringShards },
    { ...PLACE, keys: [{ keyId: 'a' }], request: REQUEST },
  );
  expect(errorOf(await again)).toEqual(gone);
});

it('an id of another request is taken, whatever became of it, and nothing is told of it', async () => {
  const world = await World.withCompany();
  await ask(world, [{ keyId: 'a' }]);
  const keys = valueOf(await ask(world, [{ keyId: 'a' }, { keyId: 'b' }], OTHER_REQUEST)).keys;
  expect(keys[0]).toEqual({ outcome: 'id-taken', keyId: 'a' });
  expect(keys[1]).toMatchObject({ outcome: 'created', keyId: 'b' });
});

describe('what is refused', () => {
  it('is refused as a whole if nothing was made, and else by the key', async () => {
    const world = await World.withCompany({ shardCount: 2, maxDataKeysPerKeyring: 2 });
    const [first, second, third] = namesIn(0);
    const [other] = namesIn(1);
    await ask(world, [first!]);
    const full = { type: 'state', code: 'keyring-full' };
    expect(errorOf(await ask(world, [second!, third!], OTHER_REQUEST))).toMatchObject(full);
    expect(valueOf(await ask(world, [second!, other!, third!], OTHER_REQUEST)).keys).toMatchObject([
      { outcome: 'refused', keyId: second!.keyId, refusal: full },
      { outcome: 'created', keyId: other!.keyId },
      { outcome: 'refused', keyId: third!.keyId, refusal: full },
    ]);
  });

  it('is refused by the key where the reasons differ', async () => {
    const world = await World.withCompany({ shardCount: 2, maxDataKeysPerKeyring: 2 });
    const [first, second] = namesIn(0);
    const [other] = namesIn(1);
    await ask(world, [first!]);
    world.tables.at(({ partitionKey }) => partitionKey === world.partitionOf(other!.keyId)).isOutrun();
    expect(valueOf(await ask(world, [second!, other!], OTHER_REQUEST)).keys).toMatchObject([
      { outcome: 'refused', refusal: { type: 'state', code: 'keyring-full' } },
      { outcome: 'refused', refusal: { type: 'busy' } },
    ]);
  });

  it('leaves no plaintext in memory, made or imported', async () => {
    const world = await World.withCompany({ shardCount: 1, maxDataKeysPerKeyring: 1 });
    await ask(world, [{ keyId: 'a' }]);
    const { host, material } = remembering(world);
    const key = imported(32, 7);
    const refused = await generateDataKeys(host, { ...PLACE, keys: [{}, key], request: singleRequest(world.entropy) });
    expect(refused.ok).toBe(false);
    const made = material.find(({ length }) => length === 32);
    expect([made, key.plaintext]).toEqual([Buffer.alloc(32), Buffer.alloc(32)]);
  });

  it('leaves no plaintext in memory of keys that are answered without it, and leaves that of the others alone', async () => {
    const world = await World.withCompany();
    await ask(world, [{ keyId: 'taken' }]);
    const { host, material } = remembering(world);
    const keys = [{ keyId: 'taken' }, { keyId: 'new' }];
    const made = valueOf(await generateDataKeys(host, { ...PLACE, keys, request: OTHER_REQUEST })).keys;
    const both = material.find(({ length }) => length === 64)!;
    expect(both.subarray(0, 32)).toEqual(Buffer.alloc(32));
    expect(plaintextsOf(made).get('new')).toBe(Buffer.from(both.subarray(32)).toString('hex'));
    expect(Buffer.from(both.subarray(32)).equals(Buffer.alloc(32))).toBe(false);
  });
});

it('a request is described by its keys, and by nothing of their material', () => {
  expect(describeNewDataKeys('default', [{}, { keyId: 'a' }, imported(32, 7), { plaintext: Buffer.alloc(16) }])).toBe(
    JSON.stringify([
      'default',
      [
        [null, null],
        ['a', null],
        ['mine', 32],
        [null, 16],
      ],
    ]),
  );
});

describe('a shard that a delete of its company left closed', () => {
  const KEY_ID = 'a';

  async function closed(company: 'active' | 'closing'): Promise<World> {
    const world = await World.withCompany({ shardCount: 2 });
    await ask(world, [{ keyId: KEY_ID }], OTHER_REQUEST);
    const row = await world.store.read('datakeys', world.partitionOf(KEY_ID), SHARD_ROW_KEY);
    world.store.tamper('datakeys', world.partitionOf(KEY_ID), SHARD_ROW_KEY, { ...row?.cells, closed: true });
    const stored = await world.store.read('companies', COMPANY, COMPANY_ROW_KEY);
    const cells = companyCells({ ...readCompany(stored?.cells ?? {}), state: company });
    world.store.tamper('companies', COMPANY, COMPANY_ROW_KEY, cells);
    return world;
  }
  const keys = ['b', 'c', 'd', 'e', KEY_ID, 'f'].map((keyId) => ({ keyId }));

  it('is opened by whoever makes keys in it', async () => {
    const world = await closed('active');
    const made = valueOf(await ask(world, keys)).keys;
    expect(made.map(({ keyId, outcome }) => [keyId, outcome])).toEqual(
      keys.map(({ keyId }) => [keyId, keyId === KEY_ID ? 'id-taken' : 'created']),
    );
    expect((await world.shardFor(KEY_ID)).closed).toBe(false);
    world.expectExactCounts();
  });

  it('stays closed while its company is being deleted, and when it is gone', async () => {
    const world = await closed('closing');
    const made = valueOf(await ask(world, keys)).keys;
    const outcomes = new Set(made.map(({ outcome }) => outcome));
    expect(outcomes).toContain('refused');
    expect((await world.shardFor(KEY_ID)).closed).toBe(true);
    expect(await reopenStaleShard(world.host, { ...PLACE, shard: shardOf(KEY_ID, 2) })).toBe(false);
    const company = await world.store.read('companies', COMPANY, COMPANY_ROW_KEY);
    const gone = { kind: 'delete', rowKey: COMPANY_ROW_KEY, etag: company!.etag } as const;
    await world.store.write('companies', COMPANY, [gone]);
    expect(await reopenStaleShard(world.host, { ...PLACE, shard: shardOf(KEY_ID, 2) })).toBe(false);
    expect((await world.shardFor(KEY_ID)).closed).toBe(true);
  });

  it('is opened in spite of others who write it meanwhile', async () => {
    const world = await closed('active');
    const places = [0, 1].map((shard) => ({ ...PLACE, shard }));
    let left = 2;
    world.tables.at((write) => isOfDataKeys(write) && left-- > 0).isOutrun();
    const opened = await Promise.all(places.map((place) => reopenStaleShard(world.host, place)));
    expect(opened).toEqual([true, true]);
    expect((await world.shardFor(KEY_ID)).closed).toBe(false);
    expect(left).toBeLessThan(0);
  });

  it('is open already, or is not there', async () => {
    const world = await World.withCompany({ shardCount: 1 });
    world.tables.writes.length = 0;
    expect(await reopenStaleShard(world.host, { ...PLACE, shard: 0 })).toBe(true);
    expect(await reopenStaleShard(world.host, { ...PLACE, shard: 7 })).toBe(false);
    expect(world.tables.writes).toEqual([]);
  });
});
