import { expect, test } from 'vitest';
import { failure } from '../../../shared/failures.ts';
import { companyKeyRowKey } from '../../../shared/store/rows/row-keys.ts';
import { putCompany } from '../../../shared/operations/companies/companies.ts';
import { deleteDataKey } from '../../../shared/operations/data-keys/delete.ts';
import { generateDataKeys } from '../../../shared/operations/data-keys/generate.ts';
import { restoreDataKey } from '../../../shared/operations/data-keys/restore.ts';
import { unwrapDataKeys, wholeFailure } from '../../../shared/operations/data-keys/unwrap.ts';
import { putKeyring } from '../../../shared/operations/keyrings/keyrings.ts';
import { singleRequest } from '../../../shared/store/requests.ts';
import { dataKeysPartition } from '../../../shared/store/rows/row-keys.ts';
import { shardOf } from '../../../shared/domain/shard.ts';
import { COMPANY, errorOf, KEYRING, plaintextsOf, PLACE, TTL_MS, valueOf, World, type Host } from './world.ts';
import { ADMIN } from '../../fakes/actors.ts';

async function withKeys(...keyIds: string[]): Promise<{ world: World; generated: Map<string, string> }> {
  const world = await World.withCompany();
  return { world, generated: plaintextsOf(await world.generate(keyIds.map((keyId) => ({ keyId })))) };
}

const outcomesOf = async (world: World, keyIds: string[], host?: Host): Promise<string[]> =>
  (await world.unwrap(keyIds, host)).map(({ outcome }) => outcome);

test('outcomes come in the order asked, each decided by itself, repeats included', async () => {
  const { world, generated } = await withKeys('a', 'b', 'gone', 'given-up', 'aside');
  valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'gone' }));
  await world.tamper('given-up', { state: 'lost' });
  await world.tamper('aside', { state: 'quarantined', blob: new Uint8Array(61) });
  const keyIds = ['b', 'none', 'a', 'gone', 'b', 'given-up', 'aside'];
  const outcomes = await world.unwrap(keyIds);
  expect(outcomes.map(({ keyId }) => keyId)).toEqual(keyIds);
  expect(outcomes.map(({ outcome }) => outcome)).toEqual([
    'unwrapped',
    'not-found',
    'unwrapped',
    'deleted',
    'unwrapped',
    'lost',
    'quarantined',
  ]);
  expect(plaintextsOf(outcomes).get('b')).toBe(generated.get('b'));
  const [first, , , , again] = outcomes;
  if (first?.outcome === 'unwrapped') first.plaintext.fill(0);
  expect(plaintextsOf([again!]).get('b')).toBe(generated.get('b'));
});

test('a batch that is read as ranges is answered like keys that are read one by one', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `key-${String(index).padStart(2, '0')}`);
  const { world } = await withKeys(...names);
  await world.tamper('key-10', { state: 'tombstone' });
  await world.tamper('key-20', { state: 'lost' });
  const keyIds = [...names, 'key-05x', 'key-30', 'zz-none'];
  const alone: string[] = [];
  for (const keyId of keyIds) alone.push(...(await outcomesOf(world, [keyId])));
  expect(new Set(alone)).toEqual(new Set(['unwrapped', 'not-found', 'lost']));
  expect(await outcomesOf(world, keyIds)).toEqual(alone);
  expect(await outcomesOf(world, keyIds.toReversed())).toEqual(alone.toReversed());
});

test('a quarantined key that opens all the same is given to its owner', async () => {
  const { world, generated } = await withKeys('a');
  await world.tamper('a', { state: 'quarantined', stateBefore: 'live' });
  expect(plaintextsOf(await world.unwrap(['a']))).toEqual(generated);
});

test.each([[[]], [Array.from({ length: 1_001 }, () => 'a')]])(
  'none or more than a thousand keys are refused',
  async (keyIds) => {
    const { world } = await withKeys('a');
    const unwrapped = await unwrapDataKeys(world.host, { ...PLACE, keyIds });
    expect(errorOf(unwrapped)).toMatchObject({ type: 'invalid', target: 'keyIds' });
  },
);

