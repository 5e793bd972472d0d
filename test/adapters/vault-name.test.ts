import { describe, expect, it } from 'vitest';
import { findName } from '../../shared/adapters/vault-name.ts';

const HOST = 'contoso.vault.azure.net';
const failing = (code: string) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error(`queryCname ${code} ${HOST}`), { code }));

describe('a vault’s name without an address', () => {
  it.each([
    ['contoso.privatelink.vaultcore.azure.net', 'private'],
    ['contoso.privatelink.vaultcore.usgovcloudapi.net', 'private'],
    ['data-prod.vaultcore.azure.net', 'unknown'],
  ])('with the alias %s is %s', async (alias, found) => {
    expect(await findName(HOST, (host) => Promise.resolve([host === HOST ? alias : '']))).toBe(found);
  });

  it.each([
    ['ENOTFOUND', 'gone'],
    ['ENODATA', 'unknown'],
    ['ESERVFAIL', 'unknown'],
    ['ETIMEOUT', 'unknown'],
    ['EREFUSED', 'unknown'],
  ])('of which the resolver says %s is %s', async (code, found) => {
    expect(await findName(HOST, failing(code))).toBe(found);
  });
});
