import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseKeyName } from '../../../../shared/providers/azure-key-vault/input/key-name.ts';
import { parseVaultUri } from '../../../../shared/providers/azure-key-vault/input/vault-uri.ts';

const POLICY = { allowedSuffixes: ['vault.azure.net'] };
const NOT_A_VAULT_NAME =
  "the vault's name is not 3 to 24 letters, digits and single dashes, beginning with a letter and ending with a letter or digit";
const parse = (text: string): ReturnType<typeof parseVaultUri> => parseVaultUri(text, POLICY);

describe('a vault URI', () => {
  it.each([
    ['https://contoso.vault.azure.net'],
    ['https://contoso.vault.azure.net/'],
    ['  https://contoso.vault.azure.net/\n'],
    ['HTTPS://Contoso.Vault.Azure.NET'],
  ])('%j is the vault contoso', (text) => {
    expect(parse(text)).toEqual({ ok: true, value: { host: 'contoso.vault.azure.net' } });
  });

  it('may be of another suffix that is allowed', () => {
    const allowedSuffixes = ['vault.azure.net', 'vault.azure.cn'];
    expect(parseVaultUri('https://contoso.vault.azure.cn', { allowedSuffixes })).toMatchObject({ ok: true });
  });

  it.each([
    ['', 'vault-uri-invalid', 'it is empty'],
    ['   ', 'vault-uri-invalid', 'it is empty'],
    ['contoso.vault.azure.net', 'vault-uri-invalid', 'it does not begin with https://'],
    ['contoso', 'vault-uri-invalid', 'it does not begin with https://'],
    ['//contoso.vault.azure.net', 'vault-uri-invalid', 'it does not begin with https://'],
    ['http://contoso.vault.azure.net', 'vault-uri-invalid', 'it begins with http://, not https://'],
    ['file://contoso.vault.azure.net', 'vault-uri-invalid', 'it begins with file://, not https://'],
    ['https://contoso.vault.azure.net:443', 'vault-uri-invalid', 'it holds a port'],
    ['https://contoso.vault.azure.net:', 'vault-uri-invalid', 'it holds a port'],
    ['https://user:pass@contoso.vault.azure.net', 'vault-uri-invalid', 'it holds a user name'],
    ['https://contoso.vault.azure.net@evil.example', 'vault-uri-invalid', 'it holds a user name'],
    ['https://contoso.vault.azure.net?x=1', 'vault-uri-invalid', 'it holds a query'],
    ['https://contoso.vault.azure.net/?', 'vault-uri-invalid', 'it holds a query'],
    ['https://contoso.vault.azure.net/#', 'vault-uri-invalid', 'it holds a fragment'],
    ['https://evil.example#.vault.azure.net', 'vault-host-not-allowed', 'it does not end in .vault.azure.net'],
    ['https://evil.example/.vault.azure.net', 'vault-host-not-allowed', 'it does not end in .vault.azure.net'],
    ['https://evil.example\\.vault.azure.net', 'vault-uri-invalid', 'it holds a backslash at position 21'],
    ['https:\\\\contoso.vault.azure.net', 'vault-uri-invalid', 'it holds a backslash at position 7'],
    ['https://con toso.vault.azure.net', 'vault-uri-invalid', 'it holds a blank at position 12'],
    ['https://con\ttoso.vault.azure.net', 'vault-uri-invalid', 'it holds U+0009, which cannot be seen, at position 12'],
    [
      'https://cont\u043Eso.vault.azure.net',
      'vault-uri-invalid',
      'it holds U+043E, which only looks like o, at position 13',
    ],
    [
      'https://contoso。vault.azure.net',
      'vault-uri-invalid',
      'it holds U+3002, which only looks like ., at position 16',
    ],
    ['https://xn--contso-8xd.vault.azure.net', 'vault-uri-invalid', 'its host name is internationalised'],
    ['https://con%74oso.vault.azure.net', 'vault-uri-invalid', 'its host name holds the character % at position 12'],
    ['https://contoso.vault.azure.net.', 'vault-uri-invalid', 'its host name ends in a dot'],
    ['https://contoso..vault.azure.net', 'vault-uri-invalid', 'its host name is malformed'],
    ['https://-contoso.vault.azure.net', 'vault-uri-invalid', 'its host name is malformed'],
    ['https://.vault.azure.net', 'vault-uri-invalid', 'its host name is malformed'],
    ['https:///keys/main-key', 'vault-uri-invalid', 'it holds no host name'],
    ['https://127.0.0.1', 'vault-uri-invalid', 'it holds an IP address in place of a name'],
    ['https://0x7f000001/', 'vault-uri-invalid', 'it holds an IP address in place of a name'],
    ['https://2130706433', 'vault-uri-invalid', 'it holds an IP address in place of a name'],
    ['https://[::1]/', 'vault-uri-invalid', 'it holds an IP address in place of a name'],
    ['https://169.254.169.254:80/', 'vault-uri-invalid', 'it holds an IP address in place of a name'],
    ['https://co.vault.azure.net', 'vault-uri-invalid', NOT_A_VAULT_NAME],
    ['https://1contoso.vault.azure.net', 'vault-uri-invalid', NOT_A_VAULT_NAME],
    ['https://con--toso.vault.azure.net', 'vault-uri-invalid', NOT_A_VAULT_NAME],
    [`https://${'c'.repeat(25)}.vault.azure.net`, 'vault-uri-invalid', NOT_A_VAULT_NAME],
    ['https://contoso.vault.azure.net/path', 'vault-uri-invalid', 'it holds a path'],
    ['https://contoso.vault.azure.net/./', 'vault-uri-invalid', 'it holds a path'],
    ['https://vault.azure.net', 'vault-host-not-allowed', 'it does not end in .vault.azure.net'],
    ['https://evil.example', 'vault-host-not-allowed', 'it does not end in .vault.azure.net'],
    ['https://evilvault.azure.net', 'vault-host-not-allowed', 'it does not end in .vault.azure.net'],
    ['https://localhost', 'vault-host-not-allowed', 'it does not end in .vault.azure.net'],
    ['https://contoso.vault.azure.net.evil.example', 'vault-host-not-allowed', 'it does not end in .vault.azure.net'],
    [
      'https://a.contoso.vault.azure.net',
      'vault-host-not-allowed',
      "there is more than the vault's name before .vault.azure.net",
    ],
    [
      'https://contoso.managedhsm.azure.net/',
      'vault-host-not-allowed',
      'it is a Managed HSM, which is not supported yet',
    ],
    [
      'https://contoso.vault.azure.cn',
      'vault-host-not-allowed',
      'it is a vault of another cloud; here it must end in .vault.azure.net',
    ],
    [
      'https://contoso.privatelink.vaultcore.azure.net',
      'vault-host-not-allowed',
      "it is the name of a private link; enter the vault's own URI",
    ],
  ])('%j is refused as %s: %s', (text, code, detail) => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({ ok: false, error: { code, kind: 'input', facts: { detail } } });
  });

  it('is longer than any vault can have', () => {
    expect(parse(`https://contoso.vault.azure.net/${'x'.repeat(3000)}`)).toMatchObject({
      error: { facts: { detail: 'it is longer than 2048 characters' } },
    });
  });

  it.each([
    ['https://contoso.vault.azure.net/keys/main-key/0123456789abcdef0123456789abcdef', 'main-key'],
    ['https://Contoso.vault.azure.net/Keys/Main-Key', 'Main-Key'],
    ['https://contoso.vault.azure.net//keys//main-key/?x=1', 'main-key'],
  ])('%s is a key path, and both values are offered', (text, suggestedKeyName) => {
    expect(parse(text)).toMatchObject({
      error: {
        code: 'vault-uri-contains-key-path',
        facts: { suggestedVaultUri: 'https://contoso.vault.azure.net', suggestedKeyName },
        remedy: { text: `Vault URI: https://contoso.vault.azure.net, key name: ${suggestedKeyName}` },
      },
    });
  });

  it.each(['keys', 'keys/', 'keys/no_key!'])('offers only the vault for the path /%s', (path) => {
    const parsed = parse(`https://contoso.vault.azure.net/${path}`);
    expect(parsed).toMatchObject({ error: { facts: { suggestedVaultUri: 'https://contoso.vault.azure.net' } } });
    expect(parsed.ok || parsed.error.facts.suggestedKeyName).toBeUndefined();
  });

  it.each(['secrets/one', 'certificates/one/0123'])('says that /%s is no key', (path) => {
    expect(parse(`https://contoso.vault.azure.net/${path}`)).toMatchObject({ error: { code: 'vault-uri-is-secret' } });
  });

  it.each(['contoso', 'Contoso.vault.azure.net/', 'http://contoso.vault.azure.net/x'])(
    'offers what %s was meant to be',
    (text) => {
      expect(parse(text)).toMatchObject({ error: { facts: { suggestedVaultUri: 'https://contoso.vault.azure.net' } } });
    },
  );

  it('never throws, and what it accepts is what a browser would call', () => {
    const hostile = fc.array(
      fc.constantFrom(
        'https://',
        'contoso',
        '.vault.azure.net',
        '/',
        '@',
        ':',
        '?',
        '#',
        '\\',
        '%2e',
        '.',
        '\t',
        'keys',
        'é',
        '[',
        ']',
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          hostile.map((parts) => parts.join('')),
        ),
        (text) => {
          const parsed = parse(text);
          if (!parsed.ok) return;
          const url = new URL(text.trim());
          expect(url.hostname).toBe(parsed.value.host);
          expect([url.protocol, url.port, url.username, url.pathname, url.search, url.hash]).toEqual([
            'https:',
            '',
            '',
            '/',
            '',
            '',
          ]);
          expect(parse(`https://${parsed.value.host}`)).toEqual(parsed);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('a key name', () => {
  it.each(['main-key', 'A', '0', 'x'.repeat(127), ' main-key\n'])('may be %j', (text) => {
    expect(parseKeyName(text)).toEqual({ ok: true, value: text.trim() });
  });

  it.each([
    ['', 'it is empty'],
    ['x'.repeat(128), 'it is longer than 127 characters'],
    ['main_key', 'it holds the character _ at position 5; a name is letters, digits and dashes'],
    ['main key', 'it holds a blank at position 5; a name is letters, digits and dashes'],
    ['schlüssel', 'it holds U+00FC at position 5; a name is letters, digits and dashes'],
    ['main-key/0123', 'it holds a slash at position 9; enter the name without a version'],
    ['../secrets/x', 'it names a secret or a certificate, and a key is asked for'],
    ['https://contoso.vault.azure.net/keys/main-key', 'it is an address, and only the name is asked for'],
  ])('may not be %j: %s', (text, detail) => {
    expect(parseKeyName(text)).toMatchObject({ error: { code: 'key-name-invalid', facts: { detail } } });
  });

  it('is offered when the address of a key was entered', () => {
    expect(parseKeyName('https://contoso.vault.azure.net/keys/main-key/0123')).toMatchObject({
      error: { facts: { suggestedKeyName: 'main-key' } },
    });
  });
});