test('a thousand keys are answered', async () => {
  const { world } = await withKeys('a');
  const outcomes = await outcomesOf(
    world,
    Array.from({ length: 1_000 }, () => 'a'),
  );
  expect(outcomes).toEqual(Array.from({ length: 1_000 }, () => 'unwrapped'));
});

test.each([[['a', '!shard'], 1] as const, [['!shard', 'a'], 0] as const])(
  'the shard’s own row cannot be asked for: %j',
  async (keyIds, index) => {
    const { world } = await withKeys('a');
    const unwrapped = await unwrapDataKeys(world.host, { ...PLACE, keyIds });
    expect(errorOf(unwrapped)).toMatchObject({ type: 'invalid', target: `keyIds[${index}]` });
  },
);

test('a thousand callers with nothing cached cause one vault call', async () => {
  const keyIds = Array.from({ length: 1_000 }, (_, index) => `key-${index}`);
  const { world } = await withKeys(...keyIds);
  const cold = world.newHost();
  world.vaults.calls.length = 0;
  world.vaults.onCall = () => new Promise((resolve) => setTimeout(resolve, 20));
  const unwrapped = await Promise.all(keyIds.map((keyId) => world.unwrap([keyId], cold)));
  expect(unwrapped.flat().every(({ outcome }) => outcome === 'unwrapped')).toBe(true);
  expect(world.vaults.countOf('unwrap')).toBe(1);
});

test('a revocation is felt within the promised time, counted from the beginning of the unwrap', async () => {
  const { world } = await withKeys('a');
  const host = world.newHost();
  world.vaults.onCall = (call) => {
    // A slow vault: half of the time has gone by when it answers.
    if (call.operation === 'unwrap') world.clock.advance(TTL_MS / 2);
  };
  expect(await outcomesOf(world, ['a'], host)).toEqual(['unwrapped']);
  world.vaults.fail({ operation: 'unwrap', failure: 'access-denied-rbac' });
  world.clock.advance(TTL_MS / 2 - 1);
  expect(await outcomesOf(world, ['a'], host)).toEqual(['unwrapped']);
  world.clock.advance(1);
  expect(await world.unwrap(['a'], host)).toMatchObject([
    { outcome: 'failure', failure: { code: 'access-denied-rbac', kind: 'denied' } },
  ]);
  world.vaults.heal();
  expect(await outcomesOf(world, ['a'], host)).toEqual(['unwrapped']);
});

test('a provider’s failure is the outcome of every key, and is asked for once', async () => {
  const { world } = await withKeys('a', 'b', 'c');
  world.vaults.calls.length = 0;
  world.vaults.fail({ operation: 'unwrap', failure: 'vault-unreachable' });
  expect(await outcomesOf(world, ['a', 'b', 'none', 'c'], world.newHost())).toEqual([
    'failure',
    'failure',
    'not-found',
    'failure',
  ]);
  expect(world.vaults.countOf('unwrap')).toBe(1);
});

test('a forged company key is refused before any vault is asked', async () => {
  const { world } = await withKeys('a');
  const rowKey = companyKeyRowKey(KEYRING, 1);
  const row = await world.store.read('companies', COMPANY, rowKey);
  const [wrap] = JSON.parse(String(row?.cells['wraps'])) as { ciphertext: string }[];
  const wraps = JSON.stringify([{ ...wrap, ciphertext: Buffer.alloc(256, 1).toString('base64url') }]);
  world.store.tamper('companies', COMPANY, rowKey, { ...row?.cells, wraps });
  world.vaults.calls.length = 0;
  expect(await world.unwrap(['a'], world.newHost())).toMatchObject([
    { outcome: 'failure', failure: { code: 'row-forged', kind: 'integrity' } },
  ]);
  expect(world.vaults.countOf('unwrap')).toBe(0);
  expect(world.log.events()).toContain('security.row-forged');
});

