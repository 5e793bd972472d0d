// Making and changing companies: once each, whoever is quicker and whatever becomes of a write.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../shared/domain/keyring.ts';
import { companyCells, readCompany } from '../../../shared/store/rows/company-rows.ts';
import { COMPANY_ROW_KEY, keyringRowKey, SYSTEM_PARTITION } from '../../../shared/store/rows/row-keys.ts';
import { getCompany, putCompany } from '../../../shared/operations/companies/companies.ts';
import { deleteCompany } from '../../../shared/operations/companies/delete-company.ts';
import { getKeyring, putKeyring } from '../../../shared/operations/keyrings/keyrings.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { MISHAPS, tablesBut, tablesTripping, type Mishap } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, errorOf, KEYRING, PLACE, valueOf, World, type Host } from '../data-keys/world.ts';

const NOT_MET = { type: 'precondition-failed', what: 'company', id: COMPANY };
const NO_COMPANY = { type: 'not-found', what: 'company', id: COMPANY };
const CLOSED = { type: 'company-closed', companyId: COMPANY };
const CLOSING = { type: 'state', code: 'company-closing', message: 'The company is being deleted.' };

let world: World;

const put = (
  input: Partial<Parameters<typeof putCompany>[1]> = {},
  host: Host = world.host,
): ReturnType<typeof putCompany> => putCompany(host, { companyId: COMPANY, ...input }, ADMIN);
const other = (): Host => world.newHost({ tables: world.store });

/** The first write of the company's own row comes to grief; its line in the index is another's. */
const tripping = (mishap: Mishap, meanwhile?: () => void | Promise<void>): Host => {
  const tables = tablesTripping(world.store, COMPANY_ROW_KEY, { mishap, ...(meanwhile ? { meanwhile } : {}) });
  const write: typeof tables.write = (table, partitionKey, writes) =>
    (partitionKey === SYSTEM_PARTITION ? world.store : tables).write(table, partitionKey, writes);
  return world.newHost({ tables: tablesBut(world.store, { write }) });
};
/** Somebody is quicker: right before the company's own row is written. */
const before = (act: () => Promise<unknown>): void =>
  world.tables.atNext(({ writes }) => writes[0]?.rowKey === COMPANY_ROW_KEY).comesAfter(act);

const company = (): Company | undefined => {
  const row = world.store.peek('companies', COMPANY, COMPANY_ROW_KEY);
  return row && readCompany(row.cells);
};
const change = (changed: Partial<Company>): void =>
  world.store.tamper('companies', COMPANY, COMPANY_ROW_KEY, companyCells({ ...company()!, ...changed }));
/** What the record tells beside each put of a company. */
const told = (): unknown[] =>
  chainOf(world.store)
    .filter(({ action }) => action === 'company.put')
    .map(({ detail }) => JSON.parse(detail) as unknown);
const companyKeys = (): string[] =>
  [...world.store.dump()].map(({ rowKey }) => rowKey).filter((rowKey) => rowKey.startsWith('companykey|'));

describe('a company that is made', () => {
  beforeEach(() => {
    world = new World();
  });

  it.each(MISHAPS)('is made and recorded once, where a write ends as %s', async (mishap) => {
    const made = valueOf(await put({ displayName: 'Acme', ifNoneMatch: '*' }, tripping(mishap)));
    expect(made).toMatchObject({ created: true, value: { displayName: 'Acme', defaultKeyring: KEYRING } });
    expect(told()).toEqual([{ created: true }]);
    expect(companyKeys()).toHaveLength(1);
    expect(valueOf(await getKeyring(world.host, PLACE)).value.state).toBe('ready');
  });

  it('has the default keyring, named or not', async () => {
    expect(valueOf(await put({ defaultKeyring: KEYRING })).value.defaultKeyring).toBe(KEYRING);
  });

  it('cannot have another default keyring yet: nothing is made', async () => {
    expect(errorOf(await put({ defaultKeyring: 'second' }))).toEqual({
      type: 'not-found',
      what: 'keyring',
      id: 'second',
    });
    expect([...world.store.dump()]).toEqual([]);
  });

  it('is not made where it must be there', async () => {
    expect(errorOf(await put({ ifMatch: '*' }))).toEqual(NOT_MET);
    expect([...world.store.dump()]).toEqual([]);
  });

  it('is another’s who was quicker: what was to be made only if it was not there changes nothing', async () => {
    before(async () => valueOf(await put({ displayName: 'Theirs' }, other())));
    expect(errorOf(await put({ displayName: 'Ours', ifNoneMatch: '*' }))).toEqual(NOT_MET);
    expect(company()?.displayName).toBe('Theirs');
    expect(told()).toEqual([{ created: true }]);
  });

  it('is not made a second time where it was deleted before its maker was told', async () => {
    const host = tripping('answer-lost', async () => {
      valueOf(await deleteCompany(other(), { companyId: COMPANY }, ADMIN));
    });
    expect(errorOf(await put({}, host))).toEqual(CLOSED);
    expect([company()?.state, companyKeys()]).toEqual(['closed', []]);
    expect(told()).toEqual([{ created: true }]);
  });

  it('is not told of where it is gone by the end of the call', async () => {
    world.tables
      .atNext(({ writes: [first] }) => first?.kind === 'replace' && first.rowKey === keyringRowKey(KEYRING))
      .isFollowedBy(async () => valueOf(await deleteCompany(other(), { companyId: COMPANY }, ADMIN)));
    expect(errorOf(await put())).toEqual(NO_COMPANY);
    expect(errorOf(await getCompany(world.host, { companyId: COMPANY }))).toEqual(CLOSED);
  });
});

