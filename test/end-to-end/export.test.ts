// A company takes its company key out, to an RSA key, an EC key and a passphrase, lists its wrapped data keys, and opens all of them where there
// is no Keyswitch, no Azure, no setting and no network.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyFixture } from '../fixtures/key-fixtures.ts';
import { runRecover } from '../scripts/run-recover.ts';
import { azure, Company, MANAGED, type KeyOutcome, type Provider } from './company.ts';
import { startRun } from './harness.ts';
import type { Answer, ErrorBody, Run } from './run.ts';

const PASSPHRASE = 'Kaffee, Butter und zwölf Eier';

interface Page {
  readonly value: readonly { readonly keyId: string }[];
  readonly nextLink?: string;
}

let run: Run;
let company: Company;
let directory: string;
let headers: Readonly<Record<string, string>>;

beforeAll(async () => {
  run = await startRun({ settings: { KEYSWITCH_EXPORT_HOURS: '1' } });
  directory = await mkdtemp(join(tmpdir(), 'keyswitch-export-'));
  headers = { authorization: `Bearer ${run.environment.tokens.companyAdmins.contoso}` };
  company = await Company.create(run, 'contoso', 40);
  await company.connect(run.environment.customers.contoso, { id: 'azure', keyName: 'exported-key' });
  const keys = [16, 24, 64].map((length) => ({
    keyId: `imported.${length}`,
    plaintext: randomBytes(length).toString('base64url'),
  }));
  await company.must('POST', `${company.keyring}/datakeys`, { as: 'dataKeys', body: { keys } });
  for (const { keyId, plaintext } of keys) company.keys.set(keyId, plaintext);
});
afterAll(async () => {
  await run.close();
  await rm(directory, { recursive: true });
});

const ask = (body: unknown): Promise<Answer<ErrorBody>> =>
  run.call('POST', `${company.keyring}/export`, { headers, body });

/** Page by page, as a line each. */
async function dump(): Promise<string> {
  const pages: Page[] = [];
  let query: string | undefined = '?wrapped=true&maxpagesize=10';
  while (query !== undefined) {
    const page: Page = await company.must<Page>('GET', `${company.keyring}/datakeys${query}`, { headers });
    pages.push(page);
    query = page.nextLink && new URL(page.nextLink).search;
  }
  return pages.map((page) => JSON.stringify(page)).join('\n');
}

async function recovered(answer: Answer<unknown>, source: readonly string[]): Promise<Map<string, string>> {
  await writeFile(join(directory, 'export.json'), JSON.stringify(answer.body));
  await writeFile(join(directory, 'keys.jsonl'), await dump());
  const args = ['--export', 'export.json', '--keys', 'keys.jsonl', ...source];
  const { code, stdout, stderr } = await runRecover(args, { cwd: directory });
  expect([code, stderr]).toEqual([0, expect.stringContaining(`${company.keys.size} of ${company.keys.size}`)]);
  const lines = stdout.trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const { keyId, key } = JSON.parse(line) as { keyId: string; key: string };
      return [keyId, key];
    }),
  );
}

/** What the product itself answers now. */
async function unwrapped(): Promise<Map<string, string>> {
  const { body } = await company.unwrap([...company.keys.keys()]);
  return new Map(body.keys.map(({ keyId, plaintext = '' }: KeyOutcome) => [keyId, plaintext]));
}

const sorted = (keys: ReadonlyMap<string, string>): [string, string][] => [...keys].sort();

test('every data key opens with the export alone, whoever it went to; a second export is refused', async () => {
  const rsa = keyFixture('rsa-3072-1');
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  const pem = { format: 'pem', type: 'pkcs8' } as const;
  await writeFile(join(directory, 'rsa.pem'), rsa.privateKey.export(pem));
  await writeFile(join(directory, 'ec.pem'), ec.privateKey.export(pem));
  await writeFile(join(directory, 'passphrase.txt'), `${PASSPHRASE}\n`);
  const steps: [string, Provider, unknown, string[]][] = [
    ['to-azure', azure('azure'), { publicKey: rsa.publicKey.export({ format: 'jwk' }) }, ['--private-key', 'rsa.pem']],
    ['to-vendor', MANAGED, { publicKey: ec.publicKey.export({ format: 'jwk' }) }, ['--private-key', 'ec.pem']],
    ['to-azure-again', azure('azure'), { passphrase: PASSPHRASE }, ['--passphrase-file', 'passphrase.txt']],
  ];
  for (const [switchId, target, recipient, source] of steps) {
    expect((await company.switchTo(switchId, target)).state).toBe('completed');
    const answer = await ask(recipient);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const keys = await recovered(answer, source);
    expect(sorted(keys)).toEqual(sorted(company.keys));
    expect(sorted(keys)).toEqual(sorted(await unwrapped()));
    const again = await ask(recipient);
    expect([again.status, again.body.error.code]).toEqual([409, 'tenants-unverified']);
  }
  expect(run.lines.join('\n')).not.toContain(PASSPHRASE);
});

test('an old export opens no key of a later company key, and names each', async () => {
  await company.switchTo('to-vendor-again', MANAGED);
  await writeFile(join(directory, 'keys.jsonl'), await dump());
  const args = ['--export', 'export.json', '--keys', 'keys.jsonl', '--passphrase-file', 'passphrase.txt'];
  const { code, stdout, stderr } = await runRecover(args, { cwd: directory });
  expect([code, stdout]).toEqual([1, '']);
  for (const keyId of company.keys.keys()) expect(stderr).toContain(`'${keyId}' is under company key 5`);
});