test('a blob copied over another key’s does not open, and is a security event', async () => {
  const { world } = await withKeys('a', 'b');
  const { blob } = await world.row('a');
  await world.tamper('b', { blob });
  expect(await outcomesOf(world, ['a', 'b'])).toEqual(['unwrapped', 'does-not-open']);
  expect(world.log.entries.filter(({ event }) => event === 'security.data-key-does-not-open')).toEqual([
    { level: 'error', event: 'security.data-key-does-not-open', detail: { ...PLACE, keyId: 'b' } },
  ]);
});

test('a kept row that does not open is read again before anybody is told', async () => {
  const { world, generated } = await withKeys('a', 'b');
  const host = world.newHost({ cachedRows: 10 });
  const { blob } = await world.row('a');
  await world.tamper('a', { blob: (await world.row('b')).blob });
  expect(await outcomesOf(world, ['a', 'b'], host)).toEqual(['does-not-open', 'unwrapped']);
  await world.tamper('a', { blob });
  world.log.entries.length = 0;
  expect(plaintextsOf(await world.unwrap(['a', 'b'], host))).toEqual(generated);
  expect(world.log.events()).toEqual([]);
});

test.each(['deleted', 'lost', 'tombstone'] as const)('no vault is asked for a key that is %s', async (state) => {
  const { world } = await withKeys('a');
  await world.tamper('a', { state });
  world.vaults.calls.length = 0;
  await world.unwrap(['a'], world.newHost());
  expect(world.vaults.calls).toEqual([]);
});

test('a quarantined row relabelled with a version that there is not is told to be quarantined', async () => {
  const { world } = await withKeys('a');
  await world.tamper('a', { state: 'quarantined', companyKeyVersion: 7 });
  expect(await outcomesOf(world, ['a'])).toEqual(['quarantined']);
});

test('another company’s row and another keyring’s do not open here', async () => {
  const { world } = await withKeys('mine');
  valueOf(await putCompany(world.host, { companyId: 'globex' }, ADMIN));
  valueOf(await putKeyring(world.host, { companyId: COMPANY, keyringId: 'second' }, ADMIN));
  for (const place of [
    { companyId: 'globex', keyringId: KEYRING },
    { companyId: COMPANY, keyringId: 'second' },
  ]) {
    valueOf(
      await generateDataKeys(world.host, {
        ...place,
        keys: [{ keyId: 'mine' }],
        request: singleRequest(world.entropy),
      }),
    );
    const partition = dataKeysPartition({ ...place, shard: shardOf('mine', world.shardCount) });
    const theirs = await world.store.read('datakeys', partition, 'mine');
    world.store.tamper('datakeys', world.partitionOf('mine'), 'mine', theirs!.cells);
    expect(await outcomesOf(world, ['mine'])).toEqual(['does-not-open']);
  }
});

test('a row relabelled with a version that there is not does not open, without a vault call', async () => {
  const { world } = await withKeys('a');
  await world.unwrap(['a']);
  world.vaults.calls.length = 0;
  await world.tamper('a', { companyKeyVersion: 7 });
  expect(await outcomesOf(world, ['a'])).toEqual(['does-not-open']);
  expect(world.vaults.countOf('unwrap')).toBe(0);
});

test('a row relabelled with the other version of a running re-key does not open', async () => {
  const { world } = await withKeys('a');
  const versions = (): boolean[] =>
    [1, 2].map((version) =>
      [...world.store.dump()].some(({ rowKey }) => rowKey === companyKeyRowKey(KEYRING, version)),
    );
  await world.rekey('one', () => versions().every(Boolean));
  expect(versions()).toEqual([true, true]);
  const { companyKeyVersion } = await world.row('a');
  await world.tamper('a', { companyKeyVersion: companyKeyVersion === 1 ? 2 : 1 });
  expect(await outcomesOf(world, ['a'])).toEqual(['does-not-open']);
});

test.each([
  ['an empty blob', { blob: new Uint8Array(0) }],
  ['a blob of other length', { blob: new Uint8Array(2_000) }],
  ['version 0', { companyKeyVersion: 0 }],
])('a row with %s does not open', async (_, change) => {
  const { world } = await withKeys('a');
  await world.tamper('a', change);
  expect(await outcomesOf(world, ['a'])).toEqual(['does-not-open']);
});

