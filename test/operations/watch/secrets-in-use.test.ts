// Client secrets of a connection in force, as checks see them: their end is told 30, 7 and 1 days before, once each, and the newer of two takes the place
// of the older by itself.
import { beforeEach, describe, expect, it } from 'vitest';
import { getConnection, putConnection } from '../../../shared/operations/connections/connections.ts';
import type { VaultHealth } from '../../../shared/domain/health.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { checkConnection } from '../../../shared/operations/watch/vault-checks.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { chainOf } from '../audit/chain.ts';
import { valueOf } from '../sign-ins/walk.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, CUSTOMER_TENANT, place, Rig } from '../switches/rig.ts';

const APP = 'a3d4c5b6-1e2f-4a3b-9c8d-7e6f5a4b3c2d';
const FIRST = 'aaa8Q~first.secret.of.the.app.of.contoso';
const SECOND = 'bbb8Q~second.secret.of.the.app.of.contoso';
const DAY_MS = 86_400_000;
const CONNECTION = { companyId: COMPANY, connectionId: 'contoso' };

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.withDataKeys(1, { shardCount: 1 });
  valueOf(await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN));
  await rig.drain();
  rig.vaults.apps.put({ clientId: APP, tenantId: CUSTOMER_TENANT, secrets: [FIRST] });
  await putSecret(FIRST, 180);
});

const inDays = (days: number): string => new Date(rig.clock.now().getTime() + days * DAY_MS).toISOString();
const toDaysBefore = (expiresAt: string, days: number): void =>
  rig.clock.advance(Date.parse(expiresAt) - days * DAY_MS - rig.clock.now().getTime());

async function putSecret(clientSecret: string, days: number): Promise<void> {
  const credential = { kind: 'client-secret', clientId: APP, clientSecret, expiresAt: inDays(days) };
  const input = {
    vaultUri: `https://${CONTOSO_HOST}`,
    keyName: 'customer-key',
    tenantId: CUSTOMER_TENANT,
    credential,
  };
  valueOf(await putConnection(rig.freshHost(), { ...CONNECTION, input, condition: {} }, ADMIN));
}

const check = async (tables = new FaultyTables(rig.store)): Promise<VaultHealth> =>
  valueOf(await checkConnection(rig.freshHost(tables), CONNECTION));
const ends = async (): Promise<readonly string[]> => {
  const { secrets = [] } = valueOf(await getConnection(rig.freshHost(), CONNECTION)).value.credential;
  return secrets.map(({ expiresAt }) => expiresAt);
};
const recorded = (action: string): Record<string, unknown>[] =>
  chainOf(rig.store)
    .filter((record) => record.action === action)
    .map(({ detail }) => JSON.parse(detail) as Record<string, unknown>);
const toldDays = (): unknown[] => recorded('secret.expiring').map(({ days }) => days);

describe('the app of a connection in force', () => {
  const as = (credential: object): ReturnType<typeof putConnection> => {
    const input = {
      vaultUri: `https://${CONTOSO_HOST}`,
      keyName: 'customer-key',
      tenantId: CUSTOMER_TENANT,
      credential: { kind: 'client-secret', expiresAt: inDays(90), ...credential },
    };
    return putConnection(rig.freshHost(), { ...CONNECTION, input, condition: {} }, ADMIN);
  };

  it('is replaced only by one that opens what is in use', async () => {
    const clientId = 'b3d4c5b6-1e2f-4a3b-9c8d-7e6f5a4b3c2d';
    const refused = await as({ clientId, clientSecret: SECOND });
    expect(refused).toMatchObject({ error: { type: 'failure', failure: { code: 'client-app-missing' } } });
    rig.vaults.apps.put({ clientId, tenantId: CUSTOMER_TENANT, secrets: [SECOND] });
    valueOf(await as({ clientId, clientSecret: SECOND }));
    expect(await check()).toMatchObject({ state: 'healthy' });
  });

  it('is not replaced by the connector app, which needs a consent first', async () => {
    const refused = await as({ kind: 'federated' });
    expect(refused).toMatchObject({ error: { code: 'connection-in-use' } });
    expect(JSON.stringify(refused)).toContain('make a second connection');
    expect(await check()).toMatchObject({ state: 'healthy' });
  });
});

