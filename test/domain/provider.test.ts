import { describe, expect, it } from 'vitest';
import { parseKeyId, providerName, sameProvider } from '../../shared/domain/provider.ts';

const MANAGED = { provider: 'managed' } as const;
const CONTOSO = { provider: 'azure-key-vault', connectionId: 'contoso' } as const;

describe('a provider', () => {
  it('has a name of its own', () => {
    expect([providerName(MANAGED), providerName(CONTOSO)]).toEqual(['managed', 'azure-key-vault:contoso']);
  });

  it('is the same as another of the same connection only', () => {
    expect(sameProvider(CONTOSO, { ...CONTOSO })).toBe(true);
    expect(sameProvider(CONTOSO, { ...CONTOSO, connectionId: 'fabrikam' })).toBe(false);
    expect(sameProvider(CONTOSO, MANAGED)).toBe(false);
  });

  it('is not taken for the vendor’s own because its connection is called so', () => {
    expect(sameProvider({ ...CONTOSO, connectionId: 'managed' }, MANAGED)).toBe(false);
  });
});

const HOST = 'contoso.vault.azure.net';
const keyId = ({ host = HOST, name = 'Customer-Key-1', version = '0123456789abcdefABCDEF' } = {}): string =>
  `https://${host}/keys/${name}/${version}`;

describe('a versioned key id', () => {
  it('says which version of which key in which vault, the host in lower case', () => {
    expect(parseKeyId(keyId({ host: 'Contoso.Vault.Azure.Net' }))).toEqual({
      host: HOST,
      keyName: 'Customer-Key-1',
      version: '0123456789abcdefABCDEF',
    });
  });

  it('has a name and a version as long as they can be', () => {
    expect(parseKeyId(keyId({ name: 'n'.repeat(127), version: 'v'.repeat(64) }))).toBeDefined();
  });

  it.each([
    ['something before it', `x${keyId()}`],
    ['something behind it', `${keyId()}/x`],
    ['a line break behind it', `${keyId()}\n`],
    ['another scheme', keyId().replace('https', 'http')],
    ['no host', keyId({ host: '' })],
    ['a port', keyId({ host: `${HOST}:8443` })],
    ['a user before the host', keyId({ host: `user@${HOST}` })],
    ['a query in the host', keyId({ host: `${HOST}?` })],
    ['a fragment in the host', keyId({ host: `${HOST}#` })],
    ['a secret instead of a key', keyId().replace('/keys/', '/secrets/')],
    ['no name', keyId({ name: '' })],
    ['a name that is too long', keyId({ name: 'n'.repeat(128) })],
    ['a character in the name that cannot be there', keyId({ name: 'customer_key' })],
    ['no version', keyId({ version: '' })],
    ['a version that is too long', keyId({ version: 'v'.repeat(65) })],
    ['a character in the version that cannot be there', keyId({ version: '0-1' })],
  ])('is none with %s', (_, text) => {
    expect(parseKeyId(text)).toBeUndefined();
  });
});