test('a commit between the reading of a row and of its company key makes the row be read again', async () => {
  const { world, generated } = await withKeys('a', 'b');
  const host = world.newHost();
  const read = world.tables.read.bind(world.tables);
  let rekeyed = false;
  world.tables.read = async (table, partitionKey, rowKey) => {
    if (rekeyed || table !== 'companies' || rowKey !== companyKeyRowKey(KEYRING, 1))
      return read(table, partitionKey, rowKey);
    rekeyed = true;
    await world.rekey('one');
    return read(table, partitionKey, rowKey);
  };
  expect(plaintextsOf(await world.unwrap(['a', 'b'], host))).toEqual(generated);
  expect(rekeyed).toBe(true);
});

test('kept rows save the table reads, and are read again when their company key is gone', async () => {
  const { world, generated } = await withKeys('a');
  const host = world.newHost({ cachedRows: 10 });
  await world.unwrap(['a'], host);
  world.tables.reads = 0;
  expect(plaintextsOf(await world.unwrap(['a'], host))).toEqual(generated);
  expect(world.tables.reads).toBe(0);
  await world.rekey('one');
  world.clock.advance(TTL_MS - 1);
  expect(plaintextsOf(await world.unwrap(['a'], host))).toEqual(generated);
  world.clock.advance(TTL_MS);
  world.vaults.calls.length = 0;
  expect(plaintextsOf(await world.unwrap(['a'], host))).toEqual(generated);
});

test('a kept row whose company key is gone is read again past what is kept', async () => {
  const { world, generated } = await withKeys('a', 'b');
  const host = world.newHost({ cachedRows: 10 });
  await world.unwrap(['b'], host);
  world.clock.advance(TTL_MS / 2);
  await world.unwrap(['a'], host);
  await world.rekey('one');
  // The company key has had its time, the row has not.
  world.clock.advance(TTL_MS / 2);
  expect(plaintextsOf(await world.unwrap(['a', 'b'], host))).toEqual(generated);
  expect(world.log.events()).not.toContain('security.data-key-does-not-open');
});

test('a key deleted through another process is refused when the kept row has had its time', async () => {
  const { world } = await withKeys('a');
  const host = world.newHost({ cachedRows: 10 });
  expect(await outcomesOf(world, ['a'], host)).toEqual(['unwrapped']);
  valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'a' }));
  world.clock.advance(TTL_MS);
  expect(await outcomesOf(world, ['a'], host)).toEqual(['deleted']);
});

test('a key deleted through this process while its row is being read is refused from then on', async () => {
  const { world } = await withKeys('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  for (const batch of [['a'], ['b', 'c', 'd', 'e', 'f', 'g', 'h']]) {
    const host = world.newHost({ cachedRows: 10 });
    const [first = ''] = batch;
    // Each request is answered as of before the delete, and after it.
    const deleted = Promise.withResolvers<undefined>();
    const read = world.tables.read.bind(world.tables);
    const list = world.tables.list.bind(world.tables);
    let isHeld = true;
    const late = async <T>(answer: T): Promise<T> => {
      if (isHeld) await deleted.promise;
      return answer;
    };
    world.tables.read = async (...asked) => {
      const answer = await read(...asked);
      return asked[0] === 'datakeys' && asked[2] === first ? late(answer) : answer;
    };
    world.tables.list = async (query) => {
      const answer = await list(query);
      return query.table === 'datakeys' && answer.rows.some(({ rowKey }) => rowKey === first) ? late(answer) : answer;
    };
    const before = outcomesOf(world, batch, host);
    await new Promise((resolve) => setImmediate(resolve));
    isHeld = false;
    const deletes = deleteDataKey(host, { ...PLACE, keyId: first });
    valueOf(await deletes);
    deleted.resolve(undefined);
    expect((await before)[0]).toBe('unwrapped');
    expect(await outcomesOf(world, [first], host)).toEqual(['deleted']);
    Object.assign(world.tables, { read, list });
  }
});