describe('the end of a client secret', () => {
  it('is told 30, 7 and 1 days before, once each, and stands in the vault’s warnings', async () => {
    const [expiresAt = ''] = await ends();
    toDaysBefore(expiresAt, 31);
    expect(await check()).toMatchObject({ state: 'healthy', warnings: [] });
    for (const [days, code] of [
      [29, 'client-secret-expires-in-a-month'],
      [8, 'client-secret-expires-in-a-month'],
      [6, 'client-secret-expires-in-a-week'],
      [0.5, 'client-secret-expires-in-a-day'],
      [-1, 'client-secret-past-its-date'],
    ] as const) {
      toDaysBefore(expiresAt, days);
      expect(await check()).toMatchObject({ state: 'warning', warnings: [code] });
      await check();
    }
    expect(toldDays()).toEqual([30, 7, 1]);
    expect(recorded('secret.expiring')[0]).toMatchObject({ expiresAt, secretId: expect.any(String) as unknown });
  });

  it('is told once where the first look comes late, and not again where a clock is set back', async () => {
    const [expiresAt = ''] = await ends();
    toDaysBefore(expiresAt, 5);
    await check();
    toDaysBefore(expiresAt, 20);
    await check();
    expect(toldDays()).toEqual([7]);
  });

  it('is told although the vault cannot be reached', async () => {
    const [expiresAt = ''] = await ends();
    toDaysBefore(expiresAt, 5);
    rig.vaults.fail({ operation: 'any', failure: 'vault-unreachable', host: CONTOSO_HOST });
    await check();
    expect(toldDays()).toEqual([7]);
  });

  it('is told once by two instances at once, and where an answer is lost', async () => {
    const [expiresAt = ''] = await ends();
    toDaysBefore(expiresAt, 5);
    const losing = new FaultyTables(rig.store);
    losing.at(({ partitionKey }) => partitionKey === COMPANY).losesTheAnswer();
    await Promise.allSettled([check(losing), check(), check()]);
    await check();
    expect(toldDays()).toEqual([7]);
  });

  it('is that of the new secret once this has taken the place of the old one', async () => {
    const [expiresAt = ''] = await ends();
    toDaysBefore(expiresAt, 5);
    expect((await check()).warnings).toEqual(['client-secret-expires-in-a-week']);
    rig.vaults.apps.put({ clientId: APP, tenantId: CUSTOMER_TENANT, secrets: [FIRST, SECOND] });
    await putSecret(SECOND, 180);
    expect((await check()).warnings).toEqual(['client-secret-expires-in-a-week']);
    rig.clock.advance(600_000);
    await check();
    expect(await check()).toMatchObject({ state: 'healthy', warnings: [] });
  });
});

describe('the newer of two client secrets', () => {
  beforeEach(() => putSecret(SECOND, 90));

  it('takes the place of the older by itself, ten minutes after it was entered', async () => {
    rig.vaults.apps.put({ clientId: APP, tenantId: CUSTOMER_TENANT, secrets: [FIRST, SECOND] });
    await check();
    expect(await ends()).toHaveLength(2);
    rig.clock.advance(600_000);
    await check();
    expect(await ends()).toHaveLength(1);
    expect(recorded('connection.drop-secret')).toHaveLength(1);
  });

  it('that does not work is warned of while the older one serves, and takes nobody’s place', async () => {
    rig.clock.advance(600_000);
    expect(await check()).toMatchObject({ state: 'warning', code: 'client-secret-wrong' });
    expect(await ends()).toHaveLength(2);
  });

  it('that one server of Entra’s does not know yet costs nothing: the older is tried', async () => {
    expect(await check()).toMatchObject({ state: 'healthy' });
    expect(rig.vaults.apps.shown.slice(-2)).toEqual([SECOND, FIRST]);
  });
});
