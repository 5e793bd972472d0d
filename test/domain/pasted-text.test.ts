// What people paste, and what is made of it: the same codes as for clean text, the character that is wrong with its place, and
// both values split. Nothing of it is ever accepted.
import { describe, expect, it } from 'vitest';
import { parseConnectionInput } from '../../shared/domain/connection-input.ts';
import { parseKeyName } from '../../shared/domain/key-name.ts';
import { parseVaultUri } from '../../shared/domain/vault-uri.ts';

const POLICY = { allowedSuffixes: ['vault.azure.net', 'vault.azure.cn'] };
const VAULT = 'https://contoso-keys.vault.azure.net';
const KEY = `${VAULT}/keys/customer-key/340ec2c3b7b240ed93cd709dd1e22b05`;

describe('a vault URI that was pasted', () => {
  it.each([
    [`"${VAULT}/"`, 'it holds the character " at position 1'],
    [`'${VAULT}/'`, "it holds the character ' at position 1"],
    [`  "${VAULT}/",`, 'it holds the character " at position 3'],
    [`${VAULT}/",`, 'it holds the character " at position 38'],
    [`<${VAULT}>`, 'it holds the character < at position 1'],
    [`(${VAULT}/)`, 'it holds the character ( at position 1'],
    [`[${VAULT}/]`, 'it does not begin with https://'],
    [`“${VAULT}”`, 'it holds U+201C at position 1'],
    [`«${VAULT}».`, 'it holds U+00AB at position 1'],
    [`\`${VAULT}/\``, 'it holds the character ` at position 1'],
    [`"vaultUri": "${VAULT}/",`, 'it holds the character " at position 1'],
    [`Vault URI : ${VAULT}/`, 'it holds a blank at position 6'],
    [`\u200b${VAULT}/`, 'it holds U+200B, which cannot be seen, at position 1'],
    [`${VAULT}/\u200b`, 'it holds U+200B, which cannot be seen, at position 38'],
    [`https://contoso\u2060-keys.vault.azure.net`, 'it holds U+2060, which cannot be seen, at position 16'],
    [`https://contoso\u00ad-keys.vault.azure.net`, 'it holds U+00AD, which cannot be seen, at position 16'],
    [`\u202a${VAULT}\u202c`, 'it holds U+202A, which cannot be seen, at position 1'],
    [`https://contoso-keys\u200d.vault.azure.net`, 'it holds U+200D, which cannot be seen, at position 21'],
    [`https://contoso\u2011keys.vault.azure.net`, 'it holds U+2011, which only looks like -, at position 16'],
    [`https://contoso\u2013keys.vault.azure.net`, 'it holds U+2013, which only looks like -, at position 16'],
    [`https\uff1a//contoso-keys.vault.azure.net`, 'it holds U+FF1A, which only looks like :, at position 6'],
    [`https:\u2044\u2044contoso-keys.vault.azure.net`, 'it holds U+2044, which only looks like /, at position 7'],
    [`https://contoso-k\u0435ys.vault.azure.net`, 'it holds U+0435, which only looks like e, at position 18'],
    [`https://contoso-\u03baeys.vault.azure.net`, 'it holds U+03BA, which only looks like k, at position 17'],
    [`https://contoso-keys.vault\u00a0.azure.net`, 'it holds U+00A0, which only looks like a blank, at position 27'],
    [`https://contoso-\r\nkeys.vault.azure.net`, 'it holds U+000D, which cannot be seen, at position 17'],
    [`https://contoso -keys.vault.azure.net`, 'it holds a blank at position 16'],
    [`${VAULT}:443/`, 'it holds a port'],
    [`${VAULT}:8443`, 'it holds a port'],
    [`${VAULT}.`, 'its host name ends in a dot'],
    ['contoso-keys.vault.azure.net/', 'it does not begin with https://'],
    ['contoso-keys', 'it does not begin with https://'],
    ['//contoso-keys.vault.azure.net', 'it does not begin with https://'],
    ['https:/contoso-keys.vault.azure.net', 'it does not begin with https://'],
    ['https//contoso-keys.vault.azure.net', 'it does not begin with https://'],
    ['https:contoso-keys.vault.azure.net', 'it does not begin with https://'],
    ['http://contoso-keys.vault.azure.net', 'it begins with http://, not https://'],
    ['https:\\\\contoso-keys.vault.azure.net\\', 'it holds a backslash at position 7'],
    ['"https:\\/\\/contoso-keys.vault.azure.net\\/"', 'it holds the character " at position 1'],
    ['https%3A%2F%2Fcontoso-keys.vault.azure.net%2F', 'it does not begin with https://'],
    ['https://https://contoso-keys.vault.azure.net', 'it holds a port'],
    ['HTTPS:\\\\CONTOSO-KEYS.vault.azure.net', 'it holds a backslash at position 7'],
    [`\\"${VAULT}\\"`, 'it holds a backslash at position 1'],
    [`『${VAULT}』`, 'it holds U+300E at position 1'],
    [`【${VAULT}】`, 'it holds U+3010 at position 1'],
    [`〈${VAULT}〉`, 'it holds U+3008 at position 1'],
    [`⟨${VAULT}⟩`, 'it holds U+27E8 at position 1'],
    [`＂${VAULT}＂`, 'it holds U+FF02, which only looks like ", at position 1'],
    [`（${VAULT}）`, 'it holds U+FF08, which only looks like (, at position 1'],
    [
      'ｈｔｔｐｓ：／／ｃｏｎｔｏｓｏ－ｋｅｙｓ．ｖａｕｌｔ．ａｚｕｒｅ．ｎｅｔ',
      'it holds U+FF48, which only looks like h, at position 1',
    ],
    [`\u200f${VAULT}`, 'it holds U+200F, which cannot be seen, at position 1'],
    [`\u2067${VAULT}\u2069`, 'it holds U+2067, which cannot be seen, at position 1'],
    ['https://contoso&#45;keys.vault.azure.net', 'it holds the character ; at position 20'],
    ['https:&#x2F;&#x2F;contoso-keys.vault.azure.net&#x2F;', 'it holds the character ; at position 12'],
    [`${VAULT}&nbsp;`, 'it holds the character ; at position 42'],
    [`[my vault](${VAULT})`, 'it holds a blank at position 4'],
    [`[${VAULT}/](${VAULT}/)`, 'it holds the character ( at position 40'],
    [`${VAULT}/,`, 'it holds the character , at position 38'],
  ])('%j is refused, with what was meant', (text, detail) => {
    expect(parseVaultUri(text, POLICY)).toMatchObject({
      ok: false,
      error: {
        code: 'vault-uri-invalid',
        kind: 'input',
        facts: { detail, suggestedVaultUri: VAULT },
        remedy: { text: expect.stringContaining(`Probably meant: Vault URI: ${VAULT}.`) as string },
      },
    });
  });

  it.each([
    KEY,
    KEY.replace('.net/', '.net:443/'),
    KEY.replace('https://', ''),
    KEY.replace('https:', 'http:'),
    `"${KEY}"`,
    `"kid": "${KEY}",`,
    `Id : ${KEY.replace('.net/', '.net:443/')}`,
    `\ufeff\u200b${KEY}`,
    `${VAULT}/keys/customer\u2010key`,
    `${VAULT}/keys/customer-\r\n  key`,
    `${VAULT}\\keys\\customer-key`,
    'contoso-keys/keys/customer-key',
    `<${KEY}>`,
    `[the key](${KEY})`,
  ])('%j is the address of a key, and both values are offered, split', (text) => {
    expect(parseVaultUri(text, POLICY)).toMatchObject({
      ok: false,
      error: {
        code: 'vault-uri-contains-key-path',
        facts: { suggestedVaultUri: VAULT, suggestedKeyName: 'customer-key' },
        remedy: { text: `Vault URI: ${VAULT}, key name: customer-key` },
      },
    });
  });

  it('that is the address of a key says what else is wrong with it', () => {
    const found = parseVaultUri(`\u200b${KEY}`, POLICY);
    expect(found).toMatchObject({ error: { cause: expect.stringContaining('U+200B') as string } });
  });

  it.each([`"${VAULT}/secrets/one"`, 'contoso-keys.vault.azure.net/certificates/one'])('%j is no key', (text) => {
    expect(parseVaultUri(text, POLICY)).toMatchObject({
      error: { code: 'vault-uri-is-secret', facts: { suggestedVaultUri: VAULT } },
    });
  });

  it.each([
    ['https://contoso-keys.privatelink.vaultcore.azure.net/', undefined],
    ['https://contoso-keys.vaultcore.azure.net', undefined],
    [
      'https://portal.azure.com/#@contoso.onmicrosoft.com/resource/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/contoso-keys/overview',
      undefined,
    ],
    [`https://portal.azure.com/#asset/Microsoft_Azure_KeyVault/Key/${KEY}`, 'customer-key'],
    [
      `https://portal.azure.com/#view/Microsoft_Azure_KeyVault/KeyVersion.ReactView/versionId/${encodeURIComponent(KEY)}`,
      'customer-key',
    ],
    [
      `https://portal.azure.com/#view/Microsoft_Azure_KeyVault/ListObjectVersionsRBACBlade/~/overview/objectType/keys/objectId/${encodeURIComponent(`${VAULT}/keys/customer-key`)}/vaultResourceUri/${encodeURIComponent('/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/contoso-keys')}`,
      'customer-key',
    ],
  ])('%s is no address of a vault, and the vault that it names is offered', (text, suggestedKeyName) => {
    const found = parseVaultUri(text, POLICY);
    expect(found).toMatchObject({ error: { code: 'vault-host-not-allowed', facts: { suggestedVaultUri: VAULT } } });
    expect(found.ok || found.error.facts.suggestedKeyName).toBe(suggestedKeyName);
  });

  it('may be the Azure resource id of the vault', () => {
    const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/contoso-keys';
    expect(parseVaultUri(id, POLICY)).toMatchObject({ error: { facts: { suggestedVaultUri: VAULT } } });
  });

  it.each([
    'https://contoso.vault.azure.net@evil.example',
    'https://evil.example#contoso.vault.azure.net',
    'https://evil.example\\.vault.azure.net',
    '"https://evil.example/"',
    'https://contoso.vault.azure.net.evil.example',
    '\u200b',
    '""',
    `"${'x'.repeat(3_000)}"`,
  ])('%j names no vault that may be called, and nothing is offered', (text) => {
    const found = parseVaultUri(text, POLICY);
    expect(found.ok || found.error.facts.suggestedVaultUri).toBeUndefined();
    expect(found.ok).toBe(false);
  });
});

