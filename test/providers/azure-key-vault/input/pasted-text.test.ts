// What people paste, and what is made of it: the same codes as for clean text, the character that is wrong with its place, and
// both values split. Nothing of it is ever accepted.
import { describe, expect, it } from 'vitest';
import {
  parseConnectionInput,
  parseCustomerVault,
} from '../../../../shared/providers/azure-key-vault/input/connection-input.ts';
import { parseKeyName } from '../../../../shared/providers/azure-key-vault/input/key-name.ts';
import { parseVaultUri } from '../../../../shared/providers/azure-key-vault/input/vault-uri.ts';

const IDS = { connectorClientId: '', identityClientId: '', vendorTenantId: '' };
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
    [`[${VAULT}/]`, 'it holds the character [ at position 1'],
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
    [
      'https%3A%2F%2Fcontoso-keys.vault.azure.net%2F',
      'it does not begin with https://, and it holds the character % at position 6',
    ],
    [
      'https%253A%252F%252Fcontoso-keys.vault.azure.net',
      'it does not begin with https://, and it holds the character % at position 6',
    ],
    [`**${VAULT}**`, 'it does not begin with https://, and it holds the character * at position 1'],
    [`_${VAULT}_`, 'it does not begin with https://, and it holds the character _ at position 1'],
    ['hxxps://contoso-keys[.]vault[.]azure[.]net', 'it holds the character [ at position 21'],
    ['://contoso-keys.vault.azure.net', 'it does not begin with https://'],
    ['https:\\u002f\\u002fcontoso-keys.vault.azure.net', 'it holds a backslash at position 7'],
    [`\u001b[32m${VAULT}\u001b[0m`, 'it holds U+001B, which cannot be seen, at position 1'],
    [`\u2800${VAULT}`, 'it holds U+2800, which only looks like a blank, at position 1'],
    [`https://contoso\ufe58keys.vault.azure.net`, 'it holds U+FE58, which only looks like -, at position 16'],
    [`https://contoso-keys.vault.azu\u0433e.net`, 'it holds U+0433, which only looks like r, at position 31'],
    [`${VAULT}*`, 'its host name holds the character * at position 37'],
    [`${VAULT}、`, 'it holds U+3001 at position 37'],
    [`′${VAULT}′`, 'it holds U+2032 at position 1'],
    [`❝${VAULT}❞`, 'it holds U+275D at position 1'],
    [`〝${VAULT}〞`, 'it holds U+301D at position 1'],
    [`⟪${VAULT}⟫`, 'it holds U+27EA at position 1'],
    [`<${VAULT}|contoso-keys.vault.azure.net>`, 'it holds the character < at position 1'],
    [`["${VAULT}"]`, 'it holds the character [ at position 1'],
    [`contoso-keys.vault.azure.net<${VAULT}/>`, 'it holds the character < at position 29'],
    [`{"properties":{"vaultUri":"${VAULT}/"}}`, 'it holds the character { at position 1'],
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
    [`[my vault](${VAULT})`, 'it holds the character [ at position 1'],
    [`[${VAULT}/](${VAULT}/)`, 'it holds the character [ at position 1'],
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
    `Vault Name     : contoso-keys\r\nName           : customer-key\r\nId             : ${KEY.replace('.net/', '.net:443/')}\r\nEnabled        : True`,
    `please use ${VAULT}/keys/customer-key, thanks`,
    `https://urldefense.com/v3/__${VAULT}/keys/customer-key__;!!abc$`,
    `{ "key": { "kid": "${KEY}", "kty": "RSA" }, "tags": null }`,
    `${VAULT}/deletedkeys/customer-key`,
    `${VAULT}%2Fkeys%2Fcustomer-key`,
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

  it.each([
    `${VAULT}/keys/main_key`,
    `${VAULT}/keys/customer key`,
    `${VAULT}/keys/customer-key\nEnabled`,
    `${VAULT}/keys/`,
  ])('%j names no key for certain, and only the vault is offered', (text) => {
    const found = parseVaultUri(text, POLICY);
    expect(found).toMatchObject({
      error: { code: 'vault-uri-contains-key-path', facts: { suggestedVaultUri: VAULT } },
    });
    expect(found.ok || found.error.facts.suggestedKeyName).toBeUndefined();
  });

  it('that is the address of a key says what else is wrong with it', () => {
    const found = parseVaultUri(`\u200b${KEY}`, POLICY);
    expect(found).toMatchObject({ error: { cause: expect.stringContaining('U+200B') as string } });
  });

  it.each([
    [`"${VAULT}/secrets/one"`, 'besides, it holds the character " at position 1'],
    [`\u200b${VAULT}/secrets/one`, 'besides, it holds U+200B, which cannot be seen, at position 1'],
    ['contoso-keys.vault.azure.net/certificates/one', 'besides, it does not begin with https://'],
    [`@Microsoft.KeyVault(SecretUri=${VAULT}/secrets/one/)`, 'besides, it holds the character ( at position 20'],
  ])('%j is no key', (text, besides) => {
    expect(parseVaultUri(text, POLICY)).toMatchObject({
      error: {
        code: 'vault-uri-is-secret',
        cause: expect.stringContaining(besides) as string,
        facts: { suggestedVaultUri: VAULT },
      },
    });
  });

  it.each([
    [`https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(KEY)}&data=05%7C02%7C&reserved=0`, true],
    [
      `https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(VAULT)}&data=05%7C02%7C&reserved=0`,
      false,
    ],
    [`https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(VAULT)}%2F&data=100%`, false],
  ])('%s is a link that was made safe, and what it holds is offered', (text, isKey) => {
    const found = parseVaultUri(text, POLICY);
    expect(found).toMatchObject({ error: { code: 'vault-host-not-allowed', facts: { suggestedVaultUri: VAULT } } });
    expect(found.ok || found.error.facts.suggestedKeyName).toBe(isKey ? 'customer-key' : undefined);
  });

  it.each([
    [
      'https://contoso.managedhsm.azure.net:443/',
      'it is a Managed HSM, which is not supported yet; besides, it holds a port',
    ],
    [
      'contoso.managedhsm.azure.net',
      'it is a Managed HSM, which is not supported yet; besides, it does not begin with https://',
    ],
    [
      '"https://contoso.managedhsm.azure.net/keys/k"',
      'it is a Managed HSM, which is not supported yet; besides, it holds the character " at position 1',
    ],
    [
      '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/managedHSMs/contoso',
      'it is a Managed HSM, which is not supported yet; besides, it does not begin with https://',
    ],
    [
      'contoso.vault.usgovcloudapi.net/keys/customer-key',
      'it is a vault of another cloud; here it must end in .vault.azure.net or .vault.azure.cn; besides, it does not begin with https://',
    ],
  ])('%j can be no vault of ours, whatever else is wrong with it', (text, detail) => {
    const found = parseVaultUri(text, POLICY);
    expect(found).toMatchObject({ error: { code: 'vault-host-not-allowed', facts: { detail } } });
    expect(found.ok || found.error.facts.suggestedVaultUri).toBeUndefined();
  });

  it.each([
    ['https://contoso_keys.vault.azure.net', 'its host name holds the character _ at position 16'],
    ['https://contoso~keys.vault.azure.net/a_b', 'its host name holds the character ~ at position 16'],
    ['https://contoso..vault.azure.net/a_b', 'its host name is malformed'],
    ['contoso_keys.vault.azure.net', 'it does not begin with https://, and it holds the character _ at position 8'],
  ])('%j holds what no host name does, and is told where', (text, detail) => {
    expect(parseVaultUri(text, POLICY)).toMatchObject({ error: { code: 'vault-uri-invalid', facts: { detail } } });
  });

  it("of the vendor's own vault is not offered", () => {
    const vendor = { ...POLICY, vendorVaultHost: 'contoso-keys.vault.azure.net' };
    expect(parseCustomerVault(`"${VAULT}"`, vendor)).toMatchObject({
      error: { code: 'vault-host-not-allowed', facts: { detail: "it is the vendor's own vault" } },
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
    '/subscriptions/s/resourceGroups/g',
    '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/contoso',
    'keys/customer-key/340ec2c3b7b240ed93cd709dd1e22b05',
    'customer-key/340ec2c3b7b240ed93cd709dd1e22b05',
    'secrets/one',
    'Contoso Ltd',
    'our key vault',
    'undefined',
    'null',
    'https://',
    'C:\\Users\\admin',
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
    'customer-key@340ec2c3b7b240ed93cd709dd1e22b05',
    'customer-key\t340ec2c3b7b240ed93cd709dd1e22b05',
    'keys\\customer-key\\340ec2c3b7b240ed93cd709dd1e22b05',
    '[customer-key](https://portal.azure.com/)',
    encodeURIComponent(KEY),
    `https://portal.azure.com/#view/Microsoft_Azure_KeyVault/KeyVersion.ReactView/versionId/${encodeURIComponent(KEY)}`,
    `{ "kid": "${VAULT}/keys/customer-key", "kty": "RSA" }`,
    `${VAULT}/deletedkeys/customer-key`,
    `please use ${VAULT}/keys/customer-key, thanks`,
    'customer-\r\n  key',
    '**customer-key**',
    '_customer-key_',
    '❝customer-key❞',
    '\u001b[32mcustomer-key\u001b[0m',
    '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/contoso-keys/keys/customer-key/versions/340e',
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
    ['customer-key/340ec2', 'it holds a slash at position 13; enter the name without a version'],
    [
      'customer\u200b-key/340ec2',
      'it holds a slash at position 14; enter the name without a version; besides, it holds U+200B, which cannot be seen, at position 9',
    ],
    [
      `\u200b${KEY}`,
      'it is an address, and only the name is asked for; besides, it holds U+200B, which cannot be seen, at position 1',
    ],
    ['contoso-keys.vault.azure.net', 'it is an address, and only the name is asked for'],
    ['\u200bsecrets/one', 'it names a secret or a certificate, and a key is asked for; besides, it holds U+200B'],
  ])('%j is told with the character and its place', (text, detail) => {
    expect(parseKeyName(text)).toMatchObject({
      error: { facts: { detail: expect.stringContaining(detail) as string } },
    });
  });

  it.each([
    'secrets/one',
    `${VAULT}/secrets/one`,
    'a/b/c',
    '../x',
    'main key',
    'main_key',
    `${VAULT}/keys/main_key`,
    `${VAULT}/keys/main key`,
    'main-key\nRSA',
    VAULT,
  ])('%j leads to no name', (text) => {
    const found = parseKeyName(text);
    expect(found.ok || found.error.facts.suggestedKeyName).toBeUndefined();
  });
});

