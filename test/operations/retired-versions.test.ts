import { describe, expect, it } from 'vitest';
import { MalformedRow } from '../../shared/domain/rows/cells.ts';
import { StoreUnavailable, type Tables } from '../../shared/operations/ports.ts';
import { firstVersionOf, retireVersions } from '../../shared/operations/retired-versions.ts';
import { FakeTables } from '../fakes/fake-tables.ts';

const ROW = ['companies', '_system', 'retired|acme'] as const;
const of = (...highVersions: readonly number[]) => highVersions.map((highVersion) => ({ highVersion }));

/** A store in which `lost` writes lose to somebody else. */
function contended(
  store: FakeTables,
  lost: number,
): { readonly tables: Pick<Tables, 'read' | 'write'>; tried: number } {
  const counted = {
    tables: { read: store.read.bind(store), write: (...w: Parameters<Tables['write']>) => write(w) },
    tried: 0,
  };
  const write = (args: Parameters<Tables['write']>): ReturnType<Tables['write']> => {
    counted.tried += 1;
    if (counted.tried > lost) return store.write(...args);
    return Promise.resolve({ outcome: 'conflict', index: 0, reason: 'changed' });
  };
  return counted;
}

describe('the company-key versions that a company has used up', () => {
  it('are none of a company that there never was', async () => {
    expect(await firstVersionOf(new FakeTables(), 'acme')).toBe(1);
  });

  it('are all up to the highest of any of its keyrings', async () => {
    const store = new FakeTables();
    await retireVersions(store, 'acme', of(3, 7, 5));
    expect((await store.read(...ROW))?.cells).toEqual({ format: 1, highVersion: 7 });
    expect([await firstVersionOf(store, 'acme'), await firstVersionOf(store, 'other')]).toEqual([8, 1]);
  });

  it('only ever grow, and are not written again without need', async () => {
    const store = new FakeTables();
    await retireVersions(store, 'acme', of(7));
    const before = await store.read(...ROW);
    for (const keyrings of [of(7), of(3), of()]) await retireVersions(store, 'acme', keyrings);
    expect(await store.read(...ROW)).toEqual(before);
    await retireVersions(store, 'acme', of(8));
    expect(await firstVersionOf(store, 'acme')).toBe(9);
  });

  it('are not written where none was used', async () => {
    const store = new FakeTables();
    await retireVersions(store, 'acme', of());
    expect([...store.dump()]).toEqual([]);
  });

  it('are written in the end, where others write too', async () => {
    const store = new FakeTables();
    await retireVersions(contended(store, 7).tables, 'acme', of(2));
    expect(await firstVersionOf(store, 'acme')).toBe(3);
  });

  it('keep a company from being deleted while they cannot be written', async () => {
    const store = contended(new FakeTables(), 100);
    await expect(retireVersions(store.tables, 'acme', of(2))).rejects.toThrow(StoreUnavailable);
    expect(store.tried).toBe(8);
  });

  it('are guessed by nobody where their row cannot be read', async () => {
    const store = new FakeTables();
    store.tamper(...ROW, { format: 1, highVersion: 'many' });
    const wrong = new MalformedRow('row retired|acme: cell highVersion is missing or malformed');
    await expect(firstVersionOf(store, 'acme')).rejects.toThrow(wrong);
    await expect(retireVersions(store, 'acme', of(1))).rejects.toThrow(wrong);
  });
});
