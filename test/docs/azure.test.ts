// docs/azure.md against the stand-ins of which it speaks.
import { expect, test } from 'vitest';
import { KEY_OPERATIONS } from '../../local/key-vault/key-operations.ts';
import { readPage } from './markdown.ts';

test('says of no operation that the stand-in for Key Vault does not know it, if it answers it', () => {
  const [, unknown = ''] = /^- Key Vault: .*?It does\s+not\s+know (.*?):/ms.exec(readPage('docs/azure.md')) ?? [];
  expect(unknown).toContain('verify');
  const words = unknown.replaceAll(/\s+/g, ' ').replace('rotation policies', 'get-rotation-policy');
  expect(Object.keys(KEY_OPERATIONS).filter((operation) => words.includes(operation))).toEqual([]);
});
