// What is asked for once and kept: a call that threw, which is a bug, must not be kept until the process ends.
import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import { expect, it } from 'vitest';
import { Deadline } from '../../shared/adapters/https/deadline.ts';
import { AzureSealer } from '../../shared/providers/azure-key-vault/client/sealer.ts';
import { TokenCache } from '../../shared/identity/client/token-cache.ts';
import { VaultConnection } from '../../shared/providers/azure-key-vault/client/vault-connection.ts';
import type { VaultPool } from '../../shared/providers/azure-key-vault/client/vault-pool.ts';
import { ok } from '../../shared/domain/result.ts';
import { FakeClock } from '../fakes/fake-system.ts';
import { VENDOR } from '../operations/switches/rig.ts';

const TENANT = VENDOR.tenantId;

/** A pool that has a bug, every time. */
function brokenPool(): { readonly pool: VaultPool; readonly asked: () => number } {
  let asked = 0;
  const pool = {
    facts: () => ({}),
    connection: () => {
      asked += 1;
      throw new TypeError('a bug');
    },
  };
  return { pool: pool as unknown as VaultPool, asked: () => asked };
}

it('a seal key whose version could not be asked for is asked for again', async () => {
  const { pool, asked } = brokenPool();
  const sealer = new AzureSealer(pool, VENDOR, new FakeClock());
  for (const calls of [1, 2, 3]) {
    await expect(sealer.publicKey('1')).rejects.toThrow('a bug');
    expect(asked()).toBe(calls);
  }
});

it('a seal key whose newest version could not be asked for is asked for again', async () => {
  const { pool, asked } = brokenPool();
  const sealer = new AzureSealer(pool, VENDOR, new FakeClock());
  for (const calls of [1, 2, 3]) {
    await expect(sealer.sign(new Uint8Array(1))).rejects.toThrow('a bug');
    expect(asked()).toBe(calls);
  }
});

it('a vault whose challenge could not be asked for is asked again', async () => {
  let calls = 0;
  const challenge = `Bearer authorization="https://login.microsoftonline.com/${TENANT}", resource="https://vault.azure.net"`;
  const http: HttpClient = {
    sendRequest: (request) => {
      calls += 1;
      if (calls === 1) throw new TypeError('a bug');
      const headers = createHttpHeaders({ 'www-authenticate': challenge });
      return Promise.resolve({ request, status: 401, headers, bodyAsText: '' });
    },
  };
  const token = { token: 't', expiresOnTimestamp: 1 };
  const vault = { host: VENDOR.host, tenantId: TENANT, audience: 'https://vault.azure.net' };
  const connection = new VaultConnection(vault, http, () => ({ token: () => Promise.resolve(ok(token)) }));
  await expect(connection.ready(new Deadline(60_000))).rejects.toThrow('a bug');
  expect(await connection.ready(new Deadline(60_000))).toEqual(ok(token));
  await connection.ready(new Deadline(60_000));
  expect(calls).toBe(2);
});

it('a token whose request threw is asked for again', async () => {
  let calls = 0;
  const token = { token: 't', expiresOnTimestamp: Date.parse('2026-01-02T00:00:00.000Z') };
  const fetch = (): Promise<ReturnType<typeof ok<typeof token>>> => {
    calls += 1;
    return calls === 1 ? Promise.reject(new TypeError('a bug')) : Promise.resolve(ok(token));
  };
  const tokens = new TokenCache(fetch, new FakeClock());
  await expect(tokens.token('scope')).rejects.toThrow('a bug');
  expect(await tokens.token('scope')).toEqual(ok(token));
});
