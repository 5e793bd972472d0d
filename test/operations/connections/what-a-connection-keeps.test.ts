// Consent, and what was learnt of a connection, survive exactly the changes that they may survive.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/domain/connection.ts';
import { connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import { testConnection } from '../../../shared/operations/connections/connection-test.ts';
import { getConnection, putConnection } from '../../../shared/operations/connections/connections.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { CONNECTOR_APP_ID } from '../../fakes/fake-vault-answers.ts';
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
} from './connection-world.ts';
import { valueOf } from '../sign-ins/walk.ts';

const ROW = connectionRowKey(CONNECTION);
const OTHER_APP = '7e5d0000-0000-4000-8000-0000000000c2';

let world: ConnectionWorld;
beforeEach(() => {
  world = new ConnectionWorld();
});

const etag = (): string | undefined => world.store.peek('companies', COMPANY, ROW)?.etag;
const held = async (): Promise<Connection> => valueOf(await getConnection(world.deps, PLACE)).value;

describe('what was learnt of a connection', () => {
  const LEARNT = { keySeen: true, roleAssignedAt: '2026-06-01T00:00:00.000Z' };
  const CONSENT = expect.objectContaining({ grantedAt: '2026-06-01T00:00:00.000Z' }) as unknown;
  const learn = async (): Promise<void> => {
    await world.put();
    await world.consent();
    expect(valueOf(await testConnection(world.deps, { ...PLACE, roleAssigned: true }, ADMIN)).status).toBe('green');
    expect(await held()).toMatchObject({ ...LEARNT, consent: CONSENT });
  };
  const putFor = async (connectorClientId: string): Promise<void> => {
    const deps = { ...world.deps, providers: world.providers({ connectionPolicy: { connectorClientId } }) };
    valueOf(await putConnection(deps, { ...PLACE, input: INPUT, condition: {} }, ADMIN));
  };

  it('is kept, with the consent, by a put of the same values', async () => {
    await learn();
    const before = [await held(), etag()];
    await world.put({ tenantId: TENANT });
    expect([await held(), etag()]).toEqual(before);
  });

  it.each([{ vaultUri: `https://${OTHER_HOST}` }, { keyName: 'other' }, { keyName: 'Main-Key' }])(
    'is forgotten with %j, and the consent with it',
    async (change) => {
      await learn();
      const { keySeen, ...now } = valueOf(await world.put(change)).value;
      expect(keySeen).toBe(false);
      expect(now).not.toHaveProperty('roleAssignedAt');
      expect(now).not.toHaveProperty('consent');
      expect(await held()).toEqual({ keySeen, ...now });
    },
  );

  it('is of the key and stays with another app; the role and the consent were for the app before', async () => {
    await learn();
    await putFor(OTHER_APP);
    const now = await held();
    expect(now).toMatchObject({ keySeen: true, tenantId: TENANT, credential: { clientId: OTHER_APP } });
    expect(now).not.toHaveProperty('roleAssignedAt');
    expect(now).not.toHaveProperty('consent');
    await putFor(CONNECTOR_APP_ID);
    expect(await held()).not.toHaveProperty('consent');
  });

  it('stays when the tenant is named that was not known', async () => {
    await world.put();
    const roleAssigned = { ...PLACE, roleAssigned: true };
    world.vaults.fail({ operation: 'reach', failure: 'vault-unreachable' });
    await testConnection(world.deps, roleAssigned, ADMIN);
    await world.put({ tenantId: TENANT });
    expect(await held()).toMatchObject({ roleAssignedAt: LEARNT.roleAssignedAt, keySeen: false, tenantId: TENANT });
  });

  it('never lets the tenant change once it is known, and the vault of another stays without a consent', async () => {
    await learn();
    expect(await world.put({ tenantId: OTHER_TENANT, keyName: 'other' })).toMatchObject({ error: { type: 'invalid' } });
    expect(await held()).toMatchObject({ host: HOST, tenantId: TENANT, consent: CONSENT });
  });
});
