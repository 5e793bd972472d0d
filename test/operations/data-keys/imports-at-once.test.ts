// Calls that import different material under one Idempotency-Key, at the same moment: one of them is the request, the others write nothing.
import { describe, expect, it } from 'vitest';
import { generateDataKeys } from '../../../shared/operations/data-keys/generate.ts';
import { describeNewDataKeys, type NewDataKey } from '../../../shared/operations/data-keys/new-data-keys.ts';
import { beginRequest, type BegunRequest } from '../../../shared/store/requests.ts';
import { FaultyTables, isOfDataKeys } from '../../fakes/faulty-tables.ts';
import { Died } from '../../fakes/tables-but.ts';
import { COMPANY, errorOf, KEYRING, PLACE, plaintextsOf, valueOf, World, type Host } from './world.ts';

const NAMES = Array.from({ length: 6 }, (_, index) => `key-${index}`);
const importing = (byte: number): NewDataKey[] => NAMES.map((keyId) => ({ keyId, plaintext: Buffer.alloc(32, byte) }));
const MISMATCH = { type: 'idempotency-mismatch' };

const begin = async (host: Host): Promise<BegunRequest> => {
  const body = describeNewDataKeys(KEYRING, importing(1));
  return valueOf(
    await beginRequest(host, { companyId: COMPANY, caller: 'backend', route: 'datakeys', key: 'k', body }),
  );
};
const ask = async (host: Host, byte: number): ReturnType<typeof generateDataKeys> =>
  generateDataKeys(host, { ...PLACE, keys: importing(byte), request: await begin(host) });

const slowHost = (world: World, seed: number, lost = 0): Host =>
  world.newHost({
    tables: new FaultyTables(world.store, { seed, faults: { lostBefore: lost, lostAfter: lost, unavailable: 0 } }),
  });

/** Of each key that is stored, the byte that it is made of. */
async function storedBytes(world: World): Promise<Set<string>> {
  const opened = plaintextsOf(await world.unwrap(NAMES, world.newHost()));
  return new Set([...opened.values()].map((hex) => hex.slice(0, 2)));
}

describe('calls at once with different material under one key', () => {
  it.each([0, 0.1])('are one that imports and others that are refused (answers lost: %d)', async (lost) => {
    for (let seed = 0; seed < 25; seed += 1) {
      const world = await World.withCompany({ shardCount: 4 });
      const bytes = [1, 2, 3];
      const settled = await Promise.allSettled(bytes.map((byte) => ask(slowHost(world, seed * 10 + byte, lost), byte)));
      const winners = bytes.filter((_, index) => {
        const one = settled[index];
        return one?.status === 'fulfilled' && one.value.ok;
      });
      expect(winners.length).toBeLessThanOrEqual(1);
      if (lost === 0) expect(winners).toHaveLength(1);
      for (const one of settled)
        if (one.status === 'fulfilled' && !one.value.ok) expect(errorOf(one.value)).toEqual(MISMATCH);
      const stored = await storedBytes(world);
      expect(stored.size).toBeLessThanOrEqual(1);
      if (winners[0] !== undefined) expect([...stored]).toEqual([`0${winners[0]}`]);
      world.expectExactCounts();
    }
  });

  it('with the same material are all answered alike', async () => {
    for (let seed = 0; seed < 10; seed += 1) {
      const world = await World.withCompany({ shardCount: 4 });
      const answers = await Promise.all([1, 2, 3].map((host) => ask(slowHost(world, seed * 10 + host), 1)));
      for (const answer of answers) expect(valueOf(answer).keys).toEqual(valueOf(answers[0]!).keys);
      expect(await storedBytes(world)).toEqual(new Set(['01']));
    }
  });
});

describe('the digest that binds a call', () => {
  it('holds although the first call died before it wrote a key', async () => {
    const world = await World.withCompany();
    world.tables.at(isOfDataKeys).dies('before');
    await expect(ask(world.host, 1)).rejects.toThrow(Died);
    world.tables.recovers();
    expect(errorOf(await ask(world.newHost(), 2))).toEqual(MISMATCH);
    expect(valueOf(await ask(world.newHost(), 1)).keys.every(({ outcome }) => outcome === 'created')).toBe(true);
  });

  it('gives way to the rows once its company key is gone, and is made anew', async () => {
    const world = await World.withCompany();
    valueOf(await ask(world.host, 1));
    await world.rekey('s1');
    const bound = (): unknown =>
      [...world.store.dump()].find(({ cells }) => cells['importsUnder'] !== undefined)?.cells['importsUnder'];
    expect(bound()).toBe(1);
    expect(errorOf(await ask(world.newHost(), 2))).toEqual(MISMATCH);
    expect(valueOf(await ask(world.newHost(), 1)).keys).toHaveLength(NAMES.length);
    expect(bound()).toBe(2);
  });

  it('is another for the same material of another request, and is none of a call that imports nothing', async () => {
    const world = await World.withCompany();
    for (const [key, keyId] of [
      ['k-1', 'a'],
      ['k-2', 'b'],
    ] as const) {
      const begun = await beginRequest(world.host, { companyId: COMPANY, caller: 'c', route: 'r', key, body: '' });
      const keys = [{ keyId, plaintext: Buffer.alloc(32, 7) }];
      valueOf(await generateDataKeys(world.host, { ...PLACE, keys, request: valueOf(begun) }));
    }
    const begun = await beginRequest(world.host, { companyId: COMPANY, caller: 'c', route: 'r', key: 'k-3', body: '' });
    await world.generate([{}], { request: valueOf(begun) });
    const digests = [...world.store.dump()].flatMap(({ cells }) => {
      const digest = cells['importsDigest'];
      return digest instanceof Uint8Array ? [Buffer.from(digest).toString('hex')] : [];
    });
    expect([digests.length, new Set(digests).size]).toEqual([2, 2]);
  });

  it('cannot be judged while no vault opens the company key: nothing is written', async () => {
    const world = await World.withCompany();
    world.vaults.fail({ operation: 'unwrap', failure: 'vault-unreachable' });
    expect(errorOf(await ask(world.newHost(), 1))).toMatchObject({ failure: { code: 'vault-unreachable' } });
    world.vaults.heal();
    expect(valueOf(await ask(world.newHost(), 2)).keys).toHaveLength(NAMES.length);
  });
});
