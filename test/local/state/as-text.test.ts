import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { asText, fromText } from '../../../local/state/as-text.ts';

test('values come back as they were, with what JSON does not know', () => {
  const value = {
    map: new Map<string, unknown>([
      ['a', new Set([1, 2])],
      ['b', { at: new Date(0), never: Infinity }],
    ]),
    bytes: Buffer.from([0, 255]),
    text: 'ä',
    list: [null, true],
  };
  expect(fromText(asText(value))).toEqual(value);
});

test.each(['rsa', 'ec'] as const)('a key pair of kind %s comes back as the same one', (kind) => {
  const { privateKey, publicKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const back = fromText(asText({ privateKey, publicKey })) as { privateKey: KeyObject; publicKey: KeyObject };
  expect([back.privateKey.equals(privateKey), back.publicKey.equals(publicKey)]).toEqual([true, true]);
});
