// Scene 6: the company takes its own key out, once, and opens every data key with it in a process that knows nothing: no Keyswitch, no Azure, no settings.
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ErrorAnswer } from '../answers.ts';
import type { Demo } from '../demo.ts';
import type { KeyBook } from '../key-book.ts';
import { count, number } from '../words.ts';

const KEYRING = '/companies/contoso/keyrings/default';
const PAGE_KEYS = 1_000;
const RECOVER = fileURLToPath(new URL('../../../scripts/recover.ts', import.meta.url));
const OWNER_ONLY = 0o600;

interface Page {
  readonly value: readonly unknown[];
  readonly nextLink?: string;
}

export async function companyKeyExport(demo: Demo, book: KeyBook): Promise<void> {
  const { screen, environment, directory } = demo;
  screen.section('6  Contoso takes a copy of its company key, and needs nobody any more');
  const token = environment.tokens.companyAdmins.contoso;
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const body = { publicKey: publicKey.export({ format: 'jwk' }) };
  const ask = { token, method: 'POST', path: `${KEYRING}/export`, body } as const;
  const files = {
    export: join(directory, 'company-key-export.json'),
    keys: join(directory, 'data-keys.json'),
    privateKey: join(directory, 'private-key.pem'),
    out: join(directory, 'recovered.jsonl'),
  };
  await writeFile(files.export, JSON.stringify(await demo.api.must(ask)));
  await writeFile(files.privateKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: OWNER_ONLY });
  await writeFile(files.keys, JSON.stringify(await wrappedPages(demo, token)));
  screen.done(
    'Contoso’s admin exports the company key, encrypted to a key of their own, and a dump of all wrapped data keys.',
  );

  const options = [
    '--export',
    files.export,
    '--keys',
    files.keys,
    '--private-key',
    files.privateKey,
    '--out',
    files.out,
  ];
  // Nothing of this process: no settings, and no way to Azure's names.
  await promisify(execFile)(process.execPath, [RECOVER, ...options], { env: {} });
  const same = await sameKeys(files.out, book);
  demo.check(
    same === book.count,
    `A process with an empty environment and these three files opens ${count(same, 'data key')}: every one has the bytes it had at first.`,
    `Of ${number(book.count)} data keys only ${number(same)} were recovered as they were`,
  );
  const again = await demo.api.call(ask);
  const code = again.status < 300 ? 'answered' : (again.body as ErrorAnswer).error.code;
  demo.check(
    code === 'tenants-unverified',
    `A second copy is refused until every tenant agrees anew: ${code}.`,
    `A second export should be refused, and is ${code}`,
  );
}

async function wrappedPages({ api }: Demo, token: string): Promise<Page[]> {
  const pages: Page[] = [];
  let path: string | undefined = `${KEYRING}/datakeys?wrapped=true&maxpagesize=${PAGE_KEYS}`;
  while (path !== undefined) {
    const page = (await api.must({ token, method: 'GET', path })) as Page;
    pages.push(page);
    // Of whichever host answered: the next page is asked of any.
    path = page.nextLink?.replace(/^.*\/api\/v1/, '');
  }
  return pages;
}

/** How many lines of the output name a data key with its very bytes. */
async function sameKeys(file: string, book: KeyBook): Promise<number> {
  const indexes = new Map(Array.from({ length: book.count }, (_, index) => [book.keyId(index), index]));
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  return lines.filter((line) => {
    const { keyId, key } = JSON.parse(line) as { keyId: string; key: string };
    const index = indexes.get(keyId);
    return index !== undefined && book.isPlaintextOf(index, key);
  }).length;
}
