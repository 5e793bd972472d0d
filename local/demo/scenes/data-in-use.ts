// Scene 1: a company whose data keys, under the vendor's key, encrypt real files; and what a thief with that key could open.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { generateDataKeys } from '../data-keys.ts';
import { register } from '../company.ts';
import type { Demo } from '../demo.ts';
import { FileVault } from '../file-vault.ts';
import { findFiles } from '../files.ts';
import { KeyBook } from '../key-book.ts';
import { readDump, rowsThatOpen, VENDOR_KEK } from '../theft.ts';
import { count, megabytes, number, seconds } from '../words.ts';

export interface DataInUse {
  readonly book: KeyBook;
  readonly files: FileVault;
}

export async function dataInUse(demo: Demo): Promise<DataInUse> {
  const { screen, options, environment } = demo;
  screen.section('1  Data in use, under the vendor’s key');
  await register(demo, environment.customers.contoso, 'Contoso');
  screen.done(`Contoso is registered. The key that protects its data is the vendor’s: ${keyUrl(VENDOR_KEK)}`);

  const book = new KeyBook('contoso', options.keys);
  const begun = Date.now();
  await generateDataKeys(demo.dataKeys, book);
  screen.done(`${number(book.count)} data keys generated in ${seconds(Date.now() - begun)}.`);

  const files = await encryptFolder(demo, book);
  await showTheft(demo);
  return { book, files };
}

async function encryptFolder({ screen, options, directory }: Demo, book: KeyBook): Promise<FileVault> {
  const copies = join(directory, 'encrypted');
  await mkdir(copies);
  const found = await findFiles(options.folder);
  const vault = new FileVault({ folder: options.folder, copies, files: found, keyCount: book.count });
  const { files, bytes } = await vault.encrypt(found, (index) => book.plaintext(index));
  if (files === 0) throw new Error(`there are no files in ${options.folder}`);
  const use =
    vault.keysInUse === book.count
      ? 'every data key is in use'
      : `${number(vault.keysInUse)} data keys are in use, the files are too few for more`;
  screen.done(
    `${count(files, 'file')} (${megabytes(bytes)}) of ${options.folder} encrypted with AES-256-GCM in ` +
      `${number(vault.segments)} segments of up to ${vault.segmentBytes} bytes: ${use}.`,
  );
  return vault;
}

async function showTheft(demo: Demo): Promise<void> {
  const dump = await readDump(demo);
  const rows = await rowsThatOpen(demo, VENDOR_KEK, dump);
  const { length: companyKeys } = dump.companyKeyRows;
  const all = companyKeys > 0 && dump.companyKeyRows.every((row) => rows.includes(row));
  demo.check(
    all,
    `A dump of all tables (${number(dump.rows)} rows) holds ${count(companyKeys, 'company key')}, and the vendor’s key opens ` +
      `${rows.length} of ${companyKeys}. Whoever has both can read everything.`,
    `The vendor’s key should open all ${companyKeys} company keys, and opens ${rows.length}`,
  );
}

export const keyUrl = ({ host, name }: { readonly host: string; readonly name: string }): string =>
  `https://${host}/keys/${name}`;
