// The vendor rotates their own key: client secrets of connections and signing keys of webhooks follow, before the older version is said to be over.
import { beforeEach, describe, expect, it } from 'vitest';
import { NO_COMPANY } from '../../../shared/domain/ids.ts';
import type { Connection } from '../../../shared/domain/connection.ts';
import type { Webhook } from '../../../shared/domain/webhook.ts';
import { deleteConnection, getConnection, putConnection } from '../../../shared/operations/connections/connections.ts';
import { openClientSecret } from '../../../shared/operations/keys/client-secrets.ts';
import { SigningKeys } from '../../../shared/operations/notifications/signing-keys.ts';
import { getWebhook, putWebhook } from '../../../shared/operations/notifications/webhooks.ts';
import { rotateSecret } from '../../../shared/operations/notifications/rotate-secret.ts';
import { followVendorKey, isVendorKeySettled } from '../../../shared/operations/watch/vendor-key.ts';
import { secretsItemOf, agendaRowKey } from '../../../shared/store/agenda.ts';
import { find } from '../../../shared/store/found.ts';
import { connectionRowKey, webhookRowKey } from '../../../shared/store/rows/row-keys.ts';
import { vendorKeyRow } from '../../../shared/store/rows/vendor-key-rows.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { agendaIn, chainOf } from '../audit/chain.ts';
import { valueOf } from '../sign-ins/walk.ts';
import { COMPANY, CUSTOMER_TENANT, Rig, VENDOR } from '../switches/rig.ts';
import type { TestHost } from '../../world.ts';
import { requestOf } from '../notifications/request.ts';

const APP = 'a3d4c5b6-1e2f-4a3b-9c8d-7e6f5a4b3c2d';
const FIRST = 'aaa8Q~first.secret.of.the.app.of.contoso';
const SECOND = 'bbb8Q~second.secret.of.the.app.of.contoso';
const CONNECTION = { companyId: COMPANY, connectionId: 'own-app' };
const HOOK = { companyId: COMPANY, webhookId: 'siem' };
const HOOK_OF_ALL = { companyId: NO_COMPANY, webhookId: 'soc' };
const SETTLED_MS = 600_000;

let rig: Rig;
let older: string;
beforeEach(async () => {
  rig = await Rig.withDataKeys(1, { shardCount: 1 });
  await putSecret(FIRST);
  await putSecret(SECOND);
  for (const place of [HOOK, HOOK_OF_ALL]) valueOf(await putWebhook(host(), requestOf(place), ADMIN));
  valueOf(await rotateSecret(host(), { ...HOOK, overlapHours: 24 }, ADMIN));
  await turn();
  [older = ''] = versions(await connection());
  rig.vaults.calls.length = 0;
});

const host = (tables: Tables = rig.store): TestHost & { readonly webhookHosts: readonly string[] } => ({
  ...rig.freshHost(tables),
  webhookHosts: [],
});
const turn = (tables: Tables = rig.store): Promise<number> => followVendorKey(rig.freshHost(tables));
const rotate = (): string =>
  rig.vaults.addKey({ host: VENDOR.host, keyName: VENDOR.keyName, fixture: 'rsa-2048-3' }).describes.keyId;

async function putSecret(clientSecret: string, tables: Tables = rig.store): Promise<void> {
  const input = {
    vaultUri: 'https://contoso.vault.azure.net',
    keyName: 'another-key',
    tenantId: CUSTOMER_TENANT,
    credential: { kind: 'client-secret', clientId: APP, clientSecret, expiresAt: '2099-01-01' },
  };
  valueOf(await putConnection(host(tables), { ...CONNECTION, input, condition: {} }, ADMIN));
}

const connection = async (): Promise<Connection> => valueOf(await getConnection(host(), CONNECTION)).value;
const hook = async (place = HOOK): Promise<Webhook> => valueOf(await getWebhook(host(), place)).value;
const versions = ({ credential }: Connection): string[] => (credential.secrets ?? []).map(({ keyId }) => keyId);
const versionsOfHook = ({ keys }: Webhook): string[] => keys.map(({ secret }) => secret.keyId);
const state = async () => (await find(rig.store, vendorKeyRow, {}))!.value!;
const item = (companyId: string, rowKey: string): string => agendaRowKey(secretsItemOf(companyId, rowKey));

/** What each secret opens to, by the vendor's vault as it is now. */
async function opened(): Promise<readonly string[]> {
  const { credential, tenantId = '' } = await connection();
  const values: string[] = [];
  for (const secret of credential.secrets ?? []) {
    const clear = await openClientSecret(host(), secret, { tenantId, clientId: APP });
    if (!clear.ok) throw new Error(clear.error.code);
    values.push(clear.value);
  }
  return values;
}

const signs = async (place: typeof HOOK): Promise<boolean> =>
  (await new SigningKeys(host(), { ttlMs: 1 }).of(place, await hook(place))).ok;

