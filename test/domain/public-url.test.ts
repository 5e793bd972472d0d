import { describe, expect, test } from 'vitest';
import { parsePublicUrl } from '../../shared/domain/public-url.ts';

describe('a public address', () => {
  test.each([
    ['https://keyswitch.example', 'https://keyswitch.example'],
    ['https://keyswitch.example/', 'https://keyswitch.example'],
    ['HTTPS://Keyswitch.Example:443', 'https://keyswitch.example'],
    ['https://keyswitch.example:8443', 'https://keyswitch.example:8443'],
    ['http://127.0.0.1:7071', 'http://127.0.0.1:7071'],
    ['http://localhost:7071/', 'http://localhost:7071'],
  ])('%s is the origin %s', (text, origin) => {
    expect(parsePublicUrl(text)).toBe(origin);
  });

  test.each([
    'keyswitch.example',
    'http://keyswitch.example',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example',
    'https://keyswitch.example/path',
    'https://keyswitch.example/?',
    'https://keyswitch.example/#',
    'https://user@keyswitch.example',
    'https://',
    'ftp://keyswitch.example',
    'javascript:alert(1)',
    '',
  ])('cannot be %j', (text) => {
    expect(parsePublicUrl(text)).toBeUndefined();
  });
});
