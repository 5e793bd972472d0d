// local/README.md against the stand-ins of which it speaks.
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KEY_OPERATIONS } from '../../local/key-vault/key-operations.ts';
import { code, readPage, ROOT } from './markdown.ts';

const page = readPage('local/README.md');

test('says of no operation that the stand-in for Key Vault does not know it, if it answers it', () => {
  const [, unknown = ''] = /^- Key Vault: .*?It does\s+not\s+know (.*?):/ms.exec(page) ?? [];
  expect(unknown).toContain('verify');
  const words = unknown.replaceAll(/\s+/g, ' ').replace('rotation policies', 'get-rotation-policy');
  expect(Object.keys(KEY_OPERATIONS).filter((operation) => words.includes(operation))).toEqual([]);
});

test('the page of the embedded run says of each of its folders what it is for', () => {
  const folders = readdirSync(new URL('local', ROOT), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const named = code(page).filter((word) => word.startsWith('local/'));
  expect(folders.map(({ name }) => `local/${name}`).filter((folder) => !named.includes(folder))).toEqual([]);
});
