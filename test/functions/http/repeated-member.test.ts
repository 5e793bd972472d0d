import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readJsonBody } from '../../../functions/http/kernel/body.ts';
import { repeatedMember } from '../../../functions/http/kernel/repeated-member.ts';

test.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"keys":[{},{"keyId":"x","keyId":"y"}]}', 'keys.1.keyId'],
  ['{"a":1,"\\u0061":2}', 'a'],
  ['{"a":{"b":[1,[2,{"c":1,"c":1}]]}}', 'a.b.1.1.c'],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
])('%s has %s twice', (text, place) => {
  expect(repeatedMember(text)).toBe(place);
});

test.each([
  '{"a":{"a":{"a":1}},"b":["a","a"]}',
  '[{"a":1},{"a":1}]',
  '{"a":"\\"a\\":1,{","b":"a","c":"\\\\"}',
  ' "a" ',
  'null',
  '{}',
  `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
])('nothing is twice in %.40s', (text) => {
  expect(repeatedMember(text)).toBeUndefined();
});

test('a body with a member twice is refused with its place', async () => {
  const headers = new Headers({ 'content-type': 'application/json' });
  const body = Readable.from([Buffer.from('{"keyIds":["first"],"keyIds":["second"]}')]);
  expect(await readJsonBody({ headers, body })).toEqual({
    ok: false,
    error: {
      type: 'invalid-request',
      details: [{ code: 'invalid-value', target: 'body.keyIds', message: 'is given twice' }],
    },
  });
});
