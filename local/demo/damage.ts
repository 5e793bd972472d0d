// `--break`: something is damaged on purpose, as an intruder or a failing disk would, so that the demo's proofs can be seen to
// fail. Each is done behind the product's back.
import { readFile, writeFile } from 'node:fs/promises';
import type { Demo } from './demo.ts';
import type { DataInUse } from './scenes/data-in-use.ts';
import { dumpTables, openTable } from './table-dump.ts';

export async function damage(demo: Demo, data: DataInUse): Promise<void> {
  const what = demo.options.damage;
  if (what === undefined) return;
  if (what === 'row') await exchangeRow(demo);
  if (what === 'file') await flipByte(data);
  if (what === 'leak') await leakKey(demo, data);
  demo.screen.say(`--break ${what}: damaged on purpose. The demo must notice.`, 'bad');
}

/** One data key's wrapped bytes are copied over another's. */
async function exchangeRow({ credential }: Demo): Promise<void> {
  let blob: Uint8Array | undefined;
  for await (const { table, partitionKey, rowKey, cells } of dumpTables(credential)) {
    if (table !== 'datakeys' || !(cells['blob'] instanceof Uint8Array) || rowKey.startsWith('!')) continue;
    if (blob) {
      await openTable(credential, table).updateEntity({ partitionKey, rowKey, blob }, 'Merge');
      return;
    }
    blob = cells['blob'];
  }
  throw new Error('there are no two data keys to exchange');
}

async function flipByte({ files }: DataInUse): Promise<void> {
  for (const copy of files.copies) {
    const bytes = await readFile(copy);
    const last = bytes.length - 1;
    if (last < 0) continue;
    bytes[last] = (bytes[last] ?? 0) ^ 1;
    await writeFile(copy, bytes);
    return;
  }
  throw new Error('there is no encrypted byte to change');
}

/** A plaintext key in a row, in hex, as somebody might write it while looking for a bug. */
async function leakKey({ credential }: Demo, { book }: DataInUse): Promise<void> {
  const note = `debug: ${book.plaintext(book.count - 1).toString('hex')}`;
  await openTable(credential, 'events').createEntity({ partitionKey: book.companyId, rowKey: 'debug', note });
}
