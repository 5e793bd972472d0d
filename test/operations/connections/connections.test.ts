import { beforeEach, describe, expect, it } from 'vitest';
import { connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import {
  deleteConnection,
  getConnection,
  listConnections,
  putConnection,
  type WriteCondition,
} from '../../../shared/operations/connections/connections.ts';
import { testConnection } from '../../../shared/operations/connections/connection-test.ts';
import {
  COMPANY,
  CONNECTION,
  ConnectionWorld,
  HOST,
  INPUT,
  OTHER_HOST,
  OTHER_TENANT,
  PLACE,
  TENANT,
  VENDOR_HOST,
} from './connection-world.ts';
import { ADMIN } from '../../fakes/actors.ts';

let world: ConnectionWorld;
beforeEach(() => {
  world = new ConnectionWorld();
});

const put = (condition: WriteCondition, change: Partial<typeof INPUT> = {}): ReturnType<typeof putConnection> =>
  putConnection(world.deps, { ...PLACE, input: { ...INPUT, ...change }, condition }, ADMIN);

describe('putting a connection', () => {
  it('stores it sealed, and asks nobody but the seal key', async () => {
    expect(await world.put()).toMatchObject({ ok: true, value: { created: true, value: { host: HOST, usedBy: [] } } });
    expect(world.vaults.calls.map(({ operation }) => operation)).toEqual(['publicKey', 'sign']);
    expect(await getConnection(world.deps, PLACE)).toMatchObject({
      ok: true,
      value: { value: { keyName: 'main-key' } },
    });
  });

  it.each([
    [{ vaultUri: `https://${HOST}/keys/main-key` }, 'vault-uri-contains-key-path', 'body.vaultUri'],
    [{ vaultUri: `https://${VENDOR_HOST}` }, 'vault-host-not-allowed', 'body.vaultUri'],
    [{ vaultUri: 'https://evil.example' }, 'vault-host-not-allowed', 'body.vaultUri'],
    [{ keyName: 'main_key' }, 'key-name-invalid', 'body.keyName'],
  ])('%j is refused with no packet sent and nothing written', async (change, code, target) => {
    expect(await world.put(change)).toMatchObject({
      error: { type: 'failure', failure: { code, kind: 'input' }, target },
    });
    expect(world.vaults.calls).toEqual([]);
    expect(world.tables.writes).toEqual([]);
  });

  it('is refused for a tenant that is no GUID', async () => {
    expect(await world.put({ tenantId: 'contoso.com' })).toMatchObject({
      error: { type: 'invalid', target: 'body.tenantId' },
    });
  });

  it('is refused for a company that does not exist', async () => {
    const refused = await putConnection(
      world.deps,
      { ...PLACE, companyId: 'nobody', input: INPUT, condition: {} },
      ADMIN,
    );
    expect(refused).toMatchObject({ error: { type: 'not-found', what: 'company' } });
  });

  it('changes nothing, and signs nothing, when the values are the same', async () => {
    const first = await world.put({ tenantId: TENANT.toUpperCase() });
    const again = await world.put({ tenantId: TENANT });
    expect(again).toMatchObject({ ok: true, value: { created: false, etag: first.ok && first.value.etag } });
    expect(world.vaults.countOf('sign')).toBe(1);
  });

  it('honours If-None-Match and If-Match', async () => {
    expect(await put({ ifMatch: '*' })).toMatchObject({ error: { type: 'precondition-failed' } });
    const first = await put({ ifNoneMatch: '*' });
    const etag = first.ok ? first.value.etag : '';
    expect(await put({ ifNoneMatch: '*' })).toMatchObject({ error: { type: 'precondition-failed' } });
    expect(await put({ ifMatch: 'W/"another"' }, { keyName: 'other' })).toMatchObject({
      error: { type: 'precondition-failed' },
    });
    expect(await put({ ifMatch: etag }, { keyName: 'other' })).toMatchObject({ ok: true, value: { created: false } });
  });

  it('tells its own write when the answer is lost', async () => {
    world.tables.atNext().losesTheAnswer();
    expect(await put({ ifNoneMatch: '*' })).toMatchObject({ ok: true, value: { created: true } });
    expect(world.vaults.countOf('sign')).toBe(1);
  });

  it('decides anew when another was faster', async () => {
    await world.put();
    const row = await world.cells();
    const used = { ...row, usedBy: '["keyring|default"]' };
    world.tables
      .atNext()
      .comesAfter(() => world.store.tamper('companies', COMPANY, connectionRowKey(CONNECTION), used));
    expect(await world.put({ keyName: 'other' })).toMatchObject({
      error: { type: 'state', code: 'connection-in-use' },
    });
  });

  it('lets nothing of a connection in use change but its credential', async () => {
    await world.put({ tenantId: TENANT });
    await world.tamper({ usedBy: '["keyring|default"]' });
    for (const change of [{ vaultUri: `https://${OTHER_HOST}` }, { keyName: 'other' }, { tenantId: OTHER_TENANT }]) {
      expect(await world.put(change)).toMatchObject({ error: { type: 'state', code: 'connection-in-use' } });
    }
    const connectorClientId = '7e5d0000-0000-4000-8000-0000000000c2';
    const deps = { ...world.deps, providers: world.providers({ connectionPolicy: { connectorClientId } }) };
    expect(await putConnection(deps, { ...PLACE, input: INPUT, condition: {} }, ADMIN)).toMatchObject({
      value: { value: { credential: { clientId: connectorClientId }, usedBy: ['keyring|default'], tenantId: TENANT } },
    });
  });

  it('never points a pinned tenant elsewhere', async () => {
    await world.put();
    await testConnection(world.deps, PLACE, ADMIN);
    expect(await world.put({ tenantId: OTHER_TENANT })).toMatchObject({
      error: { type: 'invalid', target: 'body.tenantId' },
    });
    expect(await world.put({ vaultUri: `https://${OTHER_HOST}` })).toMatchObject({
      value: { value: { tenantId: TENANT } },
    });
  });

  it('forgets what was learnt of a key when another is named', async () => {
    await world.put();
    await world.consent();
    await testConnection(world.deps, { ...PLACE, roleAssigned: true }, ADMIN);
    expect(await world.cells()).toMatchObject({ keySeen: true, roleAssignedAt: '2026-06-01T00:00:00.000Z' });
    await world.put({ keyName: 'other' });
    expect(await world.cells()).toMatchObject({
      keySeen: false,
      roleAssignedAt: '',
      consent: '',
    });
  });

  it('is refused when the seal key cannot be had', async () => {
    world.vaults.fail({ operation: 'sign', failure: 'vault-unreachable' });
    expect(await world.put()).toMatchObject({ error: { type: 'failure', failure: { code: 'vault-unreachable' } } });
    expect(await world.cells()).toEqual({});
  });
});

describe('a forged row', () => {
  it.each([
    { host: OTHER_HOST },
    { keyName: 'other' },
    { tenantId: OTHER_TENANT },
    { clientId: TENANT },
    { seal: '{}' },
  ])('changed by %j is refused before anything is sent, and logged', async (change) => {
    await world.put();
    const callsBefore = world.vaults.calls.length;
    await world.tamper(change);
    for (const refused of [
      await getConnection(world.deps, PLACE),
      await testConnection(world.deps, PLACE, ADMIN),
      await world.put({ keyName: 'x' }),
    ]) {
      expect(refused).toMatchObject({ error: { type: 'failure', failure: { code: 'row-forged', kind: 'integrity' } } });
    }
    const asked = world.vaults.calls.slice(callsBefore).map(({ operation }) => operation);
    expect(asked.filter((operation) => operation !== 'publicKey')).toEqual([]);
    const detail = { companyId: COMPANY, row: connectionRowKey(CONNECTION) };
    expect(world.logged).toContainEqual({ level: 'error', event: 'security.row-forged', detail });
  });

  it('copied from another company is refused', async () => {
    await world.put();
    world.store.tamper('companies', 'other', connectionRowKey(CONNECTION), await world.cells());
    expect(await getConnection(world.deps, { ...PLACE, companyId: 'other' })).toMatchObject({
      error: { failure: { code: 'row-forged' } },
    });
  });

  it('that nothing uses can be deleted and entered again', async () => {
    await world.put();
    await world.tamper({ host: OTHER_HOST });
    expect(await deleteConnection(world.deps, { ...PLACE, condition: {} }, ADMIN)).toMatchObject({ ok: true });
    expect(await world.put()).toMatchObject({ ok: true, value: { created: true } });
  });

  it('is named in a list beside those that are genuine', async () => {
    await world.put();
    await putConnection(world.deps, { companyId: COMPANY, connectionId: 'second', input: INPUT, condition: {} }, ADMIN);
    await world.tamper({ host: OTHER_HOST });
    const listed = await listConnections(world.deps, { companyId: COMPANY, limit: 100 });
    expect(listed).toMatchObject({
      ok: true,
      value: { forged: [CONNECTION], connections: [{ value: { connectionId: 'second' } }] },
    });
  });

  it('still verifies after the seal key was rotated', async () => {
    await world.put();
    world.vaults.rotateSealKey();
    expect(await getConnection(world.deps, PLACE)).toMatchObject({ ok: true });
  });
});

describe('listing connections', () => {
  it('goes page by page', async () => {
    for (const connectionId of ['a', 'b', 'c']) {
      await putConnection(world.deps, { companyId: COMPANY, connectionId, input: INPUT, condition: {} }, ADMIN);
    }
    const first = await listConnections(world.deps, { companyId: COMPANY, limit: 2 });
    if (!first.ok || first.value.continuation === undefined) throw new Error('there is no second page');
    const { continuation } = first.value;
    const second = await listConnections(world.deps, { companyId: COMPANY, limit: 2, continuation });
    const ids = [first, second].flatMap((page) =>
      page.ok ? page.value.connections.map(({ value }) => value.connectionId) : [],
    );
    expect(ids).toEqual(['a', 'b', 'c']);
    expect(second).not.toHaveProperty('value.continuation');
  });

  it.each(['', 'A', '["acme","connection|a"]', 'a|b'])(
    'does not go on from %j, which is none of its ids',
    async (continuation) => {
      await world.put();
      const query = { companyId: COMPANY, limit: 2, continuation };
      expect(await listConnections(world.deps, query)).toMatchObject({
        error: { type: 'invalid', target: 'continuation' },
      });
    },
  );

  it('is refused for a company that does not exist', async () => {
    expect(await listConnections(world.deps, { companyId: 'nobody', limit: 1 })).toMatchObject({
      error: { type: 'not-found' },
    });
  });
});

describe('deleting a connection', () => {
  it('leaves nothing of it', async () => {
    await world.put();
    expect(await deleteConnection(world.deps, { ...PLACE, condition: {} }, ADMIN)).toEqual({
      ok: true,
      value: undefined,
    });
    expect(await getConnection(world.deps, PLACE)).toMatchObject({ error: { type: 'not-found', what: 'connection' } });
    expect(await deleteConnection(world.deps, { ...PLACE, condition: {} }, ADMIN)).toMatchObject({
      error: { type: 'not-found' },
    });
  });

  it('is refused while it is in use, or is not as If-Match asks', async () => {
    await world.put();
    expect(await deleteConnection(world.deps, { ...PLACE, condition: { ifMatch: 'W/"0"' } }, ADMIN)).toMatchObject({
      error: { type: 'precondition-failed' },
    });
    await world.tamper({ usedBy: '["switch|default|s1"]' });
    expect(await deleteConnection(world.deps, { ...PLACE, condition: {} }, ADMIN)).toMatchObject({
      error: { type: 'state', code: 'connection-in-use' },
    });
  });

  it('is told apart from one that never was, when the answer is lost', async () => {
    await world.put();
    world.tables.atNext().losesTheAnswer();
    expect(await deleteConnection(world.deps, { ...PLACE, condition: {} }, ADMIN)).toMatchObject({ ok: true });
  });
});