describe('a company that is changed', () => {
  beforeEach(async () => {
    world = await World.withCompany();
  });

  it.each(MISHAPS)('is changed and recorded once, where a write ends as %s', async (mishap) => {
    const { etag } = valueOf(await getCompany(world.host, { companyId: COMPANY }));
    const changed = valueOf(await put({ displayName: 'New', ifMatch: etag }, tripping(mishap)));
    expect(changed).toMatchObject({ created: false, value: { displayName: 'New', defaultKeyring: KEYRING } });
    expect(told()).toEqual([{ created: true }, { defaultKeyring: KEYRING }]);
  });

  it.each([{}, { displayName: COMPANY, defaultKeyring: KEYRING }])(
    'is the same, and nothing is recorded, where nothing else is asked for: %o',
    async (input) => {
      const { etag } = valueOf(await getCompany(world.host, { companyId: COMPANY }));
      expect(valueOf(await put(input))).toMatchObject({ created: false, etag });
      expect(told()).toEqual([{ created: true }]);
    },
  );

  it('is not changed under an ETag from before somebody else changed it', async () => {
    const { etag } = valueOf(await getCompany(world.host, { companyId: COMPANY }));
    before(async () => valueOf(await put({ displayName: 'Theirs' }, other())));
    expect(errorOf(await put({ displayName: 'Ours', ifMatch: etag }))).toEqual(NOT_MET);
    expect(company()?.displayName).toBe('Theirs');
  });

  it('keeps what somebody else changed of it right before', async () => {
    valueOf(await putKeyring(world.host, { companyId: COMPANY, keyringId: 'second' }, ADMIN));
    before(async () => valueOf(await put({ defaultKeyring: 'second' }, other())));
    const changed = valueOf(await put({ displayName: 'Ours' }));
    expect(changed.value).toMatchObject({ displayName: 'Ours', defaultKeyring: 'second' });
  });

  it('is not changed a second time, over what somebody else did after the first', async () => {
    const host = tripping('answer-lost', async () => void valueOf(await put({ displayName: 'Theirs' }, other())));
    const changed = valueOf(await put({ displayName: 'Ours' }, host));
    expect(changed).toMatchObject({ created: false, value: { displayName: 'Theirs' } });
    expect(told()).toHaveLength(3);
  });

  it('keeps its name where another default keyring is named', async () => {
    change({ displayName: 'Acme Ltd' });
    valueOf(await putKeyring(world.host, { companyId: COMPANY, keyringId: 'second' }, ADMIN));
    expect(valueOf(await put({ defaultKeyring: 'second' })).value).toMatchObject({
      displayName: 'Acme Ltd',
      defaultKeyring: 'second',
    });
  });

  it('gets no default keyring that is not ready', async () => {
    valueOf(await putKeyring(world.host, { companyId: COMPANY, keyringId: 'second' }, ADMIN));
    const rowKey = keyringRowKey('second');
    const row = world.store.peek('companies', COMPANY, rowKey);
    world.store.tamper('companies', COMPANY, rowKey, { ...row?.cells, state: 'creating' });
    const refused = { type: 'not-found', what: 'keyring', id: 'second' };
    expect(errorOf(await put({ displayName: 'New', defaultKeyring: 'second' }))).toEqual(refused);
    expect(company()).toMatchObject({ displayName: COMPANY, defaultKeyring: KEYRING });
  });

  it('is left alone while it is being deleted', async () => {
    change({ state: 'closing' });
    expect(errorOf(await put({ displayName: 'New' }))).toEqual(CLOSING);
    expect(company()).toMatchObject({ displayName: COMPANY, state: 'closing' });
  });
});

describe('a company whose default keyring could not be made', () => {
  it('can be given another name, and then has one', async () => {
    world = new World();
    world.vaults.fail({ operation: 'unwrap', failure: 'vault-unreachable', times: 1 });
    expect(errorOf(await put())).toMatchObject({ type: 'failure' });
    expect(valueOf(await put({ displayName: 'New' }))).toMatchObject({ created: false, value: { displayName: 'New' } });
    expect(valueOf(await getKeyring(world.host, PLACE)).value).toMatchObject({ state: 'ready', isDefault: true });
    expect(companyKeys()).toHaveLength(1);
  });
});
