// Connections put and deleted over a store that loses answers, beside others who are quicker, and in a company that goes away: once, and
// recorded once.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/domain/connection.ts';
import { connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import { testConnection } from '../../../shared/operations/connections/connection-test.ts';
import {
  deleteConnection,
  getConnection,
  listConnections,
  putConnection,
  type WriteCondition,
} from '../../../shared/operations/connections/connections.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { MISHAPS, tablesTripping, type Mishap } from '../../fakes/tables-but.ts';
import { chainOf, outboxesIn } from '../audit/chain.ts';
import { COMPANY, CONNECTION, ConnectionWorld, HOST, INPUT, PLACE, TENANT } from './connection-world.ts';
import { valueOf } from '../sign-ins/walk.ts';

const ROW = connectionRowKey(CONNECTION);
const NOT_MET = { ok: false, error: { type: 'precondition-failed', what: 'connection', id: CONNECTION } };
const NO_CONNECTION = { ok: false, error: { type: 'not-found', what: 'connection', id: CONNECTION } };

let world: ConnectionWorld;
beforeEach(() => {
  world = new ConnectionWorld();
});

const put = (
  condition: WriteCondition = {},
  { tables = world.tables, ...change }: Partial<typeof INPUT> & { readonly tables?: Tables } = {},
): ReturnType<typeof putConnection> =>
  putConnection({ ...world.deps, tables }, { ...PLACE, input: { ...INPUT, ...change }, condition }, ADMIN);
const remove = (condition: WriteCondition = {}, tables: Tables = world.tables): ReturnType<typeof deleteConnection> =>
  deleteConnection({ ...world.deps, tables }, { ...PLACE, condition }, ADMIN);
const tripping = (mishap: Mishap, meanwhile?: () => void | Promise<void>): Tables =>
  tablesTripping(world.tables, ROW, { mishap, ...(meanwhile ? { meanwhile } : {}) });
const etag = (): string | undefined => world.store.peek('companies', COMPANY, ROW)?.etag;
const held = async (): Promise<Connection> => valueOf(await getConnection(world.deps, PLACE)).value;
const recorded = (action: string): number => {
  expect(outboxesIn(world.store)).toEqual([]);
  return chainOf(world.store).filter((record) => record.action === action && record.target === ROW).length;
};

describe.each(MISHAPS)('where a write ends as %s', (mishap) => {
  it('a connection is made, and recorded once', async () => {
    const made = valueOf(await put({ ifNoneMatch: '*' }, { tables: tripping(mishap) }));
    expect(made).toMatchObject({ value: await held(), etag: etag(), created: true });
    expect(recorded('connection.put')).toBe(1);
  });

  it('a connection is changed, and that is recorded once', async () => {
    const before = valueOf(await put());
    const changed = valueOf(await put({ ifMatch: before.etag }, { tables: tripping(mishap), keyName: 'other' }));
    expect(changed).toMatchObject({ value: await held(), etag: etag(), created: false });
    expect(changed.value.keyName).toBe('other');
    expect(recorded('connection.put')).toBe(2);
    expect(chainOf(world.store).map(({ detail }) => JSON.parse(detail) as unknown)).toEqual([
      { created: true, kind: 'federated', vaultHost: HOST, keyName: 'main-key' },
      {
        created: false,
        kind: 'federated',
        vaultHost: HOST,
        keyName: 'other',
        fromVaultHost: HOST,
        fromKeyName: 'main-key',
      },
    ]);
  });

  it('a connection is deleted, and that is recorded once', async () => {
    const { etag: ifMatch } = valueOf(await put());
    expect(await remove({ ifMatch }, tripping(mishap))).toEqual({ ok: true, value: undefined });
    expect(await getConnection(world.deps, PLACE)).toEqual(NO_CONNECTION);
    expect(recorded('connection.delete')).toBe(1);
  });

  it('no connection slips into a company whose deletion begins', async () => {
    const tables = tripping(mishap === 'answer-lost' ? 'not-written' : mishap, () => world.companyIsNow('closing'));
    const message = 'The company is being deleted.';
    expect(await put({}, { tables })).toEqual({
      ok: false,
      error: { type: 'state', code: 'company-closing', message },
    });
    expect(etag()).toBeUndefined();
  });
});

describe('a put whose answer was lost', () => {
  const testNow = async (): Promise<void> => {
    valueOf(await testConnection(world.deps, PLACE, ADMIN));
  };

  it('is done though a test has pinned the tenant since', async () => {
    const made = valueOf(await put({ ifNoneMatch: '*' }, { tables: tripping('answer-lost', testNow) }));
    expect(made).toMatchObject({ value: await held(), etag: etag(), created: true });
    expect(made.value.tenantId).toBe(TENANT);
    expect(recorded('connection.put')).toBe(1);
  });

  it('is not done a second time when another has changed the connection since', async () => {
    const { etag: ifMatch } = valueOf(await put());
    const meanwhile = async (): Promise<void> => void valueOf(await put({}, { keyName: 'third' }));
    const answered = valueOf(await put({ ifMatch }, { tables: tripping('answer-lost', meanwhile), keyName: 'second' }));
    expect(answered).toMatchObject({ value: await held(), etag: etag(), created: false });
    expect(answered.value.keyName).toBe('third');
    expect(recorded('connection.put')).toBe(3);
  });

  it('makes no connection anew that was deleted since', async () => {
    const meanwhile = async (): Promise<void> => {
      valueOf(await remove());
    };
    expect(await put({}, { tables: tripping('answer-lost', meanwhile) })).toEqual(NO_CONNECTION);
    expect(etag()).toBeUndefined();
    expect(recorded('connection.put')).toBe(1);
  });
});

describe('a connection that another was quicker to make', () => {
  const meanwhile = async (): Promise<void> => void valueOf(await put({}, { keyName: 'other' }));

  it.each(['outrun', 'not-written'] as const)('is not written over under If-None-Match (%s)', async (mishap) => {
    expect(await put({ ifNoneMatch: '*' }, { tables: tripping(mishap, meanwhile) })).toEqual(NOT_MET);
    expect((await held()).keyName).toBe('other');
    expect(recorded('connection.put')).toBe(1);
  });

  it('is changed where nothing was asked', async () => {
    expect(await put({}, { tables: tripping('outrun', meanwhile) })).toMatchObject({ value: { created: false } });
    expect((await held()).keyName).toBe(INPUT['keyName']);
  });
});

describe('If-Match', () => {
  it('* is met by any connection, and by none that is not there', async () => {
    expect(await put({ ifMatch: '*' })).toEqual(NOT_MET);
    expect(await remove({ ifMatch: '*' })).toEqual(NO_CONNECTION);
    await put();
    expect(await put({ ifMatch: '*' }, { keyName: 'other' })).toMatchObject({ ok: true, value: { created: false } });
    expect((await held()).keyName).toBe('other');
    expect(await remove({ ifMatch: '*' })).toEqual({ ok: true, value: undefined });
  });

  it('is not met any more once another was quicker', async () => {
    const { etag: ifMatch } = valueOf(await put());
    const meanwhile = async (): Promise<void> => void valueOf(await put({}, { keyName: 'other' }));
    expect(await put({ ifMatch }, { tables: tripping('outrun', meanwhile), keyName: 'third' })).toEqual(NOT_MET);
    const { etag: second } = valueOf(await getConnection(world.deps, PLACE));
    const again = async (): Promise<void> => void valueOf(await put({}, { keyName: 'fourth' }));
    expect(await remove({ ifMatch: second }, tripping('not-written', again))).toEqual(NOT_MET);
    expect((await held()).keyName).toBe('fourth');
    expect(recorded('connection.delete')).toBe(0);
  });
});

describe('deleting a connection', () => {
  it.each(['outrun', 'not-written'] as const)(
    'is refused where it was taken into use meanwhile (%s)',
    async (mishap) => {
      await put();
      const meanwhile = (): Promise<void> => world.tamper({ usedBy: '["switch|default|s1","keyring|default"]' });
      expect(await remove({}, tripping(mishap, meanwhile))).toMatchObject({
        error: {
          code: 'connection-in-use',
          message: `The connection '${CONNECTION}' is used by 2 keyrings or switches: only its credential can change.`,
        },
      });
      expect(etag()).toBeDefined();
      expect(recorded('connection.delete')).toBe(0);
    },
  );

  it('is refused where it cannot be told whether anything uses it, and that is logged', async () => {
    await put();
    await world.tamper({ usedBy: 'x' });
    expect(await remove()).toMatchObject({ error: { failure: { code: 'row-forged' } } });
    expect(world.logged).toContainEqual({
      level: 'error',
      event: 'security.row-forged',
      detail: { companyId: COMPANY, row: ROW },
    });
    expect(etag()).toBeDefined();
  });

  it('takes none away that was made after it', async () => {
    await put();
    const meanwhile = async (): Promise<void> => void valueOf(await put());
    expect(await remove({}, tripping('answer-lost', meanwhile))).toEqual({ ok: true, value: undefined });
    expect(etag()).toBeDefined();
  });
});

describe('a list of connections', () => {
  it('of a company without any is empty', async () => {
    expect(valueOf(await listConnections(world.deps, { companyId: COMPANY, limit: 2 }))).toEqual({
      connections: [],
      forged: [],
    });
  });

  it('is refused, and calls nothing forged, while the seal key cannot be had', async () => {
    await put();
    world.vaults.fail({ operation: 'publicKey', failure: 'vault-unreachable' });
    expect(await listConnections(world.deps, { companyId: COMPANY, limit: 2 })).toMatchObject({
      error: { type: 'failure', failure: { code: 'vault-unreachable' } },
    });
  });
});
