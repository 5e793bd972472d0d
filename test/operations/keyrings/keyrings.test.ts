// Making keyrings: one company key each, however often they are asked for, whoever is quicker and whatever becomes of a write.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Company, Keyring } from '../../../shared/domain/keyring.ts';
import { companyCells, readCompany } from '../../../shared/store/rows/company-rows.ts';
import { readKeyring } from '../../../shared/store/rows/keyring-rows.ts';
import { COMPANY_ROW_KEY, companyKeyRowKey, keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import { deleteCompany } from '../../../shared/operations/companies/delete-company.ts';
import { getKeyring, putKeyring } from '../../../shared/operations/keyrings/keyrings.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { MISHAPS, tablesBut, tablesTripping, type Mishap } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, errorOf, PLACE, valueOf, World, type Host } from '../data-keys/world.ts';

const SECOND = { companyId: COMPANY, keyringId: 'second' };
const SECOND_ROW = keyringRowKey('second');
const CLOSING = { type: 'state', code: 'company-closing', message: 'The company is being deleted.' };
const NO_COMPANY = { type: 'not-found', what: 'company', id: COMPANY };
const NOT_MET = { type: 'precondition-failed', what: 'keyring', id: 'second' };

let world: World;
beforeEach(async () => {
  world = await World.withCompany();
});

const put = (
  input: Partial<Parameters<typeof putKeyring>[1]> = {},
  host: Host = world.host,
): ReturnType<typeof putKeyring> => putKeyring(host, { ...SECOND, ...input }, ADMIN);
const tripping = (prefix: string, mishap: Mishap, meanwhile?: () => void | Promise<void>): Host =>
  world.newHost({ tables: tablesTripping(world.store, prefix, { mishap, ...(meanwhile ? { meanwhile } : {}) }) });
const other = (): Host => world.newHost({ tables: world.store });

const stored = (): Keyring | undefined => {
  const row = world.store.peek('companies', COMPANY, SECOND_ROW);
  return row && readKeyring(row.cells);
};
const etagOf = (rowKey: string): string | undefined => world.store.peek('companies', COMPANY, rowKey)?.etag;
const company = (): Company => readCompany(world.store.peek('companies', COMPANY, COMPANY_ROW_KEY)!.cells);
const rows = (): string[] =>
  [...world.store.dump()]
    .filter(({ table, partitionKey }) => table === 'companies' && partitionKey === COMPANY)
    .map(({ rowKey }) => rowKey)
    .filter((rowKey) => rowKey === SECOND_ROW || rowKey.startsWith('companykey|second|'))
    .sort();
const shards = (): number =>
  [...world.store.dump()].filter((row) => row.rowKey === SHARD_ROW_KEY && row.partitionKey.includes('|second|')).length;
const recorded = (action: string): number =>
  chainOf(world.store).filter((record) => record.action === action && record.target === SECOND_ROW).length;

const ONE_KEYRING = [companyKeyRowKey('second', 1), SECOND_ROW];
const expectMadeOnce = (): void => {
  expect(rows()).toEqual(ONE_KEYRING);
  expect(stored()?.state).toBe('ready');
  expect(shards()).toBe(4);
  expect(recorded('keyring.create')).toBe(1);
};

/** The process that makes it dies before the first shard. */
const begin = async (): Promise<void> => {
  const tables = tablesBut(world.store, {
    write: (table, partitionKey, writes) => {
      if (table === 'datakeys') throw new Error('the process died');
      return world.store.write(table, partitionKey, writes);
    },
  });
  await expect(put({}, world.newHost({ tables }))).rejects.toThrow('the process died');
  expect(stored()?.state).toBe('creating');
};
const close = (): void =>
  world.store.tamper('companies', COMPANY, COMPANY_ROW_KEY, companyCells({ ...company(), state: 'closing' }));
const remove = async (rowKey: string): Promise<void> => {
  await world.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag: etagOf(rowKey)! }]);
};
/** What others do while the vault is asked whether the company key comes back. */
const whileUnwrapping = (act: () => unknown): void => {
  world.vaults.onCall = async ({ operation }) => {
    if (operation !== 'unwrap') return;
    world.vaults.onCall = undefined;
    await act();
  };
};

describe.each(MISHAPS)('where a write ends as %s', (mishap) => {
  it('a keyring is made with one company key, and recorded once', async () => {
    const made = valueOf(await put({ ifNoneMatch: '*' }, tripping(SECOND_ROW, mishap)));
    expect(made).toMatchObject({
      created: true,
      value: { state: 'ready', isDefault: false },
      etag: etagOf(SECOND_ROW),
    });
    expectMadeOnce();
  });

  it.each([SECOND_ROW, SHARD_ROW_KEY])(
    'a keyring that was begun is finished, under its company key (%s)',
    async (row) => {
      await begin();
      const companyKey = etagOf(companyKeyRowKey('second', 1));
      const ready = valueOf(await put({}, tripping(row, mishap)));
      expect(ready).toMatchObject({ created: false, value: { state: 'ready' }, etag: etagOf(SECOND_ROW) });
      expect(etagOf(companyKeyRowKey('second', 1))).toBe(companyKey);
      expectMadeOnce();
    },
  );

  it('a keyring is made the default one, and that is recorded once', async () => {
    valueOf(await put());
    expect(valueOf(await put({ isDefault: true }, tripping(COMPANY_ROW_KEY, mishap))).value.isDefault).toBe(true);
    expect(company().defaultKeyring).toBe('second');
    expect(recorded('keyring.make-default')).toBe(1);
  });
});