describe('the whole id of a key in the field of its name', () => {
  const policy = { ...POLICY, ...IDS, vendorVaultHost: 'vendor.vault.azure.net' };
  const parse = (vaultUri: string, keyName: string): ReturnType<typeof parseConnectionInput> =>
    parseConnectionInput({ vaultUri, keyName, credential: { kind: 'federated' } }, policy);

  it.each([
    [VAULT, KEY, 'key-name-invalid'],
    ['', KEY, 'vault-uri-invalid'],
    ['', `"${KEY.replace('https://', '')}"`, 'vault-uri-invalid'],
  ])('with %j beside it: both values are offered, split', (vaultUri, keyName, code) => {
    expect(parse(vaultUri, keyName)).toMatchObject({
      error: {
        failure: {
          code,
          facts: { suggestedVaultUri: VAULT, suggestedKeyName: 'customer-key' },
          remedy: {
            text: expect.stringContaining(`Probably meant: Vault URI: ${VAULT}, key name: customer-key.`) as string,
          },
        },
      },
    });
  });

  it.each([
    ['', 'https://vendor.vault.azure.net/keys/customer-key'],
    ['', 'https://contoso.managedhsm.azure.net/keys/customer-key'],
    ['', `${VAULT}/secrets/one`],
  ])('with %j beside it, %s is none of a vault that may be used', (vaultUri, keyName) => {
    const found = parse(vaultUri, keyName);
    expect(found).toMatchObject({ ok: false, error: { failure: { code: 'vault-uri-invalid' } } });
    expect(JSON.stringify(found)).not.toContain('suggested');
  });
});

