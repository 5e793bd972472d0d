// The recovery as whoever has lost everything else runs it: a process of its own, without settings and without a network.
import { generateKeyPairSync, randomBytes, createSecretKey, type KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportSealer } from '../../shared/adapters/export-sealer.ts';
import { encodeExport } from '../../shared/domain/company-key-export.ts';
import { wrapDataKey } from '../../shared/domain/data-key-blob.ts';
import { parseExportRecipient, type AskedKey } from '../../shared/domain/export-recipient.ts';
import { buildProgram } from '../../scripts/build-bundle.ts';
import { keyFixture } from '../fixtures/key-fixtures.ts';
import { runRecover, type Recovered } from './run-recover.ts';

const PASSPHRASE = 'correct horse battery staple';
const companyKey = createSecretKey(Buffer.alloc(32, 7));
const PLACE = { companyId: 'acme', keyringId: 'default' };
const LENGTHS = [16, 17, 32, 63, 64];
const plaintexts = new Map(LENGTHS.map((length) => [`k.${length}`, randomBytes(length)]));
const { privateKey, publicKey } = keyFixture('rsa-2048-1');
const x25519 = generateKeyPairSync('x25519');

let directory: string;
const at = (name: string): string => join(directory, name);

const item = (keyId: string, version = 2): { keyId: string; [name: string]: unknown } => {
  const context = { ...PLACE, keyId, companyKeyVersion: version };
  const plaintext = plaintexts.get(keyId) ?? Buffer.alloc(32);
  const blob = wrapDataKey({ companyKey, context, nonce: randomBytes(12), plaintext });
  return { keyId, state: 'live', companyKeyVersion: version, wrapped: Buffer.from(blob).toString('base64url') };
};
const items = [...plaintexts.keys()].map((keyId) => item(keyId));
const pages = [
  { value: items.slice(0, 2), nextLink: 'https://keyswitch.example/' },
  { value: [], nextLink: 'https://keyswitch.example/' },
  { value: items.slice(2) },
];

async function sealed(to: { publicKey?: KeyObject; passphrase?: string }, content?: Uint8Array): Promise<string> {
  const recipient = parseExportRecipient({
    ...(to.publicKey ? { publicKey: to.publicKey.export({ format: 'jwk' }) as AskedKey } : {}),
    ...(to.passphrase === undefined ? {} : { passphrase: to.passphrase }),
  });
  if (!recipient.ok) throw new Error('was refused');
  const made = encodeExport({
    ...PLACE,
    provider: { provider: 'managed' },
    keyId: 'https://vendor.vault.azure.net/keys/kek/1',
    madeAt: '2026-01-01T00:00:00.000Z',
    versions: [{ version: 2, companyKey }],
  });
  return exportSealer.seal(content ?? made, recipient.value);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyswitch-recover-'));
  const answer = { format: 'keyswitch.company-key-export.1', keyringId: 'default', versions: [2] };
  const files: Readonly<Record<string, string>> = {
    'to-rsa.json': JSON.stringify({ ...answer, jwe: await sealed({ publicKey }) }),
    'to-x25519.jwe': `${await sealed({ publicKey: x25519.publicKey })}\n`,
    'by-passphrase.json': JSON.stringify({ ...answer, jwe: await sealed({ passphrase: PASSPHRASE }) }, null, 2),
    'holds-none.jwe': await sealed({ publicKey }, Buffer.from('{"format":"keyswitch.company-key-export.1"}')),
    'later.jwe': await sealed({ publicKey }, Buffer.from('{"format":"keyswitch.company-key-export.2"}')),
    'rsa.pem': privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    'other-rsa.pem': keyFixture('rsa-2048-2').privateKey.export({ format: 'pem', type: 'pkcs1' }).toString(),
    'public.pem': publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    'x25519.json': JSON.stringify(x25519.privateKey.export({ format: 'jwk' })),
    'passphrase.txt': `${PASSPHRASE}\n`,
    'other-passphrase.txt': 'secret-words-of-somebody',
    'page.json': JSON.stringify({ value: items }),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
});
afterAll(() => rm(directory, { recursive: true }));

