// `keyswitch byok`: in process, and into a vault through the real client.
import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  type KeyObject,
} from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CryptographyClient, KeyClient, type KeyVaultKey } from '@azure/keyvault-keys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyswitch } from '../../cli/program.ts';
import { NO_RETRIES, startAcme, TENANT, type Acme } from '../local/key-vault/acme.ts';

const HOST = 'acme-byok.vault.azure.net';
const folder = mkdtempSync(join(tmpdir(), 'keyswitch-byok-'));
const at = (name: string): string => join(folder, name);
const mine = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

let acme: Acme;
let exchange: KeyVaultKey;
beforeAll(async () => {
  acme = await startAcme();
  await acme.vaultCall('POST', '/vaults', { host: HOST, tenantId: TENANT, purgeProtection: false });
  const officer = { principalId: acme.officerOid, role: 'Key Vault Crypto Officer' };
  await acme.vaultCall('PUT', `/vaults/${HOST}/role-assignments/officer`, officer);
  exchange = await keys().createKey('kek', 'RSA-HSM', { keySize: 2048, keyOps: ['import'] });
  writeFileSync(at('kek.json'), JSON.stringify({ attributes: {}, key: asAzShows(exchange) }));
  writeFileSync(at('key.pem'), pem(mine.privateKey));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await acme.azure.close();
});

const keys = (): KeyClient => new KeyClient(`https://${HOST}`, acme.officer, NO_RETRIES);
/** az prints numbers in base64 of the standard alphabet. */
const asAzShows = ({ id, key }: KeyVaultKey): object => ({
  kid: id,
  kty: 'RSA-HSM',
  keyOps: ['import'],
  n: Buffer.from(key!.n!).toString('base64'),
  e: Buffer.from(key!.e!).toString('base64'),
});

async function run(...args: string[]): Promise<{ code: number; out: string; told: string }> {
  const result = { out: '', told: '' };
  const print = (text: string): void => void (result.out += text);
  const tell = (text: string): void => void (result.told += text);
  const code = await keyswitch(args, { version: '1.2.3', print, tell });
  return { code, ...result };
}
const wrap = (name: string, ...more: string[]): ReturnType<typeof run> =>
  run('byok', 'wrap', '--kek', at('kek.json'), '--key', at('key.pem'), '--out', at(name), ...more);

