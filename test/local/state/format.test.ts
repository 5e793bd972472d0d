// What npm start has kept is read by the next version of the product. Where rows or what is sealed of them have changed, a kept state would be
// `row-forged` in every call: it has to be refused at the start instead, by another FORMAT.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FORMAT } from '../../../local/state/state-folder.ts';
import { readPage, ROOT, sections, tableRows } from '../../docs/markdown.ts';

/** To be recorded anew whenever FORMAT is raised: the error of the test names the new one. */
const RECORDED = { format: 21, rows: 'e187ae6bef54124e' };

/** Rows and the types of their cells, as docs/storage.md has them and a test compares; and the code that says what is sealed. */
function fingerprint(): string {
  const cells = sections(readPage('docs/storage.md'), 2).flatMap(({ title, body }) =>
    sections(body, 3).flatMap((row) =>
      tableRows(row.body).map(([name = '', type = '']) => [title, row.title, name, type].join(' ')),
    ),
  );
  const seals = readFileSync(new URL('shared/domain/seal.ts', ROOT), 'utf8')
    .replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, '')
    .replaceAll(/\s+/g, '');
  return createHash('sha256')
    .update(JSON.stringify([cells.toSorted(), seals]))
    .digest('hex')
    .slice(0, 16);
}

test('rows and seals are those of the recorded FORMAT: raise it in local/state/state-folder.ts where they are others', () => {
  expect({ format: FORMAT, rows: fingerprint() }).toEqual(RECORDED);
});