describe('a key name that was pasted', () => {
  it.each([
    '\u200bcustomer-key',
    'customer-key\u200b',
    'customer\u00ad-key',
    'customer\u2013key',
    'customer-k\u0435y',
    '"customer-key"',
    "'customer-key',",
    'customer-key/340ec2c3b7b240ed93cd709dd1e22b05',
    'customer-key/',
    '/keys/customer-key',
    'keys/customer-key/340ec2c3b7b240ed93cd709dd1e22b05',
    KEY,
    KEY.replace('https://', ''),
    KEY.replace('.net/', '.net:443/'),
    `"${KEY}"`,
    '＂customer-key＂',
    'ｃｕｓｔｏｍｅｒ－ｋｅｙ',
    '【customer-key】',
    '\u200fcustomer-key',
    '- customer-key',
    'name: customer-key',
    '"name": "customer-key",',
    'customer-key\\n',
    'customer&#45;key',
    'customer-key?api-version=7.4',
    'customer-key:340ec2c3b7b240ed93cd709dd1e22b05',
    'customer-key\t340ec2c3b7b240ed93cd709dd1e22b05',
    'keys\\customer-key\\340ec2c3b7b240ed93cd709dd1e22b05',
    '[customer-key](https://portal.azure.com/)',
  ])('%j is refused, and the name that was meant is offered', (text) => {
    expect(parseKeyName(text)).toMatchObject({
      error: {
        code: 'key-name-invalid',
        facts: { suggestedKeyName: 'customer-key' },
        remedy: { text: expect.stringContaining('Probably meant: Key name: customer-key.') as string },
      },
    });
  });

  it.each([
    ['\u200bcustomer-key', 'it holds U+200B, which cannot be seen, at position 1'],
    ['customer\u2013key', 'it holds U+2013, which only looks like -, at position 9'],
    ['"customer-key"', 'it holds the character " at position 1'],
  ])('%j is told with the character and its place', (text, detail) => {
    expect(parseKeyName(text)).toMatchObject({
      error: { facts: { detail: expect.stringContaining(detail) as string } },
    });
  });

  it.each(['secrets/one', `${VAULT}/secrets/one`, 'a/b/c', '../x', 'main key', 'main_key'])(
    '%j leads to no name',
    (text) => {
      const found = parseKeyName(text);
      expect(found.ok || found.error.facts.suggestedKeyName).toBeUndefined();
    },
  );
});