describe('keyswitch byok wrap', () => {
  it('makes a file that the vault of the exchange key imports, and the key in the vault is the same', async () => {
    const { code, out, told } = await wrap('first.byok', '--json');
    expect({ code, told }).toEqual({ code: 0, told: '' });
    expect(JSON.parse(out)).toEqual({
      file: at('first.byok'),
      keyBits: 2048,
      publicKeySha256: createHash('sha256')
        .update(mine.publicKey.export({ type: 'spki', format: 'der' }))
        .digest('hex'),
      wrappedFor: exchange.id,
    });
    const imported = await keys().importKey(
      'brought',
      { kty: 'RSA-HSM', keyOps: ['wrapKey', 'unwrapKey'], t: readFileSync(at('first.byok')) },
      { hardwareProtected: true },
    );
    expect(Buffer.from(imported.key!.n!).toString('base64url')).toBe(mine.publicKey.export({ format: 'jwk' }).n);
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    const wrapped = publicEncrypt({ key: mine.publicKey, ...padding }, Buffer.from('a company key'));
    const { result } = await new CryptographyClient(imported.id!, acme.officer, NO_RETRIES).unwrapKey(
      'RSA-OAEP-256',
      wrapped,
    );
    expect(Buffer.from(result).toString()).toBe('a company key');
  });

  it('never makes the same file twice, and takes every form of a private key', async () => {
    const forms = [
      ['pkcs1.pem', mine.privateKey.export({ type: 'pkcs1', format: 'pem' })],
      ['pkcs8.der', mine.privateKey.export({ type: 'pkcs8', format: 'der' })],
      ['pkcs1.der', mine.privateKey.export({ type: 'pkcs1', format: 'der' })],
      ['pkcs8.pem', pem(mine.privateKey)],
    ] as const;
    const made = [];
    for (const [name, content] of forms) {
      writeFileSync(at(name), content);
      const given = ['--kek', at('kek.json'), '--key', at(name), '--out', at(`${name}.byok`)];
      expect(await run('byok', 'wrap', ...given)).toMatchObject({ code: 0 });
      const blob = { kty: 'RSA-HSM', t: readFileSync(at(`${name}.byok`)) };
      const imported = await keys().importKey('forms', blob, { hardwareProtected: true });
      expect(Buffer.from(imported.key!.n!).toString('base64url')).toBe(mine.publicKey.export({ format: 'jwk' }).n);
      made.push(readFileSync(at(`${name}.byok`), 'utf8'));
    }
    expect(new Set(made).size).toBe(forms.length);
  });

  it('opens an encrypted private key with the passphrase of a file, and says so if it lacks one', async () => {
    const secret = { cipher: 'aes-256-cbc', passphrase: 'pass phrase' };
    writeFileSync(at('secret.pem'), mine.privateKey.export({ type: 'pkcs8', format: 'pem', ...secret }));
    writeFileSync(at('passphrase'), 'pass phrase\n');
    writeFileSync(at('other'), 'other\n');
    const given = ['byok', 'wrap', '--kek', at('kek.json'), '--key', at('secret.pem'), '--out', at('secret.byok')];
    expect(await run(...given)).toMatchObject({
      code: 1,
      told: expect.stringContaining('--passphrase-file') as unknown,
    });
    expect(await run(...given, '--passphrase-file', at('other'))).toMatchObject({
      code: 1,
      told: 'The private key does not open with this passphrase.\n',
    });
    expect(await run(...given, '--passphrase-file', at('passphrase'))).toMatchObject({ code: 0 });
  });

  it('takes the exchange key in PEM with its id', async () => {
    const jwk = { kty: 'RSA', n: base64url(exchange.key!.n!), e: base64url(exchange.key!.e!) };
    const spki = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    writeFileSync(at('kek.pem'), spki);
    const given = ['byok', 'wrap', '--kek', at('kek.pem'), '--key', at('key.pem'), '--out', at('pem.byok')];
    expect(await run(...given)).toMatchObject({ code: 1, told: expect.stringContaining('--kid') as unknown });
    expect(await run(...given, '--kid', exchange.id!)).toMatchObject({ code: 0 });
    expect(await run('byok', 'check', at('pem.byok'), '--kek', at('kek.json'))).toMatchObject({ code: 0, told: '' });
  });

  it('leaves a file alone that is there, unless it is to be replaced', async () => {
    writeFileSync(at('there.byok'), 'mine');
    expect(await wrap('there.byok')).toMatchObject({ code: 1 });
    expect(readFileSync(at('there.byok'), 'utf8')).toBe('mine');
    expect(await wrap('there.byok', '--replace')).toMatchObject({ code: 0 });
    expect(readFileSync(at('there.byok'), 'utf8')).toContain(exchange.id);
  });

  const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  it.each([
    ['an EC key', pem(curve.privateKey), /of type ec: only an RSA key/],
    ['a key of 1,024 bits', pem(small.privateKey), /has 1024 bits/],
    [
      'a public key',
      mine.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      /no private key: give the private half/,
    ],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n', /a certificate/],
    ['half a PEM', pem(mine.privateKey).slice(0, 300), /no private key that can be read/],
    ['something else', 'hello', /no private key that can be read/],
    ['nothing', '', /is empty/],
  ])('refuses %s in place of the private key, and writes nothing', async (_, content, sentence) => {
    writeFileSync(at('wrong.pem'), content);
    const found = await run('byok', 'wrap', '--kek', at('kek.json'), '--key', at('wrong.pem'), '--out', at('no.byok'));
    expect(found).toMatchObject({ code: 1, out: '', told: expect.stringMatching(sentence) as unknown });
    expect(existsSync(at('no.byok'))).toBe(false);
    for (const line of content.split('\n').filter((text) => text.length > 60)) expect(found.told).not.toContain(line);
  });

  it.each([
    ['a private key', () => pem(mine.privateKey), /holds a private key/],
    [
      'a key that may do more than import',
      () => JSON.stringify({ ...asAzShows(exchange), keyOps: ['import', 'wrapKey'] }),
      /no exchange key: what it may do is import, wrapKey/,
    ],
    [
      'a key without its version',
      () => JSON.stringify({ ...asAzShows(exchange), kid: `https://${HOST}/keys/kek` }),
      /needs its version/,
    ],
    ['an EC key', () => JSON.stringify({ kid: exchange.id, kty: 'EC', x: 'AA', y: 'AA' }), /no public RSA key/],
    ['the answer of a refused call', () => '{"error":{"code":"Forbidden"}}', /no public RSA key/],
    ['something else', () => 'hello', /no public RSA key/],
  ])('refuses %s in place of the exchange key', async (_, content, sentence) => {
    writeFileSync(at('wrong.json'), content());
    const given = ['--kek', at('wrong.json'), '--key', at('key.pem'), '--out', at('no.byok')];
    const found = await run('byok', 'wrap', ...given);
    expect(found).toMatchObject({ code: 1, out: '', told: expect.stringMatching(sentence) as unknown });
    expect(existsSync(at('no.byok'))).toBe(false);
  });
});

describe('keyswitch byok check', () => {
  it('tells people one fact a line', async () => {
    await wrap('people.byok');
    const { code, out } = await run('byok', 'check', at('people.byok'), '--kek', at('kek.json'));
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.replace(/ {2,}/, ': '))).toEqual([
      `File: ${at('people.byok')}`,
      `Wrapped for: ${exchange.id!}`,
      `Vault: ${HOST}`,
      expect.stringMatching(/^Ciphertext bytes: \d+$/),
      '',
    ]);
  });

  it('names what is wrong with a file of another tool', async () => {
    writeFileSync(
      at('other.byok'),
      JSON.stringify({ schema_version: '1.0.0', header: { alg: 'dir' }, ciphertext: '' }),
    );
    expect(await run('byok', 'check', at('other.byok'), '--kek', at('kek.json'))).toEqual({
      code: 1,
      out: '',
      told: 'Its header.enc is not CKM_RSA_AES_KEY_WRAP (other-format).\n',
    });
  });
});

describe('keyswitch', () => {
  it.each([
    [[], 2],
    [['--help'], 0],
    [['--version'], 0],
    [['byok', 'wrap', '--help'], 0],
    [['byok', 'wrap'], 2],
    [['byok', 'wrap', '--nonsense'], 2],
    [['nonsense'], 2],
    [['byok', 'check', 'a', 'b', '--kek', 'c'], 2],
  ])('%j ends with %i', async (args, code) => {
    const found = await run(...args);
    expect(found.code).toBe(code);
    expect(found.out === '').toBe(code !== 0);
  });

  it('says which file cannot be read', async () => {
    expect(await run('byok', 'check', at('absent'), '--kek', at('kek.json'))).toMatchObject({
      code: 1,
      told: `The transfer file cannot be read from ${at('absent')} (ENOENT).\n`,
    });
  });
});

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
