import { describe, expect, it } from 'vitest';
import { findName, type NameResolver } from '../../shared/providers/azure-key-vault/client/vault-name.ts';

const HOST = 'contoso.vault.azure.net';
const failing = (code: string) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error(`queryCname ${code} ${HOST}`), { code }));
const withAliases = (aliasesOf: NameResolver['aliasesOf']): NameResolver => ({
  aliasesOf,
  addressOf: () => Promise.resolve('192.0.2.1'),
  primaryServerOf: failing('ENODATA'),
});

describe('a vault’s name without an address', () => {
  it.each([
    ['contoso.privatelink.vaultcore.azure.net', 'private'],
    ['contoso.privatelink.vaultcore.usgovcloudapi.net', 'private'],
    ['data-prod.vaultcore.azure.net', 'unknown'],
  ])('with the alias %s is %s', async (alias, found) => {
    expect(
      await findName(
        HOST,
        withAliases((host) => Promise.resolve([host === HOST ? alias : ''])),
      ),
    ).toBe(found);
  });

  it.each([
    ['ENOTFOUND', 'gone'],
    ['ENODATA', 'unknown'],
    ['ESERVFAIL', 'unknown'],
    ['ETIMEOUT', 'unknown'],
    ['EREFUSED', 'unknown'],
  ])('of which the resolver says %s is %s', async (code, found) => {
    expect(await findName(HOST, withAliases(failing(code)))).toBe(found);
  });

  it.each([
    ['azureprivatedns.net', 'private'],
    ['AzurePrivateDNS.net.', 'private'],
    ['ns1-01.azure-dns.com', 'gone'],
  ])('in a zone whose primary server is %s is %s', async (server, found) => {
    const asked: string[] = [];
    const primaryServerOf = (zone: string): Promise<string> => {
      asked.push(zone);
      return Promise.resolve(server);
    };
    expect(await findName(HOST, { ...withAliases(failing('ENOTFOUND')), primaryServerOf })).toBe(found);
    expect(asked).toEqual(['vault.azure.net']);
  });

  it.each(['ENOTFOUND', 'EAI_AGAIN'])(
    'is gone only if that resolver knows a public name, and not where it says %s',
    async (code) => {
      const asked: string[] = [];
      const addressOf = (name: string): Promise<never> => {
        asked.push(name);
        return failing(code)();
      };
      expect(await findName(HOST, { ...withAliases(failing('ENOTFOUND')), addressOf })).toBe('unknown');
      expect(asked).toEqual(['login.microsoftonline.com']);
    },
  );
});