describe('the secrets of a company', () => {
  it('follow a new version of the vendor’s key, two calls each, and open without the older one', async () => {
    const first = rig.vaults.newestKey(VENDOR.host);
    const keyId = rotate();
    await turn();
    expect(versions(await connection())).toEqual([keyId, keyId]);
    expect(versionsOfHook(await hook())).toEqual([keyId, keyId]);
    expect(versionsOfHook(await hook(HOOK_OF_ALL))).toEqual([keyId]);
    expect(rig.vaults.countOf('unwrap')).toBe(2 * 5);
    Object.assign(first.describes, { enabled: false });
    expect(await opened()).toEqual([SECOND, FIRST]);
    expect(await Promise.all([HOOK, HOOK_OF_ALL].map(signs))).toEqual([true, true]);
  });

  it('are recorded as followed, once for each row', async () => {
    const keyId = rotate();
    await turn();
    await turn();
    const followed = chainOf(rig.store).filter(({ action }) => action === 'key-version.followed');
    const ofConnection = followed.filter(({ target }) => target === connectionRowKey('own-app'));
    expect(ofConnection.map(({ detail }) => JSON.parse(detail) as unknown)).toEqual([
      { provider: 'managed', keyId, before: older },
    ]);
    expect(followed.filter(({ target }) => target === webhookRowKey('siem'))).toHaveLength(1);
  });

  it('hold the older version in use until a second round has seen what was about to be written under it', async () => {
    const rowKey = connectionRowKey('own-app');
    const { cells } = rig.store.peek('companies', COMPANY, rowKey)!;
    const keyId = rotate();
    await turn();
    expect(isVendorKeySettled(await state())).toBe(false);
    // A process that had read the older version writes only now.
    rig.store.tamper('companies', COMPANY, rowKey, cells);
    rig.clock.advance(SETTLED_MS);
    await turn();
    expect(versions(await connection())).toEqual([keyId, keyId]);
    expect(isVendorKeySettled(await state())).toBe(true);
  });

  it('are tried again where the vault fails half way, and until then no round is complete', async () => {
    const keyId = rotate();
    rig.vaults.onCall = ({ operation }) => {
      if (operation === 'unwrap' && rig.vaults.countOf('unwrap') > 3)
        rig.vaults.fail({ operation: 'unwrap', failure: 'throttled' });
    };
    await turn();
    expect((await state()).wholeAt).toBeUndefined();
    expect(await opened().catch(() => 'away')).toBe('away');
    rig.vaults.onCall = undefined;
    rig.vaults.heal();
    await turn();
    expect((await state()).wholeAt).toBeDefined();
    expect([...versions(await connection()), ...versionsOfHook(await hook())].every((one) => one === keyId)).toBe(true);
    expect(await opened()).toEqual([SECOND, FIRST]);
  });

  it('follow once where the answer to a write is lost', async () => {
    const keyId = rotate();
    const tables = new FaultyTables(rig.store);
    tables.at(({ partitionKey }) => partitionKey === COMPANY).losesTheAnswer();
    await turn(tables).catch(() => 0);
    await turn();
    expect(versions(await connection())).toEqual([keyId, keyId]);
    const followed = chainOf(rig.store).filter(({ target }) => target === connectionRowKey('own-app'));
    expect(followed.filter(({ action }) => action === 'key-version.followed')).toHaveLength(1);
  });

  it('in a row that was forged are not opened, and hold the round up', async () => {
    const rowKey = connectionRowKey('own-app');
    const { cells } = rig.store.peek('companies', COMPANY, rowKey)!;
    rig.store.tamper('companies', COMPANY, rowKey, { ...cells, host: 'evil.vault.azure.net' });
    rotate();
    await turn();
    expect((await state()).wholeAt).toBeUndefined();
    expect(rig.log.events()).toContain('security.row-forged');
    const after = rig.store.peek('companies', COMPANY, rowKey)!;
    expect(after.cells['secrets']).toBe(cells['secrets']);
  });
});

describe('a row with secrets', () => {
  it('leaves the agenda with the second round after it was deleted', async () => {
    expect(agendaIn(rig.store, 'vendor-key')).toContain(item(COMPANY, connectionRowKey('own-app')));
    valueOf(await deleteConnection(host(), { ...CONNECTION, condition: {} }, ADMIN));
    rotate();
    await turn();
    rig.clock.advance(SETTLED_MS);
    await turn();
    expect(agendaIn(rig.store, 'vendor-key')).not.toContain(item(COMPANY, connectionRowKey('own-app')));
    expect(agendaIn(rig.store, 'vendor-key')).toContain(item(COMPANY, webhookRowKey('siem')));
  });

  it('stays on the agenda where rounds look between its being put on and the write of its secrets', async () => {
    valueOf(await deleteConnection(host(), { ...CONNECTION, condition: {} }, ADMIN));
    rotate();
    await turn();
    rig.clock.advance(SETTLED_MS);
    const tables = new FaultyTables(rig.store);
    tables
      .atNext(({ writes }) => writes.some(({ rowKey }) => rowKey === connectionRowKey('own-app')))
      .comesAfter(() => turn());
    await putSecret(FIRST, tables);
    expect(agendaIn(rig.store, 'vendor-key')).toContain(item(COMPANY, connectionRowKey('own-app')));
    const keyId = rotate();
    await turn();
    expect(versions(await connection())).toEqual([keyId]);
  });
});