describe('a keyring that is put again', () => {
  it('is the same, and nothing is written or asked', async () => {
    const made = valueOf(await put({ isDefault: true }));
    world.tables.writes.length = 0;
    world.vaults.calls.length = 0;
    expect(valueOf(await put({ isDefault: true }))).toEqual({ ...made, created: false });
    expect([world.tables.writes, world.vaults.calls]).toEqual([[], []]);
    expectMadeOnce();
    expect(recorded('keyring.make-default')).toBe(1);
  });

  it.each([{ ifNoneMatch: '*' }, { ifMatch: 'W/"0"' }] as const)('is not touched under %o', async (condition) => {
    valueOf(await put());
    expect(errorOf(await put({ ...condition, isDefault: true }))).toEqual(NOT_MET);
    expect(company().defaultKeyring).toBe('default');
  });

  it('is taken under its ETag', async () => {
    const { etag } = valueOf(await put());
    expect(valueOf(await put({ ifMatch: etag, isDefault: true })).value.isDefault).toBe(true);
  });

  it('is not made where it must be there', async () => {
    expect(errorOf(await put({ ifMatch: '*' }))).toEqual(NOT_MET);
    expect([rows(), world.vaults.calls]).toEqual([[], []]);
  });
});

describe('somebody else, in the middle of it,', () => {
  it('makes the same keyring: there is theirs, and its company key', async () => {
    whileUnwrapping(async () => valueOf(await put({}, other())));
    expect(valueOf(await put())).toMatchObject({ created: false, value: { state: 'ready' } });
    expectMadeOnce();
  });

  it('makes the same keyring: it was to be made only if it was not there', async () => {
    whileUnwrapping(async () => valueOf(await put({}, other())));
    expect(errorOf(await put({ ifNoneMatch: '*', isDefault: true }))).toEqual(NOT_MET);
    expect(company().defaultKeyring).toBe('default');
    expectMadeOnce();
  });

  it('begins to delete the company: nothing is made', async () => {
    whileUnwrapping(close);
    expect(errorOf(await put())).toEqual(CLOSING);
    expect(rows()).toEqual([]);
  });

  it('deletes the company: nothing is made', async () => {
    whileUnwrapping(async () => valueOf(await deleteCompany(other(), { companyId: COMPANY }, ADMIN)));
    expect(errorOf(await put())).toEqual(NO_COMPANY);
    expect(rows()).toEqual([]);
  });

  it.each([
    ['company', COMPANY_ROW_KEY, COMPANY],
    ['keyring', SECOND_ROW, 'second'],
  ])('takes the %s away before the keyring is ready', async (what, rowKey, id) => {
    await begin();
    const host = tripping(SECOND_ROW, 'outrun', () => remove(rowKey));
    expect(errorOf(await put({}, host))).toEqual({ type: 'not-found', what, id });
  });

  it.each([0, 1, 2])('takes the company away once it was read %i times', async (times) => {
    valueOf(await put());
    let reads = 0;
    const tables = tablesBut(world.store, {
      read: async (table, partitionKey, rowKey) => {
        if (rowKey === COMPANY_ROW_KEY && (reads += 1) > times) return undefined;
        return world.store.read(table, partitionKey, rowKey);
      },
    });
    expect(errorOf(await put({ isDefault: true }, world.newHost({ tables })))).toEqual(NO_COMPANY);
  });

  it('makes another keyring the default one, after this was: it is not made so twice', async () => {
    valueOf(await put());
    const host = tripping(COMPANY_ROW_KEY, 'answer-lost', async () => {
      valueOf(await putKeyring(other(), { ...PLACE, isDefault: true }, ADMIN));
    });
    expect(valueOf(await put({ isDefault: true }, host)).value.isDefault).toBe(false);
    expect(company().defaultKeyring).toBe('default');
    expect(recorded('keyring.make-default')).toBe(1);
  });
});

describe('in a company that is being deleted', () => {
  it('no keyring is made, and no vault is asked', async () => {
    close();
    expect(errorOf(await put())).toEqual(CLOSING);
    expect([rows(), world.vaults.calls]).toEqual([[], []]);
  });

  it('a keyring that was begun is shown as it is, and not finished', async () => {
    await begin();
    close();
    expect(valueOf(await getKeyring(world.host, SECOND)).value).toMatchObject({
      state: 'creating',
      counts: { live: 0, deleted: 0, quarantined: 0, lost: 0 },
    });
    expect(errorOf(await put())).toEqual(CLOSING);
    expect([stored()?.state, shards()]).toEqual(['creating', 0]);
  });

  it('no keyring is made the default one', async () => {
    valueOf(await put());
    close();
    expect(errorOf(await put({ isDefault: true }))).toEqual(CLOSING);
    expect(company().defaultKeyring).toBe('default');
    expect(valueOf(await put()).value.state).toBe('ready');
  });
});

describe('a keyring whose shards cannot be written', () => {
  it('is not ready, whoever asks, until they can be', async () => {
    const tables = tablesBut(world.store, {
      write: (table, partitionKey, writes) =>
        partitionKey === `${COMPANY}|second|3`
          ? Promise.resolve({ outcome: 'unknown' })
          : world.store.write(table, partitionKey, writes),
    });
    const host = world.newHost({ tables });
    await expect(put({ isDefault: true }, host)).rejects.toThrow(StoreUnavailable);
    await expect(getKeyring(host, SECOND)).rejects.toThrow(StoreUnavailable);
    expect([stored()?.state, shards(), company().defaultKeyring]).toEqual(['creating', 3, 'default']);
    expect(valueOf(await getKeyring(world.host, SECOND))).toMatchObject({
      value: { state: 'ready', isDefault: false },
      etag: etagOf(SECOND_ROW),
    });
    expectMadeOnce();
  });
});
