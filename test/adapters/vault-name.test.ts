import { describe, expect, it } from 'vitest';
import { findName, type NameResolver } from '../../shared/adapters/vault-name.ts';

const HOST = 'contoso.vault.azure.net';
const failing = (code: string) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error(`queryCname ${code} ${HOST}`), { code }));
const withAliases = (aliasesOf: NameResolver['aliasesOf']): NameResolver => ({
  aliasesOf,
  addressOf: () => Promise.resolve('192.0.2.1'),
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

  it.each(['ENOTFOUND', 'EAI_AGAIN'])(
    'is gone only if that resolver knows a public name, and not where it says %s',
    async (code) => {
      const asked: string[] = [];
      const addressOf = (name: string): Promise<never> => {
        asked.push(name);
        return failing(code)();
      };
      expect(await findName(HOST, { aliasesOf: failing('ENOTFOUND'), addressOf })).toBe('unknown');
      expect(asked).toEqual(['login.microsoftonline.com']);
    },
  );
});
