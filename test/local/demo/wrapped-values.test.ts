import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { candidatesIn, type Candidate } from '../../../local/demo/wrapped-values.ts';

const found = (cells: Readonly<Record<string, unknown>>): string[] =>
  candidatesIn({ table: 't', partitionKey: 'p', rowKey: 'r', cells }).map(({ ciphertext }: Candidate) => ciphertext);

test.each([256, 384, 512])('an RSA ciphertext of %i bytes is found however it is written', (size) => {
  const bytes = randomBytes(size);
  const expected = [bytes.toString('base64url')];
  expect(found({ cell: bytes })).toEqual(expected);
  for (const encoding of ['base64', 'base64url', 'hex'] as const) {
    expect(found({ cell: bytes.toString(encoding) })).toContain(expected[0]);
    expect(found({ cell: JSON.stringify([{ wrap: { ciphertext: bytes.toString(encoding) } }]) })).toContain(
      expected[0],
    );
  }
});

test('several in one row are all found, each once', () => {
  const [one, two] = [randomBytes(256), randomBytes(256)];
  const wraps = JSON.stringify([one.toString('base64url'), two.toString('base64url')]);
  expect(found({ wraps, again: one })).toEqual([one, two].map((bytes) => bytes.toString('base64url')));
});

test('what has another length is none', () => {
  const cells = { blob: randomBytes(60), hash: randomBytes(32).toString('hex'), count: 3, text: 'x'.repeat(100) };
  expect(found(cells)).toEqual([]);
});