const recover = (...args: readonly string[]): Promise<Recovered> => runRecover(args, { cwd: directory });
const RSA = ['--export', 'to-rsa.json', '--private-key', 'rsa.pem'];

const linesOf = (text: string): Map<string, string> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const { keyId, key } = JSON.parse(line) as { keyId: string; key: string };
        return [keyId, key];
      }),
  );
const EXPECTED = new Map([...plaintexts].map(([keyId, bytes]) => [keyId, bytes.toString('base64url')]));

/** Nothing that is secret, in any of the forms that it has here. */
function expectNoSecret(text: string): void {
  for (const secret of [PASSPHRASE, 'secret-words', Buffer.alloc(32, 7).toString('base64url'), ...EXPECTED.values()])
    expect(text).not.toContain(secret);
}

describe('npm run recover', () => {
  it.each([
    ['to an RSA key, as the answer was saved', RSA],
    ['to an X25519 key, as the JWE alone, with a JWK', ['--export', 'to-x25519.jwe', '--private-key', 'x25519.json']],
    ['by a passphrase', ['--export', 'by-passphrase.json', '--passphrase-file', 'passphrase.txt']],
  ])('opens every data key of an export %s', async (_, source) => {
    const { code, stdout, stderr } = await recover(...source, '--keys', 'page.json');
    expect([code, linesOf(stdout)]).toEqual([0, EXPECTED]);
    expect(stderr).toBe(
      "Export of company 'acme', keyring 'default', made 2026-01-01T00:00:00.000Z, with company key 2.\n5 of 5 data keys opened.\n",
    );
  });

  it('does not call a dump without any data key a success', async () => {
    await writeFile(at('none.json'), JSON.stringify({ value: [] }));
    const { code, stdout, stderr } = await recover(...RSA, '--keys', 'none.json');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('0 of 0 data keys opened.');
  });

  it('says that pages are missing when the last one names another', async () => {
    await writeFile(
      at('begun'),
      pages
        .slice(0, 2)
        .map((page) => JSON.stringify(page))
        .join('\n'),
    );
    const { code, stdout, stderr } = await recover(...RSA, '--keys', 'begun');
    expect([code, [...linesOf(stdout).keys()]]).toEqual([1, ['k.16', 'k.17']]);
    expect(stderr).toContain('the nextLink of the last page was not followed');
  });

  it.each([
    ['a page that is written prettily', JSON.stringify({ value: items }, null, 2)],
    ['an array of pages', JSON.stringify(pages)],
    ['an array of pages that is written prettily', `\n${JSON.stringify(pages, null, 2)}\n`],
    ['a page on each line', pages.map((page) => JSON.stringify(page)).join('\n')],
    [
      'a data key on each line, with blank ones and Windows’ line ends',
      items.map((one) => `${JSON.stringify(one)}\r\n\r\n`).join(''),
    ],
    ['an array of data keys behind a byte order mark', `\ufeff${JSON.stringify(items)}`],
    [
      'lines longer than a file is read at once',
      pages.map((page) => `${' '.repeat(100_000)}${JSON.stringify(page)}\n`).join(''),
    ],
  ])('reads a dump that is %s', async (_, text) => {
    await writeFile(at('dump'), text);
    const { code, stdout } = await recover(...RSA, '--keys', 'dump');
    expect([code, linesOf(stdout)]).toEqual([0, EXPECTED]);
  });

  it('writes a file that its owner alone can read, and none over another', async () => {
    const first = await recover(...RSA, '--keys', 'page.json', '--out', 'out.jsonl');
    expect([first.code, first.stdout]).toEqual([0, '']);
    expect((await stat(at('out.jsonl'))).mode & 0o777).toBe(0o600);
    expect(linesOf(await readFile(at('out.jsonl'), 'utf8'))).toEqual(EXPECTED);
    const again = await recover(...RSA, '--keys', 'page.json', '--out', 'out.jsonl');
    expect([again.code, again.stdout]).toEqual([2, '']);
    expect(again.stderr).toContain('not written over: out.jsonl');
    const nowhere = await recover(...RSA, '--keys', 'page.json', '--out', 'no/such/folder');
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('cannot be made')]);
  });

  it('names every key that does not open, opens all others, and ends with 1', async () => {
    const spoilt = Buffer.from(String(item('spoilt')['wrapped']), 'base64url')
      .fill(0, 20, 24)
      .toString('base64url');
    const dump = [
      { ...item('spoilt'), wrapped: spoilt },
      { ...item('given-up'), wrapped: spoilt, state: 'lost' },
      { ...item('set-aside'), wrapped: 'AQ', state: 'quarantined' },
      { ...item('moved'), keyId: 'moved-here' },
      item('older', 1),
      { keyId: 'bare', state: 'live', companyKeyVersion: 2 },
      { ...item('unlabelled'), companyKeyVersion: '2' },
      { ...item('x'), keyId: '\u001b[2Jwipes the screen' },
      'k.16',
      [[item('too-deep')]],
      ...items,
    ];
    await writeFile(at('dump'), JSON.stringify({ value: dump }));
    const { code, stdout, stderr } = await recover(...RSA, '--keys', 'dump');
    expect([code, linesOf(stdout)]).toEqual([1, EXPECTED]);
    expect(stderr.split('\n').slice(1, -1)).toEqual([
      "Not opened: 'spoilt' does not open.",
      "Not opened: 'given-up' does not open; Keyswitch had it as lost.",
      "Not opened: 'set-aside' does not open; Keyswitch had it as quarantined.",
      "Not opened: 'moved-here' does not open.",
      "Not opened: 'older' is under company key 1, which is not in the export.",
      "Not opened: 'bare' comes without its wrapped form: list the data keys with wrapped=true.",
      "Not opened: 'unlabelled' does not say which company key it is under.",
      'Not opened: line 1, item 8 has no id of a data key.',
      'Not opened: line 1, item 9 is no data key.',
      'Not opened: line 1, item 10, item 1 is no data key.',
      '5 of 15 data keys opened.',
    ]);
    expectNoSecret(stderr);
  });

  it('opens no key of another company, keyring or company key', async () => {
    const context = { companyId: 'globex', keyringId: 'default', keyId: 'k.32', companyKeyVersion: 2 };
    const blob = wrapDataKey({ companyKey, context, nonce: randomBytes(12), plaintext: Buffer.alloc(32) });
    await writeFile(at('dump'), JSON.stringify({ ...item('k.32'), wrapped: Buffer.from(blob).toString('base64url') }));
    expect((await recover(...RSA, '--keys', 'dump')).code).toBe(1);
  });

  const KEYS = ['--keys', 'page.json'];
  it.each([
    ['no export', ['--private-key', 'rsa.pem', ...KEYS], 'name the file of the export by --export FILE'],
    ['no keys', RSA, 'name the file of the wrapped data keys by --keys FILE'],
    ['neither key nor passphrase', ['--export', 'to-rsa.json', ...KEYS], 'give either'],
    ['both', [...RSA, ...KEYS, '--passphrase-file', 'passphrase.txt'], 'give either'],
    [
      'a passphrase on the command line',
      [...RSA, ...KEYS, '--passphrase', PASSPHRASE],
      'there is no option --passphrase, only ',
    ],
    [
      'an export that is not there',
      ['--export', 'nothing', '--private-key', 'rsa.pem', ...KEYS],
      'cannot be read: nothing',
    ],
    ['an export that is none', ['--export', 'page.json', '--private-key', 'rsa.pem', ...KEYS], 'holds neither'],
    [
      'a private key in place of the export',
      ['--export', 'rsa.pem', '--private-key', 'rsa.pem', ...KEYS],
      'holds neither',
    ],
    [
      'a private key that is not there',
      ['--export', 'to-rsa.json', '--private-key', 'nothing', ...KEYS],
      'cannot be read: nothing',
    ],
    ['a public key', ['--export', 'to-rsa.json', '--private-key', 'public.pem', ...KEYS], 'holds no private key'],
    [
      'no key at all',
      ['--export', 'to-rsa.json', '--private-key', 'other-passphrase.txt', ...KEYS],
      'holds no private key',
    ],
    [
      'another private key',
      ['--export', 'to-rsa.json', '--private-key', 'other-rsa.pem', ...KEYS],
      'does not open with this private key',
    ],
    [
      'a private key of another type',
      ['--export', 'to-rsa.json', '--private-key', 'x25519.json', ...KEYS],
      'does not open with this private key',
    ],
    [
      'another passphrase',
      ['--export', 'by-passphrase.json', '--passphrase-file', 'other-passphrase.txt', ...KEYS],
      'does not open with this passphrase',
    ],
    [
      'a passphrase where a key is needed',
      ['--export', 'to-rsa.json', '--passphrase-file', 'passphrase.txt', ...KEYS],
      'with --private-key',
    ],
    [
      'a key where a passphrase is needed',
      ['--export', 'by-passphrase.json', '--private-key', 'rsa.pem', ...KEYS],
      'with --passphrase-file',
    ],
    [
      'an export in which there is none',
      ['--export', 'holds-none.jwe', '--private-key', 'rsa.pem', ...KEYS],
      'what is inside is none',
    ],
    [
      'an export of a later Keyswitch',
      ['--export', 'later.jwe', '--private-key', 'rsa.pem', ...KEYS],
      'use a later one',
    ],
    ['a dump that is not there', [...RSA, '--keys', 'nothing'], 'cannot be read: nothing'],
    ['a dump that is no JSON', [...RSA, '--keys', 'other-passphrase.txt'], 'is no JSON'],
    ['a dump that is a folder', [...RSA, '--keys', '.'], 'cannot be read'],
  ])('says what is wrong and ends with 2, with nothing secret: %s', async (_, args, says) => {
    const { code, stdout, stderr } = await recover(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(says);
    expectNoSecret(stderr);
  });

  it('stops at a line that is no JSON, naming it, and says that it is not all', async () => {
    await writeFile(at('dump'), `${JSON.stringify(items[0])}\n{"keyId":"cut-of`);
    const { code, stdout, stderr } = await recover(...RSA, '--keys', 'dump');
    expect([code, linesOf(stdout).size]).toEqual([2, 1]);
    expect(stderr).toContain('Line 2');
    expect(stderr).not.toContain('cut-of');
  });

  it('opens no JWE that would keep a processor busy for days', async () => {
    const jwe = await sealed({ passphrase: PASSPHRASE });
    const [head = '', ...rest] = jwe.split('.');
    const header = { ...(JSON.parse(Buffer.from(head, 'base64url').toString()) as object), p2c: 2_000_000_000 };
    const hostile = [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
    await writeFile(at('hostile.jwe'), hostile);
    const { code } = await recover('--export', 'hostile.jwe', '--passphrase-file', 'passphrase.txt', ...KEYS);
    expect(code).toBe(2);
  });

  it('opens no export that is merely signed, or encrypted in another way', async () => {
    const head = Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url');
    await writeFile(at('hostile.jwe'), `${head}....`);
    const { code, stderr } = await recover('--export', 'hostile.jwe', '--private-key', 'rsa.pem', ...KEYS);
    expect([code, stderr]).toEqual([2, expect.stringContaining('in a way that no export is')]);
  });

  it('is one file where that is wanted, which needs nothing beside it', async () => {
    const file = at('recover.mjs');
    await buildProgram('recover', file);
    const opened = await runRecover([...RSA, '--keys', 'page.json'], { cwd: directory, script: file });
    expect([opened.code, linesOf(opened.stdout)]).toEqual([0, EXPECTED]);
  });

  it('finds files from where it was typed, although npm runs it in the project', async () => {
    const env = { npm_lifecycle_event: 'recover', INIT_CWD: directory };
    const opened = await runRecover([...RSA, '--keys', 'page.json'], { cwd: tmpdir(), env });
    expect([opened.code, linesOf(opened.stdout)]).toEqual([0, EXPECTED]);
  });

  it('explains itself', async () => {
    const { code, stdout } = await recover('--help');
    expect(code).toBe(0);
    for (const option of ['--export', '--keys', '--private-key', '--passphrase-file', '--out'])
      expect(stdout).toContain(option);
  });
});