describe('a tenant id that was pasted', () => {
  const GUID = '11111111-0000-4000-8000-00000000000a';
  const policy = { ...POLICY, vendorVaultHost: 'vendor.vault.azure.net', connectorClientId: GUID };
  const parse = (tenantId: string): ReturnType<typeof parseConnectionInput> =>
    parseConnectionInput({ vaultUri: VAULT, keyName: 'k', tenantId, credential: { kind: 'federated' } }, policy);

  it.each([
    [`{${GUID}}`, 'this holds the character { at position 1'],
    [`"${GUID}"`, 'this holds the character " at position 1'],
    [`${GUID.slice(0, 8)}\u2010${GUID.slice(9)}`, 'this holds U+2010, which only looks like -, at position 9'],
    [`${GUID}\u200b`, 'this holds U+200B, which cannot be seen, at position 37'],
  ])('%j is told with the character, its place and what was meant', (text, why) => {
    const message = `A tenant id is a GUID; ${why}. Probably meant: ${GUID}.`;
    expect(parse(text)).toEqual({ ok: false, error: { type: 'invalid', target: 'body.tenantId', message } });
  });

  it('that is a domain is only told that it is no GUID', () => {
    expect(parse('contoso.onmicrosoft.com')).toMatchObject({
      error: { message: 'A tenant id is a GUID; this holds the character o at position 2.' },
    });
  });
});
