import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CanaryScan, tokenSecret } from '../../local/canary-scan.ts';

const ENCODINGS = ['hex', 'base64', 'base64url'] as const;

test('a secret is found in every form, wherever it begins and whatever is around it', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 64 }),
      fc.uint8Array({ maxLength: 7 }),
      fc.uint8Array({ maxLength: 7 }),
      (secret, before, after) => {
        const scan = new CanaryScan([{ name: 'it', bytes: secret }]);
        const around = Buffer.concat([before, secret, after]);
        expect(scan.findIn({ where: 'here', bytes: around })).toContainEqual({
          secret: 'it',
          form: 'raw',
          where: 'here',
        });
        for (const encoding of ENCODINGS) {
          const bytes = Buffer.from(JSON.stringify({ note: around.toString(encoding) }));
          const [found] = scan.findIn({ where: 'here', bytes });
          expect(found?.secret).toBe('it');
          // Where no character differs, base64url is base64.
          expect([encoding, 'base64']).toContain(found?.form);
        }
      },
    ),
  );
});

test('hex in capitals is hex', () => {
  const secret = randomBytes(32);
  const scan = new CanaryScan([{ name: 'it', bytes: secret }]);
  const bytes = Buffer.from(`key ${secret.toString('hex').toUpperCase()}`);
  expect(scan.findIn({ where: 'log', bytes })).toEqual([{ secret: 'it', form: 'hex', where: 'log' }]);
});

test('among thousands of secrets the right one is named, and none by chance', () => {
  const secrets = Array.from({ length: 5_000 }, (_, index) => ({ name: `key ${index}`, bytes: randomBytes(32) }));
  const scan = new CanaryScan(secrets);
  expect(scan.findIn({ where: 'noise', bytes: randomBytes(2_000_000) })).toEqual([]);
  const bytes = Buffer.concat([randomBytes(1_000), secrets[4_321]!.bytes, randomBytes(1_000)]);
  expect(scan.findIn({ where: 'noise', bytes })).toEqual([{ secret: 'key 4321', form: 'raw', where: 'noise' }]);
});

test('a secret cut short is not one', () => {
  const secret = randomBytes(32);
  const scan = new CanaryScan([{ name: 'it', bytes: secret }]);
  expect(scan.findIn({ where: 'end', bytes: secret.subarray(0, 31) })).toEqual([]);
});

test('a token is found by its signature, and any other by its look', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = [part({ alg: 'RS256', kid: '1' }), part({ oid: 'somebody' }), randomBytes(256).toString('base64url')];
  const signature = token[2] ?? '';
  const scan = new CanaryScan([tokenSecret('the token', token.join('.'))]);
  expect(scan.findIn({ where: 'log', bytes: Buffer.from(`signature ${signature}`) })).toEqual([
    { secret: 'the token', form: 'raw', where: 'log' },
  ]);
  const unknown = new CanaryScan([]);
  expect(unknown.findIn({ where: 'log', bytes: Buffer.from(`authorization: Bearer ${token.join('.')}`) })).toEqual([
    { secret: 'a bearer token', form: 'token', where: 'log' },
  ]);
});

test('a secret too short to be told from chance is refused', () => {
  expect(() => new CanaryScan([{ name: 'it', bytes: Buffer.alloc(15) }])).toThrow('it is too short');
});