describe('a tenant id that was pasted', () => {
  const GUID = '11111111-0000-4000-8000-00000000000a';
  const policy = { ...POLICY, ...IDS, vendorVaultHost: 'vendor.vault.azure.net' };
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

  const OTHER = '22222222-0000-4000-8000-00000000000b';

  it.each([
    `https://login.microsoftonline.com/${GUID}/v2.0`,
    `https://sts.windows.net/${GUID}/`,
    `https://portal.azure.com/#@${GUID}/resource/subscriptions/${OTHER}/resourceGroups/g`,
    `{ "id": "${OTHER}", "tenantId": "${GUID}" }`,
    `Tenant ID\t${GUID}`,
    `${GUID}\n${GUID}`,
  ])('%j names the tenant', (text) => {
    expect(parse(text)).toMatchObject({
      error: { message: expect.stringContaining(`Probably meant: ${GUID}.`) as string },
    });
  });

  it.each([`/subscriptions/${OTHER}/resourceGroups/g`, `${GUID} ${OTHER}`])('%j names none', (text) => {
    expect(parse(text)).toMatchObject({ error: { message: expect.not.stringContaining('meant') as string } });
  });

  it('that is a domain is only told that it is no GUID', () => {
    expect(parse('contoso.onmicrosoft.com')).toMatchObject({
      error: { message: 'A tenant id is a GUID; this holds the character o at position 2.' },
    });
  });
});
