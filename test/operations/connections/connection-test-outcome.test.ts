// What a test of a connection answers, records and leaves behind, and how often it begins anew.
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionTest } from '../../../shared/domain/connection-verdict.ts';
import type { Failure } from '../../../shared/domain/failure.ts';
import { connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import {
  testConnection,
  type ConnectionTestDependencies,
} from '../../../shared/operations/connections/connection-test.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { CONNECTOR_APP_ID, PRINCIPAL_ID } from '../../fakes/fake-vault-answers.ts';
import { keyVersionOf } from '../../fakes/fake-vaults.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONNECTION, ConnectionWorld, HOST, PLACE, TENANT } from './connection-world.ts';
import { codeOf, valueOf } from '../sign-ins/walk.ts';

const ROW = connectionRowKey(CONNECTION);
const OF_THE_CONNECTION = { vaultHost: HOST, keyName: 'main-key', appId: CONNECTOR_APP_ID };

let world: ConnectionWorld;
beforeEach(async () => {
  world = new ConnectionWorld();
  await world.put();
});

const tested = async (deps: Partial<ConnectionTestDependencies> = {}): Promise<ConnectionTest> =>
  valueOf(await testConnection({ ...world.deps, ...deps }, PLACE, ADMIN));
const failureIn = ({ checks }: ConnectionTest): Failure | undefined =>
  checks.find(({ outcome }) => outcome === 'failed')?.failure;
const outcomes = ({ checks }: ConnectionTest, check: string): string[] =>
  checks.filter((result) => result.check === check).map(({ outcome, failure }) => failure?.code ?? outcome);
const answersAs = (keyId: string): void =>
  void world.vaults.addKey({ host: HOST, keyName: 'main-key', change: { keyId } });
const recorded = (): unknown[] =>
  chainOf(world.store)
    .filter(({ action }) => action !== 'connection.put')
    .map(({ action, target, outcome, detail }) => [action, target, outcome, JSON.parse(detail) as unknown]);

describe('what is recorded of a test', () => {
  it('is that it was green', async () => {
    await world.consent();
    await tested();
    expect(recorded()).toEqual([['connection.test', ROW, 'done', { status: 'green' }]]);
    expect(world.logged).toContainEqual(expect.objectContaining({ level: 'info', event: 'connection.tested' }));
  });

  it('is what failed, and no security event where nobody has tampered', async () => {
    world.vaults.fail({ operation: 'reach', failure: 'vault-unreachable' });
    await tested();
    expect(recorded()).toEqual([['connection.test', ROW, 'done', { status: 'failed', code: 'vault-unreachable' }]]);
  });

  it.each([
    'nonsense',
    `https://${HOST}/keys/other/${keyVersionOf(1)}`,
    `https://fabrikam.vault.azure.net/keys/main-key/${keyVersionOf(1)}`,
  ])('is that another key answered, as a security event too: %s', async (keyId) => {
    await world.consent();
    answersAs(keyId);
    expect(outcomes(await tested(), 'key-read')).toEqual(['key-substituted']);
    expect(recorded()).toEqual([
      ['connection.test', ROW, 'done', { status: 'failed', code: 'key-substituted' }],
      ['security.key-substituted', 'the answer names another key', 'detected', {}],
    ]);
    expect(world.logged).toContainEqual({
      level: 'error',
      event: 'security.key-substituted',
      detail: { companyId: COMPANY, connectionId: CONNECTION },
    });
    expect(world.vaults.countOf('unwrap')).toBe(0);
  });

  it('is nothing where there was none', async () => {
    expect(codeOf(await testConnection(world.deps, { ...PLACE, connectionId: 'none' }, ADMIN))).toBe('not-found');
    expect(recorded()).toEqual([]);
  });
});

describe('what a test answers', () => {
  it('names no tenant and no principal before they are known', async () => {
    world.vaults.fail({ operation: 'reach', failure: 'vault-unreachable' });
    const found = await tested();
    expect(Object.keys(found)).not.toContain('principalId');
    expect(Object.keys(failureIn(found)?.facts ?? {})).not.toContain('tenantId');
    expect(Object.keys(failureIn(found)?.facts ?? {})).not.toContain('principalId');
    expect(failureIn(found)?.facts).toMatchObject(OF_THE_CONNECTION);
  });

  it('names both once they are', async () => {
    await world.consent();
    world.vaults.fail({ operation: 'readKey', failure: 'throttled' });
    const found = await tested();
    expect(found.principalId).toBe(PRINCIPAL_ID);
    const facts = { ...OF_THE_CONNECTION, tenantId: TENANT, principalId: PRINCIPAL_ID };
    expect(failureIn(found)?.facts).toMatchObject(facts);
  });

  it('names the tenant also where what failed does not', async () => {
    await world.put();
    await world.consent();
    Object.assign(world.vaults.newestKey(HOST).describes, { enabled: false });
    expect(failureIn(await tested())).toMatchObject({ code: 'key-disabled', facts: { tenantId: TENANT } });
  });

  it('takes a key with a warning for none that passed, and tries it', async () => {
    await world.consent();
    world.vaults.addKey({ host: HOST, keyName: 'main-key', change: { recoveryLevel: 'Purgeable' } });
    const found = await tested();
    expect(outcomes(found, 'key-fit')).toEqual(['key-purgeable']);
    expect(outcomes(found, 'compare')).toEqual(['passed']);
  });

  it('sends nothing to unwrap that could not be wrapped, and says why', async () => {
    await world.consent();
    world.vaults.addKey({ host: HOST, keyName: 'main-key', change: { n: '', e: '' } });
    const found = await tested();
    expect(outcomes(found, 'unwrap')).toEqual(['vault-error']);
    expect(failureIn(found)?.facts.detail).toBe('its public key cannot be used');
    expect(world.vaults.countOf('unwrap')).toBe(0);
  });
});

describe('the plaintext of the trial', () => {
  it.each([{}, { n: '', e: '' }])('is overwritten before the vault is asked: %j', async (change) => {
    await world.consent();
    world.vaults.addKey({ host: HOST, keyName: 'main-key', change });
    const handedOut: Uint8Array[] = [];
    const bytes = (count: number): Buffer => {
      const drawn = randomBytes(count);
      if (count === 32) handedOut.push(drawn);
      return drawn;
    };
    const seen: boolean[] = [];
    const isGone = (): boolean => handedOut.every((drawn) => drawn.every((byte) => byte === 0));
    world.vaults.onCall = ({ operation }) => {
      if (operation === 'unwrap') seen.push(isGone());
    };
    await tested({ entropy: { id: () => world.deps.entropy.id(), bytes } });
    expect(handedOut).toHaveLength(1);
    expect(isGone()).toBe(true);
    expect(seen).not.toContain(false);
  });
});

describe('a test', () => {
  it('begins anew three times at most while the connection is changed under it, and then answers busy', async () => {
    let names = 0;
    world.vaults.onCall = async ({ operation }) => {
      if (operation === 'challengedTenant') await world.put({ keyName: `key-${(names += 1)}` });
    };
    expect(await testConnection(world.deps, PLACE, ADMIN)).toEqual({
      ok: false,
      error: { type: 'busy', retryAfterSeconds: 1 },
    });
    expect(world.vaults.countOf('challengedTenant')).toBe(3);
    expect(recorded()).toEqual([]);
  });

  it('that is refused is refused at once', async () => {
    await world.tamper({ keyName: 'other' });
    expect(codeOf(await testConnection(world.deps, PLACE, ADMIN))).toBe('row-forged');
    expect(world.logged.filter(({ event }) => event === 'security.row-forged')).toHaveLength(1);
  });

  it('asks nobody where it cannot be noted that the role was assigned', async () => {
    const tables = tablesBut(world.tables, {
      write: () => Promise.resolve({ outcome: 'conflict', index: 0, reason: 'changed' }),
    });
    const request = { ...PLACE, roleAssigned: true };
    expect(codeOf(await testConnection({ ...world.deps, tables }, request, ADMIN))).toBe('busy');
    expect(world.vaults.countOf('reach')).toBe(0);
  });
});