test('a key deleted through this process is refused at once, and unwraps again when restored', async () => {
  const { world, generated } = await withKeys('a');
  const host = world.newHost({ cachedRows: 10 });
  await world.unwrap(['a'], host);
  valueOf(await deleteDataKey(host, { ...PLACE, keyId: 'a' }));
  expect(await outcomesOf(world, ['a'], host)).toEqual(['deleted']);
  valueOf(await restoreDataKey(host, { ...PLACE, keyId: 'a' }));
  expect(plaintextsOf(await world.unwrap(['a'], host))).toEqual(generated);
});

test('a key restored through another process unwraps at once: what says no is not kept', async () => {
  const { world, generated } = await withKeys('a');
  const host = world.newHost({ cachedRows: 10 });
  valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'a' }));
  expect(await outcomesOf(world, ['a'], host)).toEqual(['deleted']);
  valueOf(await restoreDataKey(world.host, { ...PLACE, keyId: 'a' }));
  expect(plaintextsOf(await world.unwrap(['a'], host))).toEqual(generated);
});

test('a row whose state cannot be read is opened like a live one', async () => {
  const { world, generated } = await withKeys('a');
  const row = await world.store.read('datakeys', world.partitionOf('a'), 'a');
  world.store.tamper('datakeys', world.partitionOf('a'), 'a', { ...row?.cells, state: 'odd' });
  expect(plaintextsOf(await world.unwrap(['a']))).toEqual(generated);
});

test('no more rows are kept than the setting says', async () => {
  const { world } = await withKeys('a', 'b', 'c');
  const host = world.newHost({ cachedRows: 2 });
  await world.unwrap(['a', 'b', 'c'], host);
  world.tables.reads = 0;
  await world.unwrap(['b', 'c'], host);
  expect(world.tables.reads).toBe(0);
  await world.unwrap(['a'], host);
  expect(world.tables.reads).toBe(1);
});

async function loseEverything({ store }: World): Promise<void> {
  for (const row of [...store.dump()]) {
    const stored = await store.read(row.table as 'companies', row.partitionKey, row.rowKey);
    const gone = { kind: 'delete', rowKey: row.rowKey, etag: stored!.etag } as const;
    await store.write(row.table as 'companies', row.partitionKey, [gone]);
  }
}

test('where a keyring lies is read once, and no more for a key that is not there', async () => {
  const { world } = await withKeys('a');
  await world.unwrap(['a']);
  world.tables.reads = 0;
  expect(await outcomesOf(world, ['a', 'none'])).toEqual(['unwrapped', 'not-found']);
  expect(world.tables.reads).toBe(2);
});

test('no key of a keyring that is gone is found, by whoever remembers where it was', async () => {
  const { world } = await withKeys('a');
  await world.unwrap(['a']);
  await loseEverything(world);
  expect(await outcomesOf(world, ['a'])).toEqual(['not-found']);
  const unwrapped = await unwrapDataKeys(world.newHost(), { ...PLACE, keyIds: ['a'] });
  expect(errorOf(unwrapped)).toEqual({ type: 'not-found', what: 'keyring', id: KEYRING });
});

test('a failure is the whole call’s only if nothing was opened and there is one cause', () => {
  const opened = { outcome: 'unwrapped', keyId: 'o', plaintext: Buffer.alloc(32), companyKeyVersion: 1 } as const;
  const away = { outcome: 'failure', keyId: 'a', failure: failure('vault-unreachable', {}) } as const;
  const denied = { outcome: 'failure', keyId: 'd', failure: failure('key-disabled', {}) } as const;
  const absent = { outcome: 'not-found', keyId: 'n' } as const;
  expect(wholeFailure([absent, away, away])).toBe(away.failure);
  const damaged = { outcome: 'does-not-open', keyId: 'x' } as const;
  const each = [[opened, away], [away, denied], [absent], [opened], [damaged, away]];
  expect(each.map((outcomes) => wholeFailure(outcomes))).toEqual(each.map(() => undefined));
});
