// What is noted on a connection, beside others who write it and over a store that loses answers: never on another vault, key, app or
// tenant than the one that was looked at.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/domain/connection.ts';
import { connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import { noteOnConnection } from '../../../shared/operations/connections/notes.ts';
import { deleteConnection, getConnection, putConnection } from '../../../shared/operations/connections/connections.ts';
import type { Found } from '../../../shared/store/found.ts';
import type { Cells, Tables } from '../../../shared/store/tables.ts';
import type { KeyProvider } from '../../../shared/providers/provider.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { MISHAPS, tablesTripping } from '../../fakes/tables-but.ts';
import {
  COMPANY,
  CONNECTION,
  ConnectionWorld,
  INPUT,
  OTHER_HOST,
  OTHER_TENANT,
  PLACE,
  TENANT,
} from './connection-world.ts';
import { valueOf } from '../sign-ins/walk.ts';

type Notes = Parameters<typeof noteOnConnection>[2]['notes'];

const ROW = connectionRowKey(CONNECTION);
const AT = '2026-06-01T00:00:00.000Z';
const ALL: Notes = { tenantId: TENANT, roleAssignedAt: AT, keySeen: true };
const BUSY = { ok: false, error: { type: 'busy', retryAfterSeconds: 1 } };

let world: ConnectionWorld;
beforeEach(async () => {
  world = new ConnectionWorld();
  await world.put();
});

const now = async (): Promise<Found<Connection>> => valueOf(await getConnection(world.deps, PLACE));
const note = (
  held: Found<Connection>,
  notes: Notes,
  tables: Tables = world.tables,
): ReturnType<typeof noteOnConnection> =>
  noteOnConnection({ ...world.deps, tables }, held, { companyId: COMPANY, notes });
const remove = async (): Promise<void> =>
  valueOf(await deleteConnection(world.deps, { ...PLACE, condition: {} }, ADMIN));
const putFor = async (connectorClientId: string): Promise<unknown> => {
  const deps = { ...world.deps, providers: world.providers({ connectionPolicy: { connectorClientId } }) };
  return putConnection(deps, { ...PLACE, input: INPUT, condition: {} }, ADMIN);
};

describe.each(MISHAPS)('where a write ends as %s', (mishap) => {
  it('everything is noted, under one seal that verifies', async () => {
    const held = await now();
    world.vaults.calls.length = 0;
    const noted = valueOf(await note(held, ALL, tablesTripping(world.tables, ROW, { mishap })));
    expect(await now()).toMatchObject(noted);
    expect(noted.value).toMatchObject(ALL);
    expect(world.vaults.countOf('sign')).toBe(mishap === 'answer-lost' ? 1 : 2);
  });

  it('what others wrote meanwhile is kept', async () => {
    const held = await now();
    const meanwhile = async (): Promise<void> => {
      valueOf(await note(await now(), { tenantId: TENANT }));
      await world.tamper({ usedBy: '["switch|default|s1"]' });
    };
    const tables = tablesTripping(world.tables, ROW, { mishap, meanwhile });
    const noted = valueOf(await note(held, { roleAssignedAt: AT }, tables));
    expect(await now()).toMatchObject(noted);
    expect((await now()).value).toMatchObject({
      tenantId: TENANT,
      roleAssignedAt: AT,
      keySeen: false,
      usedBy: ['switch|default|s1'],
    });
  });
});

describe('a note', () => {
  it('that is there already is not written again', async () => {
    const noted = valueOf(await note(await now(), ALL));
    const [{ etag }, writes] = [noted, world.tables.writes.length];
    expect(valueOf(await note(noted, ALL))).toMatchObject({ value: noted.value, etag });
    expect(world.tables.writes).toHaveLength(writes);
  });

  it('that is there already after a lost answer is not written again', async () => {
    const held = await now();
    const writes = world.tables.writes.length;
    world.tables.atNext().losesTheAnswer();
    valueOf(await note(held, ALL));
    expect(world.tables.writes).toHaveLength(writes + 1);
  });

  it('leaves the notes before it as they are, and the tenant once it is pinned', async () => {
    const pinned = valueOf(await note(await now(), { tenantId: TENANT, roleAssignedAt: AT }));
    const seen = valueOf(await note(pinned, { keySeen: true, tenantId: OTHER_TENANT }));
    expect(seen.value).toEqual({ ...pinned.value, keySeen: true });
    expect((await now()).value).toEqual(seen.value);
  });

  it('leaves unknown what nobody noted', async () => {
    const seen = valueOf(await note(await now(), { keySeen: true }));
    expect(Object.keys(seen.value)).not.toContain('tenantId');
    expect(Object.keys(seen.value)).not.toContain('roleAssignedAt');
    expect(await world.cells()).toMatchObject({ tenantId: '', roleAssignedAt: '' });
  });

  it('needs no seal where it pins nothing', async () => {
    world.vaults.fail({ operation: 'sign', failure: 'vault-unreachable' });
    expect((await note(await now(), { roleAssignedAt: AT, keySeen: true })).ok).toBe(true);
    expect(await note(await now(), ALL)).toMatchObject({ error: { failure: { code: 'vault-unreachable' } } });
    expect((await world.cells())['tenantId']).toBe('');
  });
});

/** The same vault and key by another provider's name. */
const putElsewhere = async (): Promise<unknown> => {
  const own = world.providers().of({ provider: 'azure-key-vault' });
  const elsewhere: KeyProvider = {
    ...own,
    name: 'elsewhere',
    parse: (input) => {
      const wanted = own.parse(input);
      return wanted.ok ? { ok: true, value: { ...wanted.value, provider: 'elsewhere' } } : wanted;
    },
  };
  const deps = { ...world.deps, providers: world.providers({ others: [elsewhere] }) };
  return putConnection(deps, { ...PLACE, input: { ...INPUT, provider: 'elsewhere' }, condition: {} }, ADMIN);
};

describe('nothing is noted', () => {
  const refuses = async (held: Found<Connection>, notes: Notes): Promise<void> => {
    const before: Cells = await world.cells();
    expect(await note(held, notes)).toEqual(BUSY);
    expect(await world.cells()).toEqual(before);
  };

  it.each([
    ['vault', () => world.put({ vaultUri: `https://${OTHER_HOST}` })],
    ['key', () => world.put({ keyName: 'other' })],
    ['app', () => putFor('7e5d0000-0000-4000-8000-0000000000c2')],
    ['provider', putElsewhere],
  ])('on a connection that names another %s by now', async (_, change) => {
    const unpinned = await now();
    await change();
    await refuses(unpinned, { keySeen: true });
    await refuses(unpinned, ALL);
  });

  it('on a connection that belongs to another tenant by now than the vault named', async () => {
    const unpinned = await now();
    await world.put({ tenantId: OTHER_TENANT });
    await refuses(unpinned, { tenantId: TENANT });
  });

  it('on a connection that was made anew, though it names the same', async () => {
    const pinned = valueOf(await note(await now(), { tenantId: TENANT }));
    await remove();
    await world.put();
    await refuses(pinned, { keySeen: true });
    await remove();
    await world.put({ tenantId: OTHER_TENANT });
    await refuses(pinned, { keySeen: true });
  });

  it('on a connection that is gone', async () => {
    const held = await now();
    await remove();
    const gone = { ok: false, error: { type: 'not-found', what: 'connection', id: CONNECTION } };
    expect(await note(held, ALL)).toEqual(gone);
    expect(await world.cells()).toEqual({});
  });

  it('on a connection that was forged meanwhile', async () => {
    const held = await now();
    await world.tamper({ keyName: 'other' });
    expect(await note(held, ALL)).toMatchObject({ error: { failure: { code: 'row-forged' } } });
    expect(await world.cells()).toMatchObject({ tenantId: '', keySeen: false });
  });
});

it('a pin that somebody else made meanwhile, to the same tenant, is taken', async () => {
  const held = await now();
  await world.put({ tenantId: TENANT });
  const noted = valueOf(await note(held, { tenantId: TENANT }));
  expect(await now()).toMatchObject(noted);
  expect(world.vaults.countOf('sign')).toBe(3);
});
